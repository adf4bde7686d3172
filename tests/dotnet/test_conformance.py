"""Values, arguments and mistakes are the same bytes in every language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.jsonform import to_json
from coflows_jupyter.queries.openapi import query_document
from tests.dotnet import languages
from tests.dotnet.languages import ARGUMENTS, MISTAKES, VALUES
from tests.flows import Flow, outcome

LANGUAGES = ("csharp", "vb", "fsharp")


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """One Workflow with the same functions in four languages."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    made = Flow(
        folder,
        Queries__python__py=languages.python(),
        Queries__csharp__cs=languages.csharp(),
        Queries__vb__vb=languages.vb(),
        Queries__fsharp__fs=languages.fsharp(),
    )
    report = made.open()
    try:
        assert not [str(d) for d in report.diagnostics if d.severity == "error"]
        yield made
    finally:
        made.close()


def _cases(table: dict[str, Any]) -> list[tuple[str, str]]:
    return [(language, name) for name, row in table.items() for language in LANGUAGES if getattr(row, language)]


@pytest.mark.parametrize(("language", "name"), _cases(VALUES))
def test_results(flow: Flow, language: str, name: str) -> None:
    """A value has the same bytes as the same value of Python's."""
    expected = flow.answer("python", f"v_{name}")

    assert flow.answer(language, f"v_{name}") == expected


@pytest.mark.parametrize(("language", "name"), _cases(ARGUMENTS))
def test_arguments(flow: Flow, language: str, name: str) -> None:
    """An argument is taken and given back, or refused in the same words, as by Python."""
    for value in ARGUMENTS[name].given:
        expected = outcome(flow, "python", f"a_{name}", [value])
        assert outcome(flow, language, f"a_{name}", [value]) == expected, value


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(), min_size=50, max_size=200))
def test_numbers(flow: Flow, numbers: list[float]) -> None:
    """Every number has the digits that it has in Python."""
    given = to_json(numbers)
    given = given.replace(b"null", b"0.5")

    assert flow.answer("csharp", "a_array", b"[" + given + b"]") == given


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=20, max_size=50))
def test_texts(flow: Flow, texts: list[str]) -> None:
    """Every text is escaped as it is in Python."""
    given = to_json("".join(texts))

    assert flow.answer("csharp", "a_text", b"[" + given + b"]") == given


@pytest.mark.parametrize("data", MISTAKES)
@pytest.mark.parametrize("language", ["csharp", "vb"])
def test_mistakes(flow: Flow, language: str, data: str | bytes) -> None:
    """A wrong call is refused in the same words, as by Python."""
    expected = outcome(flow, "python", "two", data)

    assert expected.startswith("ArgumentsError")
    assert outcome(flow, language, "two", data) == expected


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "text/plain", "text/html"])
def test_formats(flow: Flow, accept: str) -> None:
    """A table comes in all formats that Python's has."""
    assert flow.answer("csharp", "v_table", accept=accept) == flow.answer("python", "v_table", accept=accept)


@pytest.mark.parametrize("accept", ["", "application/json", "text/event-stream"])
def test_streams(flow: Flow, accept: str) -> None:
    """An asynchronous stream comes in all formats that a generator has."""
    for count in (0, 3):
        expected = flow.answer("python", "stream", [count], accept=accept)
        assert flow.answer("csharp", "stream", [count], accept=accept) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_form(flow: Flow, language: str) -> None:
    """What contains itself has no JSON form, and that is said in the same words."""
    with pytest.raises(NotAcceptableError) as expected:
        flow.answer("python", "cycle")
    with pytest.raises(NotAcceptableError) as error:
        flow.answer(language, "cycle")

    assert str(error.value) == str(expected.value)


def test_a_wrong_format(flow: Flow) -> None:
    """A format that a value does not have is refused in the same words."""
    with pytest.raises(NotAcceptableError) as expected:
        flow.answer("python", "v_list", accept="image/png")
    with pytest.raises(NotAcceptableError) as error:
        flow.answer("csharp", "v_list", accept="image/png")

    assert str(error.value) == str(expected.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_openapi(flow: Flow, language: str) -> None:
    """The OpenAPI document is valid, and says of arguments what Python's says."""

    def described(name: str) -> dict[str, Any]:
        entry = flow.engine.catalog.queries[name]
        return query_document(entry, "wid", "http://localhost", entry.functions)

    document, python = described(language), described("python")
    validate(document)
    for name in ("a_list", "a_maybe", "a_day", "a_number", "a_text", "a_dict"):
        if name not in flow.engine.catalog.queries[language].functions:
            continue
        (path,) = [path for path in document["paths"] if path.endswith(f"/{name}")]
        ours, theirs = document["paths"][path], python["paths"][path.replace(language, "python")]
        assert _types(ours["get"]["parameters"]) == _types(theirs["get"]["parameters"]), name


def _types(part: Any) -> Any:
    """Leave out of a document what only says how large a number may be."""
    if isinstance(part, dict):
        return {key: _types(value) for key, value in part.items() if key not in {"minimum", "maximum"}}
    return [_types(value) for value in part] if isinstance(part, list) else part
