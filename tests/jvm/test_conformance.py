"""Values, arguments and mistakes are the same bytes in Java as in Python."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.jsonform import to_json
from tests.dotnet.languages import ARGUMENTS, VALUES
from tests.flows import Flow, outcome

# Java's spelling of what tests/dotnet/languages.py has in Python; what is missing, Java does not have.
JAVA_VALUES = {
    "nothing": "null",
    "truth": "true",
    "whole": "42",
    "long": "1L << 40",
    "huge": "BigInteger.TWO.pow(70)",
    "number": "0.1 + 0.2",
    "round": "1e15",
    "large": "1.5e300",
    "small": "-0.00000125",
    "nan": "Double.NaN",
    "money": 'new BigDecimal("1.50")',
    "text": r'"é\"\\\n\t/<😀\u0001"',
    "letter": "'a'",
    "list": "List.of(1, 2, 3)",
    "array": "new double[] {1.0, 2.5}",
    "lazy": "List.of(0, 1, 2)",
    "grid": "new int[][] {{1, 2}, {3, 4}}",
    "dict": "named()",
    "numbered": 'Map.of(1, "x")',
    "tuple": 'new Object[] {1, "a", 2.0}',
    "set": "Set.of(3, 1, 2)",
    "bytes": "List.of(new byte[] {'a', 'b', 'c'})",
    "moment": "LocalDateTime.of(2024, 1, 2, 3, 4, 5)",
    "exact": "LocalDateTime.of(2024, 1, 2, 3, 4, 5, 600_000).atOffset(ZoneOffset.UTC)",
    "zoned": "OffsetDateTime.of(2024, 1, 2, 3, 4, 5, 0, ZoneOffset.ofHours(-5))",
    "day": "LocalDate.of(2024, 2, 29)",
    "clock": "LocalTime.of(3, 4, 5)",
    "span": "Duration.ofDays(1).plusMillis(3_600_500)",
    "back": "Duration.ofSeconds(-90)",
    "guid": 'UUID.fromString("12345678-1234-5678-1234-567812345678")',
    "enum": "Color.Red",
    "object": "new Point(1, 2.5)",
    "table": "List.of(row())",
    "raw": "new byte[] {'a', 'b', 'c'}",
}

JAVA_ARGUMENTS = {
    "truth": "boolean",
    "whole": "int",
    "long": "long",
    "number": "double",
    "money": "BigDecimal",
    "text": "String",
    "moment": "LocalDateTime",
    "zoned": "OffsetDateTime",
    "day": "LocalDate",
    "clock": "LocalTime",
    "span": "Duration",
    "guid": "UUID",
    "raw": "byte[]",
    "list": "List<Integer>",
    "array": "double[]",
    "dict": "Map<String, Double>",
    "set": "Set<Integer>",
    "maybe": "Integer",
    "enum": "Color",
    "object": "Point",
    "objects": "List<Point>",
}

MISTAKES = [
    "",
    "a=x",
    "a=1&b=x",
    "a=1&b=2&c=3",
    "p[0]=1&p[1]=2&p[2]=3",
    b"{",
    b'{"a":null,"b":1}',
    b"[1,2,3]",
    b'"text"',
]


def _python() -> str:
    lines = [
        "from __future__ import annotations",
        "from dataclasses import dataclass",
        "from datetime import *",
        "from decimal import Decimal",
        "from enum import Enum",
        "from typing import Literal",
        "from uuid import UUID",
        "Color = Enum('Color', {'Red': 'Red', 'Green': 'Green'})",
        "@dataclass\nclass Point:\n    x: int\n    y: float",
    ]
    lines += [f"def v_{name}():\n    return {VALUES[name].python}" for name in JAVA_VALUES]
    lines += [f"def a_{name}(x: {ARGUMENTS[name].python}):\n    return x" for name in JAVA_ARGUMENTS]
    lines += ["def two(a: int, b: float) -> float:\n    return a + b"]
    lines += ["def stream(n: int):\n    for i in range(n):\n        yield {'i': i}"]
    lines += ["def cycle():\n    x = []\n    x.append(x)\n    return x"]
    return "\n".join(lines)


def _java() -> str:
    packages = ("java.math", "java.time", "java.util", "java.util.stream")
    lines = [f"import {package}.*;" for package in packages]
    lines += ["public class Values {", "public enum Color { Red, Green }", "public record Point(int x, double y) {}"]
    for name, second in {"named": "Arrays.asList(1, null)", "row": "null"}.items():
        lines += [f"static Map<String, Object> {name}() {{ var m = new LinkedHashMap<String, Object>();"]
        lines += [f'm.put("a", 1); m.put("b", {second}); return m; }}']
    lines += [f"public static Object v_{name}() {{ return {text}; }}" for name, text in JAVA_VALUES.items()]
    lines += [f"public static {kind} a_{name}({kind} x) {{ return x; }}" for name, kind in JAVA_ARGUMENTS.items()]
    lines += ["public static double two(int a, double b) { return a + b; }"]
    lines += ["public static Stream<Map<String, Integer>> stream(int n) {"]
    lines += ['return IntStream.range(0, n).mapToObj(i -> Map.of("i", i)); }']
    lines += ["public static Object cycle() { var x = new ArrayList<Object>(); x.add(x); return x; }", "}"]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """One Workflow with the same functions in two languages."""
    made = Flow(tmp_path_factory.mktemp("conformance"), Queries__python__py=_python(), Queries__Values__java=_java())
    report = made.open()
    try:
        assert not [str(d) for d in report.diagnostics if d.severity == "error"]
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("name", JAVA_VALUES)
def test_results(same: Flow, name: str) -> None:
    """A value has the same bytes as the same value of Python's."""
    assert same.answer("Values", f"v_{name}") == same.answer("python", f"v_{name}")


