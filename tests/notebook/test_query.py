"""Functions of the server as Python spells them."""

from __future__ import annotations

import inspect

import pytest

from coflows_jupyter.errors import ArgumentsError
from coflows_jupyter.notebook.client import FunctionInfo
from coflows_jupyter.notebook.query import _arguments
from coflows_jupyter.notebook.signatures import make_doc, make_signature
from coflows_jupyter.runtimes.protocol import Parameter

PARAMETERS = (
    Parameter("x", annotation="int", description="first\n   number"),
    Parameter("long", annotation="dict[str, float]", required=False, default='{"a": 1.5}', description="second"),
    Parameter("odd", required=False),
    Parameter("args", kind="var_positional", required=False),
    Parameter("only", kind="keyword", required=False, default="null"),
    Parameter("options", kind="var_keyword", required=False),
)
INFO = FunctionInfo("F", "flow/query/W/Q/F", parameters=PARAMETERS)


def test_a_signature_reads_as_in_the_source() -> None:
    """Annotations are without quotes, and a default that is no JSON shows that there is one."""
    signature = make_signature(PARAMETERS)
    assert str(signature) == "(x: int, long: dict[str, float] = {'a': 1.5}, odd=..., *args, only=None, **options)"
    assert signature.parameters["x"].default is inspect.Parameter.empty


def test_a_docstring_tells_parameters_and_result() -> None:
    """What has no description is not mentioned."""
    assert (
        make_doc("Does it.", PARAMETERS, "a number")
        == "Does it.\n\nx     first number\nlong  second\n\nReturns: a number"
    )
    assert make_doc("", (), "") == ""


def test_arguments_are_sent_by_name() -> None:
    """Unless the function takes any number of them, which have no names."""
    fixed = FunctionInfo("F", "flow/query/W/Q/F", parameters=PARAMETERS[:3])
    assert _arguments(fixed, (1, 2), {}) == {"x": 1, "long": 2}
    assert _arguments(fixed, (), {}) == {}
    assert _arguments(INFO, (1, 2, 3, 4, 5), {}) == [1, 2, 3, 4, 5]
    assert _arguments(INFO, (1,), {"only": 2}) == {"x": 1, "only": 2}


def test_arguments_that_python_refuses_too() -> None:
    """An argument given twice, and more than there are names for, never reach the server."""
    with pytest.raises(ArgumentsError, match="got an argument twice: x") as caught:
        _arguments(INFO, (1,), {"x": 2})
    assert [field.field for field in caught.value.fields] == ["x"]
    with pytest.raises(ArgumentsError, match="takes 3 arguments by position"):
        _arguments(INFO, (1, 2, 3, 4), {"only": 5})
