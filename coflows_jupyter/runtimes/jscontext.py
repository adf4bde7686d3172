"""One context of JavaScript: the sources of a unit, run by QuickJS a piece at a time.

A piece runs from when Python calls in until nothing is left to do but to wait for Python's answers. Pieces of several
calls take turns, as in every JavaScript engine; Python works on the answers in the thread of the call that asked.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orjson
import quickjs

from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.jsonform import JsonText, to_json
from coflows_jupyter.runtimes.context import current
from coflows_jupyter.runtimes.interrupt import CallCancelled
from coflows_jupyter.runtimes.jsparameters import UNSET
from coflows_jupyter.runtimes.protocol import ForeignError, Refusal

T = TypeVar("T")
Answer = Callable[[str, list[Any]], Any]

LOAD_SECONDS = 30.0
ORIGINAL = re.compile(r"\bimportNamespace\s*\(")
"""Tells a source for the original, which asks Python and waits. QuickJS lets it, but only without a limit of time."""

_INTERRUPTED = "InternalError: interrupted"
_PLACE = re.compile(r"<input>:(\d+):(\d+)")
_PENDING, _VALUE, _THROWN = "0", "1", "2"
_SHORTEST_SECONDS = 0.05


class Source(NamedTuple):
    """A file in a context.

    Args:
        path: of the file.
        text: of it.
        before: lines of the context that come before it: QuickJS knows no files, so each has lines of its own.
    """

    path: str
    text: str
    before: int


class ScriptError(Exception):
    """A source is no JavaScript, or throws.

    Args:
        message: what it says.
        path: the file, empty when it is none of the user's.
        line: 1-based, 0 when it is unknown.
        column: likewise.
    """

    def __init__(self, message: str, path: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.column = column


class JsContext:
    """Holds the sources of one unit, and runs its functions.

    Args:
        sources: path and text of each, in order.
        answer: answers what they ask; takes what, and the arguments.

    Raises:
        ScriptError: a source can't be run.
    """

    def __init__(self, sources: Sequence[tuple[str, str]], answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._limited = not any(ORIGINAL.search(text) for _, text in sources)
        self._context = quickjs.Context()
        self._context.eval(_prelude())
        self._call, self._look, self._take, self._settle, self._drop = (
            self._context.eval(f"__coflows.{name}") for name in ("call", "look", "take", "settle", "drop")
        )
        if not self._limited:
            self._context.add_callable("__ask", self._ask_now)
        self._sources: list[Source] = []
        before = _prelude().count("\n") + 1
        earlier: set[str] = set()
        for path, text in sources:
            earlier = self._names()
            self._sources.append(Source(path, text, before))
            self.evaluate("\n" * before + text)
            before += text.count("\n") + 1
        self.declared = self._names() - earlier
        """What the last source declares by ``function`` and ``var``."""

    def evaluate(self, script: str) -> Any:
        """Run a script and return its value.

        Raises:
            ScriptError: it is no JavaScript, or throws.
        """
        try:
            with self._lock:
                return self._piece(LOAD_SECONDS, lambda: self._context.eval(script))
        except (quickjs.JSException, quickjs.StackOverflow) as error:
            text = str(error)
            if text.startswith(_INTERRUPTED):
                raise ScriptError(f"it did not end within {LOAD_SECONDS:.0f} seconds") from None
            message, trace = self._readable(text)
            path, line, column = next(iter(self._places(text)), ("", 0, 0))
            raise ScriptError(message or trace, path, line, column) from None

    def _names(self) -> set[str]:
        return set(orjson.loads(self._context.eval("JSON.stringify(Object.getOwnPropertyNames(globalThis))")))

    def call(self, function: int, args: Sequence[Any]) -> JsonText:
        """Call a function by its number and wait for what it promises.

        Raises:
            ForeignError: it threw.
            Refusal: what it returned has no JSON form.
            CallCancelled: its time is over.
        """
        number = next(self._numbers)
        data = to_json([[] if arg is UNSET else [arg] for arg in args]).decode()
        asked: list[Any] = []
        try:
            outcome, asked = self._run(number, lambda: self._call(number, function, data))
            while asked or outcome[0] == _PENDING:
                if not asked:
                    raise ForeignError("Error: the function waits for a promise that nothing settles", "")
                answers = [(ask, *self._answered(what, given)) for ask, what, given in asked]
                found, asked = self._run(number, lambda: self._go_on(number, answers))  # noqa: B023  (it runs at once)
                outcome = outcome if outcome[0] != _PENDING else found
        except (quickjs.JSException, quickjs.StackOverflow) as error:
            text = str(error)
            if text.startswith(_INTERRUPTED):
                raise CallCancelled from None
            raise ForeignError(*self._readable(text)) from None
        finally:
            with self._lock:
                self._drop(number, orjson.dumps([ask for ask, *_ in asked]).decode())
        return self._value(outcome)

    def _run(self, number: int, work: Callable[[], str]) -> tuple[str, list[Any]]:
        """Run a piece; return the outcome of the call, and what was asked meanwhile."""
        context = current()
        seconds = LOAD_SECONDS if context is None else context.deadline - time.monotonic()
        with self._lock:
            outcome = self._piece(seconds, work)
            if outcome[0] == _PENDING:
                self._piece(seconds, self._finish)
                outcome = self._look(number)
            asked, said = orjson.loads(self._take())
        if context is not None:
            for stream, text in said:
                context.output(stream, text)
        return outcome, asked

    def _go_on(self, number: int, answers: Sequence[tuple[int, bool, str]]) -> str:
        for ask, failed, answer in answers:
            self._settle(ask, failed, answer)
        self._finish()
        return str(self._look(number) or _PENDING)

    def _finish(self) -> None:
        while self._context.execute_pending_job():
            pass

    def _piece(self, seconds: float, work: Callable[[], T]) -> T:
        """Do something in the context, for so long at most.

        QuickJS counts the time that all threads of the process compute; what stops too late is the host's to end.
        """
        if not self._limited:
            return work()
        self._context.set_time_limit(max(seconds, _SHORTEST_SECONDS) * _cores())
        try:
            return work()
        finally:
            self._context.set_time_limit(-1)

    def _answered(self, what: str, arguments: list[Any]) -> tuple[bool, str]:
        """Return whether it failed, and the answer as JSON or the reason."""
        try:
            return False, to_json(self._answer(what, arguments)).decode()
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the JavaScript's to catch)
            return True, f"{type(error).__name__}: {error}"

    def _ask_now(self, what: str, arguments: str) -> str:
        failed, answer = self._answered(what, orjson.loads(arguments))
        return orjson.dumps([failed, answer if failed else orjson.Fragment(answer)]).decode()

    def _value(self, outcome: str) -> JsonText:
        if outcome[0] == _VALUE:
            return JsonText(outcome[1:].encode())
        if outcome[0] == _THROWN:
            said, trace = orjson.loads(outcome[1:])
            if said.startswith(_INTERRUPTED):
                raise CallCancelled
            line, frames = self._readable(f"{said}\n{trace}")
            raise ForeignError(line, frames)
        raise Refusal(NotAcceptableError(f"the result has no JSON form: {orjson.loads(outcome[1:])}"))

    # -- errors ----------------------------------------------------------------------------------------------------

    def _places(self, text: str) -> list[tuple[str, int, int]]:
        """Return the places in the user's files that a text names, the innermost first."""
        found = ((int(match[1]), int(match[2])) for match in _PLACE.finditer(text))
        return [(source.path, line - source.before, column) for line, column in found if (source := self._source(line))]

    def _source(self, line: int) -> Source | None:
        return next((source for source in reversed(self._sources) if line > source.before), None)

    def _readable(self, text: str) -> tuple[str, str]:
        """Split what QuickJS says into the error and its stack, which names the user's files and no frame of ours."""
        said, *rest = text.strip().splitlines() or [""]
        frames = []
        for frame in rest:
            place = _PLACE.search(frame)
            source = self._source(int(place[1])) if place else None
            if place is None and not frame.lstrip().startswith("at ") and frame != "undefined":
                frames.append(frame)
            elif place is not None and source is not None:
                spot = f"{source.path}:{int(place[1]) - source.before}:{place[2]}"
                frames.append(frame[: place.start()] + spot + frame[place.end() :])
        return said, "\n".join([said, *frames])


@cache
def _prelude() -> str:
    return Path(__file__).with_name("prelude.js").read_text(encoding="utf-8")


@cache
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
