"""What a host in a process of its own adds: it can die without harm."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.build.model import Limits
from coflows_jupyter.errors import CrashedError, FunctionError, NotReadyError, TimedOutError
from tests.host.conftest import Hosts, Run, alive

CRASHES = """
    import ctypes, os, time

    def leave():
        os._exit(7)

    def segfault():
        ctypes.string_at(0)

    def hold_gil():
        ctypes.PyDLL(None).sleep(60)

    def stubborn():
        while True:
            try:
                while True:
                    time.sleep(0.01)
            except BaseException:
                pass

    def wait(seconds: float):
        time.sleep(seconds)
        return "waited"

    def pid():
        return os.getpid()

    def key():
        return os.environ.get("COFLOWS_KEY")
"""


@pytest.mark.parametrize(
    ("function", "cause"),
    [("leave", "exit code 7"), ("segfault", "segmentation fault")],
)
def test_crash_names_its_cause(process: Hosts, run: Run, function: str, cause: str) -> None:
    """A crash during a call is a CrashedError that says what happened."""

    async def work() -> None:
        async with process.open(q=CRASHES):
            with pytest.raises(CrashedError, match=cause):
                await process.value(function)

    run(work())


def test_crash_is_told_once(process: Hosts, run: Run) -> None:
    """All calls in flight fail, and the owner of the host hears of its end once."""

    async def work() -> None:
        async with process.open(q=CRASHES):
            waiting = asyncio.ensure_future(process.value("wait", 30))
            await process.value("pid")
            os.kill(await process.value("pid"), signal.SIGKILL)
            with pytest.raises(CrashedError, match="SIGKILL"):
                await waiting
            assert [host.state for host in process.ended] == ["ended"]

    run(work())


@pytest.mark.parametrize("function", ["stubborn", "hold_gil"])
def test_deadline_ladder(process: Hosts, run: Run, function: str) -> None:
    """A call that can't be stopped costs the host: it is given up, and killed after the others had their time."""

    async def work() -> None:
        async with process.open(q=CRASHES):
            pid = await process.value("pid")
            other = asyncio.ensure_future(process.value("wait", 3))
            with pytest.raises(TimedOutError):
                await process.value(function, timeout=0.2)
            if function == "stubborn":
                assert await other == "waited"
            else:
                with pytest.raises(NotReadyError):
                    await other
            with pytest.raises(NotReadyError):
                await process.value("pid")
            host: Any = process.host
            await host.close(0)
            assert not alive(pid)

    run(work())


def test_close_cuts_off(process: Hosts, run: Run) -> None:
    """A call that does not end within the drain time gets NotReadyError, never a hang."""

    async def work() -> None:
        async with process.open(q=CRASHES):
            waiting = asyncio.ensure_future(process.value("wait", 30))
            await process.value("pid")
            await process.host.close(0.1)
            with pytest.raises(NotReadyError, match="cut off"):
                await waiting

    run(work())


def test_secrets_of_the_server_stay_there(process: Hosts, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host does not inherit the server's keys."""
    monkeypatch.setenv("COFLOWS_KEY", "secret")

    async def work() -> None:
        async with process.open(q=CRASHES):
            assert await process.value("key") is None

    run(work())


def test_crash_while_loading(process: Hosts, run: Run) -> None:
    """A module that kills its process while it is imported is a CrashedError of the load."""

    async def work() -> None:
        with pytest.raises(CrashedError, match="exit code 3"):
            async with process.open(q="import os\nos._exit(3)\n"):
                pass

    run(work())


def test_a_host_ends_with_its_server(tmp_path: Path) -> None:
    """Killing the server ends the host within two seconds, even while native code holds the GIL."""
    script = textwrap.dedent(
        f"""
        import asyncio, pathlib
        from tests.host.conftest import Hosts

        async def main():
            hosts = Hosts("process", pathlib.Path({str(tmp_path / "flow")!r}))
            async with hosts.open(q={textwrap.dedent(CRASHES)!r}):
                print(hosts.host.pid, flush=True)
                await hosts.value("hold_gil", timeout=60)

        asyncio.run(main())
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert alive(pid)
        server.kill()
        server.wait()
        deadline = time.monotonic() + 2
        while alive(pid) and time.monotonic() < deadline:
            os.sched_yield()
        assert not alive(pid)


def test_uvloop(process: Hosts) -> None:
    """A host answers on uvloop as on the standard event loop, large arguments and streams included."""
    uvloop = pytest.importorskip("uvloop", reason="uvloop does not exist on Windows")
    query = """
        def size(text: str):
            return len(text)

        def big(n: int):
            return "x" * n
    """

    async def work() -> None:
        async with process.open(q=query):
            assert await process.value("size", "y" * 3_000_000) == 3_000_000
            assert len(await process.value("big", 3_000_000)) == 3_000_000

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


LIMITED = """
    import os

    def hold(mebibytes: int):
        return len(bytearray(mebibytes << 20)) >> 20

    def cores():
        return len(os.sched_getaffinity(0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limits")
def test_limits_of_the_workflow(process: Hosts, run: Run) -> None:
    """Memory above the limit is refused to the call that asks for it, and the host goes on; it has the cores it may."""
    process.limits = Limits(cores=0.5, memory=256 << 20)

    async def work() -> None:
        async with process.open(q=LIMITED):
            assert await process.value("hold", 128) == 128
            with pytest.raises(FunctionError, match="more than there is"):
                await process.value("hold", 512)
            assert await process.value("hold", 128) == 128
            assert await process.value("cores") == 1

    run(work())
