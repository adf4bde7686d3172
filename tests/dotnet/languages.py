"""The same values and functions, as each language writes them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Value(NamedTuple):
    """One value, as each language writes it; ``None`` where a language has no such value."""

    python: str
    csharp: str | None
    vb: str | None
    fsharp: str | None


VALUES = {
    "nothing": Value("None", "null", "Nothing", "null"),
    "truth": Value("True", "true", "True", "box true"),
    "whole": Value("42", "42", "42", "box 42"),
    "long": Value("2**40", "1L << 40", "1L << 40", "box (1L <<< 40)"),
    "huge": Value("2**70", "BigInteger.Pow(2, 70)", "BigInteger.Pow(2, 70)", "box (BigInteger.Pow(2I, 70))"),
    "number": Value("0.1 + 0.2", "0.1 + 0.2", "0.1 + 0.2", "box (0.1 + 0.2)"),
    "round": Value("1e15", "1e15", "1e15", "box 1e15"),
    "large": Value("1.5e300", "1.5e300", "1.5e300", "box 1.5e300"),
    "small": Value("-0.00000125", "-0.00000125", "-0.00000125", "box -0.00000125"),
    "nan": Value("float('nan')", "double.NaN", "Double.NaN", "box nan"),
    "money": Value("Decimal('1.50')", "1.50m", 'Decimal.Parse("1.50")', "box 1.50M"),
    "text": Value(r"'é\"\\\n\t/<😀\x01'", r'"é\"\\\n\t/<😀\u0001"', None, r'box "é\"\\\n\t/<😀\u0001"'),
    "letter": Value("'a'", "'a'", '"a"c', "box 'a'"),
    "list": Value("[1, 2, 3]", "new List<int> { 1, 2, 3 }", "New List(Of Integer) From {1, 2, 3}", "box [1; 2; 3]"),
    "array": Value("[1.0, 2.5]", "new[] { 1.0, 2.5 }", "New Double() {1.0, 2.5}", "box [| 1.0; 2.5 |]"),
    "lazy": Value("list(range(3))", "Enumerable.Range(0, 3)", "Enumerable.Range(0, 3)", "box (seq { 0 .. 2 })"),
    "grid": Value(
        "[[1, 2], [3, 4]]",
        "new[,] { { 1, 2 }, { 3, 4 } }",
        "New Integer(,) {{1, 2}, {3, 4}}",
        "box (array2D [[1; 2]; [3; 4]])",
    ),
    "dict": Value(
        "{'a': 1, 'b': [1, None]}",
        'new Dictionary<string, object> { ["a"] = 1, ["b"] = new object[] { 1, null } }',
        'New Dictionary(Of String, Object) From {{"a", 1}, {"b", New Object() {1, Nothing}}}',
        'box (Map.ofList [ "a", box 1; "b", box [| box 1; null |] ])',
    ),
    "numbered": Value(
        "{1: 'x'}",
        'new Dictionary<int, string> { [1] = "x" }',
        'New Dictionary(Of Integer, String) From {{1, "x"}}',
        'box (dict [ 1, "x" ])',
    ),
    "tuple": Value("(1, 'a', 2.0)", '(1, "a", 2.0)', '(1, "a", 2.0)', 'box (1, "a", 2.0)'),
    "set": Value(
        "{3, 1, 2}", "new HashSet<int> { 3, 1, 2 }", "New HashSet(Of Integer) From {3, 1, 2}", "box (set [3; 1; 2])"
    ),
    "bytes": Value(
        "[b'abc']",
        'new[] { "abc"u8.ToArray() }',
        'New Object() {System.Text.Encoding.UTF8.GetBytes("abc")}',
        'box [ "abc"B ]',
    ),
    "moment": Value(
        "datetime(2024, 1, 2, 3, 4, 5)",
        "new DateTime(2024, 1, 2, 3, 4, 5)",
        "New DateTime(2024, 1, 2, 3, 4, 5)",
        "box (DateTime(2024, 1, 2, 3, 4, 5))",
    ),
    "exact": Value(
        "datetime(2024, 1, 2, 3, 4, 5, 600, UTC)",
        "new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(6000)",
        "New DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(6000)",
        "box (DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks 6000L)",
    ),
    "zoned": Value(
        "datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-5)))",
        "new DateTimeOffset(2024, 1, 2, 3, 4, 5, TimeSpan.FromHours(-5))",
        "New DateTimeOffset(2024, 1, 2, 3, 4, 5, TimeSpan.FromHours(-5))",
        "box (DateTimeOffset(2024, 1, 2, 3, 4, 5, TimeSpan.FromHours -5.0))",
    ),
    "day": Value(
        "date(2024, 2, 29)", "new DateOnly(2024, 2, 29)", "New DateOnly(2024, 2, 29)", "box (DateOnly(2024, 2, 29))"
    ),
    "clock": Value("time(3, 4, 5)", "new TimeOnly(3, 4, 5)", "New TimeOnly(3, 4, 5)", "box (TimeOnly(3, 4, 5))"),
    "span": Value(
        "timedelta(days=1, seconds=3600.5)",
        "new TimeSpan(1, 1, 0, 0, 500)",
        "New TimeSpan(1, 1, 0, 0, 500)",
        "box (TimeSpan(1, 1, 0, 0, 500))",
    ),
    "back": Value(
        "timedelta(seconds=-90)",
        "TimeSpan.FromSeconds(-90)",
        "TimeSpan.FromSeconds(-90)",
        "box (TimeSpan.FromSeconds -90.0)",
    ),
    "guid": Value(
        "UUID('12345678123456781234567812345678')",
        'Guid.Parse("12345678123456781234567812345678")',
        'Guid.Parse("12345678123456781234567812345678")',
        'box (Guid.Parse "12345678123456781234567812345678")',
    ),
    "enum": Value("Color.Red", "Color.Red", "Color.Red", "box Color.Red"),
    "object": Value(
        "Point(1, 2.5)", "new Point(1, 2.5)", "New Point With {.x = 1, .y = 2.5}", "box { x = 1; y = 2.5 }"
    ),
    "complex": Value("complex(1, -2)", "new Complex(1, -2)", "New Complex(1, -2)", "box (Complex(1.0, -2.0))"),
    "table": Value("[{'a': 1, 'b': None}]", "Table()", "Table()", "box (table ())"),
    "anonymous": Value(
        "{'a': 1, 'b': 'x'}", 'new { a = 1, b = "x" }', 'New With {.a = 1, .b = "x"}', 'box {| a = 1; b = "x" |}'
    ),
    "raw": Value("b'abc'", '"abc"u8.ToArray()', 'System.Text.Encoding.UTF8.GetBytes("abc")', 'box "abc"B'),
}


class Argument(NamedTuple):
    """One type of argument, as each language writes it, and what is given for it."""

    python: str
    csharp: str
    vb: str | None
    fsharp: str | None
    given: tuple[Any, ...]


ARGUMENTS = {
    "truth": Argument("bool", "bool", "Boolean", "bool", (True, "false", 2)),
    "whole": Argument("int", "int", "Integer", "int", (7, "-7", 7.0, 7.5, None)),
    "long": Argument("int", "long", "Long", "int64", (2**40, "x")),
    "number": Argument("float", "double", "Double", "float", (1.5, 2, "1e3", "x")),
    "money": Argument("Decimal", "decimal", "Decimal", "decimal", ("1.50", 3, "x")),
    "text": Argument("str", "string", "String", "string", ("é\n", "", 5, None)),
    "moment": Argument("datetime", "DateTime", "DateTime", "DateTime", ("2024-01-02T03:04:05.6", "2024-01-02", "x")),
    "zoned": Argument("datetime", "DateTimeOffset", "DateTimeOffset", "DateTimeOffset", ("2024-01-02T03:04:05+02:00",)),
    "day": Argument("date", "DateOnly", "DateOnly", "DateOnly", ("2024-02-29", "2024-02-30")),
    "clock": Argument("time", "TimeOnly", "TimeOnly", "TimeOnly", ("03:04:05", "25:00")),
    "span": Argument("timedelta", "TimeSpan", "TimeSpan", "TimeSpan", ("P1DT2H", "-PT90S", "x")),
    "guid": Argument("UUID", "Guid", "Guid", "Guid", ("12345678-1234-5678-1234-567812345678", "x")),
    "raw": Argument("bytes", "byte[]", "Byte()", "byte[]", ("abc", 5)),
    "list": Argument("list[int]", "List<int>", "List(Of Integer)", "int list", ([1, "2"], [1, "x"], 3)),
    "array": Argument("list[float]", "double[]", "Double()", "float[]", ([1, 2.5], [None])),
    "dict": Argument(
        "dict[str, float]",
        "Dictionary<string, double>",
        "Dictionary(Of String, Double)",
        "Map<string, float>",
        ({"a": 1}, {"a": "x"}, [1]),
    ),
    "tuple": Argument("tuple[int, str]", "(int, string)", "(Integer, String)", None, ([1, "a"], [1], ["x", "a"])),
    "set": Argument("set[int]", "HashSet<int>", "HashSet(Of Integer)", "Set<int>", ([3, 1, 3],)),
    "maybe": Argument("int | None", "int?", "Integer?", "int option", (None, 3)),
    "enum": Argument("Literal['Red', 'Green']", "Color", "Color", "Color", ("Green", "Blue")),
    "object": Argument("Point", "Point", None, "Point", ({"x": 1, "y": 2}, {"x": 1}, {"x": 1, "y": "z"})),
    "objects": Argument("list[Point]", "List<Point>", None, "Point list", ([{"x": 1, "y": 2}], [{"x": "z", "y": 2}])),
}

# Arguments for `two(a: int, b: float = 2.5)`, as query strings and as JSON documents.
MISTAKES = [
    "",
    "a=x",
    "a=1&b=x",
    "a=1&c=3",
    "p[0]=1&p[1]=2&p[2]=3",
    "p[1]=2",
    b"{",
    b'{"a":null}',
    b'{"b":1}',
    b"[1,2,3]",
    b'{"a":1,"c":2}',
    b'"text"',
    "a=%ff",
]


def python() -> str:
    """Return the functions in Python."""
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
    lines += [f"def v_{name}():\n    return {value.python}" for name, value in VALUES.items()]
    lines += [f"def a_{name}(x: {kind.python}):\n    return x" for name, kind in ARGUMENTS.items()]
    lines += ["def two(a: int, b: float = 2.5) -> float:\n    return a + b"]
    lines += ["async def stream(n: int):\n    for i in range(n):\n        yield {'i': i}"]
    lines += ["def cycle():\n    x = []\n    x.append(x)\n    return x"]
    return "\n".join(lines)


def csharp() -> str:
    """Return the functions in C#."""
    lines = [
        "using System; using System.Collections.Generic; using System.Data; using System.Linq; using System.Numerics;",
        "using System.Threading.Tasks;",
        "public enum Color { Red, Green }",
        "public record Point(int x, double y);",
        "public static class Values {",
        (
            'static DataTable Table() { var t = new DataTable(); t.Columns.Add("a", typeof(int)); t.Columns.Add("b"); '
            "t.Rows.Add(1, null); return t; }"
        ),
    ]
    lines += [f"public static object v_{n}() => {v.csharp};" for n, v in VALUES.items() if v.csharp is not None]
    lines += [f"public static {k.csharp} a_{n}({k.csharp} x) => x;" for n, k in ARGUMENTS.items()]
    lines += ["public static double two(int a, double b = 2.5) => a + b;"]
    lines += [
        "public static async IAsyncEnumerable<object> stream(int n) { for (var i = 0; i < n; i++) {",
        "await Task.Yield(); yield return new { i }; } }",
        "public static object cycle() { var x = new List<object>(); x.Add(x); return x; }",
        "}",
    ]
    return "\n".join(lines)


