"""``coflows db``: state, schema and backups from the command line."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.conftest import COFLOWS, RunningServer, secret_key
from tests.mset.test_adoption import SCHEMA


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    """Make a Workflow's folder with nothing in it but a configuration."""
    (tmp_path / "coflows_config.json").write_text(
        json.dumps({"Workflow": "package.json", "Server": {"SecretKey": "k" * 32}})
    )
    return tmp_path


def coflows(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run([COFLOWS, *arguments], cwd=folder, check=False, capture_output=True, text=True)


def test_from_nothing_to_a_restored_backup(flow: Path) -> None:
    """Each step says what it did; `--json` says the same to programs."""
    assert "nothing of ours is in it yet" in coflows(flow, "db", "status").stdout
    assert not (flow / "coflows.db").exists()
    assert coflows(flow, "db", "backup", "b.zip").returncode == 2
    assert "has schema" in coflows(flow, "db", "migrate").stdout
    assert "up to date" in coflows(flow, "db", "status").stdout
    assert "wrote b.zip" in coflows(flow, "db", "backup", "b.zip").stdout
    (flow / "coflows.db").unlink()
    restored = json.loads(coflows(flow, "db", "restore", "b.zip", "--json").stdout)
    found = json.loads(coflows(flow, "db", "status", "--json").stdout)
    assert (found["rows"], found["schema"]) == (restored["tables"], restored["schema"])


def test_a_configuration_of_the_original_names_its_database(flow: Path) -> None:
    """What `Database` there names is imported, as the file itself would be."""
    (flow / "theirs").mkdir()
    with sqlite3.connect(flow / "theirs" / "database.db") as connection:
        connection.executescript(SCHEMA)
        connection.execute("INSERT INTO M VALUES ('prices', 'e1', '7', '', 'System.Int32')")
    database = {"Type": "sqlite", "Connection": "mnt/database.db"}
    config = flow / "theirs" / "coflows_config.json"
    config.write_text(json.dumps({"Workflow": "mnt/package.json", "Database": database}))
    said = coflows(flow, "db", "import", "theirs/coflows_config.json", "--config", "coflows_config.json")
    assert "1 entries in 1 M sets" in said.stdout, said.stderr
    again = coflows(flow, "db", "import", "theirs/database.db", "--config", "coflows_config.json")
    assert "1 were there already" in again.stdout, again.stderr


def test_the_statements_of_migrations_can_be_run_by_others(flow: Path) -> None:
    """An administrator's SQL makes the schema that a start would make, from nothing and from an older version."""
    script = coflows(flow, "db", "migrate", "--sql").stdout
    with sqlite3.connect(flow / "coflows.db") as connection:
        connection.executescript(script)
    assert "up to date" in coflows(flow, "db", "status").stdout
    assert "CREATE TABLE" not in coflows(flow, "db", "migrate", "--sql").stdout


def test_a_server_that_runs_keeps_its_database(sample: Path, running_server: RunningServer) -> None:
    """Its state is told and it is backed up meanwhile; a restore is refused, and the server does not notice."""
    server = running_server(sample / "coflows_config.json")
    runs = f"{server.url}coflows/api/runs"
    headers = {"x-api-key": secret_key(sample / "coflows_config.json")}
    assert httpx.get(runs, headers=headers).status_code == 200
    assert "up to date" in coflows(sample, "db", "status").stdout
    assert coflows(sample, "db", "backup", "b.zip").returncode == 0
    refused = coflows(sample, "db", "restore", "b.zip", "--replace")
    assert refused.returncode == 2
    assert "is in use" in refused.stderr
    assert "stop the servers" in refused.stderr
    assert httpx.get(runs, headers=headers).status_code == 200
