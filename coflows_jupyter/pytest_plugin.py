"""A pytest plugin for the tests of a Workflow: ``coflows test``, or ``pytest -p coflows_jupyter.pytest_plugin``.

Its fixtures open the Workflow once per session, with hosts as a server has them, so a test calls what users will call::

    def test_add(query):
        assert query.pyapi.Add(1, 2) == 3
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.build.dependencies.pips import Pips
from coflows_jupyter.compat.finder import install, remove
from coflows_jupyter.config import Config, load_config
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import ArgumentsError, BuildError, DiagnosticsError, NotAcceptableError
from coflows_jupyter.host.protocol import Call, Result, new_run_id
from coflows_jupyter.jsonform import to_json
from coflows_jupyter.notebook.client import BuildInfo, FunctionInfo, QueryInfo, QueryList, WorkflowInfo
from coflows_jupyter.notebook.query import Directory, Queries
from coflows_jupyter.queries.catalog import Catalog
from coflows_jupyter.workflow.package import read_package
from coflows_jupyter.workflows import Workflows

T = TypeVar("T")

_OUTCOMES = ("passed", "failed", "error", "skipped")
_CALLER = Caller("local", "tests", "local", "cli", AccessType.WRITE)


class Workflow(msgspec.Struct, frozen=True):
    """The Workflow under test.

    Args:
        id: its ID.
        name: its name.
        folder: absolute folder of its package.json.
        config: its configuration.
        catalog: its Queries and their functions.
    """

    id: str
    name: str
    folder: Path
    config: Config
    catalog: Catalog


class EngineClient:
    """Calls functions of an Engine that runs on a loop in a thread of its own.

    Args:
        config: the Workflow's configuration.

    Raises:
        BuildError: the Workflow does not build.
    """

    def __init__(self, config: Config) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="coflows", daemon=True)
        self._thread.start()
        self.engine = self._run(_open(config))
        self._workflows = Workflows()
        self._workflows.add(self.engine)
        report = self._run(self.engine.build())
        if not report.ok:
            self.close()
            found = "\n".join(map(str, report.diagnostics))
            raise BuildError(f"the Workflow does not build\n{found}", report.diagnostics)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def workflows(self) -> tuple[WorkflowInfo, ...]:
        """Return the one Workflow."""
        return (WorkflowInfo(self.engine.id, build=BuildInfo(self.engine.catalog.build)),)

    def queries(self, workflow: str) -> QueryList:
        """Return its Queries."""
        queries = self._workflows.get(workflow)
        assert queries is not None
        listed = [
            QueryInfo(
                entry.id,
                tuple(
                    FunctionInfo(name, f"{entry.id}/{name}", f.description, f.returns, f.signature.parameters)
                    for name, f in entry.functions.items()
                ),
            )
            for entry in queries.catalog.queries.values()
        ]
        return QueryList(queries.catalog.build, tuple(listed))

    def call(self, url: str, arguments: object) -> Any:
        """Call a function; see ``Client.call``."""
        query, name = url.split("/")
        engine, entry = self._workflows.find(self.engine.id, query, name)
        try:
            data = to_json(arguments)
        except NotAcceptableError as error:
            raise ArgumentsError(f"an argument can't be sent: {error}") from None
        call = Call(new_run_id(), query, name, "json", data, "", _CALLER, engine.timeout(entry))
        return self._decode(self._run(engine.call(call)))

    def _decode(self, result: Result) -> Any:
        media_type = result.content_type.partition(";")[0]
        if isinstance(result.body, bytes):
            body = result.body
        elif media_type == "application/x-ndjson":
            return self._records(result.body)
        else:
            body = b"".join(self._chunks(result.body))
        if media_type == "application/json":
            return msgspec.json.decode(body)
        return body.decode() if media_type.startswith("text/") else body

    def _chunks(self, body: AsyncIterator[bytes]) -> Iterator[bytes]:
        async def following() -> bytes | None:
            return await anext(body, None)

        while (chunk := self._run(following())) is not None:
            yield chunk

    def _records(self, body: AsyncIterator[bytes]) -> Iterator[Any]:
        kept = b""
        for chunk in self._chunks(body):
            *lines, kept = (kept + chunk).split(b"\n")
            yield from map(msgspec.json.decode, filter(None, lines))

    def close(self) -> None:
        """End the hosts and the loop."""
        self._run(self.engine.close(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _open(config: Config) -> Engine:
    return Engine(config, watch=False, on_output=lambda _run, _stream, text: _show(text))


def _show(text: str) -> None:
    """Let what a function prints be what its test prints."""
    with suppress(ValueError):  # the test that called it is over
        sys.stdout.write(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options; called by pytest."""
    group = parser.getgroup("coflows")
    group.addoption("--coflows-config", help="coflows_config.json of the Workflow, or its folder", metavar="FILE")
    group.addoption("--coflows-report", help="write the outcome of every test as JSON", metavar="FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Let tests import Pips and the original's modules, and keep a report where one is wanted; called by pytest."""
    if config.getoption("--coflows-config"):
        _bring_pips(_config(config))
        config.add_cleanup(functools.partial(remove, install()))
    if file := config.getoption("--coflows-report"):
        config.pluginmanager.register(Reporter(Path(file)))


def _config(config: pytest.Config) -> Config:
    return load_config(config.getoption("--coflows-config"), cwd=config.invocation_params.dir)


def _bring_pips(config: Config) -> None:
    """Put the user's libraries first on the import path; what pytest has loaded by now stays its own."""
    try:
        sys.path[:0] = Pips().provide(read_package(config.workflow))
    except DiagnosticsError as error:
        raise pytest.UsageError(*(f"{d}" for d in error.diagnostics)) from None


@pytest.fixture(scope="session")
def _coflows_client(pytestconfig: pytest.Config) -> Iterator[EngineClient]:
    client = EngineClient(_config(pytestconfig))
    yield client
    client.close()


@pytest.fixture(scope="session")
def query(_coflows_client: EngineClient) -> Queries:
    """The functions of the Workflow, called as in a notebook: ``query.pyapi.Add(1, 2)``."""
    return Queries(Directory(_coflows_client))


@pytest.fixture(scope="session")
def workflow(_coflows_client: EngineClient) -> Workflow:
    """The Workflow itself: id, name, folder, config, catalog."""
    engine = _coflows_client.engine
    return Workflow(engine.id, engine.name, engine.config.workflow.parent, engine.config, engine.catalog)


class Outcome(msgspec.Struct):
    """How one test ended.

    Args:
        id: its node ID.
        outcome: ``error`` is one outside of the test's own code.
        seconds: how long it took.
        message: why it failed or was skipped.
    """

    id: str
    outcome: str
    seconds: float
    message: str = ""


class Report(msgspec.Struct):
    """The document of ``coflows test --json``."""

    ok: bool = False
    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    tests: list[Outcome] = []


class Reporter:
    """Collects outcomes and writes them when all is done.

    Args:
        file: where.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tests: dict[str, Outcome] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take a file that can't be collected."""
        if report.failed:
            self._tests[report.nodeid] = Outcome(report.nodeid, "error", 0.0, report.longreprtext)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of a test: set-up, call or tear-down."""
        test = self._tests.setdefault(report.nodeid, Outcome(report.nodeid, "passed", 0.0))
        test.seconds += report.duration
        if report.failed:
            test.outcome = "failed" if report.when == "call" else "error"
        elif report.skipped:
            test.outcome = "skipped"
        if not report.passed:
            test.message = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the report."""
        tests = list(self._tests.values())
        counts = {
            name: sum(test.outcome == name for test in tests) for name in ("passed", "failed", "error", "skipped")
        }
        report = Report(ok=exitstatus == pytest.ExitCode.OK, tests=tests, **counts)
        self._file.write_bytes(msgspec.json.encode(report))
