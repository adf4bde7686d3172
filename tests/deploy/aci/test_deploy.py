"""Deploying to, looking at and removing from an emulated Azure."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from coflows_jupyter.deploy.aci.apply import Patience
from coflows_jupyter.deploy.certificates.pair import self_signed
from coflows_jupyter.errors import (
    CancelledError,
    ConfigError,
    ConflictError,
    DeniedError,
    DeployError,
    UnreachableError,
)
from tests.deploy.aci.conftest import CONNECTION, KEY, QUICK, Cloudy
from tests.deploy.aci.emulator import SECRET, Azure, Trouble
from tests.deploy.aci.hollow import Hollow

GROUPS = "/containerGroups/my-flow$"


def test_a_deployment_makes_a_container(azure: Azure, cloudy: Cloudy) -> None:
    """One request makes it; what it does is told as it happens, and it ends when the server in it answers."""
    done = cloudy.deploy()
    assert done.url.startswith("https://my-flow.uksouth.azurecontainer.io")
    assert done.revision == 1
    assert azure.requests("PUT", GROUPS) == [201]
    assert azure.groups["w-1-rg"]["tags"] == {"coflows-jupyter": "W-1"}
    steps = [(event.step, event.text) for event in cloudy.events if event.state == "done"]
    assert steps == [
        ("plan", "checked with Azure: uksouth offers at most 4 cores and 16 GB"),
        ("group", "made"),
        ("container", "Azure started it"),
        ("start", f"it answers at {done.container}"),
        ("pack", ""),
        ("upload", ""),
        ("", "Revision 1 serves"),
    ]
    logs = [event.text for event in cloudy.events if event.state == "log"]
    assert logs[:4] == [
        'Pulling: pulling image "coflows/coflows-jupyter:0.1.0"',
        'Pulled: Successfully pulled image "coflows/coflows-jupyter:0.1.0"',
        "Created: Created container",
        "Started: Started container",
    ]


def test_what_the_container_is_given(azure: Azure, cloudy: Cloudy) -> None:
    """Secrets are in the secret volume only; the configuration names them, and nothing else of this computer."""
    cloudy.write(Cloud={"Host": "elsewhere.example.com", "SecretKey": "the-other-key"}, Runs="errors")
    cloudy.deploy()
    (body,) = azure.bodies
    properties = body["properties"]
    (container,) = properties["containers"]
    inner = container["properties"]
    variables = {each["name"]: each for each in inner["environmentVariables"]}
    config = json.loads(variables["coflows_config"]["secureValue"])
    assert config["Server"]["SecretKey"] == "file:/run/coflows/secret-key"
    assert config["Server"]["Host"] == "my-flow.uksouth.azurecontainer.io"
    assert config["Database"] == {"Type": "postgres", "Connection": "file:/run/coflows/connection"}
    assert config["Runs"] == "errors"
    assert not {"Cloud", "AzureContainerInstance"} & set(config)
    (secret,) = (volume["secret"] for volume in properties["volumes"])
    files = {name: base64.b64decode(text).decode() for name, text in secret.items()}
    assert (files["secret-key"], files["connection"]) == (KEY, CONNECTION)
    secrets = (KEY, CONNECTION, "p4ssw0rd", SECRET, "the-other-key", files["certificate-key.pem"])
    properties["volumes"] = []
    assert not [each for each in secrets if each in json.dumps(body)]
    assert inner["readinessProbe"]["httpGet"]["scheme"] == "https"
    assert inner["resources"]["requests"] == {"cpu": 1.0, "memoryInGB": 2.0}
    shown = json.dumps(azure.containers["w-1-rg", "my-flow"])
    assert not [each for each in secrets if each in shown]


def test_registry_volume_and_gpu_reach_azure(azure: Azure, cloudy: Cloudy) -> None:
    """Whatever can be configured fits Azure's schema."""
    azure.offers.append(("V100", 6, 112, 4))
    cloudy.write(
        {
            "Region": "eastus",
            "Image": "example.azurecr.io/flows:3",
            "Gpu": {"SKU": "V100", "Cores": 2},
            "Registry": {"User": "puller", "Password": "pull-me"},
            "Volume": {"Account": "store", "Key": "c3RvcmU=", "Share": "files", "Folder": "mnt/Files/big"},
        }
    )
    cloudy.deploy()
    properties = azure.bodies[0]["properties"]
    (container,) = properties["containers"]
    assert container["properties"]["image"] == "example.azurecr.io/flows:3"
    assert container["properties"]["resources"]["requests"]["gpu"] == {"count": 2, "sku": "V100"}
    (credential,) = properties["imageRegistryCredentials"]
    assert credential == {"server": "example.azurecr.io", "username": "puller", "password": "pull-me"}
    assert container["properties"]["volumeMounts"][1]["mountPath"] == "/app/mnt/Files/big"
    identity = f"/subscriptions/x/resourceGroups/y/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{'z'}"
    cloudy.write({"Image": "example.azurecr.io/flows:4", "Registry": {"Identity": identity}})
    with pytest.raises(ConflictError, match="is in eastus and can't move to uksouth"):
        cloudy.deploy()
    cloudy.write({"Image": "example.azurecr.io/flows:4", "Registry": {"Identity": identity}, "Region": "East US"})
    cloudy.deploy()
    assert azure.bodies[1]["identity"]["userAssignedIdentities"] == {identity: {}}


