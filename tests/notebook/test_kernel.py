"""The CoFlows kernel, started by a server, by a person's own Lab and by nobody's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from tests.conftest import RunningServer, Server
from tests.notebook.conftest import Notebook, install_kernel, opened_notebook


def test_the_workflow_is_open(flow_notebook: Notebook, server: Server, sample: Path) -> None:
    """`query`, magics and Base, in both styles, are there; the SecretKey is not."""
    assert flow_notebook.run("query.pyapi.Add(1, 2)") == "3"
    assert flow_notebook.run("from Base.portfolio import data; import portfolio; data.__file__").strip("'") == str(
        sample / "Base" / "portfolio" / "data.py"
    )
    assert flow_notebook.run("%coflows local query pyapi Add 1 2 --quiet") == "3"
    environ = flow_notebook.run("import os; list(os.environ.values())")
    assert server.key not in environ
    assert "COFLOWS_KEY" in flow_notebook.run("list(os.environ)")


def test_the_id_is_substituted(flow_notebook: Notebook, sample: Path) -> None:
    """`$WID$` in a Base file is the Workflow's ID, as in hosts; a file that changes is read again."""
    wid = json.loads((sample / "package.json").read_text())["ID"]
    (sample / "Base" / "whoami.py").write_text("ID = '$WID$'\n")
    both = flow_notebook.run("import whoami; from Base import whoami as same; print(whoami.ID, same.ID)")
    assert both == f"{wid} {wid}"
    (sample / "Base" / "whoami.py").write_text("ID = 'new $WID$'\n")
    assert flow_notebook.run("import importlib; importlib.reload(whoami).ID") == repr(f"new {wid}")


def test_new_notebooks_begin_with_it(
    running_server: RunningServer, sample: Path, isolated_environ: dict[str, str]
) -> None:
    """Where it is installed it is the default of our server's Lab, unless the operator names another."""
    install_kernel(isolated_environ)
    command = (sys.executable, "-c", "from coflows_jupyter.app import main; main()")
    for arguments, default in (((), "coflows"), (("--MultiKernelManager.default_kernel_name=python3",), "python3")):
        server = running_server(sample / "coflows_config.json", *arguments, command=command)
        headers = {"Authorization": f"token {server.key}"}
        assert server.http.get("api/kernelspecs", headers=headers).json()["default"] == default
        server.stop()


def test_pips_come_first(running_server: RunningServer, sample: Path, isolated_environ: dict[str, str]) -> None:
    """The kernel imports the version that hosts import, not the server's."""
    package = json.loads((sample / "package.json").read_text()) | {"Pips": [{"ID": "toolz==0.12.0"}]}
    (sample / "package.json").write_text(json.dumps(package))
    isolated_environ["UV_CACHE_DIR"] = str(Path.home() / ".cache" / "uv")
    install_kernel(isolated_environ)
    server = running_server(sample / "coflows_config.json")
    with opened_notebook(server, isolated_environ, "coflows") as notebook:
        assert notebook.run("import toolz; toolz.__version__") == "'0.12.0'"


def test_without_a_workflow(isolated_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is an ordinary Python kernel that says so in its first cell, once."""
    install_kernel(isolated_environ)
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, isolated_environ[name])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COFLOWS_")}
    manager, client = start_new_kernel(kernel_name="coflows", env=environ, cwd=str(tmp_path))
    try:
        notebook = Notebook(client)
        said, result = notebook.run("1 + 1").splitlines()
        assert said.startswith("This is an ordinary Python kernel, without a Workflow: no CoFlows server runs here")
        assert result == "2"
        assert notebook.run("1 + 1") == "2"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_cells_of_the_original_run(flow_notebook: Notebook) -> None:
    """Modules of the original can be imported; who works is whom the kernel's key speaks for."""
    flow_notebook.run("import clr, System, QuantApp.Kernel as qak, QuantApp.Engine as qae")
    assert flow_notebook.run("System.Console.WriteLine('{0}', System.DateTime(2024, 1, 2).Year)") == "2024"
    assert flow_notebook.run("qak.User.PermissionContext('any') == qak.AccessType.Write") == "True"
    assert flow_notebook.run("bool(qak.User.ContextUser.FirstName)") == "True"
    status, text = flow_notebook.attempt("qak.Group.FindGroup('any')")
    assert status == "error"
    assert "only Queries and Agents" in text or "belong to a Workflow" in text
