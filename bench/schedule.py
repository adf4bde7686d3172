"""How late schedules are, and what they cost while nothing is due: ``python -m bench.schedule``."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.common import percentile, table
from coflows_jupyter.agents.model import AgentRun
from coflows_jupyter.agents.scheduler import Scheduler
from coflows_jupyter.database.connection import Database
from coflows_jupyter.runtimes.agent import AgentEntry

AT_ONCE = 1000
ENABLED = 10_000


class Stopwatch:
    """Runs that take no time, and how late each began."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def run(self, run: AgentRun) -> None:
        """Note how late it is."""
        self.late.append(time.time() - run.fire_at / 1_000_000)


def agents(count: int, schedule: str) -> dict[str, AgentEntry]:
    """Return Agents; ``{n}`` in the schedule is each one's number."""
    return {
        str(n): AgentEntry(str(n), str(n), schedule=schedule.format(n=n % 60), callbacks=("job",)) for n in range(count)
    }


async def measure(entries: Mapping[str, AgentEntry], seconds: float) -> tuple[list[float], float]:
    """Run Agents on a new database for so long.

    Returns:
        Seconds that each run was late, and the share of one core that all took.
    """
    with tempfile.TemporaryDirectory() as folder:
        database, stopwatch = Database(Path(folder) / "bench.db"), Stopwatch()
        scheduler = Scheduler("bench", database, stopwatch)
        await scheduler.open(entries)
        await asyncio.sleep(2)
        stopwatch.late.clear()
        began, used = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        share = (time.process_time() - used) / (time.monotonic() - began)
        await scheduler.close(5)
        database.close()
    return stopwatch.late, share


def main() -> None:
    """Print how late ten schedules and a thousand at once are, and the CPU of ten thousand that are not due."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    seconds = parser.parse_args().seconds
    rows = []
    for name, entries, wanted in (
        ("10 every second", agents(10, "* * * * * ?"), 50),
        (f"{AT_ONCE:,} at once, every 5 s", agents(AT_ONCE, "0/5 * * * * ?"), 500),
    ):
        late, _ = asyncio.run(measure(entries, seconds))
        figures = " ".join(f"p{share} {1000 * percentile(late, share / 100):4.0f} ms " for share in (50, 99))
        rows.append((name, f"{figures} of {len(late):,}   (wanted p99 {wanted})"))
    late, share = asyncio.run(measure(agents(ENABLED, "0 {n} 3 1 1 ?"), seconds))
    assert not late
    rows.append((f"{ENABLED:,} that are not due", f"{100 * share:.2f} % of a core   (wanted 1)"))
    table("schedules: from the instant to the start of the run", rows)


if __name__ == "__main__":
    main()
