"""Workflows in any language, which hosts of their own run, driven from tests that know nothing of event loops."""

from __future__ import annotations

import asyncio
import json
import secrets
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.config import load_config
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import CoflowsError, FunctionError
from coflows_jupyter.host.protocol import Call, Result, new_run_id
from coflows_jupyter.status import BuildReport

CALLER = Caller("root", "root", "local", "cli", AccessType.WRITE)
_LISTS = ("Base", "Queries", "Agents")


class Flow:
    """A Workflow on disk and its engine, driven from a test that knows nothing of event loops.

    Args:
        folder: where it is; without ``files`` as it is there.
        resources: of package.json.
        files: sources, named ``Queries__q__cs``.
    """

    def __init__(self, folder: Path, resources: dict[str, Any] | None = None, **files: str) -> None:
        self.folder = folder
        self.printed: list[tuple[str, str]] = []
        self._loop = asyncio.new_event_loop()
        self.engine: Engine
        if not files:
            return
        for name, text in files.items():
            self.write(name, text)
        package: dict[str, Any] = {"ID": "wid", "Name": "Flow", "Resources": resources or {}}
        for kind in _LISTS:
            found = [path for name in files for path in [self.path(name)] if path.parts[-2] == kind]
            package[kind] = [{"Name": path.name, "Content": f"{kind}/{path.name}", "ID": path.stem} for path in found]
        (folder / "package.json").write_text(json.dumps(package))
        config = {"Workflow": "package.json", "Server": {"Host": "localhost", "SecretKey": secrets.token_hex(16)}}
        (folder / "coflows_config.json").write_text(json.dumps(config))

    def path(self, name: str) -> Path:
        """Return the path of a file that is named ``Queries__q__cs``."""
        kind, stem, suffix = name.split("__")
        return self.folder / kind / f"{stem}.{suffix}"

    def write(self, name: str, text: str) -> None:
        """Write a file that is named ``Queries__q__cs``."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def run(self, work: Awaitable[Any]) -> Any:
        """Run a coroutine on the engine's loop."""
        return self._loop.run_until_complete(asyncio.wait_for(work, 60))

    def open(self) -> BuildReport:
        """Make the engine and build."""

        async def start() -> BuildReport:
            config = load_config(self.folder, environ={})
            self.engine = Engine(
                config, watch=False, on_output=lambda _, stream, text: self.printed.append((stream, text))
            )
            return await self.engine.build()

        report: BuildReport = self.run(start())
        return report

    def build(self) -> BuildReport:
        """Build again."""
        report: BuildReport = self.run(self.engine.build())
        return report

    def close(self) -> None:
        """End the hosts."""
        self.run(self.engine.close(0))
        self._loop.close()

    def result(self, query: str, function: str, data: Any = (), *, accept: str = "", timeout: float = 30) -> Result:
        """Call a function, with JSON or with the text of a query string."""
        form = "query" if isinstance(data, str) else "json"
        raw = data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else json.dumps(data).encode()
        call = Call(new_run_id(), query, function, form, raw, accept, CALLER, timeout)  # type: ignore[arg-type]
        result: Result = self.run(self.engine.call(call))
        return result

    def answer(self, query: str, function: str, data: Any = (), *, accept: str = "", timeout: float = 30) -> bytes:
        """Call a function and return all that it answers."""

        async def read(result: Result) -> bytes:
            return b"".join([bytes(chunk) async for chunk in result.body])  # type: ignore[union-attr]

        body = (result := self.result(query, function, data, accept=accept, timeout=timeout)).body
        return bytes(body) if isinstance(body, bytes | memoryview) else self.run(read(result))

    def json(self, query: str, function: str, data: Any = ()) -> Any:
        """Call a function and decode what it answers."""
        return json.loads(self.answer(query, function, data))


def outcome(flow: Flow, query: str, function: str, data: Any) -> str:
    """Return the bytes of an answer, or the words of a refusal."""
    try:
        return flow.answer(query, function, data).decode()
    except FunctionError:
        raise
    except CoflowsError as error:
        fields = [(f.field, f.message, f.value) for f in getattr(error, "fields", ())]
        return f"{type(error).__name__}: {error} {json.dumps(fields)}"


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Callable[..., Flow]]:
    """Make Workflows of files and open them."""
    made: list[Flow] = []

    def make(**files: Any) -> Flow:
        folder = tmp_path / f"flow{len(made)}"
        folder.mkdir()
        made.append(Flow(folder, **files))
        made[-1].open()
        return made[-1]

    yield make
    for one in made:
        one.close()
