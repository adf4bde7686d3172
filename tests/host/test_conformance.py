"""What every host does, wherever it runs."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from coflows_jupyter.errors import (
    ArgumentsError,
    BusyError,
    CancelledError,
    FunctionError,
    NotFoundError,
    TimedOutError,
)
from coflows_jupyter.host.calls import MOST_IN_FLIGHT
from tests.host.conftest import Hosts, Run

ARITHMETIC = """
    import asyncio, functools, threading, time
    from coflows_jupyter.runtimes.context import current

    def _decorated(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)
        return wrapper

    @_decorated
    async def decorated(x: int) -> int:
        await asyncio.sleep(0.01)
        return x

    def add(x: int, y: int) -> int:
        return x + y

    async def later(x: int) -> int:
        await asyncio.sleep(0.01)
        return x

    def fail():
        raise ZeroDivisionError("no")

    async def fail_later():
        raise KeyError("no")

    def who():
        call = current()
        return [call.caller.id, call.query, call.function, call.run_id]

    def wait(seconds: float):
        time.sleep(seconds)
        return "waited"

    async def wait_async(seconds: float):
        await asyncio.sleep(seconds)
        return "waited"

    def spin():
        while True:
            pass

    def _hidden():
        return 1
"""

STREAMS = """
    closed = []

    def count(n: int):
        try:
            for i in range(n):
                yield {"i": i}
        finally:
            closed.append(n)

    async def count_async(n: int):
        for i in range(n):
            yield {"i": i}

    def breaks():
        yield {"i": 0}
        raise ValueError("half way")

    def how_many_closed():
        return len(closed)

    def big(n: int):
        return "x" * n

    def size(text: str):
        return len(text)
"""

PRINTS = """
    import asyncio, logging, sys, threading
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1)

    def speak(word: str):
        print(word)
        print(word, file=sys.stderr)
        logging.getLogger("mine").warning(word)
        thread = threading.Thread(target=print, args=(word + "-thread",))
        thread.start()
        thread.join()
        pool.submit(print, word + "-pool").result()

    async def speak_async(word: str):
        async def inner():
            print(word + "-task")
        await asyncio.create_task(inner())
        await asyncio.to_thread(print, word + "-to-thread")
"""


def test_load_lists_public_functions(hosts: Hosts, run: Run) -> None:
    """Loading gives the functions with their signatures, without private and imported ones."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC) as loaded:
            assert loaded.ok
            functions = loaded.catalog.queries["q"].functions
            assert list(functions) == [
                "decorated", "add", "later", "fail", "fail_later", "who", "wait", "wait_async", "spin",
            ]  # fmt: skip
            assert [p.name for p in functions["add"].signature.parameters] == ["x", "y"]
            assert functions["later"].signature.is_async

    run(work())


def test_call_sync_and_async(hosts: Hosts, run: Run) -> None:
    """Sync and async functions are called alike, by position and by name."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC):
            assert await hosts.value("add", 1, 2) == 3
            assert await hosts.value("later", 5) == 5
            assert await hosts.value("decorated", 6) == 6
            result = await hosts.result("add")
            assert result.status == 200

    with pytest.raises(ArgumentsError) as caught:
        run(work())
    assert {field.field for field in caught.value.fields} == {"x", "y"}


def test_errors_of_the_function(hosts: Hosts, run: Run) -> None:
    """An exception comes back as FunctionError with the user's traceback and nothing of ours in it."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC):
            with pytest.raises(FunctionError, match="ZeroDivisionError: no") as caught:
                await hosts.value("fail")
            assert "in fail" in caught.value.traceback
            assert "worker.py" not in caught.value.traceback
            with pytest.raises(FunctionError, match="KeyError: 'no'"):
                await hosts.value("fail_later")
            with pytest.raises(NotFoundError):
                await hosts.value("missing")

    run(work())


def test_context_reaches_user_code(hosts: Hosts, run: Run) -> None:
    """User code sees who called what, under which run ID."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC):
            call = hosts.call("who")
            body = (await hosts.host.call(call)).body
            assert isinstance(body, bytes)
            assert json.loads(body) == ["root", "q", "who", call.run_id]

    run(work())


def test_calls_run_side_by_side(hosts: Hosts, run: Run) -> None:
    """Twenty sleeping calls take about as long as one."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC):
            for function in ("wait", "wait_async"):
                started = time.monotonic()
                await asyncio.gather(*(hosts.value(function, 0.5) for _ in range(20)))
                assert time.monotonic() - started < 5

    run(work())


@pytest.mark.parametrize("function", ["spin", "wait_async"])
def test_deadline(hosts: Hosts, run: Run, function: str) -> None:
    """A call that passes its deadline is stopped, and the host goes on with the others."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC):
            others = [asyncio.ensure_future(hosts.value("wait", 1.0)) for _ in range(8)]
            with pytest.raises(TimedOutError, match=r"0\.3 s"):
                await hosts.value(function, *([60] if function == "wait_async" else []), timeout=0.3)
            assert await asyncio.gather(*others) == ["waited"] * 8
            assert await hosts.value("add", 1, 2) == 3

    run(work())


@pytest.mark.parametrize("function", ["spin", "wait_async"])
def test_cancel(hosts: Hosts, run: Run, function: str) -> None:
    """A run cancelled by its ID ends for its caller and in the host."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC):
            call = hosts.call(function, *([60] if function == "wait_async" else []))
            task = asyncio.ensure_future(hosts.host.call(call))
            assert await hosts.value("add", 1, 2) == 3
            await hosts.host.cancel(call.run_id)
            with pytest.raises(CancelledError):
                await task
            await idle(hosts.host)
            await hosts.host.cancel("unknown")

    run(work())


