"""What a row keeps of arguments, and what it must not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.host.protocol import ArgumentForm
from coflows_jupyter.runs.arguments import LIMIT, keep, positional, read
from coflows_jupyter.runtimes.protocol import Parameter

PLAIN = (Parameter("user"), Parameter("age"))
SECRET = (Parameter("user"), Parameter("password", secret=True))


@pytest.mark.parametrize(
    ("form", "data", "expected"),
    [
        ("query", b"", {}),
        ("query", b"user=a&age=1", {"user": "a", "age": "1"}),
        ("query", b"p[1]=b&p[0]=a", ["a", "b"]),
        ("query", b"x=1&x=2&y=", {"x": ["1", "2"], "y": ""}),
        ("json", b'{"user": "a", "age": 1}', {"user": "a", "age": 1}),
        ("json", b"[1, 2]", [1, 2]),
        ("json", b"", {}),
        ("json", b"{no json", None),
    ],
)
def test_arguments_read_as_json(form: ArgumentForm, data: bytes, expected: Any) -> None:
    """Whatever form they came in, a row shows an object by name or an array by position."""
    kept, text = keep(form, data, PLAIN)
    assert text is not None
    assert read(kept, text.encode()) == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_positions_survive(values: list[str]) -> None:
    """What a command line gives in order comes back in order."""
    assert read("query", positional(values)) == values


def test_large_arguments_are_not_kept() -> None:
    """A row is small whatever was sent."""
    assert keep("json", b"[" + b"1," * LIMIT + b"1]", PLAIN) == ("json", None)


@pytest.mark.parametrize(
    ("form", "data", "shown"),
    [
        ("query", b"user=ann&password=hunter2", ["ann"]),
        ("query", b"p[0]=ann&p[1]=hunter2", ["ann"]),
        ("query", b"a=hunter2&b=hunter2", []),
        ("query", b"user=ann&pasword=hunter2", []),
        ("query", b"password=hunter2&password=hunter2", []),
        ("json", b'{"user": "ann", "password": "hunter2"}', ["ann"]),
        ("json", b'{"user": "ann", "password": {"deep": "hunter2"}}', ["ann"]),
        ("json", b'["ann", "hunter2"]', ["ann"]),
        ("json", b'["hunter2", "hunter2", "hunter2"]', []),
        ("json", b'"hunter2"', []),
        ("json", b"hunter2 is no JSON", []),
    ],
)
def test_secrets_are_masked(form: ArgumentForm, data: bytes, shown: list[str]) -> None:
    """Only what certainly belongs to another parameter is kept: misspelt or misplaced secrets are not."""
    kept, text = keep(form, data, SECRET)
    assert kept == "masked"
    assert text is not None
    assert "hunter2" not in text
    assert all(value in text for value in shown)


@given(st.dictionaries(st.text(), st.text()) | st.lists(st.text()) | st.text())
def test_a_secret_never_gets_through(arguments: Any) -> None:
    """Of a function whose only parameter is a secret nothing is kept but names."""
    only = (Parameter("token", secret=True),)
    for form, data in (
        ("json", json.dumps(arguments)),
        ("query", urlencode(arguments) if isinstance(arguments, dict) else "x"),
    ):
        kept, text = keep(form, data.encode("utf-8", "replace"), only)  # type: ignore[arg-type]
        assert kept == "masked"
        assert text is not None
        found = read(kept, text.encode())
        assert set(found.values() if isinstance(found, dict) else [found]) <= {"***"}
