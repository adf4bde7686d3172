"""How fast M sets are in user code: ``python -m bench.m``."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from coflows_jupyter import M
from coflows_jupyter.database.location import Location
from coflows_jupyter.mset.place import host_place, settle

WRITER = """
import sys, time
from coflows_jupyter import M
from coflows_jupyter.mset.place import host_place, settle
from bench.m import place_of
settle(host_place(place_of(sys.argv[1])))
m = M.Base("seen")
m.add("ready")
for n in range(int(sys.argv[2])):
    time.sleep(0.01)
    m.add({"n": n, "at": time.time()})
"""


FEW = 10


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def time_since(moment: float) -> float:
    """Return the seconds since ``moment``."""
    return time.time() - moment


def report(name: str, seconds: Sequence[float], unit: str = "ms") -> None:
    """Print median and 99th percentile."""
    scale = {"ms": 1e3, "µs": 1e6, "s": 1.0}[unit]
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:44} p50 {statistics.median(ordered) * scale:9.2f} {unit}   p99 {last * scale:9.2f} {unit}")


def writes(count: int) -> None:
    """Measure adds, one by one and in batches."""
    m = M.Base("writes")
    m.add("first")
    report("add", [timed(lambda n=n: m.add({"n": n, "name": "one"})) for n in range(count)], "µs")  # type: ignore[misc]
    batches = [[{"n": n, "batch": batch} for n in range(1000)] for batch in range(10)]
    report("add_many of 1,000", [timed(lambda rows=rows: m.add_many(rows)) for rows in batches])  # type: ignore[misc]


def reads(size: int) -> None:
    """Measure reads of a large set."""
    m = M.Base("reads")
    m.index("price")
    for start in range(0, size, 10_000):
        m.add_many({"price": n, "name": f"n{n % 100}"} for n in range(start, min(start + 10_000, size)))
    middle = size // 2
    report(f"where on an index, {size:,} entries", [timed(lambda n=n: m.where(price=middle + n)) for n in range(100)])  # type: ignore[misc]
    report("first predicate, which loads the set", [timed(lambda: m[is_cheap])], "s")
    report("predicate", [timed(lambda: m[is_cheap]) for _ in range(5)])


def is_cheap(value: dict[str, int]) -> bool:
    """Hold for a handful of entries."""
    return value["price"] < FEW


def place_of(where: str) -> Location:
    """Return the PostgreSQL of a URL, or the SQLite file of a path."""
    return Location.parse("postgres", where) if "://" in where else Location.at(Path(where))


def seen(where: str, count: int) -> None:
    """Measure how long another process's change takes to arrive."""
    watching = M.Base("seen").watch(after=0)
    with subprocess.Popen([sys.executable, "-c", WRITER, where, str(count)]):
        next(watching)
        sent = (next(watching).value["at"] for _ in range(count))
        # The clock of the machine, as the two processes share no other; read after the change has come.
        report("change of another process seen", [time_since(moment) for moment in sent])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000, help="size of the large set")
    parser.add_argument("--database", help="URL of an empty PostgreSQL database; a SQLite file of its own by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = arguments.database or str(Path(folder) / "m.db")
        settle(host_place(place_of(where)))
        writes(2000)
        seen(where, 300)
        reads(arguments.entries)


if __name__ == "__main__":
    main()
