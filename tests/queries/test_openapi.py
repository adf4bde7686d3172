"""OpenAPI documents are valid, whatever the functions look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openapi_spec_validator import validate
from pydantic import BaseModel

from coflows_jupyter.queries.catalog import make_entry
from coflows_jupyter.queries.openapi import query_document
from coflows_jupyter.runtimes.signature import describe
from coflows_jupyter.workflow.sources import SourceUnit


class Leg(BaseModel):
    """A model that contains itself."""

    price: float
    legs: list[Leg] = []


def simple(x: int, y: float = 1.5) -> float:
    """Add."""
    return x + y


def models(leg: Leg, names: list[str], *, flag: bool = False) -> None:
    """Take structured values."""


def variadic(first: str, *rest: int, **named: float) -> None:
    """Take anything."""


def untyped(a, b=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  (as users write)
    """Say nothing."""


def document(*functions: Callable[..., Any], text: str = "") -> dict[str, Any]:
    """Describe functions in one document."""
    entry, _ = make_entry(SourceUnit("query", "q", "q.py", "python", text), [describe(f) for f in functions])
    return query_document(entry, "w id", "http://localhost:8888/base", entry.functions)


def test_documents_are_valid() -> None:
    """Every kind of parameter gives a document that an independent validator accepts."""
    found = document(simple, models, variadic, untyped)
    validate(found)
    assert set(found["paths"]) == {"/simple", "/models", "/variadic", "/untyped"}
    assert found["servers"] == [{"url": "http://localhost:8888/base/flow/query/w%20id/q"}]


def test_parameters_and_body_agree() -> None:
    """GET has the parameters in order, POST the same as one object."""
    path = document(simple)["paths"]["/simple"]
    assert [(p["name"], p["required"]) for p in path["get"]["parameters"]] == [("x", True), ("y", False)]
    schema = path["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["x"]
    assert schema["properties"]["y"]["default"] == 1.5


def test_documentation_is_used() -> None:
    """Title, version and texts of the doc comment are those of the document."""
    text = (
        '### <info version="2.0"><title>T</title><license name="MIT"/></info>\n'
        '### <api name="simple"><description>D</description><returns>R</returns></api>'
    )
    found = document(simple, text=text)
    validate(found)
    assert (found["info"]["title"], found["info"]["version"]) == ("T", "2.0")
    assert found["paths"]["/simple"]["get"]["description"] == "D"
    assert found["paths"]["/simple"]["get"]["responses"]["200"]["description"] == "R"


def test_public_functions_need_no_key() -> None:
    """What anybody may call says so."""
    text = '### <api name="simple"><permissions><group id="Public" permission="view"/></permissions></api>'
    found = document(simple, text=text)
    validate(found)
    assert {} in found["paths"]["/simple"]["get"]["security"]
