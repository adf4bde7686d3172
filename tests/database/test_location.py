"""Where a configuration says that its database is."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.config import Config, load_config
from coflows_jupyter.database.location import Location, locate
from coflows_jupyter.errors import ConfigError


def config(folder: Path, **sections: Any) -> Config:
    """Write a configuration and read it."""
    document = {"Workflow": "package.json", "Server": {"SecretKey": secrets.token_hex(16)}, **sections}
    (folder / "coflows_config.json").write_text(json.dumps(document))
    return load_config(folder, environ={})


@pytest.mark.parametrize("written", ["data/own.db", "mnt/data/own.db", "/app/mnt/data/own.db"])
def test_connection_names_the_file(tmp_path: Path, written: str) -> None:
    """A path means what it means everywhere in the configuration."""
    found = locate(config(tmp_path, Database={"Connection": written, "Type": "sqlite"}))
    assert found.file == tmp_path / "data" / "own.db"


def test_without_a_section_it_lies_beside_the_configuration(tmp_path: Path) -> None:
    """A Workflow needs no word about a database to have one."""
    assert locate(config(tmp_path)).file == tmp_path / "coflows.db"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("mssql", "Server=tcp:db,1433;Database=x;User ID=me;Password=p", "mssql"),
        ("postgres", "Host=db;Database=x", "postgres"),
        ("postgres", "Server=db;Port=5432;Database=x", "postgres"),
        ("postgres", "Server=db;Database=x", "mssql"),
        ("mssql", "Host=db;Database=x", "postgres"),
    ],
)
def test_the_text_decides_the_kind(tmp_path: Path, kind: str, text: str, expected: str) -> None:
    """As in the original, ``Server=`` is SQL Server and ``Host=`` PostgreSQL, whatever ``Type`` says."""
    assert locate(config(tmp_path, Database={"Connection": text, "Type": kind})).type == expected


def test_a_mistake_is_a_diagnostic_with_a_form_to_copy(tmp_path: Path) -> None:
    """It says what to write, and nothing of what was written."""
    with pytest.raises(ConfigError, match=r"Database\.Connection can't be read") as raised:
        locate(config(tmp_path, Database={"Connection": "Server=db;hunter2", "Type": "mssql"}))
    (found,) = raised.value.diagnostics
    assert found.severity == "warning"
    assert "Server=HOST,1433" in found.hint
    assert "hunter2" not in f"{found} {raised.value}"


def test_a_place_shows_no_password() -> None:
    """Neither as text nor in a debugger."""
    location = Location.parse("mssql", "Server=db;User ID=me;Password=hunter2;Database=x")
    assert "hunter2" not in f"{location} {location!r} {[location]}"
