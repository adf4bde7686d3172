"""What a deployment will do, and why it may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coflows_jupyter.config import PUBLISHED_KEY, load_config
from coflows_jupyter.deploy.aci.facts import Facts, Quota
from coflows_jupyter.deploy.aci.limits import Offer
from coflows_jupyter.deploy.aci.plan import Options, Plan, make_plan, resource_group
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.workflow.package import read_package
from tests.conftest import ROOT
from tests.deploy.aci.test_auth import written

KEY = "9f3c1e7a5b2d4860c8e1f7a3d5b90264"
POSTGRES = "postgresql://me:p4ssw0rd@db.example.com/flows"
BLOCK = {"AuthFile": "my.azureauth", "Dns": "coflows-container", "Region": "UKSouth", "Cores": 4, "Mem": 4}


def plan(
    folder: Path,
    facts: Facts = Facts(),  # noqa: B008 - it never changes
    options: Options = Options(),  # noqa: B008 - it never changes
    package: dict[str, Any] | None = None,
    **changed: Any,
) -> Plan:
    """Write a Workflow that could be deployed, but for what is changed; return its plan."""
    written(folder)
    config = {
        "Server": {"Host": "localhost", "SecretKey": KEY},
        "Database": {"Type": "postgres", "Connection": POSTGRES},
        "AzureContainerInstance": BLOCK,
        "Workflow": "package.json",
    }
    azure = {**BLOCK, **changed.pop("azure", {})}
    config |= {"AzureContainerInstance": {k: v for k, v in azure.items() if v is not None}} | changed
    (folder / "coflows_config.json").write_text(json.dumps(config))
    (folder / "package.json").write_text(json.dumps({"ID": "W-1", "Name": "My Flow", **(package or {})}))
    loaded = load_config(folder / "coflows_config.json", environ={})
    return make_plan(loaded, read_package(loaded.workflow), facts, options, {})


def codes(made: Plan) -> list[str]:
    """Return why it can't be done."""
    return [found.code for found in made.refusals]


def test_a_plan_says_all(tmp_path: Path) -> None:
    """Address, size, image, ports, https, what is kept where, what is paid for; and no secret."""
    made = plan(tmp_path)
    assert codes(made) == []
    assert made.url == "https://coflows-container.uksouth.azurecontainer.io"
    assert (made.group, made.container, made.region) == ("w-1-rg", "coflows-container", "uksouth")
    assert (made.cores, made.memory, made.ports) == (4, 4, (80, 443))
    assert made.stored["users, M, runs"] == "flows at db.example.com"
    assert made.costs[0].endswith("2920 core hours and 2920 GB hours a month")
    assert made.checked == "checked with Azure, which says nothing of sizes in uksouth"
    text = msgspec.json.encode(made).decode()
    assert not [secret for secret in (KEY, "p4ssw0rd", "s3cr3t") if secret in text]
    made.check()


def test_the_tutorials_block_is_understood_as_it_is() -> None:
    """The sample's section is the tutorial's; what keeps it from being deployed is said at its line."""
    config = load_config(ROOT / "mnt" / "coflows_config.json", environ={})
    made = make_plan(config, read_package(config.workflow), environ={})
    assert made.url == "https://coflows-container.uksouth.azurecontainer.io"
    found = {refusal.code: refusal for refusal in made.refusals}
    assert set(found) == {"credentials", "weak-key", "data-loss"}
    assert found["credentials"].line == config.document.place(("AzureContainerInstance", "AuthFile")).line
    assert PUBLISHED_KEY not in msgspec.json.encode(made).decode()
    with pytest.raises(ConfigError, match="3 mistakes: nothing was changed"):
        made.check()


def test_resources_are_the_default_of_the_size(tmp_path: Path) -> None:
    """Without Cores and Mem those of package.json are taken, in tenths of a gigabyte; else little."""
    resources = {"Resources": {"Limit": {"Cpu": "1500m", "Mem": "3.25Gi"}, "Request": {"Cpu": "100m"}}}
    made = plan(tmp_path, package=resources, azure={"Cores": None, "Mem": None})
    assert (made.cores, made.memory) == (1.5, 3.3)
    made = plan(tmp_path, azure={"Cores": None, "Mem": None})
    assert (made.cores, made.memory) == (1, 2)


