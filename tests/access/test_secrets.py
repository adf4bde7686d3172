"""Secrets: encrypted in the database, with a key that is not in it."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import secrets
import sqlite3
import stat
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.access.records import Actor
from coflows_jupyter.access.secrets import (
    Box,
    Secrets,
    key_file,
    list_secrets,
    read_secret,
    remove_secret,
    reveal,
    set_secret,
    with_key,
)
from coflows_jupyter.config import load_config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import ArgumentsError, ConfigError, NotFoundError

ME = Actor("root")
WID = "5b0c1d6e-9a36-4a0c-8a7a-3c8f6a2f1d11"


def seal_once(file: Path) -> tuple[str, bytes]:
    """Seal a text in a process of its own; return it and the key that is there then."""
    return Box(file).seal("W", "A", "text"), file.read_bytes()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Return a box with a new key."""
    return Box(tmp_path / "key" / "secrets.key")


@given(st.text(min_size=1))
def test_what_is_sealed_can_be_opened(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Any text comes back, and is never in what the database keeps."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    box = Box(tmp_path_factory.getbasetemp() / "secrets.key")
    sealed = box.seal("W", "A", text)
    assert box.open("W", "A", sealed) == text
    assert sealed != box.seal("W", "A", text)


def test_a_secret_is_one_of_its_workflow_and_name(box: Box) -> None:
    """A row that somebody copies to another place can't be read there."""
    sealed = box.seal("W", "A", "text")
    for workflow, name in (("V", "A"), ("W", "B"), ("", "W\0A")):
        with pytest.raises(ConfigError, match="another key"):
            box.open(workflow, name, sealed)


def test_the_key_is_its_owners(box: Box, tmp_path: Path) -> None:
    """Its mode says so from the beginning, and a key that others can read is not used."""
    box.seal("W", "A", "text")
    file = tmp_path / "key" / "secrets.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [f.name for f in file.parent.iterdir()] == ["secrets.key"]
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read") as raised:
        box.seal("W", "A", "text")
    assert raised.value.hint == f"chmod 600 {file}"


def test_without_its_key_nothing_can_be_read(box: Box, tmp_path: Path) -> None:
    """And the sentence says where it was, and what to do."""
    sealed = box.seal("W", "A", "text")
    file = tmp_path / "key" / "secrets.key"
    file.unlink()
    with pytest.raises(ConfigError, match=r"can't be read: No such file") as raised:
        box.open("W", "A", sealed)
    assert "COFLOWS_SECRETS_KEY_FILE" in raised.value.hint
    box.seal("W", "A", "text")
    with pytest.raises(ConfigError, match="another key"):
        box.open("W", "A", sealed)


def test_processes_that_make_the_key_agree(tmp_path: Path) -> None:
    """Of many that set the first secret at once, one makes the key, and the others use it."""
    file = tmp_path / "secrets.key"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        found = pool.map(seal_once, [file] * 4)
    assert len({key for _, key in found}) == 1
    assert {Box(file).open("W", "A", sealed) for sealed, _ in found} == {"text"}


def test_the_key_is_in_the_users_folder_or_where_a_variable_says() -> None:
    """Never beside the database."""
    assert key_file({}).name == "secrets.key"
    assert key_file({"COFLOWS_SECRETS_KEY_FILE": "/run/keys/one"}) == Path("/run/keys/one")


def test_the_database_has_names_and_no_text(box: Box, tmp_path: Path) -> None:
    """Set, replaced, told, listed, removed; what the file and the audit hold is no text."""
    database = Database(tmp_path / "people.db")

    def put(name: str, text: str) -> None:
        database.submit(lambda c: set_secret(c, ME, box, "W", name, text)).result()

    put("A", "the first text")
    put("A", "the second text")
    put("B", "another text")
    assert database.submit(lambda c: read_secret(c, box, "W", "A")).result() == "the second text"
    assert [s.name for s in database.submit(lambda c: list_secrets(c, "W")).result()] == ["A", "B"]
    assert database.submit(lambda c: list_secrets(c, "V")).result() == []
    database.submit(lambda c: remove_secret(c, ME, "W", "B")).result()
    for name, workflow in (("B", "W"), ("A", "V")):
        wanted = partial(read_secret, box=box, workflow=workflow, name=name)
        with pytest.raises(NotFoundError, match=f"coflows secret set {name}"):
            database.submit(wanted).result()
    database.close()
    for file in tmp_path.glob("people.db*"):
        assert b" text" not in file.read_bytes()
    with sqlite3.connect(tmp_path / "people.db") as other:
        actions = [row[0] for row in other.execute("SELECT action FROM coflows_audit ORDER BY number")]
    assert actions == ["secret.set"] * 3 + ["secret.remove"]


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A" * 129, "Ä"])
def test_what_can_be_no_name_is_refused(box: Box, tmp_path: Path, name: str) -> None:
    """Names are written in code and in ${secret:NAME}."""
    database = Database(tmp_path / "people.db")
    with pytest.raises(ArgumentsError, match="can't be the name"):
        database.submit(lambda c: set_secret(c, ME, box, "W", name, "text")).result()
    with pytest.raises(ArgumentsError, match="can't be masked"):
        database.submit(lambda c: set_secret(c, ME, box, "W", "A", "abc")).result()
    database.close()


def test_without_a_database_the_reason_is_told() -> None:
    """A function that asks gets the sentence that the start already said."""
    with pytest.raises(ConfigError, match="no database"):
        asyncio.run(Secrets(None).get("W", "A"))


# -- in the configuration ----------------------------------------------------------------------------------------------


def write_config(folder: Path, **sections: object) -> None:
    """Write a configuration and a package."""
    (folder / "package.json").write_text(json.dumps({"ID": WID, "Name": "W"}))
    (folder / "coflows_config.json").write_text(json.dumps({"Workflow": "package.json", **sections}))


def test_a_configuration_can_name_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is put in place where the value is used, and nowhere before."""
    monkeypatch.setenv("COFLOWS_SECRETS_KEY_FILE", str(tmp_path / "secrets.key"))
    key = secrets.token_hex(32)
    cloud = {"Host": "cloud.example", "SecretKey": "a-${secret:CLOUD}-b"}
    write_config(tmp_path, Server={"SecretKey": "${secret:KEY}"}, Cloud=cloud)
    config = load_config(tmp_path, environ={})
    assert config.server.secret_key.get_secret_value() == "${secret:KEY}"
    with pytest.raises(ConfigError, match="coflows secret set KEY"):
        with_key(config)
    database = Database(tmp_path / "coflows.db")
    for name, text in (("KEY", key), ("CLOUD", "xyzzy")):
        database.run(partial(set_secret, actor=ME, box=Box(), workflow=WID, name=name, text=text))
    database.close()
    assert with_key(config).server.secret_key.get_secret_value() == key
    assert config.cloud is not None
    assert reveal(config, config.cloud.secret_key) == "a-xyzzy-b"
    assert key not in repr(with_key(config))


def test_the_database_itself_can_be_no_secret(tmp_path: Path) -> None:
    """Secrets are in it."""
    write_config(
        tmp_path, Database={"Type": "postgres", "Connection": "${secret:DB}"}, Server={"SecretKey": "${secret:K}"}
    )
    with pytest.raises(ConfigError, match="that is where these are kept"):
        with_key(load_config(tmp_path, environ=dict(os.environ)))
