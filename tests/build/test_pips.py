"""Pips of package.json, installed by the real uv from the ordinary package index."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.build.dependencies import pips
from coflows_jupyter.build.dependencies.lock import LOCK_NAME
from coflows_jupyter.build.dependencies.pips import SHARED, Pips, ready
from coflows_jupyter.config import load_config
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import BuildError, NotReadyError
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.status import EngineEvent
from coflows_jupyter.workflow.package import Package, read_package

OLD = "tornado==6.4.1"
OTHER = "toolz==0.12.0"


class Flow:
    """A Workflow with Pips and one Query that tells a library's version.

    Args:
        folder: where.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = folder / LOCK_NAME
        (folder / "Queries").mkdir(parents=True)
        query = (
            "import importlib\n\ndef version(name: str) -> list:\n"
            "    module = importlib.import_module(name)\n"
            "    return [getattr(module, '__version__', getattr(module, 'version', '')), module.__file__]\n"
        )
        (folder / "Queries" / "q.py").write_text(query)
        (folder / "coflows_config.json").write_text('{"Workflow": "package.json"}')

    def wants(self, *requirements: str) -> Package:
        """Write package.json with these Pips, each on a line of its own, and read it."""
        document = {
            "ID": "wid",
            "Pips": [{"ID": requirement} for requirement in requirements],
            "Queries": [{"Name": "q.py", "Content": "Queries/q.py", "ID": "q"}],
        }
        file = self.folder / "package.json"
        file.write_text(json.dumps(document, indent=1))
        return read_package(file)


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """A Workflow of a user with empty caches of their own; uv's is shared by all tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    return Flow(tmp_path / "flow")


@pytest.fixture
def no_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when uv is started."""
    monkeypatch.setattr("uv.find_uv_bin", lambda: pytest.fail("uv was started"))


def test_what_this_python_has_is_not_installed(flow: Flow, no_uv: None) -> None:
    """No Pips, or such as are met, need no directory, no lock and no uv."""
    assert Pips().provide(flow.wants()) == ()
    assert Pips().provide(flow.wants("pytest", "orjson>=3", 'colorama; sys_platform == "win32"')) == ()
    assert not flow.lock.exists()