def vb() -> str:
    """Return the functions in Visual Basic."""
    lines = [
        "Imports System.Data",
        "Imports System.Numerics",
        "Public Enum Color\nRed\nGreen\nEnd Enum",
        "Public Class Point\nPublic x As Integer\nPublic y As Double\nEnd Class",
        "Public Module Values",
        (
            "Function Table() As DataTable\nDim t As New DataTable()\n"
            't.Columns.Add("a", GetType(Integer))\nt.Columns.Add("b")\n'
            "t.Rows.Add(1, Nothing)\nReturn t\nEnd Function"
        ),
    ]
    lines += [
        f"Public Function v_{n}() As Object\nReturn {v.vb}\nEnd Function" for n, v in VALUES.items() if v.vb is not None
    ]
    lines += [
        f"Public Function a_{n}(x As {k.vb}) As {k.vb}\nReturn x\nEnd Function" for n, k in ARGUMENTS.items() if k.vb
    ]
    lines += [
        "Public Function two(a As Integer, Optional b As Double = 2.5) As Double\nReturn a + b\nEnd Function",
        "Public Function cycle() As Object\nDim x As New List(Of Object)\nx.Add(x)\nReturn x\nEnd Function",
        "End Module",
    ]
    return "\n".join(lines)


def fsharp() -> str:
    """Return the functions in F#."""
    lines = [
        "module Values",
        "open System",
        "open System.Data",
        "open System.Numerics",
        "type Color = Red = 0 | Green = 1",
        "type Point = { x: int; y: float }",
        (
            'let private table () =\n    let t = new DataTable()\n    t.Columns.Add("a", typeof<int>) |> ignore\n'
            '    t.Columns.Add("b") |> ignore\n    t.Rows.Add(box 1, null) |> ignore\n    t'
        ),
    ]
    lines += [f"let v_{n} () : obj = {v.fsharp}" for n, v in VALUES.items() if v.fsharp is not None]
    lines += [f"let a_{n} (x: {k.fsharp}) = x" for n, k in ARGUMENTS.items() if k.fsharp]
    lines += ["let cycle () : obj =\n    let x = Collections.Generic.List<obj>()\n    x.Add x\n    box x"]
    return "\n".join(lines)
