"""The program of a host process: frames in on one socket, user code, frames out.

It ends with the server: the socket closes, and on Linux the kernel kills it even while native code holds the GIL.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import functools
import gc
import importlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

from coflows_jupyter.build.model import working_directory
from coflows_jupyter.host.frames import (
    Body,
    Load,
    LoadDone,
    Ready,
    Reply,
    Request,
    Unpacker,
    Warm,
    decode_request,
    pack,
)
from coflows_jupyter.host.limits import restrict
from coflows_jupyter.host.worker import Worker
from coflows_jupyter.mset.place import host_place, settle
from coflows_jupyter.runtimes import machines, vault
from coflows_jupyter.runtimes.python import third_party_modules

P = ParamSpec("P")

_READ = 256 * 1024
_PR_SET_PDEATHSIG = 1


def _without_collector(work: Callable[P, None]) -> Callable[P, None]:
    """Import without the garbage collector, a tenth faster, and let it pass over what was imported afterwards."""

    @functools.wraps(work)
    def quietly(*args: P.args, **kwargs: P.kwargs) -> None:
        gc.disable()
        try:
            work(*args, **kwargs)
        finally:
            gc.freeze()
            gc.enable()

    return quietly


class Child:
    """Connects a worker to the server's socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._worker = Worker(self.send)

    def send(self, frame: Reply, body: Body) -> None:
        """Write a frame; waits while the server does not read."""
        data = b"".join((pack(frame, len(body)), body))
        with self._sending:
            self._connection.sendall(data)

    def serve(self) -> None:
        """Take frames until the server is gone."""
        self.send(Ready(), b"")
        unpacker = Unpacker()
        while data := self._connection.recv(_READ):
            for header, body in unpacker.feed(data):
                self._receive(decode_request(header), body)

    def _receive(self, frame: Request, body: bytes) -> None:
        if isinstance(frame, Warm):
            self._warm(frame)
            self.send(Ready(), b"")
        elif isinstance(frame, Load):
            # A thread of its own: an endless import must not keep the end of the server from being noticed.
            threading.Thread(target=self._load_or_end, args=(frame,), name="coflows-load", daemon=True).start()
        else:
            self._worker.receive(frame, body)

    def _load_or_end(self, frame: Load) -> None:
        try:
            self._load(frame)
        except BaseException:
            logging.exception("the Build can't be loaded")  # noqa: LOG015  (a host has no other)
            os._exit(1)  # nobody would ever answer

    @_without_collector
    def _load(self, frame: Load) -> None:
        os.chdir(working_directory(Path(frame.build.folder)))
        restrict(frame.build.limits)
        place = host_place(frame.database)
        settle(place)  # also for threads and callbacks of user code that belong to no call
        vault.settle(self._worker.vault)
        loaded = self._worker.load(frame.build, place)
        self.send(LoadDone(loaded, third_party_modules(frame.build.folder)), b"")

    @staticmethod
    @_without_collector
    def _warm(frame: Warm) -> None:
        sys.path[:0] = frame.paths
        for name in frame.modules:
            if name not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        for path in frame.paths:
            sys.path.remove(path)
        machines.warm(frame.net, frame.jvm)


class _Formatter(logging.Formatter):
    """Keeps secrets out of the server's log."""

    def format(self, record: logging.LogRecord) -> str:
        return vault.hide(super().format(record))


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Serve on the socket whose descriptor is the only argument."""
    _die_with_parent()
    faulthandler.enable()
    os.environ.setdefault("MPLBACKEND", "Agg")  # a host has no screen to draw on
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it may come with a call, whose output it is not
    connection = socket.socket(fileno=int(sys.argv[1]))
    with contextlib.suppress(OSError):
        Child(connection).serve()
    os._exit(0)


if __name__ == "__main__":
    main()
