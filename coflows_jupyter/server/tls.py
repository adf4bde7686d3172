"""TLS: the listeners of a server that speaks https.

Tornado looks at ``HTTPServer.ssl_options`` for each connection, so another certificate counts for those that come, and
those that are open go on with theirs.
"""

from __future__ import annotations

import functools
import logging
import os
import ssl
from typing import TYPE_CHECKING, Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, OutputTransform, RequestHandler

from coflows_jupyter.config import Config
from coflows_jupyter.deploy.certificates.keeper import Keeper
from coflows_jupyter.deploy.certificates.store import make_owner

if TYPE_CHECKING:
    from coflows_jupyter.server.application import CoFlowsServer

log = logging.getLogger(__name__)

_HTTPS_PORT = 443
_LARGEST_BODY = 64 * 1024
_STRICT = "max-age=31536000"
# What a wrong address leads to is not to be remembered before there is a certificate that lasts.
_FOR_GOOD, _FOR_NOW = 308, 307


class Tls:
    """What listens for a server that speaks https.

    * The server itself, with the certificate that ``keeper`` shows.
    * ``Server.HttpPort``: leads to https, and answers the challenges of an ACME server.
    * A port of the loopback address, in plain HTTP: kernels, terminals and the command line of this computer reach the
      server there, whatever name the certificate is for.

    Args:
        config: what the server is to be.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.keeper = Keeper(config, self._swap, make_owner(os.getpid()))
        self._main: HTTPServer | None = None
        self._others: list[HTTPServer] = []
        self._local = bind_sockets(0, "127.0.0.1")
        self.local_port: int = self._local[0].getsockname()[1]

    def cover(self, server: CoFlowsServer) -> None:
        """Make ``server`` speak https, before it listens.

        Raises:
            ConfigError: one's own certificate can't be used.
        """
        self._main = server.http_server
        self._main.ssl_options = self.keeper.prepare()
        server.web_app.add_transform(functools.partial(_Strict, self.keeper))  # type: ignore[arg-type]

    def _swap(self, context: ssl.SSLContext) -> None:
        if self._main is not None:
            self._main.ssl_options = context

    def start(self, server: CoFlowsServer) -> None:
        """Listen on the other two ports, and look after the certificate."""
        local = HTTPServer(server.web_app, max_body_size=server.max_body_size, max_buffer_size=server.max_buffer_size)
        local.add_sockets(self._local)
        self._others.append(local)
        port = self._config.server.http_port
        if port:
            try:
                self._redirect(port, server.ip, self.address(server.port))
            except OSError as error:
                self.keeper.obstacle = f"nothing can listen on port {port}: {error.strerror}"
                log.warning("%s; nothing leads from http to https", self.keeper.obstacle)
        else:
            self.keeper.obstacle = "an authority asks at port 80, and Server.HttpPort is 0"
        self.keeper.start()

    def _redirect(self, port: int, ip: str, address: str) -> None:
        rules: list[Any] = [
            (r"/\.well-known/acme-challenge/([A-Za-z0-9_-]+)", _Challenge, {"keeper": self.keeper}),
            (r".*", _ToHttps, {"keeper": self.keeper, "address": address}),
        ]
        sockets = bind_sockets(port, ip)
        plain = HTTPServer(Application(rules, log_function=_log_nothing), max_body_size=_LARGEST_BODY)
        plain.add_sockets(sockets)
        self._others.append(plain)

    def address(self, port: int) -> str:
        """Return the server's address for everybody, without a slash at the end."""
        host = self._config.server.host
        return f"https://{host}" if port == _HTTPS_PORT else f"https://{host}:{port}"

    async def close(self) -> None:
        """End what goes on."""
        for server in self._others:
            server.stop()
        await self.keeper.close()


class _Challenge(RequestHandler):
    """``GET /.well-known/acme-challenge/TOKEN``: shows an ACME server that the name leads here."""

    def initialize(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def get(self, token: str) -> None:
        answer = self._keeper.answer(token)
        if answer is None:
            raise HTTPError(404)
        self.set_header("Content-Type", "application/octet-stream")
        self.finish(answer)

    head = get


class _ToHttps(RequestHandler):
    """Leads to the same place by https."""

    def initialize(self, keeper: Keeper, address: str) -> None:
        self._keeper = keeper
        self._address = address

    def prepare(self) -> None:
        """Never look at the Host header: the answer could lead elsewhere."""
        path = self.request.uri or "/"
        self.set_status(_FOR_GOOD if self._keeper.trusted else _FOR_NOW)
        self.set_header("Location", self._address + (path if path.startswith("/") else "/"))
        self.finish()


class _Strict(OutputTransform):
    """Tells browsers to come by https only from now on (RFC 6797), once somebody vouches for the certificate."""

    def __init__(self, keeper: Keeper, request: HTTPServerRequest) -> None:
        self._applies = request.protocol == "https" and keeper.trusted

    def transform_first_chunk(
        self,
        status_code: int,
        headers: HTTPHeaders,
        chunk: bytes,
        finishing: bool,  # noqa: ARG002, FBT001 - Tornado's signature
    ) -> tuple[int, HTTPHeaders, bytes]:
        if self._applies:
            headers["Strict-Transport-Security"] = _STRICT
        return status_code, headers, chunk


def _log_nothing(_handler: RequestHandler) -> None:
    """Leave strangers who try the port out of the log."""
