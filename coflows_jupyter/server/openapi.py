"""OpenAPI documents of Workflows and their Queries."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import yaml

from coflows_jupyter.access.permissions import AccessType, may_call, permission
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import DeniedError, NotFoundError
from coflows_jupyter.queries.catalog import QueryEntry
from coflows_jupyter.queries.openapi import query_document, workflow_document
from coflows_jupyter.server.base import BaseHandler


class DocumentedHandler(BaseHandler):
    """Base of what shows a caller those functions that the caller may call."""

    def visible(self, workflow: str, query: str | None) -> tuple[Engine, list[tuple[QueryEntry, list[str]]]]:
        """Find the functions that the caller may call.

        Args:
            workflow: the Workflow's ID.
            query: a Query's ID, or ``None`` for all Queries.

        Returns:
            The Workflow, and of each Query that there is something to show of the names of these functions.

        Raises:
            NotFoundError, NotReadyError: about the IDs, for those who may view the Workflow.
            DeniedError: there is nothing to show to this caller.
        """
        viewer = permission(self.caller, self.services.group(workflow)) >= AccessType.VIEW
        try:
            if query is None:
                engine = self.services.engine(workflow)
                entries = list(engine.catalog.queries.values())
            else:
                engine, entry = self.services.workflows.query(workflow, query)
                entries = [entry]
        except NotFoundError:
            if viewer:
                raise
            raise DeniedError(self.refusal or "a key is needed") from None
        found = [(entry, self._callable(engine, entry)) for entry in entries]
        shown = [(entry, names) for entry, names in found if names or query]
        if not viewer and not any(names for _, names in shown):
            raise DeniedError(self.refusal or "you may not call any function here")
        return engine, shown

    def _callable(self, engine: Engine, entry: QueryEntry) -> list[str]:
        return [
            name
            for name, function in entry.functions.items()
            if may_call(self.caller, engine.id, entry.id, name, function.grants, closed=function.closed)
        ]


class OpenApiHandler(DocumentedHandler):
    """``GET /flow/openapi/WID`` and ``/flow/openapi/WID/QID``: YAML as the original, JSON by ``.json`` or by Accept."""

    async def get(self, workflow: str, query: str | None = None, suffix: str | None = None) -> None:
        """Describe those functions of the Workflow, or of one Query, that the caller may call."""
        engine, shown = self.visible(workflow, query)
        server_url = f"{self.request.protocol}://{self.request.host}{self.base_url}".rstrip("/")
        if query is None:
            document = workflow_document(engine.name, engine.id, server_url, shown)
        else:
            document = query_document(shown[0][0], engine.id, server_url, shown[0][1])
        if suffix == ".json" or (not suffix and "json" in self.request.headers.get("Accept", "")):
            self.write_json(msgspec.json.encode(document))
        else:
            self.set_header("Content-Type", "application/yaml")
            self.finish(await asyncio.to_thread(_dump, document))


def _dump(document: dict[str, Any]) -> str:
    """Write YAML, which takes seconds for hundreds of functions."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes what is shared where it is used: anchors are YAML, but few read them in an OpenAPI document."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 — PyYAML's signature
        return True