async def idle(host: Any) -> None:
    """Wait until the host says that nothing runs any more."""
    assert await host.calls.drain(10)


def test_vanished_caller_cancels(hosts: Hosts, run: Run) -> None:
    """A caller that stops waiting takes its call along."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC):
            task = asyncio.ensure_future(hosts.value("spin"))
            assert await hosts.value("add", 1, 2) == 3
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await idle(hosts.host)

    run(work())


def test_streams(hosts: Hosts, run: Run) -> None:
    """Generators, sync and async, arrive piece by piece as NDJSON."""

    async def work() -> None:
        async with hosts.open(q=STREAMS):
            for function in ("count", "count_async"):
                result = await hosts.result(function, 3)
                assert result.content_type.startswith("application/x-ndjson")
                assert not isinstance(result.body, bytes)
                lines = b"".join([chunk async for chunk in result.body]).splitlines()
                assert [json.loads(line) for line in lines] == [{"i": 0}, {"i": 1}, {"i": 2}]
            assert await hosts.value("how_many_closed") == 1

    run(work())


def test_stream_that_breaks(hosts: Hosts, run: Run) -> None:
    """An exception in mid-stream reaches the reader after the pieces before it."""

    async def work() -> None:
        async with hosts.open(q=STREAMS):
            result = await hosts.result("breaks")
            assert not isinstance(result.body, bytes)
            body = result.body
            assert json.loads(await anext(body)) == {"i": 0}
            with pytest.raises(FunctionError, match="half way"):
                await anext(body)

    run(work())


def test_stream_back_pressure(hosts: Hosts, run: Run) -> None:
    """A reader that stops holds the generator up, and one that leaves closes it."""

    async def work() -> None:
        async with hosts.open(q=STREAMS):
            result = await hosts.result("count", 10_000_000)
            body: Any = result.body
            await anext(body)
            assert await hosts.value("how_many_closed") == 0
            await body.aclose()
            await idle(hosts.host)
            assert await hosts.value("how_many_closed") == 1

    run(work())


def test_large_arguments_and_results(hosts: Hosts, run: Run) -> None:
    """Twenty megabytes in and out arrive whole while the event loop stays free."""

    async def work() -> None:
        async with hosts.open(q=STREAMS):
            size = 20_000_000
            assert await hosts.value("size", "y" * size) == size
            result = await hosts.result("big", size)
            assert result.length == size + 2
            assert not isinstance(result.body, bytes)
            assert sum([len(chunk) async for chunk in result.body]) == size + 2

    run(work())


def test_output_belongs_to_its_call(hosts: Hosts, run: Run) -> None:
    """What a call prints and logs, also from threads, executors and tasks, is reported under its run ID."""

    async def work() -> None:
        async with hosts.open(q=PRINTS):
            calls = [hosts.call("speak", f"w{i}") for i in range(5)]
            calls += [hosts.call("speak_async", f"a{i}") for i in range(5)]
            await asyncio.gather(*(hosts.host.call(call) for call in calls))
            for number, call in enumerate(calls[:5]):
                streams = {stream: text for run_id, stream, text in hosts.output if run_id == call.run_id}
                text = "".join(text for run_id, _, text in hosts.output if run_id == call.run_id)
                assert set(streams) == {"stdout", "stderr", "log"}
                assert f"w{number}-thread" in text
                assert f"w{number}-pool" in text
                assert "w0" not in text or number == 0
            for number, call in enumerate(calls[5:]):
                text = "".join(text for run_id, _, text in hosts.output if run_id == call.run_id)
                assert f"a{number}-task" in text
                assert f"a{number}-to-thread" in text

    run(work())


def test_full_queue(hosts: Hosts, run: Run) -> None:
    """More calls than the queue holds are refused at once, not kept waiting."""

    async def work() -> None:
        async with hosts.open(q=ARITHMETIC):
            tasks = [asyncio.ensure_future(hosts.value("wait_async", 30)) for _ in range(MOST_IN_FLIGHT)]
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                await hosts.value("add", 1, 2)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await idle(hosts.host)
            assert await hosts.value("add", 1, 2) == 3

    run(work())


def test_broken_units_leave_the_others(hosts: Hosts, run: Run) -> None:
    """A file that does not compile or import is a diagnostic with its place; the rest is callable."""

    async def work() -> None:
        files = {
            "q": ARITHMETIC,
            "syntax": "def f(:\n    pass\n",
            "missing": "import os\nimport nowhere_at_all\n",
            "Base_lib": "import os\n\nvalue = 1 / 0\n",
            "uses": "import lib\n",
        }
        async with hosts.open(**files) as loaded:
            assert not loaded.complete
            found = {(d.file.rpartition("/")[2], d.line, d.code) for d in loaded.diagnostics}
            assert found == {("syntax.py", 1, "syntax"), ("missing.py", 2, "import"), ("lib.py", 3, "import")}
            assert await hosts.value("add", 1, 2) == 3

    run(work())


def test_both_import_styles(hosts: Hosts, run: Run) -> None:
    """``import Base.pack.lib`` and ``import pack.lib`` both work, also late and from folders without ``__init__``."""

    async def work() -> None:
        query = """
            import Base.pack.lib
            import pack.lib

            def both():
                import pack.other
                return [Base.pack.lib.name(), pack.lib.name(), pack.other.name()]
        """
        files = {
            "Base_pack__lib": "def name():\n    return 'lib'\n",
            "Base_pack__other": "def name():\n    return 'other'\n",
        }
        async with hosts.open(q=query, **files) as loaded:
            assert loaded.ok, loaded.diagnostics
            assert await hosts.value("both") == ["lib", "lib", "other"]
        assert not list(hosts.folder.rglob("__pycache__"))

    run(work())
