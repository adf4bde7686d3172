"""Signatures: what is known of a user's function before it is called."""

from __future__ import annotations

import functools
import math
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.runtimes.docstring import parameter_texts
from coflows_jupyter.runtimes.signature import adapted, describe, documented, parameters


class Order:
    """A type that only this module knows."""


class Leg(TypedDict):
    """An object with one field."""

    price: float


def every_kind(
    first: int,
    /,
    second: "list[int]" = [1],  # noqa: B006, UP037  (as users write)
    *rest: float,
    third: Literal["a", "b"] = "a",
    fourth: float = math.nan,
    **named: str,
) -> "Order":  # noqa: UP037
    """Say nothing yet."""
    return Order()


every_kind.__doc__ = """Take one of each.

    Args:
        first: the first one,
            on two lines
        *rest: more of them

    Returns:
        first: not a parameter
    """


def test_every_kind_of_parameter() -> None:
    """Name, kind, default, schema and description of each parameter are known."""
    found = describe(every_kind)
    assert [(p.name, p.kind, p.required, p.default) for p in found.parameters] == [
        ("first", "positional", True, ""),
        ("second", "positional", False, "[1]"),
        ("rest", "var_positional", False, ""),
        ("third", "keyword", False, '"a"'),
        ("fourth", "keyword", False, ""),
        ("named", "var_keyword", False, ""),
    ]
    schemas = {p.name: p.schema for p in found.parameters}
    assert schemas["second"] == {"type": "array", "items": {"type": "integer"}}
    assert schemas["third"] == {"type": "string", "enum": ["a", "b"]}
    assert found.parameters[0].description == "the first one, on two lines"
    assert found.parameters[2].description == "more of them"
    assert found.name == "every_kind"
    assert found.doc.startswith("Take one of each.\n\nArgs:")
    assert found.line == every_kind.__code__.co_firstlineno


def test_names_that_exist_only_for_type_checkers() -> None:
    """An annotation that can't be resolved keeps its text and accepts anything; the others keep their types."""

    def function(x: NotInstalled, y: int) -> NotInstalled:  # type: ignore[name-defined]  # noqa: F821
        """Take something."""

    first, second = describe(function).parameters
    assert (first.annotation, first.schema) == ("NotInstalled", {})
    assert second.schema == {"type": "integer"}


Unresolved = TypedDict("Unresolved", {"x": "NotInstalled"})  # type: ignore[name-defined]  # noqa: F821, UP013


@pytest.mark.filterwarnings("ignore:.*is not a Python type")
@pytest.mark.parametrize("kind", [5, Order, Callable[[int], int], Annotated[int, []], object(), Unresolved])
def test_odd_annotations_never_fail(kind: Any) -> None:
    """Whatever stands in the place of a type, the function can be described."""

    def function(x: Any) -> None:
        """Take something."""

    function.__annotations__["x"] = kind
    assert isinstance(describe(function).parameters[0].schema, dict)


def test_typed_dicts_have_a_schema() -> None:
    """A TypedDict of the standard library is an object with its fields, on every Python."""
    schema = adapted(Leg).schema
    assert schema["properties"]["price"]["type"] == "number"
    assert schema["required"] == ["price"]


def test_annotations_are_resolved() -> None:
    """Text in the place of a type, and inside of one, becomes the type."""

    def function(x: "list[Order]", y: list["Order"]) -> None:  # noqa: UP037
        """Take orders."""

    assert {p.annotation for p in parameters(function)} == {list[Order]}


def test_async() -> None:
    """A coroutine function is awaited; an async generator is not, nor what a sync decorator made of the former."""

    async def coroutine() -> None:
        """Wait."""

    async def generator() -> AsyncIterator[int]:
        """Yield."""
        yield 1

    @functools.wraps(coroutine)
    def decorated() -> int:
        return 2

    assert describe(coroutine).is_async
    assert not describe(generator).is_async
    assert not describe(decorated).is_async


def test_functions_without_a_signature() -> None:
    """What hides its parameters takes any."""
    assert [p.kind for p in describe(max).parameters] == ["var_positional", "var_keyword"]


def test_another_name() -> None:
    """A function that is called by another name than its own has that one."""
    assert describe(every_kind, "alias").name == "alias"


def test_words_of_doc_comments() -> None:
    """Types are words in any case; other words mean no type."""
    assert documented("Int32 ").annotation is int
    assert documented("DataFrame").schema == {}


@pytest.mark.parametrize(
    "doc",
    [
        "Do.\n\nArgs:\n    a (int): The a.\n    b: The b,\n        more.\n\nRaises:\n    ValueError: c",
        "Do.\n\nParameters\n----------\na : int\n    The a.\nb\n    The b,\n    more.\n\nReturns\n-------\nc\n    no",
        "Do.\n\n:param int a: The a.\n:param b: The b,\n    more.\n:returns: c",
    ],
    ids=["google", "numpy", "sphinx"],
)
def test_styles_of_docstrings(doc: str) -> None:
    """Descriptions are found in the three usual styles, each on one line."""
    assert parameter_texts(doc) == {"a": "The a.", "b": "The b, more."}


@given(st.text(alphabet=":param xArgs\n- \t*()"))
def test_any_docstring_is_read(doc: str) -> None:
    """No docstring raises."""
    parameter_texts(doc)
