"""M sets of a server, for programs that hold a key and no database: ``RemoteMStore``."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from coflows_jupyter.errors import CoflowsError, NotFoundError, UnreachableError
from coflows_jupyter.mset.conditions import Condition
from coflows_jupyter.mset.model import Author, Change, Entry, Logged, Outcome, Page, SetInfo
from coflows_jupyter.mset.store import PAGE, Contents, OnChanges
from coflows_jupyter.notebook.client import Client

RETRY_SECONDS = 0.5
_PAGE = 10_000

log = logging.getLogger(__name__)


class _Entry(msgspec.Struct):
    entry: str
    value: msgspec.Raw
    number: int = 0


class _Contents(msgspec.Struct):
    entries: list[_Entry]
    seq: int = 0
    next: int = 0
    count: int = 0


class _Event(msgspec.Struct):
    seq: int
    op: str
    entry: str
    value: msgspec.Raw
    run: str
    actor: str
    at: str


class _Page(msgspec.Struct):
    changes: list[_Event]
    seq: int = 0
    reset: bool = False


class _Outcomes(msgspec.Struct):
    outcomes: list[Outcome]


class _Sets(msgspec.Struct):
    sets: list[SetInfo]


class RemoteMStore:
    """See ``MStore``; what the caller may do is the server's to say, and who they are it knows from the key.

    Args:
        client: of the server.
        workflow: ID of the Workflow whose sets they are; empty means the server's first.
    """

    def __init__(self, client: Client, workflow: str = "") -> None:
        self._client = client
        self._workflow = workflow
        self._streams: set[_Stream] = set()

    def close(self) -> None:
        """See ``MStore.close``."""
        for stream in list(self._streams):
            stream.stop()

    def path(self, name: str, *parts: str, root: str = "m", **query: str | int) -> str:
        """Return a path of the REST API."""
        path = "/".join(("coflows/api", root, *(quote(part, safe="") for part in (name, *parts))))
        return f"{path}?{urlencode(query | ({'workflow': self._workflow} if self._workflow else {}))}"

    def _get(self, path: str, kind: Any) -> Any:
        return msgspec.json.decode(self._client.request("GET", path).read(), type=kind)

    # -- writing -------------------------------------------------------------------------------------------------------

    def apply(self, name: str, changes: Sequence[Change], author: Author, *, atomic: bool = False) -> list[Outcome]:  # noqa: ARG002 - the server knows
        """See ``MStore.apply``."""
        wish = {"changes": [_written(change) for change in changes], "atomic": atomic}
        answer = self._client.request("PATCH", self.path(name), msgspec.json.encode(wish))
        return msgspec.json.decode(answer.read(), type=_Outcomes).outcomes

    def index(self, name: str, path: tuple[str, ...]) -> None:
        """See ``MStore.index``."""
        body = msgspec.json.encode({"index": ["__".join(path)]})
        self._client.request("PATCH", self.path(name), body).read()

    # -- reading -------------------------------------------------------------------------------------------------------

    def load(self, name: str) -> Contents:
        """See ``MStore.load``; what changes meanwhile comes after ``seq`` and is the same when it is applied twice."""
        first = self._get(self.path(name, limit=_PAGE), _Contents)
        return Contents(first.seq, self._pages(name, first))

    def _pages(self, name: str, contents: _Contents) -> Iterator[Entry]:
        while True:
            yield from map(_entry, contents.entries)
            if not contents.next:
                return
            contents = self._get(self.path(name, limit=_PAGE, after=contents.next), _Contents)

    def get(self, name: str, entry: str) -> str | None:
        """See ``MStore.get``."""
        try:
            return self._client.request("GET", self.path(name, entry)).read().decode()
        except NotFoundError:
            return None

    def find(self, name: str, tag: str) -> str:
        """See ``MStore.find``."""
        found = self._get(self.path(name, tag=tag), _Contents).entries
        return found[0].entry if found else ""

    def count(self, name: str) -> int:
        """See ``MStore.count``."""
        return int(self._get(self.path(name, limit=0), _Contents).count)

    def select(self, name: str, conditions: tuple[Condition, ...], after: int = 0, limit: int = 0) -> list[Entry]:
        """See ``MStore.select``."""
        fields = [
            ("__".join((*condition.path, condition.op)), msgspec.json.encode(condition.wanted).decode())
            for condition in conditions
        ]
        found: list[Entry] = []
        while True:
            path = self.path(name, limit=min(limit or _PAGE, _PAGE), after=after)
            contents = self._get(f"{path}&{urlencode(fields)}", _Contents)
            found += map(_entry, contents.entries)
            after = contents.next
            if not after or limit:
                return found

    def changes(self, name: str, after: int, limit: int = PAGE) -> Page:  # noqa: ARG002 - the server's page is the same
        """See ``MStore.changes``."""
        page = self._get(self.path(name, root="m-changes", after=after), _Page)
        return Page(list(map(_logged, page.changes)), page.seq, page.reset)

    def history(self, name: str, entry: str) -> list[Logged]:
        """See ``MStore.history``."""
        return list(map(_logged, self._get(self.path(name, entry, "history"), _Page).changes))

    def at(self, name: str, moment: str) -> list[tuple[str, str]]:
        """See ``MStore.at``."""
        found = self._get(self.path(name, at=moment), _Contents).entries
        return [(entry.entry, bytes(entry.value).decode()) for entry in found]

    def sets(self) -> list[SetInfo]:
        """See ``MStore.sets``."""
        query = urlencode({"workflow": self._workflow} if self._workflow else {})
        found: list[SetInfo] = self._get(f"coflows/api/m?{query}", _Sets).sets
        return found

    def indexed(self, _name: str, _conditions: tuple[Condition, ...]) -> bool:
        """See ``MStore.indexed``: what is in this process's memory is nearer than any index."""
        return False

    def guarded(self, _name: str) -> bool:
        """See ``MStore.guarded``: the server looks after that."""
        return False

    def version(self, _name: str) -> object:
        """See ``MStore.version``."""
        return None

    def subscribe(self, name: str, after: int, listener: OnChanges) -> Callable[[], None]:
        """See ``MStore.subscribe``; a stream that breaks is opened again where it was."""
        if after < 0:
            after = self.changes(name, -1).seq
        stream = _Stream(self, name, after, listener)
        self._streams.add(stream)
        stream.start()

        def stop() -> None:
            self._streams.discard(stream)
            stream.stop()

        return stop

    def open_stream(self, name: str, after: int) -> httpx.Response:
        """Open the stream of a set's changes."""
        path = self.path(name, root="m-changes", after=after)
        return self._client.request("GET", path, headers={"Accept": "text/event-stream"})