@pytest.mark.parametrize(
    ("changed", "expected", "words"),
    [
        ({"azure": {"Region": "UKSoth"}}, "region", "did you mean uksouth"),
        ({"azure": {"Dns": "my_flow"}}, "dns", '"my-flow"'),
        ({"azure": {"Dns": "abc"}}, "dns", "5 to 63"),
        ({"azure": {"Cores": 99}}, "cores", '"Cores": 31'),
        ({"azure": {"Mem": 999}}, "memory", '"Mem": 240'),
        ({"azure": {"AuthFile": "none"}}, "credentials", "none is missing"),
        ({"azure": {"AuthFile": ""}}, "credentials", "AZURE_SUBSCRIPTION_ID"),
        ({"azure": {"Gpu": {"SKU": "V100", "Cores": 1}, "Region": "East US"}}, "gpu-retired", "14 July 2025"),
        ({"Server": {"SecretKey": PUBLISHED_KEY}}, "weak-key", "coflows key rotate"),
        ({"Server": {"SecretKey": "short"}}, "weak-key", "coflows key rotate"),
        ({"Database": {"Connection": "mnt/database.db", "Type": "sqlite"}}, "data-loss", "--accept-data-loss"),
        ({"Database": {"Connection": "postgresql://u@localhost/x", "Type": "postgres"}}, "local-database", "internet"),
        (
            {"Database": {"Connection": "Server=127.0.0.1,1433;Database=x;User ID=u;Password=p", "Type": "mssql"}},
            "local-database",
            "internet",
        ),
        ({"package": {"ID": ""}}, "no-id", "coflows local build"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, changed: dict[str, Any], expected: str, words: str) -> None:
    """One sentence says what is wrong and one what to do, at the place in the file."""
    made = plan(tmp_path, **changed)
    assert codes(made) == [expected]
    (found,) = made.refusals
    assert words in f"{found.message} {found.hint}"
    assert found.line > 0


def test_force_and_data_loss_are_taken_on_oneself(tmp_path: Path) -> None:
    """What is forced stays said, as a warning; who has no credentials can't force Azure."""
    sqlite = {"Connection": "mnt/database.db", "Type": "sqlite"}
    made = plan(tmp_path, options=Options(accept_data_loss=True), Database=sqlite)
    assert (codes(made), [found.code for found in made.findings]) == ([], ["data-loss"])
    gpu = {"Gpu": {"SKU": "K80", "Cores": 2}, "Region": "West Europe"}
    made = plan(tmp_path, options=Options(force=True), azure=gpu)
    assert (codes(made), [found.code for found in made.findings]) == ([], ["gpu-retired"])
    assert codes(plan(tmp_path, options=Options(force=True), azure={"AuthFile": "none"})) == ["credentials"]


def test_what_azure_says_counts(tmp_path: Path) -> None:
    """Sizes and quotas that it reports are held against the wish; what it does not say is said to be unchecked."""
    facts = Facts(offers=(Offer(2, 8),), groups=Quota("container groups", 3, 100), cores=Quota("cores", 8, 10))
    made = plan(tmp_path, facts)
    assert codes(made) == ["cores", "quota"]
    assert made.checked == "checked with Azure: uksouth offers at most 2 cores and 8 GB"
    assert "8 of 10 cores in uksouth already" in made.refusals[1].message
    made = plan(tmp_path, Facts(unknown="it did not answer"))
    assert (codes(made), made.checked) == ([], "not checked with Azure: it did not answer")
    assert codes(plan(tmp_path, Facts(denied="nobody knows you"))) == ["credentials"]


def test_lets_encrypt_step_by_step(tmp_path: Path) -> None:
    """With a host name and an address for letters, the record that has to be made is said."""
    server = {
        "Host": "flows.example.com",
        "SecretKey": KEY,
        "LetsEncrypt": {"Email": "me@example.com", "Staging": True},
    }
    steps = plan(tmp_path, Server=server).certificate
    assert "a CNAME record with coflows-container.uksouth.azurecontainer.io" in steps[1]
    assert "test service" in steps[2]


def test_a_workflow_without_the_section(tmp_path: Path) -> None:
    """It is told what to write."""
    plan(tmp_path)
    (tmp_path / "coflows_config.json").write_text('{"Workflow": "package.json"}')
    config = load_config(tmp_path / "coflows_config.json", environ={})
    with pytest.raises(ConfigError, match="has no section AzureContainerInstance") as caught:
        make_plan(config, read_package(config.workflow))
    assert '"Dns"' in caught.value.hint


@pytest.mark.parametrize(("workflow", "group"), [("09a96d46-4c97", "09a96d46-4c97-rg"), ("My Flow/é", "my-flow--rg")])
def test_names_of_resource_groups(workflow: str, group: str) -> None:
    """As in the original, in characters that Azure takes."""
    assert resource_group(workflow) == group
