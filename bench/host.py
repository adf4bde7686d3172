"""What a call of a host costs: ``python -m bench.host``."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

import uvloop

from bench.common import ADD, percentile, table
from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.build.model import make_build
from coflows_jupyter.host.embedded import EmbeddedHost
from coflows_jupyter.host.process import ProcessHost
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.workflow.sources import SourceUnit

CALLS = 5000
CALLER = Caller("root", "root", "local", "cli", AccessType.WRITE)


async def measure(mode: str, folder: Path) -> list[float]:
    """Return the seconds of each of ``CALLS`` calls, one after the other."""
    path = folder / "q.py"
    path.write_text(ADD)
    build = make_build("bench", "Bench", str(folder), (SourceUnit("query", "q", str(path), "python", ADD),))
    host: EmbeddedHost | ProcessHost
    if mode == "embedded":
        host = EmbeddedHost(lambda *_: None)
    else:
        host = ProcessHost("bench", lambda *_: None, lambda _: None)
        await host.start()
    await host.load(build)
    times = []
    for number in range(CALLS + 500):
        data = json.dumps([number, 1]).encode()
        started = time.perf_counter()
        result = await host.call(Call(new_run_id(), "q", "Add", "json", data, "", CALLER, 10))
        times.append(time.perf_counter() - started)
        assert result.body == str(number + 1).encode()
    await host.close(0)
    return times[500:]


def main() -> None:
    """Print p50 and p99 for both modes on both event loops."""
    rows = []
    for mode in ("embedded", "process"):
        for loop, factory in (("asyncio", None), ("uvloop", uvloop.new_event_loop)):
            with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=factory) as runner:
                times = runner.run(measure(mode, Path(folder)))
            figure = f"p50 {percentile(times, 0.5) * 1e6:6.0f} µs   p99 {percentile(times, 0.99) * 1e6:6.0f} µs"
            rows.append((f"{mode}, {loop}", figure))
    table(f"host call, Add(x, y), {CALLS} calls in a row", rows)


if __name__ == "__main__":
    main()
