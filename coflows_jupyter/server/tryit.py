"""The try-it page: a Workflow's OpenAPI document as forms, all of it served by us (``labextension/tryit``).

The page itself says nothing of a Workflow, so it opens for everybody, and asks for a key. The document and the calls
that it makes need what they always need. It runs no script but its own and asks nobody else.
"""

from __future__ import annotations

import asyncio
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from coflows_jupyter.errors import NotFoundError
from coflows_jupyter.server import compression
from coflows_jupyter.server.base import BaseHandler

STATIC = Path(__file__).with_name("static")
_FILES = {"init.js": "text/javascript", "swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
# A picture that a function answers with is shown from a blob.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class TryItHandler(BaseHandler):
    """``GET /flow/docs/WID`` and ``/flow/docs/WID/QID``: the same page whether there is such a Workflow or not."""

    def get(self, workflow: str, query: str | None = None) -> None:
        """Answer with the page."""
        path = "/".join(quote(part, safe="") for part in (workflow, query) if part)
        texts = {
            "title": "Try it",
            "assets": f"{self.base_url}flow/docs/{quote(workflow, safe='')}/assets",
            "openapi": f"{self.base_url}flow/openapi/{path}.json",
        }
        page = Template(_read("index.html").decode()).substitute({name: escape(text) for name, text in texts.items()})
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("Referrer-Policy", "same-origin")
        self.finish(page)


class TryItAssetHandler(BaseHandler):
    """``GET /flow/docs/WID/assets/NAME``: a file of the page."""

    async def get(self, workflow: str, name: str) -> None:  # noqa: ARG002 — the address has it, the file does not
        """Answer with the file."""
        if name not in _FILES:
            raise NotFoundError(f"the page has no file {name!r}")
        self.set_header("Content-Type", _FILES[name])
        self.set_header("Cache-Control", "public, max-age=600")
        body = await asyncio.to_thread(_read, name)
        packed = compression.applies(len(body), self.request.headers.get("Accept-Encoding", ""), self._headers)
        self.finish(await asyncio.to_thread(_pack, name) if packed else body)


@cache
def _pack(name: str) -> bytes:
    return compression.pack(_read(name))


def _read(name: str) -> bytes:
    try:
        return (STATIC / name).read_bytes()
    except FileNotFoundError:
        raise NotFoundError("the try-it page is not built", hint="install the project again") from None
