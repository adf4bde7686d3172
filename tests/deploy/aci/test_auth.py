"""Credentials for Azure."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from coflows_jupyter.deploy.aci.auth import Auth, read_auth
from coflows_jupyter.errors import ConfigError
from tests.conftest import ROOT

ID = "1b671a64-40d5-491e-99b0-da01ff1f3341"
GOOD = {
    "clientId": ID,
    "clientSecret": "Zk8~s3cr3t",
    "subscriptionId": ID,
    "tenantId": ID,
    "activeDirectoryEndpointUrl": "https://login.microsoftonline.de",
    "resourceManagerEndpointUrl": "https://management.microsoftazure.de/",
}


def written(folder: Path, **changed: object) -> Path:
    """Write an AuthFile."""
    file = folder / "my.azureauth"
    file.write_text(json.dumps({key: value for key, value in {**GOOD, **changed}.items() if value is not None}))
    return file


def test_the_file_of_a_service_principal(tmp_path: Path) -> None:
    """Its cloud is the one that it names; the secret is not shown."""
    auth = read_auth(written(tmp_path), {})
    assert auth == Auth(
        ID, "https://management.microsoftazure.de", "https://login.microsoftonline.de", ID, ID, "Zk8~s3cr3t"
    )
    assert "s3cr3t" not in repr(auth)


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"clientSecret": None}, "clientSecret is missing"),
        ({"clientSecret": ""}, "clientSecret is missing"),
        ({"clientSecret": "dummy-replace-me"}, "is an example: its clientSecret belongs to nobody"),
        ({"tenantId": "00000000-0000-0000-0000-000000000000"}, "is an example: its tenantId"),
        ({"subscriptionId": "mine"}, "subscriptionId is no ID"),
        ({"resourceManagerEndpointUrl": "http://localhost"}, "must begin with https://"),
    ],
)
def test_what_is_no_credential_is_refused(tmp_path: Path, changed: dict[str, object], wrong: str) -> None:
    """The error names the file and the key, says how to get a file, and quotes no value."""
    with pytest.raises(ConfigError, match=wrong) as caught:
        read_auth(written(tmp_path, **changed), {})
    assert "my.azureauth" in caught.value.message
    assert "az ad sp create-for-rbac" in caught.value.hint
    assert "Zk8" not in caught.value.message


def test_the_samples_file_is_a_dummy(tmp_path: Path) -> None:
    """The file that comes along with the sample opens nothing and is recognised."""
    shutil.copy(ROOT / "mnt" / "Files" / "my.azureauth", tmp_path)
    with pytest.raises(ConfigError, match="is an example"):
        read_auth(tmp_path / "my.azureauth", {})


@pytest.mark.parametrize("content", [None, "", "[]", "{", "\N{SNOWMAN}"])
def test_a_file_that_is_none(tmp_path: Path, content: str | None) -> None:
    """Missing, empty and broken files are said to be so."""
    file = tmp_path / "my.azureauth"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=r"my\.azureauth (is missing|is no JSON|holds no credentials)"):
        read_auth(file, {})


def test_without_a_file_whoever_is_logged_in(tmp_path: Path) -> None:
    """Then the environment names the subscription."""
    assert read_auth(None, {"AZURE_SUBSCRIPTION_ID": ID}) == Auth(ID)
    with pytest.raises(ConfigError, match="AZURE_SUBSCRIPTION_ID") as caught:
        read_auth(None, {})
    assert "az account show" in caught.value.hint
