"""OpenAPI documents of Queries."""

from __future__ import annotations

import msgspec
import yaml

from coflows_jupyter.access.permissions import AccessType, may_call, permission
from coflows_jupyter.errors import DeniedError, NotFoundError
from coflows_jupyter.queries.openapi import query_document
from coflows_jupyter.server.base import BaseHandler


class QueryOpenApiHandler(BaseHandler):
    """``GET /flow/openapi/WID/QID``: YAML as the original, JSON by ``.json`` or by the Accept header."""

    def get(self, workflow: str, query: str, suffix: str | None = None) -> None:
        """Describe those functions of the Query that the caller may call."""
        viewer = permission(self.caller, workflow) >= AccessType.VIEW
        try:
            engine, entry = self.services.workflows.query(workflow, query)
        except NotFoundError:
            if viewer:
                raise
            raise DeniedError(self.refusal or "a key is needed") from None
        functions = [
            name
            for name, function in entry.functions.items()
            if may_call(self.caller, engine.id, function.grants, closed=function.closed)
        ]
        if not functions and not viewer:
            raise DeniedError(self.refusal or "you may not call any function of this Query")
        server_url = f"{self.request.protocol}://{self.request.host}{self.base_url}".rstrip("/")
        document = query_document(entry, engine.id, server_url, functions)
        if suffix == ".json" or (not suffix and "json" in self.request.headers.get("Accept", "")):
            self.write_json(msgspec.json.encode(document))
        else:
            self.set_header("Content-Type", "application/yaml")
            self.finish(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
