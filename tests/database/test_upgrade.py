"""An older program on the same database: rows survive the upgrade, and it says that it is too old."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

import coflows_jupyter
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.database.migrate import version, versions
from coflows_jupyter.runs import store

OLD = "0001"
PROGRAM = """
import sys
import msgspec
from sqlalchemy import text
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import ConfigError

location = msgspec.json.decode(sys.stdin.readline(), type=Location)
for _ in sys.stdin:
    database = Database(location)
    try:
        number = database.run(lambda c: c.execute(text("SELECT count(*) FROM runs")).scalar())
        print(f"there are {number} runs", flush=True)
    except ConfigError as error:
        print(f"{error} -> {error.hint}", flush=True)
    database.close()
"""
INSERT = """
INSERT INTO runs (id, workflow, query, function, door, caller, form, arguments, started, seconds, outcome, status,
error, build, result_bytes, log) VALUES ('r1', 'w', 'q', 'f', 'http', 'root', 'query', NULL, '2026-01-01', 0.5,
'failed', 500, 'é', 'b', 1, 'printed')
"""


@pytest.fixture
def old_program(tmp_path: Path) -> Path:
    """Return a folder with this program as it was when it knew only the first version of the schema."""
    package = Path(coflows_jupyter.__file__).parent
    ignored = shutil.ignore_patterns("labextension", "static", "__pycache__")
    copy = shutil.copytree(package, tmp_path / "old" / "coflows_jupyter", ignore=ignored)
    for file in (copy / "database" / "migrations" / "versions").glob("r0*.py"):
        if not file.name.startswith(f"r{OLD}"):
            file.unlink()
    return copy.parent


def test_rows_survive_and_the_older_program_is_refused(location: Location, old_program: Path) -> None:
    """The old one makes the database, the new one upgrades it, and an old one that starts then is told why not."""
    environ = {**os.environ, "PYTHONPATH": str(old_program)}
    command = [sys.executable, "-c", PROGRAM]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    old = subprocess.Popen(command, env=environ, text=True, cwd=old_program, **pipes)  # type: ignore[call-overload]
    try:

        def start_old() -> str:
            old.stdin.write("start\n")
            old.stdin.flush()
            return str(old.stdout.readline())

        old.stdin.write(msgspec.json.encode(location).decode() + "\n")
        assert start_old() == "there are 0 runs\n"
        before = Database(location, migrate=False)
        assert before.run(version) == OLD
        before.run(lambda c: c.execute(text(INSERT)))
        before.close()
        assert start_old() == "there are 1 runs\n"

        new = Database(location)
        found = new.run(lambda c: store.find(c, "r1"))
        assert found is not None
        assert (found[0].error, found[0].kind, found[1]) == ("é", "query", "printed")
        assert new.run(version) == versions()[-1]
        assert "belongs to a newer version of coflows_jupyter" in (said := start_old())
        assert "install that version" in said
        assert new.run(lambda c: store.find(c, "r1"))
        new.close()
    finally:
        old.communicate()
