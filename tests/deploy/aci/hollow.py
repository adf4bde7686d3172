"""A container that does little: it speaks TLS with what it was given, says that it lives, and takes any Workflow."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from coflows_jupyter.deploy.certificates.pair import Pair, make_context
from coflows_jupyter.deploy.progress import Event, encode
from coflows_jupyter.deploy.revisions import Revision


class _Lives(RequestHandler):
    def get(self) -> None:
        self.finish({"status": "ok"})

    def post(self) -> None:
        revision = Revision("W-1", 1, "My Flow", "accepted", "", "", 1, 1, "root", "2026-11-25T04:00:00Z", "")
        self.finish(encode(Event(0, "", "done", "Revision 1 serves", data=revision)))


class Hollow:
    """What runs in a container group.

    Args:
        body: of the container group.
        silent: whether it never listens.
        pair: certificate and key to show in place of those that it was given.
        dying: whether it begins anew whenever somebody looks.
        lines: what it prints.
    """

    def __init__(
        self,
        body: dict[str, Any],
        *,
        silent: bool = False,
        pair: Pair | None = None,
        dying: bool = False,
        lines: tuple[str, ...] = ("I begin",),
    ) -> None:
        self.lines = list(lines)
        self._dying, self._looks = dying, 0
        (secret,) = (volume["secret"] for volume in body["properties"]["volumes"] if "secret" in volume)
        files = {name: base64.b64decode(text).decode() for name, text in secret.items()}
        context = make_context(pair or Pair(files["certificate.pem"], files["certificate-key.pem"]))
        port = body["properties"]["ipAddress"]["ports"][-1]["port"]
        self._sockets = [] if silent else [bind_sockets(port, ip)[0] for ip in ("127.0.0.1", "127.0.0.2")]
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(context)), daemon=True)
        self._thread.start()
        self._started.wait()

    async def _serve(self, context: ssl.SSLContext) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = HTTPServer(Application([(r".*", _Lives)]), ssl_options=context)
        server.add_sockets(self._sockets)
        self._started.set()
        await self._end.wait()
        server.stop()
        await server.close_all_connections()

    @property
    def restarts(self) -> int:
        """How often it began anew."""
        self._looks += self._dying
        return self._looks

    def stop(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
