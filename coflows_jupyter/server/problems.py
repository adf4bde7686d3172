"""Errors as RFC 9457 problem details."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import msgspec
from tornado.web import HTTPError

from coflows_jupyter.errors import (
    ArgumentsError,
    BusyError,
    CoflowsError,
    DeniedError,
    DiagnosticsError,
    FieldError,
    FunctionError,
    NotReadyError,
    ThrottledError,
    answer,
)

CONTENT_TYPE = "application/problem+json"


class Problem(msgspec.Struct, omit_defaults=True):
    """The body of an answer that reports an error.

    Args:
        type: URN of the kind of error.
        title: what that kind means.
        status: the HTTP status again.
        detail: what happened this time.
        run_id: names the run in logs.
        hint: what to do about it.
        errors: arguments that don't fit.
        traceback: the user's own, for callers with Write.
    """

    type: str
    title: str
    status: int
    detail: str
    run_id: str
    hint: str = ""
    errors: tuple[FieldError, ...] = ()
    traceback: str = ""


def make_problem(
    error: BaseException | None, run_id: str, *, status: int = 500, known: bool = True, trusted: bool = False
) -> tuple[Problem, dict[str, str]]:
    """Describe an error to its caller; returns the problem and further headers.

    Args:
        error: what was raised.
        run_id: names the run.
        status: HTTP status when ``error`` does not say.
        known: whether the caller is identified; if not, being denied means that a key is missing.
        trusted: whether the caller has Write, so may see the traceback of user code.
    """
    headers: dict[str, str] = {}
    if not isinstance(error, CoflowsError):
        return _foreign(error, run_id, status), headers
    meaning = answer(error)
    status, title = meaning.status, meaning.title
    if isinstance(error, DeniedError) and not known:
        status, title = 401, "Who are you?"
        headers["WWW-Authenticate"] = 'Bearer realm="CoFlows"'
    if isinstance(error, NotReadyError | BusyError | ThrottledError):
        headers["Retry-After"] = str(getattr(error, "retry_after", 1))
    problem = Problem(_urn(error), title, status, error.message, run_id, error.hint)
    if isinstance(error, ArgumentsError):
        problem.errors = error.fields
    if isinstance(error, DiagnosticsError) and trusted and error.diagnostics:
        problem.traceback = "\n".join(map(str, error.diagnostics))
    if isinstance(error, FunctionError) and trusted:
        problem.traceback = error.traceback
    return problem, headers


def _foreign(error: BaseException | None, run_id: str, status: int) -> Problem:
    """Describe an error that is not ours: Tornado's by its status, anything else without a word about our insides."""
    if isinstance(error, HTTPError):
        status = error.status_code
        known = HTTPStatus(status) if status in set(HTTPStatus) else HTTPStatus.INTERNAL_SERVER_ERROR
        detail = error.log_message or known.description or known.phrase
        return Problem("about:blank", known.phrase, status, detail, run_id)
    return Problem("about:blank", "Something went wrong", status, "the server's log has the details", run_id)


def _urn(error: CoflowsError) -> str:
    name = type(error).__name__.removesuffix("Error")
    return "urn:coflows:error:" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def encode(problem: Problem) -> bytes:
    """Return the problem as JSON."""
    return msgspec.json.encode(problem)


def schema() -> dict[str, Any]:
    """Return the JSON Schemas of ``Problem`` and what it refers to, by name."""
    return msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")[1]
