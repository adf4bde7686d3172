"""JSON instead of a page for what is not there."""

from __future__ import annotations

from coflows_jupyter.errors import NotFoundError
from coflows_jupyter.server.base import BaseHandler


class NotFoundHandler(BaseHandler):
    """Everything below our prefixes that no other row of the route table matches."""

    def get(self) -> None:
        """Answer 404."""
        raise NotFoundError(f"there is nothing at {self.request.path}", hint="coflows/api/openapi lists what there is")

    post = put = patch = delete = get
