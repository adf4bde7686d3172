"""The JSON dialect of the config files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.jsonc import MAX_DEPTH, Place, parse

SEED = Path(__file__).parent / "data" / "seed_config.json"

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NOISE = st.sampled_from(["", " ", "\n", "\r\n", "\t", '// a, "b": {\n', '/* } ] , " \n */', "/**/"])
# A token of a json.dumps document: a text, or any single character outside of one.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+|[{}\[\],:]')


@given(VALUES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_every_json_document_parses_equal(value: Any, indent: Any, ascii_only: Any) -> None:
    """What json.dumps writes is read back equal, without any finding."""
    document = parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only), "x.json")
    assert document.value == value
    assert [d for d in document.diagnostics if d.code != "duplicate-key"] == []


@given(VALUES, st.data())
def test_comments_and_trailing_commas_change_nothing(value: Any, data: st.DataObject) -> None:
    """Comments and blanks may stand between any two tokens, a comma before any closing bracket."""
    text = data.draw(NOISE)
    previous = ""
    for token in TOKEN.findall(json.dumps(value)):
        if token in ("}", "]") and previous not in ("{", "[") and data.draw(st.booleans()):
            text += "," + data.draw(NOISE)
        text += token + data.draw(NOISE)
        previous = token
    document = parse(text, "x.json")
    assert document.value == value
    assert document.diagnostics == []


@given(VALUES)
def test_every_value_has_its_place(value: Any) -> None:
    """The span of each path holds the text of exactly that value."""
    document = parse(json.dumps(value, indent=1), "x.json")
    for path, (start, end) in document.spans.items():
        expected = value
        for step in path:
            expected = expected[step]
        assert json.loads(document.text[start:end]) == expected


@given(st.text(alphabet='{}[]",:/*\\ \n1aetru-.', max_size=30) | st.text(max_size=30))
def test_any_text_gives_a_value_or_one_error(text: str) -> None:
    """Nothing raises; a text without a value has exactly one error, with a place and a next step."""
    document = parse(text, "x.json")
    errors = [d for d in document.diagnostics if d.severity == "error"]
    assert len(errors) == (not document.ok)
    for error in errors:
        assert error.line >= 1
        assert error.column >= 1
        assert error.hint


def test_seed_example_has_one_warning() -> None:
    """The seed's own example misses one comma: a warning with its place, and every value is there."""
    document = parse(SEED.read_text(), "coflows_config.json")
    assert str(document.diagnostics[0]) == (
        'coflows_config.json:21:9: warning: a comma is missing before "AzureContainerInstance"'
        " (write , after the value above it)"
    )
    assert len(document.diagnostics) == 1
    assert document.value["Cloud"]["SSL"] is True
    assert document.value["AzureContainerInstance"]["Gpu"]["Cores"] == 1
    assert document.place(("AzureContainerInstance", "Gpu", "Cores")) == Place(29, 26)


def test_byte_order_mark_is_no_column() -> None:
    """A byte order mark is skipped and columns count as an editor shows them."""
    document = parse('\ufeff{"a": 1}', "x.json")
    assert document.value == {"a": 1}
    assert document.place(("a",), key=True) == Place(1, 2)


def test_missing_path_has_the_place_of_what_encloses_it() -> None:
    """A missing key is reported where its section starts."""
    document = parse('{\n  "a": {"b": [1]}\n}', "x.json")
    assert document.place(("a", "c", "d")) == Place(2, 8)
    assert document.place(("a", "b", 0)) == Place(2, 15)
    assert document.place(("z",)) == Place(1, 1)


def test_later_duplicate_counts() -> None:
    """A key given twice is a warning at the second one, which wins as in every JSON reader."""
    document = parse('{"a": 1,\n"a": 2}', "x.json")
    assert document.value == {"a": 2}
    (warning,) = document.diagnostics
    assert (warning.severity, warning.code, warning.line, warning.column) == ("warning", "duplicate-key", 2, 1)


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("", 1, 1, "empty", "{}"),
        ("// nothing\n", 2, 1, "empty", "{}"),
        ('{"a": 1', 1, 8, "line 1, column 1", "missing }"),
        ('{"a": [1,', 1, 10, "line 1, column 7", "missing ]"),
        ('{"a": 1]', 1, 8, "found ]", "}"),
        ('{"a" 1}', 1, 6, "a word", '"a":'),
        ('{"a":}', 1, 6, "found }", "number"),
        ("{a: 1}", 1, 2, "a word without quotes where a key", '"a"'),
        ("{'a': 1}", 1, 2, "found '", '"key"'),
        ('{"a": True}', 1, 7, "a word", "write true"),
        ('{"a": None}', 1, 7, "a word", "write null"),
        ('{"a": localhost}', 1, 7, "a word without quotes where a value", "double quotes"),
        ('{"a": 01}', 1, 7, "a word", "number"),
        ('{"a": 1.}', 1, 7, "a word", "number"),
        ('{"a": NaN}', 1, 7, "a word", "null"),
        ('{\n"a": "C:\\Users"}', 2, 9, r"\U means nothing", r"\\ for a backslash"),
        ('{"a": "x\n"}', 1, 9, "doesn't end on its line", '"'),
        (r'{"a": "\ud800"}', 1, 7, "half a character", "both halves"),
        ('{"a": "x', 1, 7, "doesn't end", '"'),
        ('{"a": 1} /* b', 1, 10, "comment doesn't end", "*/"),
        ('{"a": [1 2]}', 1, 10, "a word", "write ,"),
        ('{"a": 1} {', 1, 10, "found {", "remove"),
        ("[,]", 1, 2, "found ,", "number"),
        ("9" * 5000, 1, 1, "digits", "text"),
    ],
)
def test_errors_say_where_what_and_what_to_write(text: str, line: int, column: int, message: str, hint: str) -> None:
    """Every syntax error names its place, what was found, and what to write."""
    document = parse(text, "x.json")
    error = document.diagnostics[-1]
    assert (error.severity, error.line, error.column) == ("error", line, column)
    assert message in error.message
    assert hint in error.hint


def test_depth_is_limited() -> None:
    """A hostile document ends in an error, not in a stack overflow."""
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x.json").ok
    document = parse("[" * 100_000, "x.json")
    assert "levels deep" in document.diagnostics[-1].message


def test_import_stays_light() -> None:
    """Command line and server load this at every start: no heavy module comes with it."""
    code = "import sys, coflows_jupyter.jsonc; print({'pydantic', 'asyncio', 'tornado'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
