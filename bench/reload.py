"""How long a save, and a crash, take to the next answer, and whether anybody notices: ``python -m bench.reload``."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from pathlib import Path

import httpx

from bench.common import coflows, free_port, percentile, server, table, workflow

ROOT = Path(__file__).resolve().parent.parent

SOURCE = """
import os
import portfolio.data

def leave():
    os._exit(1)

def version() -> int:
    return {version}
"""


async def measure(base: str, key: str, query: Path, saves: int) -> tuple[list[float], int, int]:
    """Save ``saves`` times under load; return the seconds until the new answer, calls made and calls failed."""
    url = f"{base}/flow/query/bench/q/version"
    calls = failed = 0
    stop = False
    async with httpx.AsyncClient(headers={"x-api-key": key}, timeout=30) as client:

        async def load() -> None:
            nonlocal calls, failed
            while not stop:
                answer = await client.get(url)
                calls += 1
                failed += answer.status_code != httpx.codes.OK

        callers = [asyncio.ensure_future(load()) for _ in range(4)]
        times = []
        for version in range(1, saves + 1):
            query.write_text(SOURCE.replace("{version}", str(version)))
            started = time.perf_counter()
            while (await client.get(url)).text != str(version):
                await asyncio.sleep(0.002)
            times.append(time.perf_counter() - started)
            await asyncio.sleep(1.5)  # a person's pace: the next spare gets ready meanwhile
        stop = True
        await asyncio.gather(*callers)
    return times, calls, failed


async def crash(base: str, key: str, times: int) -> list[float]:
    """Let the host crash ``times`` times; return the seconds that the next call took each time."""
    found = []
    async with httpx.AsyncClient(headers={"x-api-key": key}, timeout=30) as client:
        for _ in range(times):
            assert (await client.get(f"{base}/flow/query/bench/q/leave")).status_code == httpx.codes.BAD_GATEWAY
            started = time.perf_counter()
            (await client.get(f"{base}/flow/query/bench/q/version")).raise_for_status()
            found.append(time.perf_counter() - started)
            await asyncio.sleep(2)
    return found


def main() -> None:
    """Print the times from save, and from crash, to answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=20)
    saves = parser.parse_args().saves
    with tempfile.TemporaryDirectory() as folder:
        config, key = workflow(Path(folder) / "flow", SOURCE.replace("{version}", "0"))
        shutil.copytree(ROOT / "mnt" / "Base", config.parent / "Base")
        shutil.copytree(ROOT / "mnt" / "Files", config.parent / "Files")
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        with server(coflows(config, port), f"{base}/coflows/api/ready", core=None):
            times, calls, failed = asyncio.run(measure(base, key, config.parent / "Queries" / "q.py", saves))
            crashes = asyncio.run(crash(base, key, 5))
    table(
        f"{saves} saves of a Query that imports pandas, under load",
        [
            ("save → new answer, median", f"{percentile(times, 0.5):.3f} s   (wanted 0.3)"),
            ("save → new answer, slowest", f"{max(times):.3f} s"),
            ("calls meanwhile", str(calls)),
            ("failed calls", f"{failed}   (wanted 0)"),
            ("crash → next answer, slowest of 5", f"{max(crashes):.3f} s   (wanted 0.5)"),
        ],
    )


if __name__ == "__main__":
    main()
