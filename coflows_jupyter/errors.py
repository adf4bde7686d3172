"""Every error this project raises, and the one place that says what it means outside.

::

    CoflowsError
    ├── ConfigError         coflows_config.json can't be used
    ├── PackageError        package.json can't be used
    ├── BuildError          the sources don't build
    ├── NotFoundError       no such Workflow, Query or function
    ├── ArgumentsError      arguments don't fit the function's parameters
    ├── DeployError         a cloud can't do what it was asked for
    ├── BundleError         a Workflow can't be packed, or what was sent as one is refused
    ├── ScheduleError       the text of an Agent's schedule can't be read
    ├── NotAcceptableError  the result can't be given in the wanted format
    ├── DeniedError         the caller may not do this
    ├── RepeatError         a run can't be repeated
    ├── ConflictError       what is to be made is there already, or still needed
    ├── ThrottledError      too many wrong passwords
    ├── FunctionError       the user's function raised
    ├── UnreachableError    a server did not answer
    ├── DatabaseError       the database did not answer
    └── HostError           the process that runs user code did not answer
        ├── BusyError       its queue is full
        ├── NotReadyError   no Build serves yet, or the call was cut off by a restart
        ├── CrashedError    it ended during the call
        ├── TimedOutError   the call passed its deadline
        └── CancelledError  the call was cancelled

``answer`` maps an error to an HTTP status and a process exit code; nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

Severity = Literal["error", "warning", "info"]


class Diagnostic(msgspec.Struct, frozen=True, omit_defaults=False):
    """One finding about a file of the user's.

    Args:
        file: path of the file, absolute where it exists on disk.
        line: 1-based line, 0 when the finding is about the whole file.
        column: 1-based column, 0 when the finding is about the whole line.
        severity: ``error`` stops the unit, ``warning`` and ``info`` don't.
        code: short stable name, e.g. ``syntax`` or ``unknown-key``.
        message: what is wrong.
        hint: what to write or do instead; empty when the message says it.
    """

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Return ``file:line:column: severity: message (hint)`` as compilers print it."""
        place = ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])
        return f"{place}: {self.severity}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class FieldError(msgspec.Struct, frozen=True):
    """One argument that does not fit: the parameter's name, what is wrong and the value seen."""

    field: str
    message: str
    value: str = ""


class CoflowsError(Exception):
    """Base of all errors; ``str(error)`` is a sentence that a user can act on."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class DiagnosticsError(CoflowsError):
    """Base of errors that carry places in files."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = tuple(diagnostics)


class ConfigError(DiagnosticsError):
    """``coflows_config.json`` is missing, unreadable or holds values that can't work."""


class PackageError(DiagnosticsError):
    """``package.json`` is missing, unreadable or holds values that can't work."""


class BuildError(DiagnosticsError):
    """The Workflow's sources do not build."""


class NotFoundError(CoflowsError):
    """There is no Workflow, Query or function of that name."""


class ArgumentsError(CoflowsError):
    """The arguments of a call do not fit the function's parameters."""

    def __init__(self, message: str, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class ScheduleError(CoflowsError):
    """The text is no schedule; the message quotes the part that is wrong."""


class BundleError(CoflowsError):
    """A Workflow can't be packed, or what was sent as one is refused; the message names the file."""


class DeployError(CoflowsError):
    """A cloud refused or failed to do what it was asked for; the message has its reason."""


class NotAcceptableError(CoflowsError):
    """The result has no form in the format that the caller asked for."""


class DeniedError(CoflowsError):
    """The caller is unknown or lacks the permission."""


class RepeatError(CoflowsError):
    """A run can't be repeated: what it was called with is not kept."""


class ConflictError(CoflowsError):
    """What is to be made is there already, or what is to go is still needed."""


class ThrottledError(CoflowsError):
    """Too many wrong passwords; it may be tried again in ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FunctionError(CoflowsError):
    """The user's function raised; ``traceback`` is its own, without frames of ours."""

    def __init__(self, message: str, *, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


class UnreachableError(CoflowsError):
    """A server that was asked did not answer."""


class DatabaseError(CoflowsError):
    """The database did not answer, for longer than we wait; later it may."""


class HostError(CoflowsError):
    """The host could not finish the call."""


class BusyError(HostError):
    """The host's queue is full; try again later."""


class NotReadyError(HostError):
    """No Build serves the call now; ``Retry-After`` seconds are in ``retry_after``."""

    retry_after = 1


class CrashedError(HostError):
    """The host process ended during the call; the message names the cause."""


class TimedOutError(HostError):
    """The call did not finish before its deadline."""


class CancelledError(HostError):
    """The call was cancelled by its caller."""


class Answer(msgspec.Struct, frozen=True):
    """What an error means outside: HTTP status, RFC 9457 title and CLI exit code."""

    status: int
    title: str
    exit_code: int


FAILED, USAGE, DENIED = 1, 2, 3

_ANSWERS: dict[type[BaseException], Answer] = {
    ConfigError: Answer(500, "The configuration can't be used", USAGE),
    PackageError: Answer(500, "The package can't be used", USAGE),
    BuildError: Answer(409, "The Workflow does not build", FAILED),
    NotFoundError: Answer(404, "Not found", USAGE),
    ArgumentsError: Answer(422, "The arguments do not fit", USAGE),
    BundleError: Answer(422, "The bundle can't be used", USAGE),
    DeployError: Answer(502, "The cloud could not do it", FAILED),
    ScheduleError: Answer(422, "The schedule can't be read", USAGE),
    NotAcceptableError: Answer(406, "Not available in this format", USAGE),
    DeniedError: Answer(403, "Not allowed", DENIED),
    RepeatError: Answer(409, "It can't be run again", FAILED),
    ConflictError: Answer(409, "In the way of what is there", USAGE),
    ThrottledError: Answer(429, "Too many attempts", DENIED),
    FunctionError: Answer(500, "The function failed", FAILED),
    UnreachableError: Answer(502, "The server did not answer", DENIED),
    DatabaseError: Answer(503, "The database did not answer", FAILED),
    BusyError: Answer(429, "Too many calls", FAILED),
    NotReadyError: Answer(503, "Not ready", FAILED),
    CrashedError: Answer(502, "The host ended during the call", FAILED),
    TimedOutError: Answer(504, "The call took too long", FAILED),
    CancelledError: Answer(499, "The call was cancelled", FAILED),
    HostError: Answer(502, "The host did not answer", FAILED),
    CoflowsError: Answer(500, "Something went wrong", FAILED),
}
_UNKNOWN = Answer(500, "Something went wrong", FAILED)


def answer(error: BaseException) -> Answer:
    """Map an error to its HTTP status, title and exit code.

    Args:
        error: any exception; one that is not ours counts as 500 and exit code 1.
    """
    for kind in type(error).__mro__:
        if kind in _ANSWERS:
            return _ANSWERS[kind]
    return _UNKNOWN


def nearest(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate that ``word`` most likely means, empty when none is close."""
    import difflib

    by_lower = {candidate.lower(): candidate for candidate in candidates}
    close = difflib.get_close_matches(word.lower(), by_lower, 1)
    return by_lower[close[0]] if close else ""
