"""Several servers on one database, killed and frozen at random: every tick is accounted for once.

``COFLOWS_CHAOS_TICKS`` and ``COFLOWS_CHAOS_AGENTS`` make it longer and denser; ``make chaos`` does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.common import table
from coflows_jupyter.database.location import Location
from tests.chaos.harness import GRACE, LEASE, Chaos
from tests.postgres import PostgresServer

TICKS = int(os.environ.get("COFLOWS_CHAOS_TICKS", "5000"))
AGENTS = int(os.environ.get("COFLOWS_CHAOS_AGENTS", "150"))
SEED = int(os.environ.get("COFLOWS_CHAOS_SEED", "0")) or time.time_ns()


@pytest.fixture
def restart(request: pytest.FixtureRequest, location: Location) -> Iterator[Callable[[], None] | None]:
    """Return what restarts the database; it runs again afterwards."""
    if location.type == "sqlite":
        yield None
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")

    def restart() -> None:
        server.stop()
        server.start()

    yield restart


@pytest.mark.timeout(TICKS / AGENTS + 150)
def test_every_tick_is_accounted_for_once(
    location: Location,
    restart: Callable[[], None] | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is left out, nothing begins twice, late results are refused, and who vanishes is noticed in time."""
    chaos = Chaos(location, tmp_path, agents=AGENTS, seconds=TICKS / AGENTS, restart=restart, seed=SEED)
    ledger = chaos.run()
    with capsys.disabled():
        table(f"chaos on {location.type}, seed {SEED}", ledger.figures())
    assert len(ledger.ticks) >= TICKS
    assert {what: found[:10] for what, found in ledger.wrong().items() if found} == {}
    assert all(seconds <= LEASE + GRACE for seconds in ledger.take_overs())
