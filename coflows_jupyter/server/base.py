"""The base of all our handlers.

A plain Tornado handler rather than Jupyter's: a call of a user's function should cost little more than the function.
So the caller is looked up here, without a coroutine when a key says who it is, and nothing sets cookies, ETags or
metrics per call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import msgspec
from tornado.web import HTTPError, RequestHandler

from coflows_jupyter.access.permissions import ANONYMOUS, AccessType, Caller, permission
from coflows_jupyter.access.records import Actor
from coflows_jupyter.errors import ArgumentsError, CoflowsError, DeniedError, FunctionError
from coflows_jupyter.host.protocol import new_run_id
from coflows_jupyter.server import compression, cors, identity, problems
from coflows_jupyter.server.rules import Rule, enforce
from coflows_jupyter.server.services import Services
from coflows_jupyter.server.timing import Timing

if TYPE_CHECKING:
    from jupyter_server.auth.identity import IdentityProvider

    from coflows_jupyter.server.route import Route

T = TypeVar("T")

log = logging.getLogger(__name__)
access_log = logging.getLogger("coflows.access")

_CLIENT_CLOSED = 499
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    # Results are the user's: none of them runs as a page of Lab's origin.
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}


class BaseHandler(RequestHandler):
    """Checks the Host header, finds the caller, applies the route's rule, and reports errors as problem JSON.

    Attributes:
        services: what all handlers share.
        route: the row of the route table that led here.
        caller: who calls.
        query: the query string without keys.
        refusal: why what the caller presented was not accepted; empty when there is nothing to say.
        run_id: names this request in the answer, the log and the ledger.
        timing: where its time goes.
        presented: where the request says who sends it.
        gone: whether the client closed the connection.
        dismissed: whether the caller's permission ended meanwhile.
    """

    # Jupyter's identity provider may tell us of people who may not use Lab.
    admits_people = True
    caller: Caller = ANONYMOUS
    refusal = ""
    presented: Literal["header", "url", "session", ""] = ""
    gone = False
    dismissed = False

    def initialize(self, services: Services, route: Route) -> None:
        """Take what the route table gives; called by Tornado."""
        self.services = services
        self.route = route
        self.query = self.request.query
        self.run_id = new_run_id()
        self.timing = Timing()
        self._waiting: asyncio.Task[Any] | None = None

    def set_default_headers(self) -> None:
        """Set what every answer carries."""
        for name, value in _HEADERS.items():
            self._headers[name] = value

    def prepare(self) -> Awaitable[None] | None:
        """Decide whether this request may go on."""
        cors.share(self)
        if not self._is_for_this_host():
            raise HTTPError(403, "the Host header does not name this server")
        rule = self.route.rules.get(self.request.method or "")
        if rule is None:
            raise HTTPError(405)
        caller = identity.by_key(self)
        if caller is None and identity.may_have_session(self):
            return self._prepare_by_session(rule)
        self._admit(rule, caller)
        return None

    async def _prepare_by_session(self, rule: Rule) -> None:
        self._admit(rule, await identity.by_session(self))

    def _admit(self, rule: Rule, caller: Caller | None) -> None:
        if caller is not None:
            self.caller = caller
        if self.refusal and rule is not Rule.FUNCTION and rule is not Rule.PUBLIC:
            raise DeniedError(self.refusal)
        enforce(rule, self.caller, self.group)

    @property
    def group(self) -> str:
        """ID of the Workflow or the group that the URL names, empty when it names none."""
        return self.services.group(self.path_kwargs.get("workflow", "")) or self.path_kwargs.get("group", "")

    @property
    def actor(self) -> Actor:
        """The caller, for the audit."""
        return Actor(self.caller.id, self.request.remote_ip or "")

    def _is_for_this_host(self) -> bool:
        settings = self.settings
        return settings.get("allow_remote_access", False) or identity.is_local_host(
            self.request.host, tuple(settings.get("local_hostnames", ("localhost",)))
        )

    # -- what Jupyter's identity providers expect of a handler ---------------------------------------------------------

    @property
    def identity_provider(self) -> IdentityProvider:
        """Jupyter's."""
        return cast("IdentityProvider", self.settings["identity_provider"])

    @property
    def token(self) -> str:
        """Jupyter's token, empty in our own launches."""
        return str(self.identity_provider.token)

    @property
    def base_url(self) -> str:
        """Path below which Jupyter serves."""
        return str(self.settings["base_url"])

    @property
    def log(self) -> logging.Logger:
        """Where identity providers log."""
        return log

    def get_argument(self, name: str, default: Any = None, strip: bool = True) -> Any:  # noqa: ARG002, FBT001, FBT002 — Tornado's signature
        """Return ``default``: what Jupyter reads by this (token, _xsrf) may be an argument of a user's function."""
        return default

    def check_xsrf_cookie(self) -> None:
        """Do nothing: Tornado calls this before the caller is known, ``identity`` does it where a session needs it."""

    def check_session_xsrf(self) -> None:
        """Check the XSRF header against the cookie.

        Raises:
            HTTPError: they don't match.
        """
        super().check_xsrf_cookie()

    # -- methods -------------------------------------------------------------------------------------------------------

    def head(self, *args: str, **kwargs: str) -> Any:
        """Answer as GET does; Tornado leaves the body out."""
        return self.get(*args, **kwargs)

    def options(self, *_args: str, **_kwargs: str) -> None:
        """Say which methods there are, and to pages that are let in what they may send."""
        self.set_status(204)
        self.set_header("Allow", ", ".join(self.route.rules))
        cors.permit(self)

    def read_json(self, model: type[T]) -> T:
        """Return the body, checked.

        Raises:
            ArgumentsError: it is no JSON document of this form.
        """
        try:
            return msgspec.json.decode(self.request.body or b"{}", type=model)
        except msgspec.MsgspecError as error:
            raise ArgumentsError(f"the body does not fit: {error}") from None

    def write_json(self, body: bytes) -> None:
        """End with a JSON document of ours."""
        headers = self._headers
        headers["Content-Type"] = "application/json"
        asked = self.request.headers.get("Accept-Encoding", "")
        self.finish(compression.pack(body) if compression.applies(len(body), asked, headers) else body)

    def set_etag_header(self) -> None:
        """Set none: ``no-store`` leaves nothing to compare."""

    def check_etag_header(self) -> bool:
        """Return that the client has no copy."""
        return False

    async def until_gone(self, work: Awaitable[Any]) -> Any:
        """Wait for ``work``, which is cancelled when the client closes the connection.

        Raises:
            ClientGoneError: the client did.
            DeniedError: the caller's key or session is over, or what they may has changed.
        """
        self._waiting = task = cast("asyncio.Task[Any]", asyncio.current_task())
        self.services.attend(self)
        try:
            return await work
        except asyncio.CancelledError:
            if not self.gone and not self.dismissed:
                raise
            # The cancellation was ours and ends here.
            task.uncancel()
            if self.dismissed:
                raise DeniedError("your permission ended during the call") from None
            raise ClientGoneError from None
        finally:
            self._waiting = None
            self.services.leave(self)

    def dismiss(self) -> None:
        """Stop working for a caller who may no more what they might when they came."""
        self.dismissed = True
        if self._waiting is not None:
            self._waiting.cancel()

    def on_connection_close(self) -> None:
        """Stop working for a client that left."""
        self.gone = True
        if self._waiting is not None:
            self._waiting.cancel()

    @property
    def is_known(self) -> bool:
        """Whether more than a key is missing where the caller is denied something."""
        return self.caller.source != "anonymous" or bool(self.refusal)

    # -- errors and log ------------------------------------------------------------------------------------------------

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """End with problem JSON."""
        cors.share(self)  # Tornado has dropped all headers
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, ClientGoneError):
            self.set_status(_CLIENT_CLOSED)
            self.finish()
            return
        trusted = permission(self.caller, self.group) >= AccessType.WRITE
        problem, headers = problems.make_problem(
            error, self.run_id, status=status_code, known=self.is_known, trusted=trusted
        )
        self.set_status(problem.status)
        for name, value in headers.items():
            self.set_header(name, value)
        if problem.status == 405:  # noqa: PLR2004 — Method Not Allowed
            self.set_header("Allow", ", ".join(self.route.rules))
        self.set_header("Content-Type", problems.CONTENT_TYPE)
        self.set_header("X-Run-Id", self.run_id)
        if line := self.timing.line():
            self.set_header("Server-Timing", line)
        self.finish(problems.encode(problem))

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log what the caller may not see: the traceback of user code, and any error of ours."""
        if isinstance(value, FunctionError):
            log.warning("run %s failed: %s\n%s", self.run_id, value.message, value.traceback)
        elif not isinstance(value, CoflowsError | HTTPError | ClientGoneError):
            assert typ is not None
            assert value is not None
            log.error("run %s: unexpected error", self.run_id, exc_info=(typ, value, tb))

    def _log(self) -> None:
        status = self.get_status()
        level = logging.DEBUG if status < 400 else logging.WARNING if status < 500 else logging.ERROR  # noqa: PLR2004 — classes of HTTP statuses
        if access_log.isEnabledFor(level):
            request = self.request
            seconds = request.request_time()
            # The path only: a query string may hold keys and people's data.
            fields = {
                "status": status,
                "method": request.method,
                "path": request.path,
                "caller": self.caller.id,
                "door": self.caller.door,
                "ip": request.remote_ip,
                "run_id": self.run_id,
                "seconds": round(seconds, 6),
            }
            message = "%(status)s %(method)s %(path)s (%(caller)s@%(ip)s) %(run_id)s %(seconds).4fs"
            access_log.log(level, message, fields, extra={"fields": fields})


class ClientGoneError(Exception):
    """The client closed the connection before it was answered."""