def test_an_unchanged_container_is_left_alone(azure: Azure, cloudy: Cloudy) -> None:
    """The second pass changes nothing and knows the container by the certificate of the first; a change is one PUT."""
    first = cloudy.deploy()
    second = cloudy.deploy()
    assert second == first
    assert azure.requests("PUT", GROUPS) == [201]
    assert "it is there already, as it should be" in cloudy.said
    cloudy.write({"Cores": 2})
    cloudy.deploy()
    assert azure.requests("PUT", GROUPS) == [201, 200]
    pins = [body["tags"]["coflows-jupyter-certificate"] for body in azure.bodies]
    assert pins[0] != pins[1]
    assert azure.requests("PUT", "/resourceGroups/w-1-rg$") == [201]


def test_nothing_is_touched_where_the_plan_has_mistakes(azure: Azure, cloudy: Cloudy) -> None:
    """What Azure says of the region counts, too."""
    cloudy.write({"Cores": 5})
    with pytest.raises(ConfigError, match="1 mistake: nothing was changed") as caught:
        cloudy.deploy()
    assert "uksouth offers at most 4" in caught.value.diagnostics[0].message
    azure.usages["StandardCores"] = (100, 100)
    cloudy.write()
    with pytest.raises(ConfigError) as caught:
        cloudy.deploy()
    assert caught.value.diagnostics[0].code == "quota"
    assert not [method for method, _, _ in azure.seen if method == "PUT"]


def test_wrong_credentials(azure: Azure, cloudy: Cloudy) -> None:
    """Azure's own words are passed on, the secret is not."""
    azure.auth_file(cloudy.file.parent, clientSecret="wrong~but.secret")
    with pytest.raises(ConfigError) as caught:
        cloudy.deploy()
    (found,) = caught.value.diagnostics
    assert "AADSTS7000215" in found.message
    assert "wrong~but" not in str(found)


@pytest.mark.parametrize(
    ("trouble", "error", "words"),
    [
        (Trouble("PUT", "my-flow", 401, "ExpiredAuthenticationToken"), DeniedError, "ExpiredAuthenticationToken"),
        (Trouble("PUT", "my-flow", 403, "AuthorizationFailed"), DeniedError, "AuthorizationFailed"),
        (Trouble("PUT", "w-1-rg$", 403, "AuthorizationFailed"), DeniedError, "make the resource group"),
        (Trouble("PUT", "my-flow", 400, "InaccessibleImage"), DeployError, "InaccessibleImage"),
        (Trouble("PUT", "my-flow", 409, "ContainerGroupQuotaReached"), DeployError, "ContainerGroupQuotaReached"),
    ],
)
def test_refusals_of_azure(azure: Azure, cloudy: Cloudy, trouble: Trouble, error: type[Exception], words: str) -> None:
    """Each is one sentence with Azure's code, and deploying again takes up where it ended."""
    azure.troubles = [trouble]
    with pytest.raises(error, match=words):
        cloudy.deploy()
    cloudy.deploy()
    assert azure.requests("PUT", GROUPS)[-1] == 201


def test_a_refused_image_gets_its_hint(azure: Azure, cloudy: Cloudy) -> None:
    """Who lacks the role is told its name."""
    azure.troubles = [Trouble("PUT", "my-flow", 403, "AuthorizationFailed")]
    with pytest.raises(DeniedError) as caught:
        cloudy.deploy()
    assert "Contributor" in caught.value.hint


def test_too_many_requests_are_waited_for(azure: Azure, cloudy: Cloudy) -> None:
    """Retry-After is obeyed, and the deployment goes on; one that never ends is said."""
    azure.troubles = [Trouble("PUT", "my-flow", 429, "TooManyRequests", {"Retry-After": "0.01"}) for _ in range(3)]
    cloudy.deploy()
    assert azure.requests("PUT", GROUPS) == [429, 429, 429, 201]
    azure.troubles = [Trouble("GET", "my-flow", 429, "TooManyRequests", {"Retry-After": "0.01"}) for _ in range(30)]
    with pytest.raises(UnreachableError, match="TooManyRequests"):
        cloudy.deploy()


