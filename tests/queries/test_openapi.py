"""OpenAPI documents are valid, whatever the functions look like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from openapi_spec_validator import validate
from pydantic import BaseModel, Field, create_model

from coflows_jupyter.queries.catalog import make_entry
from coflows_jupyter.queries.openapi import query_document, workflow_document
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


def every(first: int, /, leg: Leg, *rest: int, flag: bool, size: int = 1, **named: float) -> list[Leg]:
    """Have a parameter of every kind."""
    return [leg] * (first + sum(rest) + size + len(named) + flag)


def shown(x: int, *rest: int, by: str = "sum") -> dict[str, int]:
    """Put numbers together.

    >>> shown(1, 2, 3)
    {'sum': 6}
    >>> shown(4, by="product")
    <a text that is no value>
    >>> shown(unknown)
    1
    >>> shown("x")
    Traceback (most recent call last):
    TypeError: no number
    """
    return {by: x + sum(rest)}


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


def test_a_workflow_is_one_document() -> None:
    """Every Query is a tag, an operation's ID is its own, and only the functions that are named are in it."""
    text = "### <info><title>T</title><description>D</description></info>"
    entries = [
        make_entry(SourceUnit("query", name, f"{name}.py", "python", text), [describe(f) for f in functions])[0]
        for name, functions in (("a", (simple, models)), ("a.b c", (simple, every, untyped)))
    ]
    queries = [(entries[0], ["simple"]), (entries[1], list(entries[1].functions))]
    found = workflow_document("W", "w id", "http://localhost:8888", queries)
    validate(found)
    assert list(found["paths"]) == ["/a/simple", "/a.b%20c/simple", "/a.b%20c/every", "/a.b%20c/untyped"]
    assert found["servers"] == [{"url": "http://localhost:8888/flow/query/w%20id"}]
    assert found["tags"] == [{"name": "a", "description": "T: D"}, {"name": "a.b c", "description": "T: D"}]
    operations = [operation for path in found["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert {tag for operation in operations for tag in operation["tags"]} == {"a", "a.b c"}


def test_docstrings_give_examples() -> None:
    """What a doctest calls and gets stands beside the schemas; an error or a name in it is no example."""
    found = document(shown)
    validate(found)
    post = found["paths"]["/shown"]["post"]
    assert post["requestBody"]["content"]["application/json"]["examples"] == {
        "shown(1, 2, 3)": {"value": {"x": 1, "rest": [2, 3]}},
        'shown(4, by="product")': {"value": {"x": 4, "by": "product"}},
    }
    results = post["responses"]["200"]["content"]["application/json"]["examples"]
    assert results == {"shown(1, 2, 3)": {"value": {"sum": 6}}}
    get = found["paths"]["/shown"]["get"]
    assert [(p["name"], p.get("example")) for p in get["parameters"]] == [("x", 1), ("rest", [2, 3]), ("by", None)]


def test_return_annotations_give_schemas() -> None:
    """The answer's schema is that of the annotation, and says nothing where that is unknown."""
    found = document(simple, shown, every, untyped)
    validate(found)

    def schema(name: str) -> Any:
        return found["paths"][f"/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    assert schema("simple") == {"type": "number"}
    assert schema("shown") == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert schema("every")["items"] == {"$ref": "#/components/schemas/Leg"}
    assert found["components"]["schemas"]["Leg"]["properties"]["price"]["type"] == "number"
    assert schema("untyped") == {}


class Cat(BaseModel):
    """One kind of animal."""

    kind: Literal["cat"]
    friends: dict[str, Cat | Dog] = {}


class Dog(BaseModel):
    """Another kind of animal."""

    kind: Literal["dog"]
    default: Leg | None = None


Animal = Annotated[Cat | Dog, Field(discriminator="kind")]


def zoo(animal: Animal, others: list[Animal], named: dict[str, Leg] | None = None) -> Animal:
    """Take models that refer to each other, one of which has a property with a name of JSON Schema's."""
    return others[len(named or {})] if others else animal


Namesake = create_model("Leg", name=(str, ...))


def namesake(legs: list[Namesake]) -> None:  # type: ignore[valid-type]  # made above
    """Take another type of the same name."""


def data(reference: dict[str, str] = {"$ref": "#/$defs/Leg"}) -> None:  # noqa: B006  (as users write)
    """Have a default that looks like a schema."""


def references(part: Any) -> Iterator[str]:
    """Find every reference of a document."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            elif key == "mapping":
                yield from value.values()
            else:
                yield from references(value)
    elif isinstance(part, list):
        for item in part:
            yield from references(item)


def test_references_have_a_target() -> None:
    """Definitions of schemas, also those that contain themselves, are components of the document."""
    found = document(models, zoo, every)
    validate(found)
    assert not [part for part in references(found) if "$defs" in part]
    for reference in references(found):
        target = found
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
    assert {"Leg", "Cat", "Dog", "Problem"} == set(found["components"]["schemas"])


def test_types_of_one_name_stay_apart() -> None:
    """Two types of the same name are two components, equal ones are one."""
    found = document(models, namesake, every)
    validate(found)
    assert set(found["components"]["schemas"]) == {"Leg", "Leg_2", "Problem"}
    body = found["paths"]["/namesake"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["legs"]["items"] == {"$ref": "#/components/schemas/Leg_2"}
    assert list(found["components"]["schemas"]["Leg_2"]["properties"]) == ["name"]


def test_data_is_left_alone() -> None:
    """A default that looks like a reference is a value."""
    found = document(data)
    validate(found)
    parameter = found["paths"]["/data"]["get"]["parameters"][0]["content"]["application/json"]
    assert parameter["schema"]["default"] == {"$ref": "#/$defs/Leg"}


def test_structured_parameters_are_json_text() -> None:
    """Lists and objects travel as JSON in a query string, optional ones too; ``*args`` repeat their name."""
    parameters = {p["name"]: p for p in document(zoo)["paths"]["/zoo"]["get"]["parameters"]}
    assert all("content" in parameter for parameter in parameters.values())
    rest = document(variadic)["paths"]["/variadic"]["get"]["parameters"][1]
    assert rest["schema"] == {"type": "array", "items": {"type": "integer"}}
