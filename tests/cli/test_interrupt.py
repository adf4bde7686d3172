"""Ctrl-C while a command waits."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from coflows_jupyter.cli.interrupt import run


@pytest.mark.timeout(20)
def test_a_signal_to_another_thread_is_heard() -> None:
    """The work is cancelled although the thread of the loop sleeps and never hears of the signal itself."""
    cancelled = threading.Event()

    async def work() -> None:
        threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()  # by then the loop waits for good
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(KeyboardInterrupt):
        run(work())

    assert cancelled.is_set()


def test_what_work_returns_is_returned() -> None:
    """And the file descriptor for signals is as before."""

    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    before = signal.set_wakeup_fd(-1)
    try:
        assert run(work()) == 7
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.set_wakeup_fd(before)
