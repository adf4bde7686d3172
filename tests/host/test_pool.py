"""Several hosts and the spare: saves and crashes that callers do not notice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.errors import CrashedError
from coflows_jupyter.host.pool import ProcessPool
from tests.host.conftest import Hosts, Run

VERSION = """
    import os, decimal, time

    def version():
        return {version}

    def pid():
        return os.getpid()

    def leave():
        os._exit(1)

    def stubborn():
        while True:
            try:
                while True:
                    time.sleep(0.01)
            except BaseException:
                pass
"""


def source(version: int) -> str:
    """Return a Query whose ``version`` function gives this number."""
    return VERSION.replace("{version}", str(version))


async def value(pool: ProcessPool, function: str, *args: Any, timeout: float = 20) -> Any:
    """Call and decode a JSON result."""
    result = await pool.call(Hosts.call(function, *args, timeout=timeout))
    assert isinstance(result.body, bytes)
    return json.loads(result.body)


async def until(condition: Any) -> None:
    """Wait, a minute at most, until ``condition()`` holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def pool_of(folder: Path, *, workers: int = 1, spare: bool = True) -> AsyncIterator[ProcessPool]:
    """Open a pool and close it again."""
    pool = ProcessPool(workers, spare=spare, on_output=lambda *_: None, on_change=lambda: None)
    try:
        yield pool
    finally:
        await pool.close(0)


def states(pool: ProcessPool) -> list[str]:
    """Return the hosts' states."""
    return sorted(status.state for status in pool.statuses())


def test_swap_replaces_under_load(process: Hosts, run: Run) -> None:
    """Ten saves under constant load: no call fails, and every answer after a swap is the new one's."""

    async def work() -> None:
        async with pool_of(process.folder) as pool:
            await pool.swap(process.build(q=source(0)))
            stop = False
            seen: list[int] = []

            async def load() -> None:
                while not stop:
                    seen.append(await value(pool, "version"))

            callers = [asyncio.ensure_future(load()) for _ in range(4)]
            for version in range(1, 11):
                await pool.swap(process.build(q=source(version)))
                assert await value(pool, "version") == version
            stop = True
            await asyncio.gather(*callers)
            assert seen == sorted(seen)
            assert seen[-1] == 10

    run(work())


def test_incomplete_build_changes_nothing(process: Hosts, run: Run) -> None:
    """A Build with a broken unit leaves the old one serving; with nothing serving it serves what it can."""

    async def work() -> None:
        async with pool_of(process.folder) as pool:
            first = await pool.swap(process.build(q=source(1), bad="import nothing_here"))
            assert not first.complete
            assert await value(pool, "version") == 1
            assert not (await pool.swap(process.build(q=source(2), bad="import nothing_here"))).complete
            assert await value(pool, "version") == 1
            assert (await pool.swap(process.build(q=source(3)))).complete
            assert await value(pool, "version") == 3

    run(work())


@pytest.mark.parametrize("spare", [True, False])
def test_crash_is_followed_by_a_new_host(process: Hosts, run: Run, spare: bool) -> None:
    """After a crash the next call waits for the take-over and succeeds."""

    async def work() -> None:
        async with pool_of(process.folder, spare=spare) as pool:
            await pool.swap(process.build(q=source(1)))
            if spare:
                await until(lambda: states(pool) == ["serving", "spare"])
            with pytest.raises(CrashedError):
                await value(pool, "leave")
            patient = asyncio.ensure_future(value(pool, "version"))
            await asyncio.sleep(0)  # the call begins, and no host can be there yet
            assert pool.waiting == 1
            assert await patient == 1
            assert (pool.waiting, pool.crashes) == (0, 1)

    run(work())


def test_stuck_host_is_replaced_before_it_ends(process: Hosts, run: Run) -> None:
    """When a call passes its deadline and does not stop, a new host serves while the old one is still there."""

    async def work() -> None:
        async with pool_of(process.folder) as pool:
            await pool.swap(process.build(q=source(1)))
            old = await value(pool, "pid")
            with pytest.raises(Exception, match="did not finish"):
                await value(pool, "stubborn", timeout=0.2)
            await until(lambda: pool.crashes == 1)
            assert await value(pool, "pid") != old
            await until(lambda: "draining" not in states(pool))

    run(work())


def test_workers_share_the_load(process: Hosts, run: Run) -> None:
    """Two workers are two processes, and both are used."""

    async def work() -> None:
        async with pool_of(process.folder, workers=2, spare=False) as pool:
            await pool.swap(process.build(q=source(1)))
            assert states(pool) == ["serving", "serving"]
            pids = await asyncio.gather(*(value(pool, "pid") for _ in range(20)))
            assert len(set(pids)) == 2

    run(work())


def test_spare_is_warm(process: Hosts, run: Run) -> None:
    """The spare has the modules that the last Build imported."""
    query = """
        import sys
        before = "wave" in sys.modules
        import wave

        def was_there():
            return before
    """

    async def work() -> None:
        async with pool_of(process.folder) as pool:
            await pool.swap(process.build(q=query))
            assert await value(pool, "was_there") is False
            assert (await pool.swap(process.build(q=query.replace("import wave", "import wave  # again")))).complete
            assert await value(pool, "was_there") is True

    run(work())
