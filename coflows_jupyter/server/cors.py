"""Which pages of other sites may read our answers: those of the origins that ``Server.Cors`` lists.

They bring a key along. No cookie counts for them: credentials stay off, so a browser keeps it to itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coflows_jupyter.server.compression import vary

if TYPE_CHECKING:
    from coflows_jupyter.server.base import BaseHandler

# What a page sends: a key, arguments, wishes. And what it reads beyond the body.
_TAKEN = "Accept, Authorization, Content-Type, Prefer, X-Api-Key, X-Coflows-Door"
_SHOWN = "Content-Disposition, Location, Preference-Applied, Retry-After, Server-Timing, X-Run-Id"
_REMEMBER_SECONDS = 600


def listed(handler: BaseHandler) -> bool:
    """Whether a page of an origin on the list sent the request."""
    return handler.request.headers.get("Origin") in handler.services.origins


def share(handler: BaseHandler) -> None:
    """Let the page that asked read the answer, if it is of an origin on the list."""
    if not handler.services.origins:
        return
    headers = handler._headers  # noqa: SLF001 — Tornado's own setters check what is constant here
    vary(headers, "Origin")
    if listed(handler):
        headers["Access-Control-Allow-Origin"] = handler.request.headers["Origin"]
        headers["Access-Control-Expose-Headers"] = _SHOWN


def permit(handler: BaseHandler) -> None:
    """Answer the question that a browser asks before a page's request."""
    if listed(handler) and "Access-Control-Request-Method" in handler.request.headers:
        handler.set_header("Access-Control-Allow-Methods", ", ".join(handler.route.rules))
        handler.set_header("Access-Control-Allow-Headers", _TAKEN)
        handler.set_header("Access-Control-Max-Age", _REMEMBER_SECONDS)
