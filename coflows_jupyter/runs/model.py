"""What there is to know about a run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from coflows_jupyter import errors
from coflows_jupyter.errors import answer
from coflows_jupyter.units import parse_duration

SAME = ("workflow", "query", "function", "outcome", "caller", "door")

Outcome = Literal["running", "succeeded", "failed", "timed_out", "cancelled", "crashed", "denied", "refused", "lost"]
Kind = Literal["query"]


class Progress(msgspec.Struct, frozen=True):
    """How far a run says that it is.

    Args:
        done: finished units of whatever the run counts.
        total: all units, 0 when nobody knows.
        text: what it is doing, may be empty.
    """

    done: float
    total: float = 0
    text: str = ""


class RunModel(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as the REST API and the command give it.

    Args:
        id: as in the header X-Run-Id of its answer.
        workflow: the Workflow's ID.
        query: the Query's ID.
        function: the function's name.
        door: where the call came in: http, cli, notebook or sidebar.
        caller: ID of who called.
        arguments: an object by name or an array by position; secrets are masked, ``null`` where they were too large
            to keep or can't be read.
        started: ISO 8601 in UTC.
        seconds: from the call to its result's last byte, or until now.
        outcome: how it ended; ``running`` when it has not. ``denied`` and ``refused`` never came to the function, the
            former for want of a permission, the latter because there was none of that name or no room. ``lost`` went
            on when its server ended.
        status: HTTP status of its answer, 0 while it runs.
        error: what went wrong, in a sentence; empty when nothing did.
        build: ID of the Build that ran.
        result_bytes: size of the encoded result.
        progress: the last that it reported while it ran.
        kept: whether its result can be fetched, which is so for calls that asked to respond later.
        kind: what kind of run it is.
    """

    id: str
    workflow: str
    query: str
    function: str
    door: str
    caller: str
    arguments: Any
    started: str
    seconds: float
    outcome: Outcome
    status: int
    error: str
    build: str
    result_bytes: int
    progress: Progress | None = None
    kept: bool = False
    kind: Kind = "query"


class Filter(msgspec.Struct, frozen=True):
    """Which runs to list, the latest first.

    Args:
        query: only of this Query.
        function: only of functions of this name.
        outcome: only those that ended so, or still run.
        workflow: only of this Workflow.
        caller: only of this caller.
        door: only through this door.
        since: only those that started then or later: ISO 8601, or how long ago, like ``2h``.
        text: only where this is in the arguments, the error or a name, in any case.
        before: only those older than the run of this ID.
        limit: how many at most, 1 to 1000.
    """

    query: str = ""
    function: str = ""
    outcome: str = ""
    workflow: str = ""
    caller: str = ""
    door: str = ""
    since: str = ""
    text: str = ""
    before: str = ""
    limit: int = 50

    def matches(self, run: RunModel) -> bool:
        """Whether ``run`` is one of them, apart from ``before``."""
        if any((wanted := getattr(self, name)) and wanted != getattr(run, name) for name in SAME):
            return False
        if self.since and run.started < moment(self.since):
            return False
        texts = f"{run.query}.{run.function}", run.caller, run.error, msgspec.json.encode(run.arguments).decode()
        return not self.text or any(self.text.lower() in text.lower() for text in texts)


def moment(text: str) -> str:
    """Return the point in time that ``text`` means, as rows have it.

    Args:
        text: ISO 8601, in UTC where it names no zone, or a duration that ends now.

    Raises:
        ValueError: it is neither.
    """
    try:
        when = datetime.now(UTC) - timedelta(seconds=parse_duration(text))
    except ValueError:
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is no point in time; write 2026-11-24T18:00 or 2h") from None
        when = when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is too long ago") from None
    return when.isoformat(timespec="milliseconds")


def outcome_of(error: BaseException) -> tuple[Outcome, int, str]:
    """Return how a run that ``error`` ended is called, the HTTP status of its answer, and a sentence."""
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "cancelled", 499, "nobody waited for the result any longer"
    kinds: dict[type[BaseException], Outcome] = {
        errors.TimedOutError: "timed_out",
        errors.CancelledError: "cancelled",
        errors.CrashedError: "crashed",
        errors.DeniedError: "denied",
        errors.BusyError: "refused",
    }
    message = error.message if isinstance(error, errors.CoflowsError) else type(error).__name__
    return kinds.get(type(error), "failed"), answer(error).status, message
