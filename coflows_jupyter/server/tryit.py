"""The try-it page: a Workflow's OpenAPI document as forms, all of it served by us (``labextension/tryit``).

A page that works with the user's keys and session runs no script but its own and asks nobody else.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from coflows_jupyter.errors import NotFoundError
from coflows_jupyter.server.openapi import DocumentedHandler

STATIC = Path(__file__).with_name("static")
_FILES = {"init.js": "text/javascript", "swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class TryItHandler(DocumentedHandler):
    """``GET /flow/docs/WID`` and ``/flow/docs/WID/QID``; whoever may read the document may open its page."""

    def get(self, workflow: str, query: str | None = None) -> None:
        """Answer with the page."""
        engine, shown = self.visible(workflow, query)
        path = "/".join(quote(part, safe="") for part in (engine.id, query) if part)
        title = engine.name if query is None else shown[0][0].info.title or query
        texts = {
            "title": title or engine.id,
            "assets": f"{self.base_url}flow/docs/{quote(engine.id, safe='')}/assets",
            "openapi": f"{self.base_url}flow/openapi/{path}.json",
        }
        page = Template(_read("index.html").decode()).substitute({name: escape(text) for name, text in texts.items()})
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("Referrer-Policy", "same-origin")
        self.finish(page)


class TryItAssetHandler(DocumentedHandler):
    """``GET /flow/docs/WID/assets/NAME``: a file of the page."""

    def get(self, workflow: str, name: str) -> None:
        """Answer with the file."""
        self.visible(workflow, None)
        if name not in _FILES:
            raise NotFoundError(f"the page has no file {name!r}")
        self.set_header("Content-Type", _FILES[name])
        self.set_header("Cache-Control", "private, max-age=600")
        self.finish(_read(name))


def _read(name: str) -> bytes:
    try:
        return (STATIC / name).read_bytes()
    except FileNotFoundError:
        raise NotFoundError("the try-it page is not built", hint="install the project again") from None
