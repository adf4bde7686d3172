"""Web hooks, on a real server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from coflows_jupyter.agents import telling
from coflows_jupyter.agents.telling import post
from coflows_jupyter.errors import UnreachableError


class Hook:
    """A server that answers with the statuses of a list, one after the other."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.taken: list[Any] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(hook.statuses.pop(0))
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """A hook, between whose tries nobody waits."""
    monkeypatch.setattr(telling, "_PAUSE_SECONDS", 0.0)
    hook = Hook()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


def test_a_hook_that_stumbles_is_tried_again(hook: Hook) -> None:
    """What is not taken is sent again, twice at most."""
    hook.statuses = [500, 204]
    asyncio.run(post(hook.url, {"state": "failed"}))
    assert hook.taken == [{"state": "failed"}] * 2


def test_a_hook_that_takes_nothing_is_given_up(hook: Hook) -> None:
    """After three tries the error says what the hook answered; one that is not there is given up, too."""
    hook.statuses = [500, 500, 403]
    with pytest.raises(UnreachableError, match="it answered 403"):
        asyncio.run(post(hook.url, {}))
    hook.server.shutdown()
    hook.server.server_close()
    with pytest.raises(UnreachableError, match="does not take it"):
        asyncio.run(post(hook.url, {}))
