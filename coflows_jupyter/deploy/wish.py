"""Calling a function of a Workflow that is sent along: what is asked for, and what comes back.

The body of such a request is a ``Wish`` as JSON in one line, and after its line feed a bundle.
"""

from __future__ import annotations

import msgspec

WISH_TYPE = "application/x-coflows-call"


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which function of the Workflow to call; without one, the Query's functions are listed.

    Args:
        query: the Query's ID.
        function: the function's name, perhaps with a format: ``F.csv``.
        arguments: texts, in order.
        accept: the wanted media type, empty for the default of the value.
    """

    query: str
    function: str = ""
    arguments: tuple[str, ...] = ()
    accept: str = ""


class Answered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a function gave back: as text, or in Base64 where it is none."""

    content_type: str
    text: str = ""
    base64: str = ""
    status: int = 200


class Listed(msgspec.Struct, frozen=True):
    """The functions of a Query, by name with the names of their parameters."""

    functions: dict[str, tuple[str, ...]]
