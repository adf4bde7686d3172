"""Hosts of both kinds, and Builds made of a few lines of source."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.build.model import Build, Limits, make_build
from coflows_jupyter.database.location import Location
from coflows_jupyter.host.embedded import EmbeddedHost
from coflows_jupyter.host.process import ProcessHost
from coflows_jupyter.host.protocol import Call, Host, Loaded, Result, new_run_id
from coflows_jupyter.workflow.sources import SourceUnit

CALLER = Caller("root", "root", "local", "cli", AccessType.WRITE)


class Hosts:
    """Makes Builds and hosts of one mode in one folder."""

    def __init__(self, mode: str, folder: Path, database: Location | None = None) -> None:
        self.mode = mode
        self.database = database
        self.folder = folder
        self.limits = Limits()
        self.output: list[tuple[str, str, str]] = []
        self.ended: list[ProcessHost] = []
        self.host: Host

    def build(self, **files: str) -> Build:
        """Make a Build; ``Base_x=`` and ``Query=`` name the files."""
        units = []
        for name, text in files.items():
            kind = "base" if name.startswith("Base_") else "query"
            place = "Base" if kind == "base" else "Queries"
            path = self.folder / place / f"{name.removeprefix('Base_').replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
            units.append(SourceUnit(kind, name, str(path), "python", path.read_text()))  # type: ignore[arg-type]
        return make_build("wid", "Test", str(self.folder), tuple(units), self.limits)

    def _took(self, run_id: str, stream: str, text: str) -> None:
        self.output.append((run_id, stream, text))

    @asynccontextmanager
    async def open(self, **files: str) -> AsyncIterator[Loaded]:
        """Start a host and load a Build of ``files``."""
        if self.mode == "embedded":
            self.host = EmbeddedHost(self._took, database=self.database)
        else:
            process = ProcessHost("query-1", self._took, self.ended.append, database=self.database)
            await process.start()
            self.host = process
        try:
            yield await self.host.load(self.build(**files))
        finally:
            await self.host.close(0)

    async def result(
        self, function: str, *args: Any, form: str = "json", accept: str = "", timeout: float = 20, query: str = "q"
    ) -> Result:
        """Call ``function`` of query ``q`` with JSON arguments by position."""
        return await self.host.call(self.call(function, *args, form=form, accept=accept, timeout=timeout, query=query))

    @staticmethod
    def call(
        function: str, *args: Any, form: str = "json", accept: str = "", timeout: float = 20, query: str = "q"
    ) -> Call:
        """Make a call."""
        data = json.dumps(args).encode()
        return Call(new_run_id(), query, function, form, data, accept, CALLER, timeout)  # type: ignore[arg-type]

    async def value(self, function: str, *args: Any, timeout: float = 20) -> Any:
        """Call and decode the JSON result."""
        body = (await self.result(function, *args, timeout=timeout)).body
        return json.loads(body if isinstance(body, bytes) else b"".join([chunk async for chunk in body]))

    def printed(self) -> str:
        """Return everything that runs printed."""
        return "".join(text for _, _, text in self.output)


@pytest.fixture(params=["embedded", "process"])
def hosts(request: pytest.FixtureRequest, tmp_path: Path) -> Hosts:
    """Hosts of both modes in turn."""
    return Hosts(request.param, tmp_path / "flow")


@pytest.fixture
def process(tmp_path: Path) -> Hosts:
    """Hosts in processes of their own."""
    return Hosts("process", tmp_path / "flow")


@pytest.fixture
def embedded(tmp_path: Path) -> Hosts:
    """Hosts inside this process."""
    return Hosts("embedded", tmp_path / "flow")


Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def run() -> Run:
    """Run a coroutine to its end on a loop of its own."""

    def runner(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run(asyncio.wait_for(work, 60))

    return runner


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "flow").mkdir()


def alive(pid: int) -> bool:
    """Say whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
