"""Stores of every kind, for tests that hold for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_server.auth.identity import IdentityProvider
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from coflows_jupyter.access.keys import KeyRing
from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.config import load_config
from coflows_jupyter.database.location import Location
from coflows_jupyter.engine import Engine
from coflows_jupyter.mset.m import M
from coflows_jupyter.mset.model import Author
from coflows_jupyter.mset.place import Place, open_database
from coflows_jupyter.mset.store import MStore
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.notebook.mstore import RemoteMStore
from coflows_jupyter.server.routes import handlers
from coflows_jupyter.server.runfile import RunFile
from coflows_jupyter.server.services import Services

KEY = "3b0c4c2f9d1e4f6a8b7c5d2e1f0a9b8c"

OpenStore = Callable[[], MStore]


@pytest.fixture(params=["sqlite", "postgres", "remote"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Return what opens one more store on the same sets, as another process would."""
    opened: list[MStore] = []
    database = Location.at(tmp_path / "m.db")
    if request.param == "postgres":
        database = Location.parse("postgres", request.getfixturevalue("postgres_url"))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(tmp_path)) if request.param == "remote" else None

        def open_one() -> MStore:
            store = RemoteMStore(Client(server)) if server else open_database(database)
            opened.append(store)
            return store

        yield open_one
        for store in opened:
            store.close()


@contextlib.contextmanager
def serve(folder: Path, port: int = 0) -> Iterator[RunFile]:
    """Serve our routes, on a thread, for a Workflow whose sets are in ``folder``; nothing of it is built."""
    (folder / "package.json").write_text(json.dumps({"ID": "wid", "Name": "Sets"}))
    file = folder / "coflows_config.json"
    file.write_text(json.dumps({"Workflow": "package.json", "Database": {"Type": "sqlite", "Connection": "m.db"}}))
    started: queue.Queue[tuple[RunFile, Callable[[], object]]] = queue.Queue()

    async def run() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        engine = Engine(load_config(file), mode="embedded")
        engine.id = "wid"
        services = Services(KeyRing(KEY, loopback=True))
        services.open(engine)
        application = Application(
            [(f"/{pattern}", handler, given) for pattern, handler, given in handlers(services, alone=False)],
            identity_provider=IdentityProvider(token=KEY),
        )
        listener = HTTPServer(application)
        (socket,) = bind_sockets(port, "127.0.0.1")
        listener.add_sockets([socket])
        url = f"http://127.0.0.1:{socket.getsockname()[1]}/"
        started.put((RunFile(url, KEY, str(file), 0), lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        listener.stop()
        await listener.close_all_connections()
        await engine.close(0)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    server, stop = started.get(timeout=30)
    yield server
    stop()
    thread.join()


@pytest.fixture
def store(open_store: OpenStore) -> MStore:
    """Return a store with no set in it."""
    return open_store()


def make(store: MStore, name: str = "prices", level: AccessType = AccessType.WRITE) -> M:
    """Return a set of ``store`` for somebody who has ``level`` on it."""
    return Place(lambda: store, lambda _: level, lambda: Author("ann", "run-1")).base(name)


@pytest.fixture
def m(store: MStore) -> M:
    """Return an empty set."""
    return make(store)


@pytest.fixture
def other(open_store: OpenStore) -> M:
    """Return the same set as another process has it."""
    return make(open_store())
