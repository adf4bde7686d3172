"""OpenAPI 3.1 documents of Queries.

The format is the OpenAPI Initiative's, version 3.1.0 (https://spec.openapis.org/oas/v3.1.0).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from coflows_jupyter.queries.catalog import FunctionEntry, QueryEntry
from coflows_jupyter.queries.examples import Example, examples
from coflows_jupyter.queries.results import JSON, MEDIA_TYPES, NDJSON
from coflows_jupyter.queries.schemas import Components, json_types
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
    paths = {f"/{quote(name)}": _path(entry.functions[name], name, entry.id) for name in functions}
    return _document(_info(entry), _base(server_url, workflow, entry.id), paths)


def workflow_document(
    name: str, workflow: str, server_url: str, queries: Iterable[tuple[QueryEntry, Iterable[str]]]
) -> dict[str, Any]:
    """Describe all Queries of a Workflow in one document, each under a tag of its own.

    Args:
        name: the Workflow's name.
        workflow: its ID.
        server_url: where the server answers, with its base path and without a slash at the end.
        queries: each Query to describe, with the names of those of its functions that the reader may call.
    """
    paths, tags = {}, []
    for entry, functions in queries:
        tags.append(_tag(entry))
        for function in functions:
            # The last dot of an operation's ID ends that of the Query: a function's name has none.
            operation = f"{entry.id}.{function}"
            paths[f"/{quote(entry.id, safe='')}/{quote(function)}"] = _path(
                entry.functions[function], operation, entry.id
            )
    info = {"title": name or workflow, "version": "1.0.0"}
    return _document(info, _base(server_url, workflow), paths) | {"tags": tags}


def _base(server_url: str, *path: str) -> str:
    return "/".join([server_url, "flow/query", *(quote(part, safe="") for part in path)])


def _document(info: dict[str, Any], base: str, paths: dict[str, Any]) -> dict[str, Any]:
    components = Components({"Problem": PROBLEM_SCHEMA})
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": base}],
        "security": [{"key": []}, {"bearer": []}],
        "paths": components.take(paths),
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": components.schemas,
            "responses": {code: _problem(text) for code, text in _PROBLEMS.items()},
        },
    }


def _tag(entry: QueryEntry) -> dict[str, Any]:
    texts = [entry.info.title, entry.info.description]
    return {"name": entry.id, "description": ": ".join(filter(None, texts))}


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


def _path(entry: FunctionEntry, operation: str, tag: str) -> dict[str, Any]:
    signature = entry.signature
    shown = examples(signature)
    shared: dict[str, Any] = {
        "summary": signature.name,
        "description": entry.description or signature.doc,
        "tags": [tag],
        "responses": _responses(entry, shown),
    }
    if entry.grants is not None and any(g.group == "Public" and g.level == 0 for g in entry.grants):
        shared["security"] = [{}, {"key": []}, {"bearer": []}]
    values = shown[0].arguments if shown else {}
    parameters = [_query_parameter(p, values) for p in signature.parameters if p.kind != "var_keyword"]
    body = {"schema": _body_schema(entry)} | _examples((e.call, e.arguments) for e in shown)
    return {
        "get": {**shared, "operationId": f"{operation}_get", "parameters": parameters},
        "post": {
            **shared,
            "operationId": f"{operation}_post",
            "requestBody": {"required": False, "content": {JSON: body}},
        },
    }


def _examples(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the ``examples`` of a media type, named by the calls that they belong to."""
    named = {call: {"value": value} for call, value in values}
    return {"examples": named} if named else {}


def _query_parameter(parameter: Parameter, values: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required and parameter.kind != "var_positional",
    }
    if parameter.description:
        document["description"] = parameter.description
    typed = {"schema": _schema(parameter)}
    if parameter.name in values:
        typed["example"] = values[parameter.name]
    if json_types(parameter.schema) & {"object", "array"}:
        # Structured values travel as JSON text in a query string.
        return document | {"content": {JSON: typed}}
    return document | typed


def _body_schema(entry: FunctionEntry) -> dict[str, Any]:
    parameters = entry.signature.parameters
    properties = {
        p.name: _schema(p) | ({"description": p.description} if p.description else {})
        for p in parameters
        if p.kind != "var_keyword"
    }
    required = [p.name for p in parameters if p.required and p.kind in {"positional", "keyword"}]
    by_name: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        by_name["required"] = required
    if not any(p.kind == "var_keyword" for p in parameters):
        by_name["additionalProperties"] = False
    return by_name


def _schema(parameter: Parameter) -> dict[str, Any]:
    schema = parameter.schema
    if parameter.kind == "var_positional":
        return {"type": "array", "items": schema}
    if parameter.default and "default" not in schema:
        return schema | {"default": msgspec.json.decode(parameter.default)}
    return schema


def _responses(entry: FunctionEntry, shown: Iterable[Example]) -> dict[str, Any]:
    content: dict[str, Any] = {
        kind: {"schema": _TEXT if kind.startswith("text/") else {}} for kind in MEDIA_TYPES.values()
    }
    results = _examples((example.call, example.results[0]) for example in shown if example.results)
    content[JSON] = {"schema": entry.signature.returns_schema} | results
    content[NDJSON] = {"schema": _TEXT}
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
