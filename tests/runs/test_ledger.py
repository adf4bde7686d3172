"""The ledger: what it writes, when, and what it never makes a call wait for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coflows_jupyter.access.permissions import Caller
from coflows_jupyter.config import History
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.host.protocol import Call
from coflows_jupyter.runs import ledger as module
from coflows_jupyter.runs import store
from coflows_jupyter.runs.ledger import Ledger
from coflows_jupyter.runs.live import CUT, LOG_LIMIT, Run
from coflows_jupyter.runs.model import Filter, Outcome, moment

CALLER = Caller("root", "root", "key", "http", 2)


def make_run(name: str, outcome: Outcome = "succeeded", function: str = "Add", log: str = "") -> Run:
    """Make a run that ended."""
    run = Run(Call(name, "q", function, "query", b"x=1", "", CALLER, 10), "wid", "b1", None)
    if log:
        run.write("stdout", log)
    run.conclude(outcome, 200 if outcome == "succeeded" else 500, "" if outcome == "succeeded" else "no luck")
    return run


@asynccontextmanager
async def opened(file: Path, **settings: object) -> AsyncIterator[tuple[Ledger, Database]]:
    """Open a ledger on a file."""
    database = Database(file)
    ledger = Ledger(database, History.model_validate(settings))
    ledger.open()
    try:
        yield ledger, database
    finally:
        await ledger.close()


def leave(file: Path, name: str) -> None:
    """Let a ledger go while a run goes on."""

    async def work() -> None:
        async with opened(file) as (ledger, _):
            ledger.note(Run(make_run(name).call, "wid", "b1", None))

    asyncio.run(work())


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
            assert len(await ledger.list(Filter(text="q.aDD"))) == 5
            assert await ledger.list(Filter(text="q_Add")) == []
            assert await ledger.list(Filter(workflow="another")) == []

    asyncio.run(work())


def test_errors_only(tmp_path: Path) -> None:
    """With ``errors`` a success leaves no row."""

    async def work() -> None:
        async with opened(tmp_path / "a.db", Keep="errors") as (ledger, _):
            ledger.add(make_run("good"))
            ledger.add(make_run("bad", "crashed"))
            assert [run.id for run in await ledger.list(Filter())] == ["bad"]

    asyncio.run(work())


def test_more_filters(tmp_path: Path) -> None:
    """By time, door and any text that a row holds, where no character is special."""

    async def work() -> None:
        async with opened(tmp_path / "a.db") as (ledger, _):
            for number in range(3):
                run = make_run(f"r{number}", "failed" if number == 1 else "succeeded")
                run.started -= 3600 * number
                ledger.add(run)

            async def found(**wanted: str) -> list[str]:
                return [run.id for run in await ledger.list(Filter(**wanted))]  # type: ignore[arg-type]

            assert await found(since="90m") == ["r1", "r0"]
            assert await found(since="2020-01-01", door="http") == ["r2", "r1", "r0"]
            assert await found(since="2999-01-01T00:00+01:00") == []
            assert await found(text="NO LUCK") == ["r1"]
            assert await found(text="x=1") == ["r2", "r1", "r0"]
            assert await found(text="%") == await found(door="cli") == []

    asyncio.run(work())


def test_what_is_a_point_in_time() -> None:
    """ISO 8601 in any zone, UTC without one; a duration counts back from now."""
    assert moment("2026-11-24T18:00+02:00") == "2026-11-24T16:00:00.000+00:00"
    assert moment("2026-11-24") == "2026-11-24T00:00:00.000+00:00"
    assert moment("1h") < moment("1m") < moment("0s")
    for wrong in ("", "yesterday", "1e999s", "99999999999d"):
        with pytest.raises(ValueError, match=r"point in time|too long ago"):
            moment(wrong)


def test_a_run_that_goes_on_has_a_row(tmp_path: Path) -> None:
    """Its end replaces the row at its place; with ``errors`` a success takes it out."""

    async def work(keep: str) -> list[tuple[str, str]]:
        async with opened(tmp_path / f"{keep}.db", Keep=keep) as (ledger, _):
            run = Run(make_run("long").call, "wid", "b1", None)
            ledger.note(run)
            ledger.add(make_run("other", "failed"))
            found = await ledger.find("long")
            assert found is not None
            assert (found[0].outcome, found[0].status) == ("running", 0)
            run.write("stdout", "done")
            run.conclude("succeeded", 200)
            ledger.add(run)
            return [(run.id, run.outcome) for run in await ledger.list(Filter())]

    assert asyncio.run(work("all")) == [("other", "failed"), ("long", "succeeded")]
    assert asyncio.run(work("errors")) == [("other", "failed")]


def test_runs_of_a_server_that_is_gone_are_lost(tmp_path: Path) -> None:
    """The next start says so; those of a process that lives stay as they are."""
    file = tmp_path / "a.db"
    code = f"import pathlib; from tests.runs.test_ledger import leave; leave(pathlib.Path({str(file)!r}), 'gone')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    leave(file, "here")

    async def work() -> None:
        async with opened(file) as (ledger, _):
            outcomes = {run.id: (run.outcome, run.error) for run in await ledger.list(Filter())}
            assert outcomes == {"here": ("running", ""), "gone": ("lost", "the server ended while it ran")}

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


@pytest.mark.parametrize("setting", [{"Rows": 10}, {"Size": "1Mi"}, {"Days": 1e-9}])
def test_retention_gives_disk_space_back(tmp_path: Path, setting: dict[str, object]) -> None:
    """By count, by bytes and by age: the oldest rows go, and the file shrinks."""

    async def work() -> None:
        async with opened(tmp_path / "a.db") as (ledger, database):
            for number in range(400):
                ledger.add(make_run(f"r{number}", log="x" * 15_000))
            assert len(await ledger.list(Filter(limit=1000))) == 400
            size = database.submit(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one()).result()
            database.submit(lambda c: store.prune(c, History.model_validate(setting))).result()
            after = database.submit(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one()).result()
            assert after < size / 4
            kept = await ledger.list(Filter(limit=1000))
            assert [run.id for run in kept] == [f"r{number}" for number in range(399, 399 - len(kept), -1)]
            assert (len(kept) == 0) == ("Days" in setting)

    asyncio.run(work())


def test_a_log_is_cut(tmp_path: Path) -> None:
    """The beginning of a long log is kept, and where it ends it says so."""
    run = make_run("r1", log="x" * LOG_LIMIT)
    run = Run(run.call, "wid", "b1", None)
    for _ in range(3):
        run.write("stdout", "y" * LOG_LIMIT)
    assert run.log == "y" * LOG_LIMIT + CUT
