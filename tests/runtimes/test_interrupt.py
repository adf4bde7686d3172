"""An interrupt ends a piece of work in another thread, and nothing else."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest

from coflows_jupyter.runtimes.interrupt import CallCancelled, Interrupt

SECONDS = 10


class Thread:
    """A thread that runs one piece of work after the other, as those of a host do."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def submit(self, interrupt: Interrupt, work: Callable[[], Any]) -> queue.SimpleQueue[Any]:
        """Run ``work`` below ``interrupt``; its result, or what it raised, arrives in the queue."""
        outcome: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def run() -> None:
            try:
                outcome.put(interrupt.run(work))
            except BaseException as error:  # noqa: BLE001  (that is what is looked at)
                outcome.put(error)

        self._work.put(run)
        return outcome

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()

    def close(self) -> None:
        """End the thread; it fails where an interrupt ended it before."""
        self._work.put(None)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()


def forever(started: threading.Event) -> Callable[[], None]:
    """Return work that never ends by itself."""

    def work() -> None:
        started.set()
        while True:
            pass

    return work


def test_result_and_error_pass() -> None:
    """Without an interrupt work gives what it gives and raises what it raises."""
    assert Interrupt().run(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        Interrupt().run(lambda: 1 / 0)


def test_endless_loop_ends() -> None:
    """A loop that looks at nothing ends at the next bytecode, and the thread works on."""
    thread, interrupt, started = Thread(), Interrupt(), threading.Event()
    outcome = thread.submit(interrupt, forever(started))
    assert started.wait(SECONDS)
    interrupt.cancel()
    assert isinstance(outcome.get(timeout=SECONDS), CallCancelled)
    assert thread.submit(Interrupt(), lambda: "next").get(timeout=SECONDS) == "next"
    thread.close()


def test_no_handler_of_errors_stops_it() -> None:
    """What swallows every ``Exception`` in user code does not swallow it, and ``finally`` runs."""
    thread, interrupt, started, cleaned = Thread(), Interrupt(), threading.Event(), threading.Event()

    def work() -> None:
        try:
            while True:
                with contextlib.suppress(Exception):
                    forever(started)()
        finally:
            cleaned.set()

    outcome = thread.submit(interrupt, work)
    assert started.wait(SECONDS)
    interrupt.cancel()
    assert isinstance(outcome.get(timeout=SECONDS), CallCancelled)
    assert cleaned.is_set()
    thread.close()


def test_cancelled_before_it_runs() -> None:
    """Work whose call is cancelled while it waits for a thread never starts."""
    interrupt = Interrupt()
    interrupt.cancel()
    with pytest.raises(CallCancelled):
        interrupt.run(lambda: pytest.fail("it ran"))


def test_a_call_of_several_pieces_stays_cancelled() -> None:
    """Between two chunks of a stream nothing runs; the next chunk is not made."""
    interrupt = Interrupt()
    assert interrupt.run(lambda: 1) == 1
    interrupt.cancel()
    with pytest.raises(CallCancelled):
        interrupt.run(lambda: 2)


def test_cancel_after_the_end_hits_nobody() -> None:
    """A cancel that comes too late never reaches the next call of the same thread."""
    thread = Thread()
    for _ in range(200):
        interrupt = Interrupt()
        assert thread.submit(interrupt, lambda: 1).get(timeout=SECONDS) == 1
        interrupt.cancel()
        assert thread.submit(Interrupt(), lambda: sum(range(1000))).get(timeout=SECONDS) == 499500
    thread.close()


def test_cancel_at_the_very_end() -> None:
    """However the race between the end and the cancel goes, the thread lives on and the next call is whole."""
    thread = Thread()
    for count in range(2000):
        interrupt, started = Interrupt(), threading.Event()

        def work(started: threading.Event = started, count: int = count) -> str:
            started.set()
            sum(range(count))
            return "done"

        outcome = thread.submit(interrupt, work)
        following = thread.submit(Interrupt(), lambda: sum(range(1000)))
        started.wait(SECONDS)
        interrupt.cancel()
        result = outcome.get(timeout=SECONDS)
        assert result == "done" or isinstance(result, CallCancelled)
        assert following.get(timeout=SECONDS) == 499500
    thread.close()
