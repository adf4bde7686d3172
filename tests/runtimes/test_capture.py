"""What a call prints and logs is sent to that call, from whatever thread or task it is printed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import io
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from coflows_jupyter.access.permissions import Caller
from coflows_jupyter.runtimes import capture
from coflows_jupyter.runtimes.context import CallContext, enter

SECONDS = 10


class Record:
    """Collects what one call wrote, as (stream, text)."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, str]] = []
        self._changed = threading.Condition()

    def __call__(self, stream: str, text: str) -> None:
        """Take a piece."""
        with self._changed:
            self.pieces.append((stream, text))
            self._changed.notify_all()

    def text(self, stream: str) -> str:
        """Return everything that came by one stream."""
        return "".join(text for name, text in self.pieces if name == stream)

    def wait_for(self, stream: str, text: str) -> None:
        """Wait until a stream has said this."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.text(stream) == text, SECONDS), self.pieces


@contextlib.contextmanager
def routed() -> Iterator[io.StringIO]:
    """Install the routers over a stream of this test's; inside a test, as pytest exchanges the streams around it."""
    real = io.StringIO()
    with contextlib.redirect_stdout(real), contextlib.redirect_stderr(io.StringIO()):
        capture.install()
        yield real


def call(output: Callable[[str, str], None], work: Callable[[], object]) -> None:
    """Run ``work`` as a call whose output goes to ``output``."""
    context = contextvars.Context()
    context.run(enter, CallContext("run", Caller("me", "Me", "local", "cli"), "q", "f", time.monotonic(), output))
    context.run(work)


def test_streams() -> None:
    """Standard output, standard error and log records arrive under their own names; the real stream gets nothing."""
    with routed() as real:
        record = Record()

        def work() -> None:
            print("out")  # noqa: T201
            print("err", file=sys.stderr)  # noqa: T201
            sys.stdout.writelines(["a", "b"])
            logging.getLogger("user").warning("careful %d", 1)
            assert not sys.stdout.isatty()

        call(record, work)
        assert record.text("stdout") == "out\nab"
        assert record.text("stderr") == "err\n"
        assert record.text("log") == "WARNING user: careful 1\n"
        assert real.getvalue() == ""


def test_outside_of_calls() -> None:
    """What is printed for no call goes where it always went."""
    with routed() as real:
        print("server")  # noqa: T201
        assert real.getvalue() == "server\n"


def test_installing_again_changes_nothing() -> None:
    """A second host in a process does not wrap what is wrapped, nor log twice."""
    with routed():
        stdout, handlers, start = sys.stdout, list(logging.getLogger().handlers), threading.Thread.start
        capture.install()
        assert sys.stdout is stdout
        assert logging.getLogger().handlers == handlers
        assert threading.Thread.start is start


def test_threads_and_executors_belong_to_the_call_that_started_them() -> None:
    """Threads, thread pools and tasks inherit the call, also a pool that was made for another one."""
    with routed() as real:
        records = [Record(), Record()]
        with concurrent.futures.ThreadPoolExecutor(1) as shared:

            def work(word: str) -> Callable[[], None]:
                def run() -> None:
                    thread = threading.Thread(target=print, args=(f"{word} thread",))
                    thread.start()
                    thread.join(SECONDS)
                    shared.submit(print, f"{word} pool").result(SECONDS)

                    async def main() -> None:
                        await asyncio.gather(asyncio.to_thread(print, f"{word} to_thread"))

                    asyncio.run(main())

                return run

            for record, word in zip(records, "ab", strict=True):
                call(record, work(word))
            shared.submit(print, "nobody").result(SECONDS)
        for record, word in zip(records, "ab", strict=True):
            assert record.text("stdout") == f"{word} thread\n{word} pool\n{word} to_thread\n"
        assert real.getvalue() == "nobody\n"


def test_bytes_are_refused_as_ever() -> None:
    """What is no text is the writer's error, and does not spoil what else the call prints."""
    with routed():
        record = Record()
        buffer = capture.OutputBuffer(record)

        def work() -> None:
            with pytest.raises(TypeError):
                sys.stdout.write(b"bytes")  # type: ignore[arg-type]  # the mistake
            print("text")  # noqa: T201

        call(buffer.write, work)
        buffer.flush()
        assert record.pieces == [("stdout", "text\n")]


def test_buffer_sends_by_itself() -> None:
    """What is printed arrives while the call runs on, pieces of one stream joined."""
    with routed():
        record = Record()
        buffer = capture.OutputBuffer(record)
        for stream, text in (("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d")):
            buffer.write(stream, text)
        record.wait_for("stdout", "abd")
        record.wait_for("stderr", "c")


def test_flush_keeps_order() -> None:
    """A flush sends everything, in the order in which it was written, and only once."""
    with routed():
        record = Record()
        buffer = capture.OutputBuffer(record)
        for number in range(100):
            buffer.write("stdout" if number % 3 else "log", str(number))
        buffer.flush()
        buffer.flush()
        assert "".join(text for _, text in record.pieces) == "".join(map(str, range(100)))


def test_reader_that_is_gone_silences_nobody_else() -> None:
    """A call whose output can't be sent leaves the output of others alone."""
    with routed():
        failed = threading.Event()

        def gone(_stream: str, _text: str) -> None:
            failed.set()
            raise RuntimeError("Event loop is closed")

        capture.OutputBuffer(gone).write("stdout", "lost")
        assert failed.wait(SECONDS)
        record = Record()
        capture.OutputBuffer(record).write("stdout", "heard")
        record.wait_for("stdout", "heard")


def test_writer_waits_for_its_reader() -> None:
    """A call that prints without end waits for whoever reads, so it can't fill the memory."""
    with routed():
        reading, record = threading.Event(), Record()

        def slow(stream: str, text: str) -> None:
            reading.wait(SECONDS)
            record(stream, text)

        buffer = capture.OutputBuffer(slow)
        written = 0

        def flood() -> None:
            nonlocal written
            for _ in range(8):
                buffer.write("stdout", "x" * capture.LIMIT)
                written += 1

        thread = threading.Thread(target=flood)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        assert written < 8
        reading.set()
        thread.join(SECONDS)
        assert not thread.is_alive()
        buffer.flush()
        assert sum(len(text) for _, text in record.pieces) == 8 * capture.LIMIT
