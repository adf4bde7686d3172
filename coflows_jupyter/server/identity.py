"""Who sends a request: the bearer of a key, or the user of Lab.

A browser adds cookies to whatever another site's page asks for, and such a page can put a known key into a URL. So
what a page of another site can bring along (a cookie, a key in the URL) counts only when the request comes from our
own pages or from no page at all; a key in the URL also when it comes from a site of the ``Cors`` list. A key in a
header needs no such check: a page of another site can't send one.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast, get_args
from urllib.parse import unquote_plus, urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from coflows_jupyter.access.jupyter import Person
from coflows_jupyter.access.keys import Place
from coflows_jupyter.access.permissions import AccessType, Caller, Door
from coflows_jupyter.server import cors

if TYPE_CHECKING:
    from jupyter_server.auth.identity import User

    from coflows_jupyter.server.base import BaseHandler

_BEARER = re.compile(r"(?:token|bearer)\s+(\S+)", re.IGNORECASE)
_DOORS = frozenset(get_args(Door)) - {"agent"}
_OWN_SITE = frozenset({"same-origin", "none"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
DOOR_HEADER = "X-Coflows-Door"


@functools.lru_cache(maxsize=64)
def _bearer_of_key(door: Door) -> Caller:
    return Caller("root", "root", "key", door, AccessType.WRITE)


def by_key(handler: BaseHandler) -> Caller | None:
    """Identify the caller by a key; takes keys out of ``handler.query``, and notes why one was not accepted."""
    headers = handler.request.headers
    caller = None
    if "X-Api-Key" in headers:
        caller = find(handler, headers["X-Api-Key"], "x-api-key")
    if caller is None and "_cokey" in headers:
        caller = find(handler, headers["_cokey"], "header")
    if caller is None and "Authorization" in headers and (bearer := _BEARER.fullmatch(headers["Authorization"])):
        caller = find(handler, bearer[1], "header")
    if caller is not None:
        handler.presented = "header"
    if "_cokey=" in handler.query or "uid=" in handler.query:
        in_url = _from_url(handler)
        if in_url is not None:
            caller, handler.presented = in_url, "url"
    return caller


def find(handler: BaseHandler, candidate: str, place: Place) -> Caller | None:
    """Return who presents ``candidate``: a key of this run, or of a person.

    Raises:
        NotReadyError: people are not known yet.
    """
    services = handler.services
    key = services.keys.find(candidate, place)
    if key is not None:
        return _bearer_of_key(_door(handler, key.door))
    return services.directory.find(candidate, _door(handler, "http"))


def _from_url(handler: BaseHandler) -> Caller | None:
    handler.query, candidates = take_keys(handler.query, handler.services.holds)
    found = next(filter(None, (find(handler, candidate, "url") for candidate in candidates)), None)
    if found is not None and is_cross_site(handler.request) and not cors.listed(handler):
        handler.refusal = "a key in the URL is not accepted from a page of another site"
        return None
    return found


def take_keys(query: str, holds: Callable[[str], bool]) -> tuple[str, list[str]]:
    """Split a query string into the arguments of a call and the keys in it.

    ``_cokey`` always is a key. ``uid``, the oldest form's name for it, is one only with the value of a key: a
    function may have a parameter of that name.

    Args:
        query: the query string.
        holds: tells whether a text is a key.
    """
    arguments, candidates = [], []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name == "_cokey" or (name == "uid" and holds(unquote_plus(value))):
            candidates.append(unquote_plus(value))
        else:
            arguments.append(part)
    return "&".join(arguments), candidates


def is_cross_site(request: HTTPServerRequest) -> bool:
    """Whether a browser sent this for a page of another site; programs send none of these headers."""
    headers = request.headers
    if "Sec-Fetch-Site" in headers:
        return headers["Sec-Fetch-Site"] not in _OWN_SITE
    # Browsers leave it out where there is no TLS.
    page = headers.get("Origin") or headers.get("Referer")
    return page is not None and urlsplit(page.lower()).netloc != request.host.lower()


def may_have_session(handler: BaseHandler) -> bool:
    """Whether it is worth asking Jupyter who this is."""
    headers = handler.request.headers
    return "Cookie" in headers or "Authorization" in headers or not handler.identity_provider.auth_enabled


async def by_session(handler: BaseHandler) -> Caller | None:
    """Identify the caller as Jupyter does, whatever its identity provider; notes why a session was not accepted."""
    provider = handler.identity_provider
    found = provider.get_user(handler)
    user: User | None = await found if isinstance(found, Awaitable) else found
    # Jupyter renews or clears its cookie here; the answer to a call leaves the browser's session alone.
    handler.clear_header("Set-Cookie")
    if user is None:
        return None
    # Jupyter skips the checks below for its token, too: no page of another site can send it.
    if not provider.is_token_authenticated(handler) and (reason := _forged(handler)):
        handler.refusal = reason
        return None
    handler.presented = "session"
    if isinstance(user, Person):
        return handler.services.directory.person(user.account, user.sessions, _door(handler, "http"))
    name = user.display_name or user.username
    return Caller(user.username, name, "lab", _door(handler, "http"), AccessType.WRITE)


def _door(handler: BaseHandler, default: Door) -> Door:
    """Return where the call came in, as our own clients say."""
    said = handler.request.headers.get(DOOR_HEADER, default)
    return cast("Door", said) if said in _DOORS else default


def _forged(handler: BaseHandler) -> str:
    """Say what tells that a page of another site sent the request in the user's name; empty when nothing does."""
    if is_cross_site(handler.request):
        return "a Lab session is not accepted from a page of another site"
    if handler.request.method in _SAFE_METHODS or handler.settings.get("disable_check_xsrf", False):
        return ""
    try:
        handler.check_session_xsrf()
    except HTTPError:
        return "a Lab session needs the X-XSRFToken header for this method"
    return ""


@functools.lru_cache(maxsize=256)
def is_local_host(host: str, local_names: tuple[str, ...]) -> bool:
    """Whether a Host header names this machine.

    A page that rebinds its own name to 127.0.0.1 is refused by this, as in Jupyter's own handlers.

    Args:
        host: the header's value.
        local_names: further names that count, ``ServerApp.local_hostnames``.
    """
    name = re.sub(r":\d+$", "", host).strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name in local_names
