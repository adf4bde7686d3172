"""What an Agent's run writes into M sets after another server gave it up."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from coflows_jupyter.agents.model import AgentRun
from coflows_jupyter.agents.store import AgentStore
from coflows_jupyter.database.connection import Database
from coflows_jupyter.mset.place import open_database
from coflows_jupyter.runtimes.agent import AgentEntry, Policy

LEASE = 15.0
NOW = 1_795_000_000_000_000
WRITER = """
import sys
from pathlib import Path
from coflows_jupyter.errors import ConflictError
from coflows_jupyter.mset.model import Author, Change, Text
from coflows_jupyter.mset.place import open_database

store = open_database(Path(sys.argv[1]))
for line in sys.stdin:
    try:
        store.apply("prices", [Change("add", text=Text(f'"{line.strip()}"', line.strip()))], Author("a", "run", 1))
    except ConflictError as error:
        print(error.message, flush=True)
    else:
        print("written", flush=True)
"""


def test_a_frozen_run_that_was_given_up_writes_nothing(tmp_path: Path) -> None:
    """Its host sleeps, its lease passes, another server begins the next attempt: what it writes then is refused."""
    file = tmp_path / "m.db"
    database = Database(file)
    owner, other = AgentStore("w", "owner", LEASE), AgentStore("w", "other", LEASE)
    entry = AgentEntry("a", "A", callbacks=("job",), policy=Policy(retry_on_lost=True))
    for store in (owner, other):
        database.run(lambda c, store=store: store.open(c, {"a": entry}, NOW))  # type: ignore[misc]
    run = AgentRun(
        run_id="run",
        workflow="w",
        agent_id="a",
        key="run",
        cause="manual",
        function="job",
        argument="[]",
        fire_at=NOW,
    )
    database.run(lambda c: owner.begin(c, run, NOW))
    command = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        print("one", file=host.stdin, flush=True)
        assert host.stdout.readline() == "written\n"
        host.send_signal(signal.SIGSTOP)
        print("two", file=host.stdin, flush=True)
        (again,) = database.run(lambda c: other.step(c, NOW + 16_000_000, 1)).start
        assert (again.run_id, again.attempt) == ("run", 2)
        host.send_signal(signal.SIGCONT)
        assert host.stdout.readline() == "attempt 1 of run run was given up: nothing was changed\n"
        host.stdin.close()
    sets = open_database(file)
    assert sets.count("prices") == 1
    sets.close()
    database.close()
