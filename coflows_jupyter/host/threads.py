"""A pool of threads that never holds a process's exit up."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue


class Threads:
    """Runs pieces of work on at most ``most`` threads, started when needed.

    The threads are daemons, unlike those of ``ThreadPoolExecutor``: user code that never returns must not keep the
    process from ending.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._backlog = 0
        self._count = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Queue ``work``, which must not raise."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._count < self._most:
                self._count += 1
                thread = threading.Thread(target=self._run, name=f"{self._name}-{self._count}", daemon=True)
                contextvars.Context().run(thread.start)
            else:
                self._backlog += 1
        self._queue.put(work)

    def close(self) -> None:
        """Let every thread end after the work that is queued."""
        for _ in range(self._count):
            self._queue.put(None)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
            with self._lock:
                if self._backlog:
                    self._backlog -= 1
                else:
                    self._idle += 1