def test_installed_once(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock has hashes; a second time nothing runs, and a lost directory comes back from the lock as it is."""
    package = flow.wants(OTHER)
    assert ready(package) is None
    told: list[str] = []
    (directory,) = Pips().provide(package, lambda: told.append("installing"))
    assert told == ["installing"]
    assert (Path(directory) / "toolz" / "__init__.py").is_file()
    lock = flow.lock.read_text()
    assert OTHER in lock
    assert "--hash=sha256:" in lock
    with monkeypatch.context() as patch:
        patch.setattr("uv.find_uv_bin", lambda: pytest.fail("uv was started"))
        assert Pips().provide(package) == ready(package) == (directory,)
    Path(directory).rename(flow.folder / "gone")
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert Pips().provide(package) == (directory,)
    assert flow.lock.read_text() == lock
    assert not list(flow.folder.glob(".*"))


def test_a_changed_list_keeps_what_still_fits(flow: Flow) -> None:
    """Adding a requirement leaves the versions of the others as they are locked, also old ones."""
    (first,) = Pips().provide(flow.wants(OTHER))
    (second,) = Pips().provide(flow.wants("toolz", "six"))
    assert first != second
    assert OTHER in flow.lock.read_text()
    assert "six==" in flow.lock.read_text()


def test_an_error_names_the_requirement(flow: Flow) -> None:
    """At its place in package.json, with the resolver's reason; the lock and the folder stay as they were."""
    Pips().provide(flow.wants(OTHER))
    lock = flow.lock.read_text()
    with pytest.raises(BuildError) as caught:
        Pips().provide(flow.wants(OTHER, "six==0.0.99"))
    (found,) = caught.value.diagnostics
    place = flow.folder.joinpath("package.json").read_text().splitlines().index('   "ID": "six==0.0.99"') + 1
    assert (found.file, found.line, found.code) == (str(flow.folder / "package.json"), place, "pip")
    assert found.message.startswith("six==0.0.99 can't be installed: Because there is no version of six==0.0.99")
    with pytest.raises(BuildError, match="can't be installed: Because you require toolz"):
        Pips().provide(flow.wants(OTHER, "toolz>1"))
    assert flow.lock.read_text() == lock
    assert sorted(p.name for p in flow.folder.iterdir()) == [
        "Queries",
        LOCK_NAME,
        "coflows_config.json",
        "package.json",
    ]


@pytest.mark.parametrize("text", ["--index-url=x", "six==1\n-r other", "-e .", "two words"])
def test_a_pip_is_a_requirement_and_no_option(flow: Flow, no_uv: None, text: str) -> None:
    """Nothing that uv would read as an option or as a second line gets there."""
    with pytest.raises(BuildError, match="is no requirement") as caught:
        Pips().provide(flow.wants(text))
    assert caught.value.diagnostics[0].line > 1


@pytest.mark.parametrize(("requirement", "name"), [("msgspec==0.19.0", "msgspec"), ("pydantic<2", "pydantic")])
def test_versions_that_hosts_run_on(flow: Flow, requirement: str, name: str) -> None:
    """A requirement that only another version of these meets is refused, with the one that a host has loaded."""
    with pytest.raises(BuildError, match=rf"^{requirement} can't be installed: .*{name}") as caught:
        Pips().provide(flow.wants(requirement))
    assert caught.value.hint.startswith(f"hosts run on {name} {importlib.metadata.version(name)} themselves")


def test_a_library_that_needs_another_version(flow: Flow) -> None:
    """What a library of the user requires counts as well; the hint names what it does not go with."""
    with pytest.raises(BuildError, match=r"^fastapi==0.88.0 can't be installed") as caught:
        Pips().provide(flow.wants("fastapi==0.88.0"))
    assert caught.value.hint.startswith("hosts run on pydantic ")


def test_a_host_has_loaded_nothing_else() -> None:
    """The list of shared libraries is complete: everything else may be the user's."""
    program = "import sys, coflows_jupyter.host.child; print(*{n.partition('.')[0] for n in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    foreign = {name for name in loaded if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert {name.replace("_", "-") for name in foreign - {"coflows_jupyter"}} <= {*SHARED, "sitecustomize"}


def test_two_at_once(flow: Flow) -> None:
    """Two that open the same Workflow get the same directory, complete; one of them installs."""
    package = flow.wants(OTHER)
    barrier = threading.Barrier(2)

    def provide() -> tuple[str, ...]:
        barrier.wait()
        return Pips().provide(package)

    with ThreadPoolExecutor() as executor:
        first, second = executor.submit(provide), executor.submit(provide)
        assert first.result() == second.result() == ready(package)
    assert not list(pips._cache().glob("*.partial"))


def test_closing_ends_it(flow: Flow) -> None:
    """A closed one starts nothing more, and what it left behind is no directory that counts."""
    closed = Pips()
    with pytest.raises(NotReadyError):
        closed.provide(flow.wants(OTHER), closed.close)
    assert ready(flow.wants(OTHER)) is None


def test_closing_ends_the_wait_for_another(flow: Flow) -> None:
    """A server that stops does not wait until another process has installed."""
    package = flow.wants(OTHER)
    pips._cache().mkdir(parents=True)
    waiting = Pips()
    begun = threading.Event()
    with FileLock(pips._cache() / f"{pips._digest(package)}.lock"), ThreadPoolExecutor() as executor:
        provided = executor.submit(waiting.provide, package, begun.set)
        assert begun.wait(10)
        waiting.close()
        assert isinstance(provided.exception(10), NotReadyError)


@pytest.mark.parametrize("mode", ["process", "embedded"])
def test_hosts_have_them_first(flow: Flow, mode: str) -> None:
    """The user's versions win in a host over the server's; a failure leaves the old Build serving."""
    requirement, module = (OLD, "tornado") if mode == "process" else (OTHER, "toolz")
    flow.wants(requirement)

    async def version(engine: Engine) -> list[str]:
        caller = Caller("root", "root", "local", "cli", AccessType.WRITE)
        call = Call(new_run_id(), "q", "version", "query", f"name={module}".encode(), "", caller, 10)
        body = (await engine.call(call)).body
        assert isinstance(body, bytes)
        found: list[str] = json.loads(body)
        return found

    async def work() -> None:
        events: list[EngineEvent] = []
        engine = Engine(
            load_config(flow.folder, environ={}), mode="embedded" if mode == "embedded" else "process", watch=False
        )
        engine.subscribe(events.append)
        try:
            assert (await engine.build()).ok
            assert "installing pips" in [event.step for event in events]
            number, file = await version(engine)
            assert (number, Path(file).is_relative_to(os.environ["XDG_CACHE_HOME"])) == (
                requirement[-len(number) :],
                True,
            )
            flow.wants(requirement, "six==0.0.99")
            report = await engine.build()
            assert [d.code for d in report.diagnostics] == ["pip"]
            assert engine.state == "serving"
            assert (await version(engine))[0] == number
        finally:
            await engine.close(0)

    before = list(sys.path)
    asyncio.run(work())
    assert sys.path == before


def test_two_workflows_beside_the_server(tmp_path: Path, flow: Flow) -> None:
    """Three sets of versions at once: each Workflow has its own in its hosts, and the server keeps its own."""
    other = Flow(tmp_path / "other")
    wanted = {flow: ("tornado==6.4.1", "jinja2==3.0.3"), other: ("tornado==6.4.2", "jinja2==3.1.2")}
    own = importlib.metadata.version("tornado")

    async def version(engine: Engine, module: str) -> str:
        caller = Caller("root", "root", "local", "cli", AccessType.WRITE)
        call = Call(new_run_id(), "q", "version", "query", f"name={module}".encode(), "", caller, 10)
        body = (await engine.call(call)).body
        assert isinstance(body, bytes)
        return str(json.loads(body)[0])

    async def work() -> None:
        engines = []
        for each, requirements in wanted.items():
            each.wants(*requirements)
            engines.append(Engine(load_config(each.folder, environ={}), mode="process", watch=False))
        try:
            reports = await asyncio.gather(*(engine.build() for engine in engines))
            assert all(report.ok for report in reports)
            for engine, requirements in zip(engines, wanted.values(), strict=True):
                found = [f"{module}=={await version(engine, module)}" for module in ("tornado", "jinja2")]
                assert found == list(requirements)
        finally:
            await asyncio.gather(*(engine.close(0) for engine in engines))

    asyncio.run(work())
    import tornado

    assert tornado.version == own
    assert own not in {"6.4.1", "6.4.2"}
