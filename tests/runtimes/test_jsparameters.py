"""Parameters of JavaScript functions, read from their text."""

from __future__ import annotations

import inspect

import pytest
import quickjs
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.runtimes.jsparameters import UNSET, parameters

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}_", fullmatch=True)
DEFAULTS = {"": None, " = 2": 2, " = 'x, y'": "x, y", " = [1, {a: 2}]": UNSET, " = f(')', 1)": UNSET, ' = "=>"': "=>"}
SHAPES = ("function f({}) {{}}", "async function f({}) {{}}", "function* ({}) {{}}", "({}) => 1", "async ({}) => 1")


def spelled(text: str) -> list[tuple[str, object]]:
    """Return names and defaults."""
    return [(p.name, p.default) for p in parameters(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x => x", ["x"]),
        ("async x => x", ["x"]),
        ("() => 1", []),
        ("function f() { return g(1, 2) }", []),
        ("function f(a, /* b, */ c, // d\n e) {}", ["a", "c", "e"]),
        ("function f({a, b = [1, 2]}, [c, d]) {}", ["p0", "p1"]),
        ("function f(a,) {}", ["a"]),
        ("(a, $b) => 1", ["a", "_b"]),
    ],
)
def test_names(text: str, expected: list[str]) -> None:
    """Comments, trailing commas and what is taken apart are no names."""
    assert [p.name for p in parameters(text)] == expected


def test_defaults() -> None:
    """A default with a JSON form is known; after one, no parameter is required, and the rest takes any number."""
    (first, second, third, rest) = parameters("function f(a, b = -1.5, c, ...d) {}")
    assert first.default is inspect.Parameter.empty
    assert (second.default, third.default) == (-1.5, UNSET)
    assert rest.kind is inspect.Parameter.VAR_POSITIONAL
    assert spelled("(a = null, b = {}, c = new Date(1, 2)) => a") == [("a", None), ("b", {}), ("c", UNSET)]


@given(st.lists(st.tuples(NAMES, st.sampled_from([*DEFAULTS])), unique_by=lambda one: one[0]), st.sampled_from(SHAPES))
def test_any_function(given_parameters: list[tuple[str, str]], shape: str) -> None:
    """Names come out in order, as often as QuickJS itself counts them up to the first default."""
    text = shape.format(", ".join(name + default for name, default in given_parameters))
    found = parameters(text)
    assert [p.name for p in found] == [name for name, _ in given_parameters]
    for parameter, (_, default) in zip(found, given_parameters, strict=True):
        if default:
            assert parameter.default == DEFAULTS[default]
    required = sum(p.default is inspect.Parameter.empty for p in found)
    assert quickjs.Context().eval(f"({text}).length") == required
