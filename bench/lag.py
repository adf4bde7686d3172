"""How long the server's event loop keeps others waiting while queries burn CPU: ``python -m bench.lag``.

Every answer of ``/coflows/api/health`` passes through the loop, so its time is an upper bound of the loop's lag.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from bench.common import WID, coflows, free_port, percentile, server, table, workflow

BURN = """
import time

def burn(seconds: float) -> int:
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        n += 1
    return n
"""

SECONDS = 10


async def lag(base: str, key: str, burners: int) -> list[float]:
    """Return the seconds of one health check after the other while ``burners`` calls run."""
    async with (
        httpx.AsyncClient(timeout=60) as client,
        httpx.AsyncClient(timeout=60, headers={"x-api-key": key}) as caller,
    ):
        url = f"{base}/flow/query/{WID}/q/burn?seconds={SECONDS}"
        burning = [asyncio.ensure_future(caller.get(url)) for _ in range(burners)]
        times = []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            started = time.perf_counter()
            await client.get(f"{base}/coflows/api/health")
            times.append(time.perf_counter() - started)
            await asyncio.sleep(0.005)
        for answer in await asyncio.gather(*burning):
            answer.raise_for_status()
        return times


def main() -> None:
    """Print the health check's times, idle and under load."""
    with tempfile.TemporaryDirectory() as folder:
        config, key = workflow(Path(folder) / "flow", BURN)
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        with server(coflows(config, port), f"{base}/coflows/api/ready", core=None):
            idle = asyncio.run(lag(base, key, 0))
            busy = asyncio.run(lag(base, key, 8))
    table(
        "health check, an upper bound of the event loop's lag",
        [
            ("idle, p99", f"{percentile(idle, 0.99) * 1e3:.1f} ms"),
            ("8 queries burning CPU, p50", f"{percentile(busy, 0.5) * 1e3:.1f} ms"),
            ("8 queries burning CPU, p99", f"{percentile(busy, 0.99) * 1e3:.1f} ms   (wanted 30)"),
        ],
    )


if __name__ == "__main__":
    main()
