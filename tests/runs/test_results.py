"""Results of calls that respond later: how long and how many are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.host.protocol import Call, Result
from coflows_jupyter.runs import results as module
from coflows_jupyter.runs.live import Run
from coflows_jupyter.runs.results import Later, Results
from tests.runs.test_ledger import CALLER


async def keep(results: Results, name: str, result: Result) -> Later:
    """Keep a result and wait until that is done."""

    async def work() -> Result:
        return result

    results.start(Run(Call(name, "q", "f", "query", b"", "", CALLER, 10), "wid", "b1", None), work())
    later = results.get(name)
    assert later is not None
    assert later.task is not None
    await asyncio.wait([later.task])
    return later


def body(size: int) -> Result:
    """Make a result of some bytes."""
    return Result(200, "text/plain", b"x" * size)


def test_the_oldest_make_room() -> None:
    """All results together stay below the size that is given."""

    async def work() -> None:
        results = Results(most_bytes=100)
        for number in range(4):
            await keep(results, f"r{number}", body(40))
        assert [results.get(f"r{number}") is not None for number in range(4)] == [False, False, True, True]
        await results.close()

    asyncio.run(work())


def test_a_result_that_is_too_large_is_an_error() -> None:
    """A stream is broken off where it passes the limit, and leaves no file."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 40

    async def work() -> None:
        results = Results(most_bytes=100)
        later = await keep(results, "r", Result(200, "text/plain", chunks()))
        assert isinstance(later.error, CoflowsError)
        assert "too many to keep" in later.error.message
        assert not later._path.exists()
        await results.close()

    asyncio.run(work())


def test_results_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    """After their time they are gone, with their files."""
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.0)

    async def work() -> None:
        results = Results()
        later = await keep(results, "r", body(10))
        async with asyncio.timeout(10):
            while results.get("r") is not None:  # noqa: ASYNC110  (nothing tells of an expiry)
                await asyncio.sleep(0)
        assert not later._path.exists()
        await results.close()

    asyncio.run(work())


def test_closing_leaves_nothing_behind() -> None:
    """Neither files nor tasks outlive the server."""

    async def work() -> None:
        results = Results()
        later = await keep(results, "r", body(10))
        folder = later._path.parent
        assert folder.is_dir()
        await results.close()
        assert not folder.exists()

    asyncio.run(work())
