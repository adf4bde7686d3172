"""A result with a status, headers or a media type of its own: ``from coflows_jupyter import Response``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Response:
    """What a function returns to say more than a value.

    Args:
        body: any result; ``str`` and ``bytes`` go out as they are where ``content_type`` is given.
        status: HTTP status, 200 to 599.
        headers: further headers.
        content_type: media type; by default it follows from ``body`` and from what the caller accepts.

    Raises:
        ValueError: ``status`` is no status of an answer.
    """

    def __init__(
        self, body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None, content_type: str = ""
    ) -> None:
        if not 200 <= status <= 599:  # noqa: PLR2004  (the range of final HTTP statuses)
            raise ValueError(f"{status} is no HTTP status of an answer: 200 to 599")
        self.body = body
        self.status = status
        self.headers = dict(headers or {})
        self.content_type = content_type