def test_a_busy_container_is_waited_for(azure: Azure, cloudy: Cloudy) -> None:
    """While something else is being done to it, it is asked again; not for ever."""
    busy = Trouble("PUT", "my-flow", 409, "ContainerGroupTransitioning")
    azure.troubles = [busy, busy]
    cloudy.deploy()
    assert azure.requests("PUT", GROUPS) == [409, 409, 201]
    azure.troubles = [busy] * 50
    cloudy.write({"Cores": 2})
    with pytest.raises(ConflictError, match="ContainerGroupTransitioning"):
        cloudy.deploy(Patience(create=20, busy=0.2, start=20, poll=0.05))


def test_a_failed_container_says_why(azure: Azure, cloudy: Cloudy) -> None:
    """The reason of the operation is the error; the events before it are told."""
    azure.outcome = "Failed"
    azure.reason = ("ServiceUnavailable", "The requested resource is not available in the location 'uksouth'.")
    with pytest.raises(DeployError, match=r"not available in the location 'uksouth'.*ServiceUnavailable"):
        cloudy.deploy()
    assert [event.text for event in cloudy.events if event.state == "log"] == [f"Failed: {azure.reason[1]}"]


def test_deadlines_end_every_wait(azure: Azure, cloudy: Cloudy) -> None:
    """A container that Azure never makes, and a server that never answers, with what it printed last."""
    azure.polls = 10_000
    with pytest.raises(DeployError, match=r"did not make the container my-flow within 0\.3 seconds"):
        cloudy.deploy(Patience(create=0.3, start=20, poll=0.05))
    azure.polls = 1
    azure.boot = lambda body: Hollow(body, silent=True, lines=("I look for the database", f"it took {KEY}"))
    with pytest.raises(DeployError, match=r"did not answer within 0\.5 seconds") as caught:
        cloudy.deploy(Patience(create=20, start=0.5, poll=0.05))
    assert caught.value.message.endswith("\n  I look for the database\n  it took ***")


def test_a_server_that_ends_again_and_again_is_given_up(azure: Azure, cloudy: Cloudy) -> None:
    """Nobody waits for the deadline then."""
    azure.boot = lambda body: Hollow(body, silent=True, dying=True, lines=("ImportError: no",))
    with pytest.raises(DeployError, match="ends again and again") as caught:
        cloudy.deploy(Patience(create=20, start=600, poll=0.05))
    assert "ImportError: no" in caught.value.message


@pytest.mark.parametrize("moment", ["Creating", "I begin"])
def test_it_can_be_cancelled(azure: Azure, cloudy: Cloudy, moment: str) -> None:
    """It ends at once, at any wait."""
    azure.boot = lambda body: Hollow(body, silent=True)
    with pytest.raises(CancelledError):
        cloudy.deploy(Patience(create=600, start=600, poll=0.1), cancel_at=moment)


def test_what_is_not_ours_is_left_alone(azure: Azure, cloudy: Cloudy) -> None:
    """A group of the same name that lacks the tag is neither used nor changed."""
    azure.groups["w-1-rg"] = {"name": "w-1-rg", "location": "uksouth", "tags": {"owner": "somebody"}}
    with pytest.raises(ConflictError, match="the resource group w-1-rg is there and not ours"):
        cloudy.deploy()
    assert not [method for method, _, _ in azure.seen if method == "PUT"]
    azure.groups["w-1-rg"]["tags"] = {"coflows-jupyter": "W-1"}
    cloudy.deploy()
    azure.containers["w-1-rg", "my-flow"]["tags"]["coflows-jupyter"] = "W-2"
    with pytest.raises(ConflictError, match="the container my-flow is there and of the Workflow W-2"):
        cloudy.deploy()


def test_the_container_is_known_by_its_certificate(azure: Azure, cloudy: Cloudy) -> None:
    """Somebody else at the same address is not taken for it."""
    azure.boot = lambda body: Hollow(body, pair=self_signed("localhost"))
    with pytest.raises(DeployError, match="CERTIFICATE_VERIFY_FAILED"):
        cloudy.deploy(Patience(create=20, start=0.5, poll=0.05))


def test_what_lets_encrypt_issued_takes_over(
    azure: Azure, cloudy: Cloudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that shows another certificate is known by its name, if that is one that this computer trusts."""
    server = {**cloudy.config["Server"], "Host": "127.0.0.2", "LetsEncrypt": {"Email": "me@example.com"}}
    cloudy.write(Server=server)
    first = cloudy.deploy()
    assert first.container == f"https://localhost:{cloudy.port}"
    issued = self_signed("127.0.0.2")
    (tmp_path / "authority.pem").write_text(issued.chain)
    azure.machines["w-1-rg", "my-flow"].stop()
    azure.machines["w-1-rg", "my-flow"] = Hollow(azure.bodies[0], pair=issued)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    second = cloudy.deploy()
    assert second.container == second.url == f"https://127.0.0.2:{cloudy.port}"
    assert azure.requests("PUT", GROUPS) == [201]


def test_quick_is_what_it_says() -> None:
    """The tests' patience ends all waits before the test's own deadline does."""
    assert QUICK.create + QUICK.busy + QUICK.start < 120
