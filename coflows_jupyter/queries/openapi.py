"""OpenAPI 3.1 documents of Queries.

The format is the OpenAPI Initiative's, version 3.1.0 (https://spec.openapis.org/oas/v3.1.0).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from coflows_jupyter.queries.catalog import FunctionEntry, QueryEntry
from coflows_jupyter.queries.results import CSV, JSON, NDJSON, TEXT
from coflows_jupyter.runtimes.protocol import Parameter

_PROBLEMS = {
    "401": "The caller is not known",
    "403": "The caller may not call this function",
    "404": "There is no such function",
    "406": "The result has no such format",
    "422": "The arguments do not fit; `errors` has an entry per field",
    "429": "Too many calls are waiting",
    "500": "The function failed",
    "502": "The host ended during the call",
    "503": "No Build serves now; try again after `Retry-After` seconds",
    "504": "The call took longer than it may",
}

_TEXT = {"type": "string"}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "hint": _TEXT,
        "run_id": _TEXT,
        "traceback": {"type": "string", "description": "The user code's; only for callers with Write"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"field": _TEXT, "message": _TEXT, "value": _TEXT}},
        },
    },
}


def query_document(entry: QueryEntry, workflow: str, server_url: str, functions: Iterable[str]) -> dict[str, Any]:
    """Describe one Query.

    Args:
        entry: the Query.
        workflow: the Workflow's ID.
        server_url: where the server answers, with its base path and without a slash at the end.
        functions: names of the functions to describe: those that the reader may call.
    """
    base = f"{server_url}/flow/query/{quote(workflow, safe='')}/{quote(entry.id, safe='')}"
    return {
        "openapi": "3.1.0",
        "info": _info(entry),
        "servers": [{"url": base}],
        "security": [{"key": []}, {"bearer": []}],
        "paths": {f"/{quote(name)}": _path(entry.functions[name]) for name in functions},
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {"Problem": PROBLEM_SCHEMA},
            "responses": {code: _problem(text) for code, text in _PROBLEMS.items()},
        },
    }


def _info(entry: QueryEntry) -> dict[str, Any]:
    info = entry.info
    contact = {"name": info.contact_name, "url": info.contact_url, "email": info.contact_email}
    document: dict[str, Any] = {
        "title": info.title or entry.name,
        "version": info.version,
        "description": info.description,
        "termsOfService": info.terms_of_service,
        "contact": {name: text for name, text in contact.items() if text},
    }
    if info.license_name:
        document["license"] = {"name": info.license_name, **({"url": info.license_url} if info.license_url else {})}
    return {name: value for name, value in document.items() if value}


def _path(entry: FunctionEntry) -> dict[str, Any]:
    shared = {"summary": entry.signature.name, "description": entry.description or entry.signature.doc}
    get = {
        **shared,
        "operationId": f"{entry.signature.name}_get",
        "parameters": [_query_parameter(p) for p in entry.signature.parameters if p.kind != "var_keyword"],
        "responses": _responses(entry),
    }
    post = {
        **shared,
        "operationId": f"{entry.signature.name}_post",
        "requestBody": {"required": False, "content": {JSON: {"schema": _body_schema(entry)}}},
        "responses": _responses(entry),
    }
    public = entry.grants is not None and any(g.group == "Public" and g.level == 0 for g in entry.grants)
    return {"get": get | _open(public=public), "post": post | _open(public=public)}


def _open(*, public: bool) -> dict[str, Any]:
    return {"security": [{}, {"key": []}, {"bearer": []}]} if public else {}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required and parameter.kind != "var_positional",
        "schema": _schema(parameter),
    }
    if parameter.description:
        document["description"] = parameter.description
    if parameter.schema.get("type") in {"object", "array"} or "$ref" in parameter.schema:
        # Structured values travel as JSON text in a query string.
        document["content"] = {JSON: {"schema": document.pop("schema")}}
    return document


def _body_schema(entry: FunctionEntry) -> dict[str, Any]:
    named = [p for p in entry.signature.parameters if p.kind in {"positional", "keyword"}]
    properties = {p.name: _schema(p) | ({"description": p.description} if p.description else {}) for p in named}
    required = [p.name for p in named if p.required]
    by_name: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        by_name["required"] = required
    if not any(p.kind == "var_keyword" for p in entry.signature.parameters):
        by_name["additionalProperties"] = False
    return by_name


def _schema(parameter: Parameter) -> dict[str, Any]:
    schema = _inlined(parameter.schema, parameter.schema.get("$defs", {}), ())
    assert isinstance(schema, dict)
    schema = {name: value for name, value in schema.items() if name != "$defs"}
    if parameter.default and "default" not in schema:
        schema["default"] = msgspec.json.decode(parameter.default)
    return schema


def _inlined(schema: Any, definitions: dict[str, Any], seen: tuple[str, ...]) -> Any:
    """Put definitions where they are used; in a document ``#/$defs`` would point at its root."""
    if isinstance(schema, list):
        return [_inlined(item, definitions, seen) for item in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name in seen or name not in definitions:
            return {}  # a type that contains itself: anything, from here on
        rest = {k: v for k, v in schema.items() if k != "$ref"}
        return _inlined(definitions[name], definitions, (*seen, name)) | rest
    return {k: _inlined(v, definitions, seen) for k, v in schema.items() if k != "$defs"}


def _responses(entry: FunctionEntry) -> dict[str, Any]:
    content = {JSON: {"schema": {}}, CSV: {"schema": _TEXT}, TEXT: {"schema": _TEXT}, NDJSON: {"schema": _TEXT}}
    answers: dict[str, Any] = {
        "200": {
            "description": entry.returns or "The result",
            "headers": {"X-Run-Id": {"description": "Names this run", "schema": _TEXT}},
            "content": content,
        }
    }
    return answers | {code: {"$ref": f"#/components/responses/{code}"} for code in _PROBLEMS}


def _problem(text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
