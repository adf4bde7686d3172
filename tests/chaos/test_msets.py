"""M sets whose writers are killed."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import textwrap

import msgspec

from coflows_jupyter.database.location import Location
from coflows_jupyter.mset.place import open_database
from tests.mset.conftest import make

KILLS = int(os.environ.get("COFLOWS_CHAOS_KILLS", "5"))

WRITER = """
    import itertools
    import sys

    import msgspec

    from coflows_jupyter import M
    from coflows_jupyter.database.location import Location
    from coflows_jupyter.mset.place import host_place, settle

    settle(host_place(msgspec.json.decode(sys.argv[1], type=Location)))
    m = M.Base("prices")
    for n in itertools.count():
        entry = m.add({"writer": sys.argv[2], "n": n})
        print(entry, flush=True)
"""


def test_no_acknowledged_add_is_lost(location: Location) -> None:
    """Whatever ``add`` returned is there after a ``kill -9`` at any moment, and so is its row of the log."""
    store = open_database(location)
    make(store).add("first")
    store.close()
    where = msgspec.json.encode(location).decode()
    acknowledged: set[str] = set()
    chance = random.Random(1)  # noqa: S311 - the same moments in every run
    for number in range(KILLS):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), where, str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                acknowledged.add(writer.stdout.readline().strip())
            writer.kill()
            acknowledged |= {line.strip() for line in writer.stdout if line.endswith("\n")}
    store = open_database(location)
    m = make(store)
    there = {entry for entry, _ in m.items()}
    assert acknowledged <= there
    assert {event.entry for event in m.changes()} == there
    sys.stdout.write(f"{location.type}: {KILLS} writers killed, {len(acknowledged):,} adds acknowledged, all there\n")
    store.close()
    if location.file:
        connection = sqlite3.connect(location.file)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
