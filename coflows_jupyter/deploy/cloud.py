"""Talks to the server that a Workflow is deployed to.

The key goes as a header, never in a URL, and no redirect is followed with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from coflows_jupyter.config import Cloud
from coflows_jupyter.deploy.bundle import Bundle
from coflows_jupyter.deploy.pin import only
from coflows_jupyter.deploy.progress import Event, Failure, Reporter, decode, error_of
from coflows_jupyter.deploy.revisions import Revision
from coflows_jupyter.deploy.wish import WISH_TYPE, Answered, Listed, Wish
from coflows_jupyter.errors import CoflowsError, ConfigError, DeniedError, UnreachableError

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 60.0
"""How long an answer may say nothing; servers say something every 10 s."""

_CHUNK = 64 * 1024
_SAID = 32
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_URN = "urn:coflows:error:"
_DENIED = frozenset({401, 403})

T = TypeVar("T")


class _Problem(msgspec.Struct, frozen=True):
    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    hint: str = ""


class Remote:
    """A server that Workflows are deployed to.

    Args:
        url: its base URL.
        key: what opens it.
        pin: the one certificate that it may have, as PEM text; empty for those that this computer trusts.
    """

    def __init__(self, url: str, key: str, *, pin: str = "") -> None:
        self.url = url.rstrip("/") + "/"
        local = httpx.URL(self.url).host in _LOCAL
        self._http = httpx.Client(
            base_url=self.url,
            headers={"x-api-key": key, "X-Coflows-Door": "cli"},
            timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
            trust_env=not local,
            verify=only(pin) if pin else True,
        )

    @classmethod
    def of(cls, cloud: Cloud | None) -> Remote:
        """Return the server of a configuration's ``Cloud``.

        Raises:
            ConfigError: there is none, or no key for it.
        """
        if cloud is None:
            raise ConfigError("coflows_config.json has no Cloud", hint='add "Cloud": {"Host": …, "SecretKey": …}')
        key = cloud.secret_key.get_secret_value()
        if not key:
            raise ConfigError("Cloud.SecretKey is empty", hint="write the SecretKey of that server there")
        return cls(f"{'https' if cloud.ssl else 'http'}://{cloud.address}/", key)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    # -- what takes long -----------------------------------------------------------------------------------------------

    def deploy(self, workflow: str, bundle: Bundle, folder: str, tell: Reporter) -> Revision:
        """Let a bundle serve.

        Args:
            workflow: the Workflow's ID.
            bundle: the Workflow.
            folder: name of the folder that it was packed from.
            tell: told what goes on here and there.

        Raises:
            UnreachableError: the server did not answer, or its answer broke off.
            CoflowsError: the one that the server had.
        """
        return self._upload("deploy", workflow, folder, b"", bundle, tell, Revision)

    def build(self, workflow: str, bundle: Bundle, folder: str, tell: Reporter) -> None:
        """Build a bundle there without serving it; see ``deploy``."""
        self._upload("build", workflow, folder, b"", bundle, tell, object)

    def query(self, workflow: str, bundle: Bundle, folder: str, wish: Wish, tell: Reporter) -> Answered | Listed:
        """Call a function of a bundle there without serving it; see ``deploy``."""
        kind: type[Answered | Listed] = Answered if wish.function else Listed
        return self._upload("query", workflow, folder, msgspec.json.encode(wish) + b"\n", bundle, tell, kind)

    def rollback(self, workflow: str, number: int, tell: Reporter) -> Revision:
        """Let an earlier revision serve again.

        Args:
            workflow: the Workflow's ID.
            number: the revision, 0 for the one before.
            tell: told what goes on.
        """
        path = f"{_path(workflow)}/rollback" + (f"?revision={number}" if number else "")
        return self._run(self._http.build_request("POST", path), tell, Revision)

    def restart(self, workflow: str, tell: Reporter) -> None:
        """Let new hosts take over there."""
        self._run(self._http.build_request("POST", f"{_path(workflow)}/restart"), tell, object)

    def log(self, workflow: str, *, follow: bool = False, tail: int = 100) -> Iterator[Event]:
        """Give the latest lines of a Workflow's log, and those that come.

        Args:
            workflow: the Workflow's ID.
            follow: whether to go on.
            tail: how many lines to begin with.
        """
        query = urlencode({"tail": tail, "follow": int(follow)})
        yield from self._events(self._http.build_request("GET", f"{_path(workflow)}/log?{query}"))

    # -- what does not -------------------------------------------------------------------------------------------------

    def status(self, workflow: str) -> dict[str, Any]:
        """Return what serves there, and what did; see ``GET /coflows/api/cloud/WID``."""
        with self._sent(self._http.build_request("GET", _path(workflow))) as response:
            found: dict[str, Any] = msgspec.json.decode(response.read())
            return found

    def remove(self, workflow: str) -> None:
        """Let a Workflow serve no more."""
        with self._sent(self._http.build_request("DELETE", _path(workflow))):
            pass

    # ------------------------------------------------------------------------------------------------------------------

    def _upload(
        self, verb: str, workflow: str, folder: str, head: bytes, bundle: Bundle, tell: Reporter, kind: type[T]
    ) -> T:
        body = head + bundle.data
        headers = {
            "Content-Type": WISH_TYPE if head else "application/zip",
            "Content-Length": str(len(body)),
        }
        path = f"{_path(workflow)}/{verb}?{urlencode({'folder': folder})}"
        request = self._http.build_request("POST", path, content=_pieces(body, tell), headers=headers)
        return self._run(request, tell, kind)

    def _run(self, request: httpx.Request, tell: Reporter, kind: type[T]) -> T:
        """Return what an operation gave; what the server says of its steps is passed on."""
        for event in self._events(request):
            tell.check()
            if event.last:
                if event.state == "failed":
                    raise error_of(event)
                tell.result(event.text, event.data)
                return msgspec.convert(event.data, kind)
            if event.step:
                tell.relay(event)
        raise UnreachableError(f"the answer of {self.url} broke off", hint="`coflows cloud status` shows how it ended")

    def _events(self, request: httpx.Request) -> Iterator[Event]:
        with self._sent(request) as response, self._reached():
            for line in response.iter_lines():
                if line:
                    yield decode(line)

    @contextlib.contextmanager
    def _sent(self, request: httpx.Request) -> Iterator[httpx.Response]:
        with self._reached():
            response = self._http.send(request, stream=True)
        try:
            if not response.is_success:
                with self._reached():
                    response.read()
                raise self._error(response)
            yield response
        finally:
            response.close()

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            hint = "Cloud.Host says where it is, Cloud.SSL whether it speaks https"
            raise UnreachableError(f"{self.url} does not answer: {error}", hint=hint) from None

    def _error(self, response: httpx.Response) -> CoflowsError:
        try:
            problem = msgspec.json.decode(response.content, type=_Problem)
        except msgspec.MsgspecError:
            status = f"{response.status_code} {response.reason_phrase}"
            return UnreachableError(f"{self.url} answered {status}", hint="is that a CoFlows server?")
        detail = problem.detail or problem.title
        if response.status_code in _DENIED:
            return DeniedError(f"{self.url} lets us not: {detail}", hint="Cloud.SecretKey is the key of that server")
        name = "".join(part.title() for part in problem.type.removeprefix(_URN).split("-")) + "Error"
        return error_of(Event(0, "", "failed", detail, data=Failure(name, problem.hint)))


def _path(workflow: str) -> str:
    return f"coflows/api/cloud/{quote(workflow, safe='')}"


def _pieces(body: bytes, tell: Reporter) -> Iterator[bytes]:
    with tell.step("upload", f"Sending {len(body) / 1024:.0f} KiB"):
        for start in range(0, len(body), _CHUNK):
            tell.check()
            if start and start // _CHUNK % _SAID == 0:
                tell.progress("sent", start / len(body))
            yield body[start : start + _CHUNK]