class _Stream:
    """Reads one stream of changes on a thread of its own."""

    def __init__(self, store: RemoteMStore, name: str, after: int, listener: OnChanges) -> None:
        self._store = store
        self._name = name
        self._after = after
        self._listener = listener
        self._stopped = threading.Event()
        self._response: httpx.Response | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="coflows-m", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        response = self._response
        if response is not None:
            # Closing it from here would wait for the thread that reads; ending its connection wakes that.
            with contextlib.suppress(OSError, KeyError, AttributeError):
                response.extensions["network_stream"].get_extra_info("socket").shutdown(2)

    def _run(self) -> None:
        said = ""
        while not self._stopped.is_set():
            try:
                self._read()
                said = ""
            except (UnreachableError, httpx.TransportError):
                pass  # the server is starting again
            except CoflowsError as error:
                if error.message != said:
                    log.warning("the M set %s can't be followed: %s", self._name, error.message)
                said = error.message
            self._stopped.wait(RETRY_SECONDS)

    def _read(self) -> None:
        with contextlib.closing(self._store.open_stream(self._name, self._after)) as response:
            self._response = response
            kind = seq = ""
            for line in response.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    kind = value
                elif field == "id":
                    seq = value
                elif field == "data" and not self._stopped.is_set():
                    self._tell(kind, int(seq), value)

    def _tell(self, kind: str, seq: int, data: str) -> None:
        if kind == "ready":
            return
        changes = [] if kind == "reset" else [_logged(msgspec.json.decode(data, type=_Event))]
        self._after = seq
        try:
            self._listener(Page(changes, seq, kind == "reset"))
        except Exception:
            log.exception("a listener to the M set %s failed", self._name)


def _written(change: Change) -> dict[str, Any]:
    value = {"value": msgspec.Raw(change.text.value.encode())} if change.text.value else {}
    return {"op": change.op, "entry": change.entry, "expected": change.expected, **value}


def _entry(entry: _Entry) -> Entry:
    return Entry(entry.number, entry.entry, bytes(entry.value).decode())


def _logged(event: _Event) -> Logged:
    value = bytes(event.value).decode()
    return Logged(event.seq, event.op, event.entry, "" if value == "null" else value, event.run, event.actor, event.at)  # type: ignore[arg-type]  # the server's word for it
