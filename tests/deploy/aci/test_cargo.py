"""What a container is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.config import Config, load_config
from coflows_jupyter.deploy.aci.cargo import (
    TRAVELS,
    TRAVELS_OF_LETS_ENCRYPT,
    TRAVELS_OF_SERVER,
    Cargo,
    load,
)
from coflows_jupyter.deploy.aci.plan import make_plan
from coflows_jupyter.deploy.certificates.pair import self_signed
from coflows_jupyter.deploy.pin import fingerprint
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.hosting import LetsEncrypt, Server
from coflows_jupyter.schema import Section
from coflows_jupyter.workflow.package import read_package
from tests.deploy.aci.test_plan import KEY, plan


def cargo(folder: Path, **changed: Any) -> tuple[Cargo, dict[str, Any]]:
    """Return what the container of a Workflow is given, and the configuration in it."""
    plan(folder, **changed)
    config = load_config(folder / "coflows_config.json", environ={})
    loaded = load(config, make_plan(config, read_package(config.workflow), environ={}))
    return loaded, json.loads(loaded.config)


def keys(model: type[Section]) -> set[str]:
    """Return the keys of a section."""
    found = (field.validation_alias for field in model.model_fields.values())
    return {alias if isinstance(alias, str) else str(alias.choices[0]) for alias in found if alias}  # type: ignore[union-attr]


def test_every_key_is_thought_of() -> None:
    """A key that somebody adds travels, is made anew, or stays: never by accident."""
    anew, stays = {"Database", "Workflow", "Server", "NuGet"}, {"Cloud", "AzureContainerInstance", "Watch"}
    assert keys(Config) == {*TRAVELS, *anew, *stays}
    stays = {"SecretKey", "Certificate", "CertificateKey", "BehindProxy"}
    assert keys(Server) == {*TRAVELS_OF_SERVER, *stays}
    assert keys(LetsEncrypt) == {*TRAVELS_OF_LETS_ENCRYPT, "CA"}


def test_a_database_of_its_own_begins_empty(tmp_path: Path) -> None:
    """Whatever its file is called here, in the container it is in the Workflow's folder."""
    sqlite = {"Type": "sqlite", "Connection": "/somewhere/else.db"}
    loaded, config = cargo(tmp_path, Database=sqlite)
    assert config["Database"] == {"Type": "sqlite", "Connection": "mnt/database.db"}
    assert set(loaded.files) == {"secret-key"}


def test_feeds_and_their_keys(tmp_path: Path) -> None:
    """Keys of feeds are files; a folder of packages in the Workflow is the same folder there."""
    feeds = [
        {"Url": "https://feed.example.com/v3/index.json", "User": "me", "Key": "feed-s3cret"},
        "mnt/Files/packages",
    ]
    loaded, config = cargo(tmp_path, NuGet={"Feeds": feeds})
    assert config["NuGet"]["Feeds"] == [
        {"Url": "https://feed.example.com/v3/index.json", "User": "me", "Key": "file:/run/coflows/feed-0"},
        {"Url": "mnt/Files/packages", "User": ""},
    ]
    assert loaded.files["feed-0"] == "feed-s3cret"
    assert "s3cret" not in loaded.config
    assert "s3cret" not in repr(loaded)


def test_ones_own_certificate_goes_along(tmp_path: Path) -> None:
    """It is the one by which the container is known; one that can't be read is said."""
    pair = self_signed("flows.example.com")
    (tmp_path / "chain.pem").write_text(pair.chain)
    (tmp_path / "key.pem").write_text(pair.key)
    server = {"Host": "flows.example.com", "SecretKey": KEY, "Certificate": "chain.pem", "CertificateKey": "key.pem"}
    loaded, config = cargo(tmp_path, Server=server)
    assert fingerprint(loaded.certificate[0]) == fingerprint(pair.chain)
    assert loaded.volume["certificate-key.pem"] == pair.key
    assert config["Server"]["Host"] == "flows.example.com"
    assert not {"Certificate", "CertificateKey"} & set(config["Server"])
    (tmp_path / "key.pem").write_text("")
    with pytest.raises(ConfigError, match="can't be used"):
        cargo(tmp_path, Server=server)


def test_another_authority(tmp_path: Path) -> None:
    """The certificates that vouch for an ACME server of one's own go along."""
    (tmp_path / "ca.pem").write_text(self_signed("ca.example.com").chain)
    server = {
        "Host": "flows.example.com",
        "SecretKey": KEY,
        "LetsEncrypt": {"Email": "me@example.com", "Server": "https://ca.example.com/dir", "CA": "ca.pem"},
    }
    loaded, config = cargo(tmp_path, Server=server)
    assert config["Server"]["LetsEncrypt"]["CA"] == "/run/coflows/authority.pem"
    assert loaded.files["authority.pem"].startswith("-----BEGIN CERTIFICATE-----")
