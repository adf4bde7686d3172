"""What 500 functions cost, beside one: ``python -m bench.functions``."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.common import WID, coflows, free_port, get, median_ratio, server, table, workflow, wrk
from coflows_jupyter.config import load_config
from coflows_jupyter.engine import Engine
from coflows_jupyter.workflows import Workflows

FUNCTIONS = 500
LOOKUPS = 200_000
ONE = """
### <api name="F{n}">
###     <description>Adds two numbers, and {n}.</description>
###     <returns>their sum</returns>
###     <param name="x" type="int">first number</param>
###     <param name="y" type="int">second number</param>
###     <permissions><group id="$WID$" permission="read"/></permissions>
### </api>
def F{n}(x: int, y: int = 2) -> int:
    return x + y + {n}

"""


def source(count: int) -> str:
    """Return a Query of ``count`` functions, all documented."""
    return "\n".join(ONE.format(n=n) for n in range(count))


def start(config: Path, key: str) -> float:
    """Return the seconds from nothing to the first answer of a function."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    with server(coflows(config, port), f"{base}/coflows/api/ready", core=None):
        get(f"{base}/flow/query/{WID}/q/F0?x=1&y=2", {"x-api-key": key})
        return time.perf_counter() - started


def rate(stack: ExitStack, config: Path, key: str, function: str) -> float:
    """Return the requests per second of one function."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    stack.enter_context(server(coflows(config, port), f"{base}/coflows/api/ready"))
    return wrk(f"{base}/flow/query/{WID}/q/{function}?x=1&y=2", headers={"x-api-key": key})


async def lookup(config: Path, function: str) -> float:
    """Return the seconds that finding a function in the catalog takes."""
    engine = Engine(load_config(config), mode="embedded", watch=False)
    await engine.build()
    workflows = Workflows()
    workflows.add(engine)
    started = time.perf_counter()
    for _ in range(LOOKUPS):
        workflows.find(WID, "q", function)
    took = time.perf_counter() - started
    await engine.close()
    return took / LOOKUPS


def main(rounds: int = 5) -> None:
    """Measure both Workflows in turn and print what the larger one costs."""
    with tempfile.TemporaryDirectory() as folder:
        made = {count: workflow(Path(folder) / str(count), source(count)) for count in (1, FUNCTIONS)}
        starts: dict[int, list[float]] = {count: [] for count in made}
        rates: dict[int, list[float]] = {count: [] for count in made}
        for _ in range(rounds):
            for count, (config, key) in made.items():
                starts[count].append(start(config, key))
                with ExitStack() as stack:
                    rates[count].append(rate(stack, config, key, f"F{count - 1}"))
        found = {count: asyncio.run(lookup(config, f"F{count - 1}")) for count, (config, _) in made.items()}
    few, many = (statistics.median(starts[count]) for count in made)
    rows = [(f"start with {count} functions", f"{statistics.median(starts[count]):.2f} s") for count in made]
    rows += [("more", f"{many - few:+.2f} s   (wanted +1 s at most)")]
    rows += [(f"finding the last of {count}", f"{found[count] * 1e6:.2f} µs") for count in made]
    rows += [(f"calling the last of {count}", f"{statistics.median(rates[count]):.0f} requests/s") for count in made]
    rows += [("ratio", f"{median_ratio(rates[FUNCTIONS], rates[1]):.2f}")]
    table(f"{FUNCTIONS} functions in one Query beside one, median of {rounds} rounds", rows)


if __name__ == "__main__":
    main()