@pytest.mark.parametrize("name", JAVA_ARGUMENTS)
def test_arguments(same: Flow, name: str) -> None:
    """An argument is taken and given back, or refused in the same words, as by Python."""
    for value in ARGUMENTS[name].given:
        assert outcome(same, "Values", f"a_{name}", [value]) == outcome(same, "python", f"a_{name}", [value]), value


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(), min_size=50, max_size=200))
def test_numbers(same: Flow, numbers: list[float]) -> None:
    """Every number has the digits that it has in Python, in bulk and one by one."""
    text = to_json(numbers).replace(b"null", b"0.5")

    assert same.answer("Values", "a_array", b"[" + text + b"]") == text
    few = to_json(json.loads(text)[:50])
    assert same.answer("Values", "a_array", b"[" + few + b"]") == few


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=20, max_size=50))
def test_texts(same: Flow, texts: list[str]) -> None:
    """Every text is escaped as it is in Python."""
    text = to_json("".join(texts))

    assert same.answer("Values", "a_text", b"[" + text + b"]") == text


@pytest.mark.parametrize("data", MISTAKES)
def test_mistakes(same: Flow, data: str | bytes) -> None:
    """A wrong call is refused in the same words, as by Python."""
    expected = outcome(same, "python", "two", data)

    assert expected.startswith("ArgumentsError")
    assert outcome(same, "Values", "two", data) == expected


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "text/plain", "text/html"])
def test_formats(same: Flow, accept: str) -> None:
    """A table comes in all formats that Python's has."""
    assert same.answer("Values", "v_table", accept=accept) == same.answer("python", "v_table", accept=accept)


@pytest.mark.parametrize("accept", ["", "application/json", "text/event-stream"])
def test_streams(same: Flow, accept: str) -> None:
    """A stream of Java's comes in all formats that a generator has."""
    for count in (0, 3):
        expected = same.answer("python", "stream", [count], accept=accept)
        assert same.answer("Values", "stream", [count], accept=accept) == expected


def test_no_form(same: Flow) -> None:
    """What contains itself has no JSON form, and that is said in the same words."""
    with pytest.raises(NotAcceptableError) as expected:
        same.answer("python", "cycle")
    with pytest.raises(NotAcceptableError) as error:
        same.answer("Values", "cycle")

    assert str(error.value) == str(expected.value)
