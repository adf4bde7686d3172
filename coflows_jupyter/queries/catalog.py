"""The catalog: everything a door needs to know about a Build's functions without running them."""

from __future__ import annotations

import msgspec

from coflows_jupyter.access.permissions import Grant
from coflows_jupyter.runtimes.protocol import Signature


class Info(msgspec.Struct, frozen=True):
    """The ``<info>`` element of a Query's doc comment."""

    title: str = ""
    version: str = "0.0.1"
    description: str = ""
    terms_of_service: str = ""
    contact_name: str = ""
    contact_url: str = ""
    contact_email: str = ""
    license_name: str = ""
    license_url: str = ""


class FunctionEntry(msgspec.Struct, frozen=True):
    """One callable function of a Query.

    Args:
        signature: name, parameters (with the doc comment's descriptions merged in), docstring.
        description: ``<description>`` of the doc comment, else the docstring's first paragraph.
        returns: ``<returns>`` of the doc comment.
        grants: permissions that the doc comment names; ``None`` when it names none.
        closed: the documentation could not be read, so nobody may call.
        timeout: seconds of ``<api timeout>``; 0 means the Workflow's own.
    """

    signature: Signature
    description: str = ""
    returns: str = ""
    grants: tuple[Grant, ...] | None = None
    closed: bool = False
    timeout: float = 0.0


class QueryEntry(msgspec.Struct, frozen=True):
    """One Query: a file whose public functions are endpoints."""

    id: str
    name: str
    path: str
    language: str
    info: Info
    functions: dict[str, FunctionEntry]


class Catalog(msgspec.Struct, frozen=True):
    """All Queries of one Build by ID."""

    build: str = ""
    queries: dict[str, QueryEntry] = {}
