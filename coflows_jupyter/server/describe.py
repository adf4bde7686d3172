"""The OpenAPI document of the native REST API, generated from the route table."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter import __version__
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.problems import CONTENT_TYPE, Problem
from coflows_jupyter.server.rules import Rule

if TYPE_CHECKING:
    from coflows_jupyter.server.route import Route

_REF = "#/components/schemas/{name}"


class DescribeHandler(BaseHandler):
    """``GET /coflows/api/openapi``."""

    def get(self) -> None:
        """Describe the native REST API."""
        from coflows_jupyter.server.routes import ROUTES

        servers = [{"url": f"{self.request.protocol}://{self.request.host}{self.base_url}".rstrip("/")}]
        self.write_json(msgspec.json.encode(document(ROUTES) | {"servers": servers}))


@functools.cache
def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document without ``servers``."""
    described = [route for route in routes if route.path]
    models = [Problem, *(route.answer for route in described if route.answer)]
    _, schemas = msgspec.json.schema_components(models, ref_template=_REF)
    paths = {
        route.path: {
            method.lower(): _operation(route, method, rule)
            for method, rule in route.rules.items()
            if method not in {"HEAD", "OPTIONS"}
        }
        | _parameters(route.path)
        for route in described
    }
    key = {"type": "apiKey", "in": "header", "name": "x-api-key"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "CoFlows for Jupyter", "version": __version__},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"key": key}},
    }


def _operation(route: Route, method: str, rule: Rule) -> dict[str, Any]:
    if route.answer is not None:
        content = {"application/json": {"schema": {"$ref": _REF.format(name=route.answer.__name__)}}}
    elif route.path.endswith("/events"):
        content = {"text/event-stream": {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": {"type": "object"}}}
    answers: dict[str, Any] = {"200": {"description": "OK", "content": content}}
    problem = {CONTENT_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    if rule is not Rule.PUBLIC:
        answers["401"] = {"description": "No key", "content": problem}
        answers["403"] = {"description": "Not allowed", "content": problem}
    if "{" in route.path:
        answers["404"] = {"description": "No such Workflow or run", "content": problem}
    if route.path.endswith("/ready"):
        answers["503"] = {"description": "Not ready", "content": content}
    name = re.sub(r"\W+", "_", route.path.removeprefix("/coflows/api/")).strip("_")
    return {
        "operationId": f"{method.lower()}_{name}",
        "summary": route.summary,
        "security": [] if rule is Rule.PUBLIC else [{"key": []}],
        "responses": answers,
    }


def _parameters(path: str) -> dict[str, Any]:
    schema = {"type": "string"}
    found = [{"name": n, "in": "path", "required": True, "schema": schema} for n in re.findall(r"\{(\w+)\}", path)]
    return {"parameters": found} if found else {}
