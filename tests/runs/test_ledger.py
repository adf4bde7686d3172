"""The ledger: what it writes, when, and what it never makes a call wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coflows_jupyter.access.permissions import Caller
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.host.protocol import Call
from coflows_jupyter.runs import ledger as module
from coflows_jupyter.runs import store
from coflows_jupyter.runs.ledger import Ledger
from coflows_jupyter.runs.live import CUT, LOG_LIMIT, Run
from coflows_jupyter.runs.model import Filter, Outcome
from coflows_jupyter.runs.store import Retention

CALLER = Caller("root", "root", "key", "http", 2)


def make_run(name: str, outcome: Outcome = "succeeded", function: str = "Add", log: str = "") -> Run:
    """Make a run that ended."""
    run = Run(Call(name, "q", function, "query", b"x=1", "", CALLER, 10), "wid", "b1", None)
    if log:
        run.write("stdout", log)
    run.conclude(outcome, 200 if outcome == "succeeded" else 500, "" if outcome == "succeeded" else "no luck")
    return run


@asynccontextmanager
async def opened(file: Path, **options: object) -> AsyncIterator[tuple[Ledger, Database]]:
    """Open a ledger on a file."""
    database = Database(file)
    ledger = Ledger(database, **options)  # type: ignore[arg-type]
    ledger.open()
    try:
        yield ledger, database
    finally:
        await ledger.close()


def test_what_ended_is_found(tmp_path: Path) -> None:
    """A run that ended can be read at once, with everything about it."""

    async def work() -> None:
        async with opened(tmp_path / "a.db") as (ledger, _):
            ledger.add(make_run("r1", "failed", log="hello \udc80"))
            found = await ledger.find("r1")
            assert found is not None
            run, log = found
            assert (run.outcome, run.status, run.error, run.arguments) == ("failed", 500, "no luck", {"x": "1"})
            assert log == "hello ?"
            assert await ledger.find("r2") is None

    asyncio.run(work())


def test_filters_and_pages(tmp_path: Path) -> None:
    """The latest come first; each filter narrows, and a page goes on where the last one ended."""

    async def work() -> None:
        async with opened(tmp_path / "a.db") as (ledger, _):
            for number in range(10):
                even = number % 2 == 0
                ledger.add(make_run(f"r{number}", "succeeded" if even else "failed", "Add" if even else "Fail"))
            assert [run.id for run in await ledger.list(Filter(limit=3))] == ["r9", "r8", "r7"]
            assert [run.id for run in await ledger.list(Filter(limit=3, before="r7"))] == ["r6", "r5", "r4"]
            assert {run.function for run in await ledger.list(Filter(outcome="failed"))} == {"Fail"}
            assert len(await ledger.list(Filter(function="Add", query="q"))) == 5
            assert await ledger.list(Filter(caller="somebody")) == []

    asyncio.run(work())


def test_errors_only(tmp_path: Path) -> None:
    """With ``errors`` a success leaves no row."""

    async def work() -> None:
        async with opened(tmp_path / "a.db", which="errors") as (ledger, _):
            ledger.add(make_run("good"))
            ledger.add(make_run("bad", "crashed"))
            assert [run.id for run in await ledger.list(Filter())] == ["bad"]

    asyncio.run(work())


def test_rows_survive_the_end(tmp_path: Path) -> None:
    """Closing writes what waits, and the next start finds it."""

    async def work() -> None:
        async with opened(tmp_path / "a.db") as (ledger, _):
            ledger.add(make_run("r1"))
        async with opened(tmp_path / "a.db") as (ledger, _):
            assert [run.id for run in await ledger.list(Filter())] == ["r1"]

    asyncio.run(work())


def test_a_slow_database_costs_rows_and_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding never waits: what does not fit any more is counted instead."""
    monkeypatch.setattr(module, "MOST_WAITING", 100)

    async def work() -> None:
        async with opened(tmp_path / "a.db") as (ledger, database):
            await ledger.list(Filter())
            release = threading.Event()
            database.submit(lambda _: release.wait(30))
            ledger.add(make_run("first"))
            ledger._flush()
            for number in range(150):
                ledger.add(make_run(f"r{number}"))
            assert ledger.dropped == 50
            release.set()
            assert len(await ledger.list(Filter(limit=1000))) == 101

    asyncio.run(work())


def test_a_database_that_fails_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Calls go on; the log says once what is wrong."""
    (tmp_path / "a.db").write_text("no database " * 1000)

    async def work() -> None:
        async with opened(tmp_path / "a.db") as (ledger, _):
            for number in range(3):
                ledger.add(make_run(f"r{number}"))
                with pytest.raises(ConfigError, match="can't be used"):
                    await ledger.list(Filter())
            assert ledger.dropped == 3

    asyncio.run(work())
    assert caplog.text.count("runs are not recorded") == 1


@pytest.mark.parametrize("retention", [Retention(rows=10), Retention(size=400_000), Retention(days=0)])
def test_retention_gives_disk_space_back(tmp_path: Path, retention: Retention) -> None:
    """By count, by bytes and by age: the oldest rows go, and the file shrinks."""

    async def work() -> None:
        async with opened(tmp_path / "a.db") as (ledger, database):
            for number in range(400):
                ledger.add(make_run(f"r{number}", log="x" * 5000))
            assert len(await ledger.list(Filter(limit=1000))) == 400
            size = database.submit(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one()).result()
            database.submit(lambda c: store.prune(c, retention)).result()
            after = database.submit(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one()).result()
            assert after < size / 4
            kept = await ledger.list(Filter(limit=1000))
            assert [run.id for run in kept] == [f"r{number}" for number in range(399, 399 - len(kept), -1)]
            assert (len(kept) == 0) == (retention.days == 0)

    asyncio.run(work())


def test_a_log_is_cut(tmp_path: Path) -> None:
    """The beginning of a long log is kept, and where it ends it says so."""
    run = make_run("r1", log="x" * LOG_LIMIT)
    run = Run(run.call, "wid", "b1", None)
    for _ in range(3):
        run.write("stdout", "y" * LOG_LIMIT)
    assert run.log == "y" * LOG_LIMIT + CUT
