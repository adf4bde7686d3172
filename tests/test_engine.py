"""One Workflow from its files to its answers."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.model import working_directory
from coflows_jupyter.config import load_config
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import NotFoundError, NotReadyError
from coflows_jupyter.host.early import EarlyHost
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.status import EngineEvent
from coflows_jupyter.workflows import Workflows

CALLER = Caller("root", "root", "local", "cli", AccessType.WRITE)


class Flow:
    """A Workflow on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "Queries").mkdir(parents=True)
        self.package({"ID": "wid", "Name": "Flow", "Queries": [{"Name": "q", "Content": "Queries/q.py", "ID": "q"}]})
        self.query("def version() -> int:\n    return 1\n")
        config = {"Workflow": "package.json", "Server": {"Host": "localhost", "SecretKey": secrets.token_hex(16)}}
        (folder / "coflows_config.json").write_text(json.dumps(config))

    def package(self, document: dict[str, Any]) -> None:
        """Write package.json."""
        (self.folder / "package.json").write_text(json.dumps(document))

    def query(self, text: str) -> None:
        """Write the Query."""
        (self.folder / "Queries" / "q.py").write_text(text)

    @asynccontextmanager
    async def open(self, *, watch: bool = False, embedded: bool = False) -> AsyncIterator[Engine]:
        """Open and start the engine."""
        config = load_config(self.folder, environ={})
        engine = Engine(config, mode="embedded" if embedded else None, watch=watch)
        try:
            await engine.start()
            yield engine
        finally:
            await engine.close(0)


async def version(engine: Engine) -> Any:
    """Call ``version``."""
    call = Call(new_run_id(), "q", "version", "query", b"", "", CALLER, 10)
    body = (await engine.call(call)).body
    assert isinstance(body, bytes)
    return json.loads(body)


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    """A Workflow with one Query."""
    return Flow(tmp_path / "flow")


@pytest.mark.parametrize("embedded", [False, True])
def test_start_and_call(flow: Flow, embedded: bool) -> None:
    """An engine that was started answers, and its status says so."""

    async def work() -> None:
        async with flow.open(embedded=embedded) as engine:
            assert await version(engine) == 1
            status = engine.status()
            assert (status.id, status.name, status.state, status.reasons) == ("wid", "Flow", "serving", [])
            assert status.build is not None
            assert status.build.ok
            assert {host.state for host in status.hosts} <= {"serving", "spare"}

    asyncio.run(work())


def test_save_is_served(flow: Flow) -> None:
    """While watching, a save is built and answers; the events tell the way."""

    async def work() -> None:
        async with flow.open(watch=True) as engine:
            events: list[EngineEvent] = []
            engine.subscribe(events.append)
            number = 1
            while await version(engine) == 1:
                number += 1
                flow.query(f"def version() -> int:\n    return {number}\n")
                await asyncio.sleep(0.1)
                assert number < 200
            assert {"state", "catalog", "build"} <= {event.kind for event in events}

    asyncio.run(work())


def test_broken_save_changes_nothing(flow: Flow) -> None:
    """A save that does not compile is a finding with its place; the old Build goes on, until the mistake is mended."""

    async def work() -> None:
        async with flow.open() as engine:
            flow.query("def version( -> int:\n    return 2\n")
            report = await engine.build()
            assert not report.ok
            assert [(d.line, d.code) for d in report.diagnostics if d.severity == "error"] == [(1, "syntax")]
            assert await version(engine) == 1
            flow.query("def version() -> int:\n    return 1\n")
            assert (await engine.build()).ok
            flow.query("def version() -> int:\n    return 3\n")
            assert (await engine.build()).ok
            assert await version(engine) == 3

    asyncio.run(work())


def test_broken_package_is_a_state(flow: Flow) -> None:
    """A Workflow that can't be read does not stop the server: it says why, and recovers by a build."""
    good = (flow.folder / "package.json").read_text()
    (flow.folder / "package.json").write_text("{")

    async def work() -> None:
        async with flow.open() as engine:
            assert engine.state == "failed"
            assert "package.json:1" in engine.reasons()[0]
            with pytest.raises(NotReadyError):
                await version(engine)
            (flow.folder / "package.json").write_text(good)
            assert (await engine.build()).ok
            assert await version(engine) == 1

    asyncio.run(work())


def test_crash_while_loading_is_a_finding(flow: Flow) -> None:
    """A Query that kills its process when it is imported leaves what serves alone."""

    async def work() -> None:
        async with flow.open() as engine:
            flow.query("import os\nos._exit(9)\n")
            report = await engine.build()
            assert not report.ok
            assert "exit code 9" in report.diagnostics[-1].message
            assert await version(engine) == 1

    asyncio.run(work())


def test_unreadable_documentation_closes(flow: Flow) -> None:
    """A doc comment that does not parse is served at once: as a function that nobody may call."""

    async def work() -> None:
        async with flow.open() as engine:
            flow.query('### <api name="version"><oops\ndef version() -> int:\n    return 1\n')
            report = await engine.build()
            assert not report.ok
            assert engine.catalog.queries["q"].functions["version"].closed

    asyncio.run(work())


def test_find_names_the_nearest(flow: Flow) -> None:
    """The registry finds by ID, and hints at the nearest name when there is none."""

    async def work() -> None:
        async with flow.open() as engine:
            workflows = Workflows()
            workflows.add(engine)
            assert workflows.find("WID", "q", "version")[0] is engine
            for names, hint in [
                (("wix", "q", "version"), "wid"),
                (("wid", "Q2", "f"), "q"),
                (("wid", "q", "versio"), "version"),
            ]:
                with pytest.raises(NotFoundError) as caught:
                    workflows.find(*names)
                assert hint in caught.value.hint

    asyncio.run(work())


def test_working_directory(tmp_path: Path) -> None:
    """A folder named mnt is looked at from above, as the original mounted it; any other from inside."""
    assert working_directory(tmp_path / "mnt") == str(tmp_path)
    assert working_directory(tmp_path / "flow") == str(tmp_path / "flow")


def test_early_host_is_adopted(flow: Flow) -> None:
    """A host that was started before the event loop becomes the first host; a changed Workflow discards it."""
    config = load_config(flow.folder, environ={})
    for number in (1, 2):
        flow.query("def version() -> int:\n    return 1\n")
        early = EarlyHost()
        early.load(assemble(config.workflow).build)
        flow.query(f"def version() -> int:\n    return {number}\n")

        async def work(early: EarlyHost, number: int) -> None:
            engine = Engine(config, watch=False, early=early)
            await engine.start()
            assert await version(engine) == number
            assert (engine.status().hosts[0].pid == early.process.pid) is (number == 1)
            await engine.close(0)

        asyncio.run(work(early, number))
        assert early.process.wait(5) < 0
