"""Looking at and removing what was deployed to an emulated Azure, from the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from coflows_jupyter.cli import run
from coflows_jupyter.notebook.magics import CoflowsMagics
from coflows_jupyter.notebook.query import Directory
from tests.conftest import ROOT
from tests.deploy.aci.conftest import KEY, Cloudy
from tests.deploy.aci.emulator import Azure
from tests.deploy.aci.hollow import Hollow

Coflows = Callable[..., tuple[int, str, str]]


@pytest.fixture
def coflows(cloudy: Cloudy, capsys: pytest.CaptureFixture[str]) -> Coflows:
    """Return a function that runs ``coflows aci …`` and gives exit code, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["aci", *words, str(cloudy.file)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def document(answer: tuple[int, str, str]) -> Any:
    """Return what a command printed as JSON."""
    code, out, err = answer
    assert code == 0, err
    return json.loads(out)


def test_plan_asks_azure(azure: Azure, cloudy: Cloudy, coflows: Coflows) -> None:
    """Limits are those of the region; where Azure can't be reached that is said, and no mistake."""
    code, out, _ = coflows("plan")
    assert code == 0
    assert "checked with Azure: uksouth offers at most 4 cores and 16 GB" in out
    azure.auth_file(cloudy.file.parent, activeDirectoryEndpointUrl="https://127.0.0.1:1/")
    code, out, _ = coflows("plan")
    assert code == 0
    assert "not checked with Azure: Azure did not answer" in out
    assert [method for method, _, _ in azure.seen if method == "PUT"] == []


def test_without_credentials(
    cloudy: Cloudy, coflows: Coflows, monkeypatch: pytest.MonkeyPatch, isolated_environ: dict[str, str]
) -> None:
    """Where nobody is logged in, the plan says how to."""
    for name in ("HOME", "PATH"):
        monkeypatch.setenv(name, isolated_environ["HOME"])
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "1b671a64-40d5-491e-99b0-da01ff1f3341")
    cloudy.write({"AuthFile": ""})
    code, _, err = coflows("status")
    assert code == 3
    assert "DefaultAzureCredential failed" in err
    assert "az login" in err


def test_status_before_and_after(azure: Azure, cloudy: Cloudy, coflows: Coflows) -> None:
    """What is there, what Azure did, and what to do where there is nothing."""
    code, _, err = coflows("status")
    assert code == 2
    assert "there is no container my-flow in w-1-rg" in err
    cloudy.deploy()
    found = document(coflows("status", "--json"))
    assert (found["state"], found["provisioning"], found["host"], found["owner"]) == (
        "Running",
        "Succeeded",
        "localhost",
        "W-1",
    )
    assert [event["name"] for event in found["events"]] == ["Pulling", "Pulled", "Created", "Started"]
    code, out, _ = coflows("status")
    assert "Started: Started container" in out


def test_logs(azure: Azure, cloudy: Cloudy, coflows: Coflows) -> None:
    """All lines or the last ones, without the secrets that the configuration knows."""
    azure.boot = lambda body: Hollow(body, lines=("one", f"two {KEY}", "three"))
    cloudy.deploy()
    assert coflows("logs")[1].splitlines() == ["one", "two ***", "three"]
    assert document(coflows("logs", "--tail", "1", "--json")) == ["three"]


def test_remove_takes_what_is_ours(azure: Azure, cloudy: Cloudy, coflows: Coflows) -> None:
    """Container and resource group go; again there is nothing to do."""
    cloudy.deploy()
    code, out, err = coflows("remove")
    assert (code, out) == (0, "Removed\n")
    assert "removed" in err
    assert (azure.containers, azure.groups) == ({}, {})
    code, out, _ = coflows("remove")
    assert (code, out) == (0, "There was nothing to remove\n")


def test_remove_leaves_what_is_not_ours(azure: Azure, cloudy: Cloudy, coflows: Coflows) -> None:
    """A group with other things in it stays, so does one without our tag; a container without it is an error."""
    cloudy.deploy()
    azure.others["w-1-rg"] = ["their-database"]
    code, _, err = coflows("remove")
    assert code == 0
    assert "it stays: their-database is in it too" in err
    assert set(azure.groups) == {"w-1-rg"}
    azure.others.clear()
    cloudy.deploy()
    azure.groups["w-1-rg"]["tags"] = {}
    assert "it is not ours and stays" in coflows("remove")[2]
    azure.groups["w-1-rg"]["tags"] = {"coflows-jupyter": "W-1"}
    cloudy.deploy()
    azure.containers["w-1-rg", "my-flow"]["tags"] = {}
    code, _, err = coflows("remove")
    assert code == 2
    assert "the container my-flow is there and not ours: it is left alone" in err
    assert azure.requests("DELETE", "my-flow") == [200, 200]


def test_the_originals_scripts(azure: Azure, cloudy: Cloudy, isolated_environ: dict[str, str]) -> None:
    """`bin/azure_deploy.sh local` and `bin/azure_remove.sh` deploy and remove."""
    folder = cloudy.file.parent
    shutil.copytree(ROOT / "mnt" / "bin", folder / "bin")
    environ = isolated_environ | {"REQUESTS_CA_BUNDLE": str(azure.certificate)}
    for words, said in ((["azure_deploy.sh", "local"], "serves at https"), (["azure_remove.sh"], "Removed")):
        script, *arguments = words
        done = subprocess.run(
            [folder / "bin" / script, *arguments], env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout


def test_deploy_in_a_notebook(azure: Azure, cloudy: Cloudy, capsys: pytest.CaptureFixture[str]) -> None:
    """`%coflows aci deploy` is the same command; its output appears in the cell."""
    shell = InteractiveShell()  # type: ignore[no-untyped-call]
    shell.register_magics(CoflowsMagics(shell, Directory()))
    shell.run_line_magic("coflows", f"aci deploy {cloudy.file}")
    said = capsys.readouterr()
    assert "My Flow serves at https://my-flow.uksouth.azurecontainer.io" in said.out
    assert "Pulled: Successfully pulled image" in said.err


def test_deploy_from_the_command_line(azure: Azure, cloudy: Cloudy, coflows: Coflows) -> None:
    """It tells what goes on and ends with the address; `azure` is the original's name of it."""
    code, out, err = coflows("deploy")
    assert code == 0, err
    assert out.startswith("My Flow serves at https://my-flow.uksouth.azurecontainer.io")
    assert "Pulled: Successfully pulled image" in err
    assert run(["azure", "status", str(cloudy.file)]) == 0
