"""The native REST API, which the sidebar, the notebook client and the CLI use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from coflows_jupyter.access.permissions import AccessType, may_call, permission
from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.queries.catalog import FunctionEntry, QueryEntry
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.models import (
    Finding,
    FunctionModel,
    QueryList,
    QueryModel,
    Report,
    WorkflowList,
    WorkflowStatus,
)


class WorkflowsHandler(BaseHandler):
    """``GET /coflows/api/workflows``."""

    def get(self) -> None:
        """List the Workflows that the caller may view."""
        engines = [e for e in self.services.workflows if permission(self.caller, e.id) >= AccessType.VIEW]
        self.write_json(msgspec.json.encode(WorkflowList([engine.status() for engine in engines])))


class OneWorkflowHandler(BaseHandler):
    """Base of what concerns one Workflow."""

    def findings(self, diagnostics: Iterable[Diagnostic]) -> tuple[Finding, ...]:
        """Add to each diagnostic where Lab finds its file."""
        return tuple(Finding(**_fields(d), path=self.services.lab_path(d.file)) for d in diagnostics)


class WorkflowHandler(OneWorkflowHandler):
    """``GET /coflows/api/workflows/WID``."""

    def get(self, workflow: str) -> None:
        """Describe a Workflow."""
        status = self.services.engine(workflow).status()
        fields = _fields(status) | {"diagnostics": self.findings(status.diagnostics)}
        config = self.services.engine(workflow).config
        answer = WorkflowStatus(
            **fields,
            path=self.services.lab_path(status.folder),
            config_path=self.services.lab_path(config.file or ""),
            package_path=self.services.lab_path(config.workflow),
            certificate=self.services.certificate,
        )
        self.write_json(msgspec.json.encode(answer))


class BuildHandler(OneWorkflowHandler):
    """``POST /coflows/api/workflows/WID/build``."""

    async def post(self, workflow: str) -> None:
        """Build from what is on disk; a Build that fails is an answer, not an error."""
        report = await self.services.engine(workflow).build()
        fields = _fields(report) | {"diagnostics": self.findings(report.diagnostics)}
        self.write_json(msgspec.json.encode(Report(**fields)))


class QueriesHandler(BaseHandler):
    """``GET /coflows/api/workflows/WID/queries``."""

    def get(self, workflow: str) -> None:
        """List Queries, their functions and the parameters of these."""
        engine = self.services.engine(workflow)
        queries = [self._query(engine.id, entry) for entry in engine.catalog.queries.values()]
        self.write_json(msgspec.json.encode(QueryList(engine.catalog.build, queries)))

    def _query(self, workflow: str, entry: QueryEntry) -> QueryModel:
        functions = [self._function(workflow, entry.id, function) for function in entry.functions.values()]
        path = self.services.lab_path(entry.path)
        return QueryModel(entry.id, entry.name, path, entry.language, entry.info, functions)

    def _function(self, workflow: str, query: str, entry: FunctionEntry) -> FunctionModel:
        signature = entry.signature
        return FunctionModel(
            name=signature.name,
            description=entry.description,
            returns=entry.returns or signature.returns,
            doc=signature.doc,
            line=signature.line,
            closed=entry.closed,
            timeout=entry.timeout or self.services.engine(workflow).config.host.timeout,
            permissions=entry.grants,
            callable=may_call(self.caller, workflow, query, signature.name, entry.grants, closed=entry.closed),
            parameters=signature.parameters,
            url="flow/query/" + "/".join(quote(part, safe="") for part in (workflow, query, signature.name)),
        )


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}
