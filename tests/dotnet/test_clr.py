"""C#, Visual Basic and F# Queries from their files to their answers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.compile import without_compiling
from coflows_jupyter.build.dotnet import compile_dotnet
from coflows_jupyter.errors import ArgumentsError, CrashedError, FunctionError, HostError
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.runtimes import dotnet
from coflows_jupyter.workflow.sources import SourceUnit
from tests.flows import CALLER, Flow

CSHARP = """
    using System;
    using System.Collections.Generic;
    using System.Threading;
    using System.Threading.Tasks;

    /// <info><title>Numbers</title></info>
    /// <api name="Add">
    ///   <description>Adds</description>
    ///   <returns>the sum</returns>
    ///   <param name="x" type="int">the first</param>
    ///   <param name="y" type="int">the second</param>
    ///   <permissions><group id="Public" permission="view"/></permissions>
    /// </api>
    public class Numbers
    {
        public static int Add(int x, int y = 2)
        {
            return x + y;
        }

        public static double Total(params double[] numbers)
        {
            var total = 0.0;
            foreach (var number in numbers) total += number;
            return total;
        }

        public static string Over() => "none";
        public static string Over(int a) => $"one {a}";
        public static string Over(int a, string b) => $"two {a} {b}";

        public static async Task<int> Later(int x) { await Task.Delay(1); return x; }
        public static async ValueTask<int> Soon(int x) { await Task.Yield(); return x; }
        public static async Task Nothing() => await Task.Yield();

        public static void Fail(int x)
        {
            Console.WriteLine($"about to fail with {x}");
            throw new InvalidOperationException($"no {x}");
        }

        public static async Task<string> Wait(CancellationToken token)
        {
            Console.WriteLine("waiting");
            await Task.Delay(-1, token);
            return "never";
        }

        public static async Task<int> Printed()
        {
            Console.Write("one ");
            await Task.Run(() => Console.WriteLine("two"));
            return 1;
        }

        public static IEnumerable<int> Squares(int n) { for (var i = 0; i < n; i++) yield return i * i; }

        public static double Base(double a) => new Cs.Base.csBase().Add(a, 1);
        public static int Deep(int x) => x == 0 ? 0 : 1 + Deep(x + 1);
        public static void Exit() => Environment.Exit(5);
        public static void FailFast() => Environment.FailFast("on purpose");
        public static unsafe int Pointer() => *(int*)0x7f0000000001;
        public static void Nobody() { AsyncVoid(); Thread.Sleep(-1); }
        static async void AsyncVoid()
        {
            await Task.Yield();
            throw new InvalidOperationException("nobody waits for this");
        }

        public static string Null() => ((string)null).ToUpper();
        public static int Collect() { GC.Collect(); return GC.CollectionCount(2) > 0 ? 1 : 0; }
        static int Hidden() => 1;
        public static T Generic<T>(T x) => x;
    }
"""
BASE = """
    namespace Cs.Base
    {
        public class csBase
        {
            public double Add(double a, double b) => a + b;
        }
    }
"""
FSHARP = """
    module FsQuery

    type Shape = Circle of radius: float | Dot

    let getName = "something"
    let Add (x: int) (y: int) = x + y
    let area (shape: Shape) = match shape with Circle r -> r * r | Dot -> 0.0
    let shape (r: float) = if r = 0.0 then Dot else Circle r
    let checked' (ok: bool) : Result<int, string> = if ok then Ok 1 else Error "not good"
    let later (x: int) = async { return x + 1 }
    let FromBase (x: float) = Cs.Base.csBase().Add(x, 1.0)
    let Exit () : unit = exit 5
"""
VB = """
    Public Module VbQuery
        ''' <api name="Up"><description>Makes it loud</description></api>
        Public Function Up(text As String) As String
            Return text.ToUpper()
        End Function

        Public Sub [Exit]()
            Environment.Exit(5)
        End Sub
    End Module
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """A Workflow in four languages."""
    made = Flow(
        tmp_path_factory.mktemp("mixed"),
        Base__base__cs=BASE,
        Queries__cs__cs=CSHARP,
        Queries__fs__fs=FSHARP,
        Queries__vb__vb=VB,
        Queries__py__py="def Add(x: int, y: int = 2) -> int:\n    return x + y\n",
    )
    report = made.open()
    try:
        assert report.ok, [str(d) for d in report.diagnostics]
        yield made
    finally:
        made.close()


def test_calls(mixed: Flow) -> None:
    """Functions are called by position and by name, with defaults, as overloads and with any number of arguments."""
    calls = {
        ("cs", "Add", "x=1&y=5"): b"6",
        ("cs", "Add", "p[0]=1"): b"3",
        ("cs", "Add", "y=5&x=1"): b"6",
        ("cs", "Total", "p[0]=1&p[1]=2.5"): b"3.5",
        ("cs", "Total", ""): b"0.0",
        ("cs", "Over", ""): b'"none"',
        ("cs", "Over", "p[0]=1"): b'"one 1"',
        ("cs", "Over", "p[0]=1&p[1]=b"): b'"two 1 b"',
        ("cs", "Later", "x=3"): b"3",
        ("cs", "Soon", "x=3"): b"3",
        ("cs", "Nothing", ""): b"null",
        ("cs", "Squares", "n=4"): b"[0,1,4,9]",
        ("cs", "Base", "a=2"): b"3.0",
        ("vb", "Up", "text=abc"): b'"ABC"',
        ("fs", "getName", ""): b'"something"',
        ("fs", "Add", "x=1&y=2"): b"3",
        ("fs", "area", 'p[0]={"Case":"Circle","Fields":[3]}'): b"9.0",
        ("fs", "area", "p[0]=Dot"): b"0.0",
        ("fs", "shape", "r=2"): b'{"Case":"Circle","Fields":[2.0]}',
        ("fs", "shape", "r=0"): b'"Dot"',
        ("fs", "checked'", "ok=true"): b"1",
        ("fs", "later", "x=1"): b"2",
        ("fs", "FromBase", "x=2"): b"3.0",
    }

    assert {call: mixed.answer(*call) for call in calls} == calls


def test_catalog(mixed: Flow) -> None:
    """A C# Query is described as a Python one is: documentation, permissions, types, lines; the rest is not offered."""
    entry = mixed.engine.catalog.queries["cs"]
    add = entry.functions["Add"]
    x, y = add.signature.parameters

    assert entry.info.title == "Numbers"
    assert (add.description, add.returns) == ("Adds", "the sum")
    assert [grant.group for grant in add.grants or ()] == ["Public"]
    assert (x.annotation, x.required, x.description) == ("int", True, "the first")
    assert (y.annotation, y.required, y.default) == ("int", False, "2")
    assert x.schema == {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
    assert CSHARP.splitlines()[add.signature.line - 1].strip() == "public static int Add(int x, int y = 2)"
    assert not {"Hidden", "Generic", "ToString"} & set(entry.functions)
    assert mixed.engine.catalog.queries["vb"].functions["Up"].description == "Makes it loud"


def test_exceptions(mixed: Flow) -> None:
    """What a function throws has its type, its message and the user's own stack with file and line."""
    with pytest.raises(FunctionError, match=r"^InvalidOperationException: no 7$") as error:
        mixed.answer("cs", "Fail", [7])
    line = next(n for n, text in enumerate(CSHARP.splitlines(), 1) if "throw new" in text)

    assert f"cs.cs:line {line}" in error.value.traceback
    assert "CoFlows.Host" not in error.value.traceback
    assert "about to fail with 7" in "".join(text for _, text in mixed.printed)
    with pytest.raises(FunctionError, match="not good"):
        mixed.answer("fs", "checked'", [False])


def test_output(mixed: Flow) -> None:
    """What a task of a call prints belongs to the call."""
    mixed.printed.clear()
    mixed.answer("cs", "Printed")

    assert "".join(text for _, text in mixed.printed) == "one two\n"


def test_wrong_overload(mixed: Flow) -> None:
    """No function of this name takes so many arguments."""
    with pytest.raises(ArgumentsError, match="one too many"):
        mixed.answer("cs", "Over", [1, "b", 3])
    with pytest.raises(ArgumentsError, match="a should be a whole number"):
        mixed.answer("cs", "Over", ["x"])


def test_cancellation(mixed: Flow) -> None:
    """A function that takes a token is stopped by it, and its host goes on."""
    pid = mixed.engine.status().hosts[0].pid
    with pytest.raises(HostError):
        mixed.answer("cs", "Wait", timeout=0.3)

    assert mixed.answer("cs", "Add", [1]) == b"3"
    assert mixed.engine.status().hosts[0].pid == pid


CRASHES = [
    ("cs", "Exit"),
    ("cs", "Deep"),
    ("cs", "FailFast"),
    ("cs", "Pointer"),
    ("cs", "Nobody"),
    ("fs", "Exit"),
    ("vb", "Exit"),
]


@pytest.mark.parametrize(("query", "function"), CRASHES)
def test_crash(mixed: Flow, query: str, function: str) -> None:
    """A function that ends its process ends a host and nothing else."""
    with pytest.raises(CrashedError):
        mixed.answer(query, function, [1] if function == "Deep" else [])

    assert mixed.answer("cs", "Add", [1]) == b"3"


def test_threads(mixed: Flow) -> None:
    """Calls of several languages go on at the same time, while exceptions are thrown and memory is collected."""
    queries = ("cs", "fs", "py", "fs")

    async def call(query: str, function: str, *given: int) -> object:
        data = json.dumps(given).encode()
        return (await mixed.engine.call(Call(new_run_id(), query, function, "json", data, "", CALLER, 60))).body

    async def one(first: int) -> None:
        for number in range(first, first + 250):
            if number % 50 == 0:
                assert await call("cs", "Collect") == b"1"
            elif number % 10 == 0:
                with pytest.raises(FunctionError, match="NullReferenceException"):
                    await call("cs", "Null")
            else:
                assert await call(queries[number % 4], "Add", number, 1) == str(number + 1).encode()

    async def many() -> None:
        await asyncio.gather(*(one(250 * place) for place in range(8)))

    mixed.run(many())


def test_save(flow: Callable[..., Flow]) -> None:
    """A changed file is compiled and served; one with a mistake changes nothing and says where it is."""
    made = flow(Queries__q__cs="public class Q { public static int F() => 1; }")
    assert made.answer("q", "F") == b"1"

    made.write("Queries__q__cs", "public class Q {\n  public static int F() => nope;\n}")
    report = made.build()
    assert not report.ok
    (found,) = (d for d in report.diagnostics if d.severity == "error")
    assert (found.file, found.line, found.column) == (str(made.path("Queries__q__cs")), 2, 28)
    assert (found.code, "nope" in found.message) == ("CS0103", True)
    assert made.answer("q", "F") == b"1"

    made.write("Queries__q__cs", "public class Q { public static int F() => 2; }")
    assert made.build().ok
    assert made.answer("q", "F") == b"2"


def test_only_what_depends(flow: Callable[..., Flow]) -> None:
    """At the first build only what uses the failed unit is missing."""
    made = flow(
        Base__base__cs=BASE.replace("a + b", "a + c"),
        Queries__uses__cs="public class Q { public static double F() => new Cs.Base.csBase().Add(1, 2); }",
        Queries__own__cs="public class Q { public static int F() => 1; }",
        Queries__py__py="def F():\n    return 3\n",
    )

    assert made.answer("own", "F") == b"1"
    assert made.answer("py", "F") == b"3"
    assert "uses" not in made.engine.catalog.queries
    assert {d.code for d in made.engine.status().diagnostics} == {"CS0103", "CS0246"}


def test_cache(flow: Callable[..., Flow]) -> None:
    """What was compiled before is not compiled again, and its warnings are said again."""
    text = f"public class Q {{ public static int F() {{ int unused{time.time_ns()}; return 1; }} }}"
    first = flow(Queries__q__cs=text).engine.status().diagnostics
    again = flow(Queries__q__cs=text)
    # Its path is part of what was compiled, so the same folder is built again by another engine.
    assert {d.code for d in first} == {"CS0168"}
    assembled = without_compiling(lambda refuse: compile_dotnet(_units(again), on_compile=refuse))
    assert assembled is not None
    assert {d.code for d in assembled.diagnostics} == {"CS0168"}


def _units(made: Flow) -> list[SourceUnit]:
    return list(assemble(made.folder / "package.json").build.units)


def test_no_sdk(flow: Callable[..., Flow], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an SDK the C# file has a diagnostic that says how to get one, and Python goes on."""
    monkeypatch.setattr(dotnet, "here", lambda: dotnet.find({"PATH": ""}))
    monkeypatch.setattr(dotnet, "_USUAL", ())
    made = flow(
        Queries__q__cs="public class Q { public static int F() => 1; }", Queries__py__py="def F():\n    return 3\n"
    )
    (found,) = made.engine.status().diagnostics

    assert made.answer("py", "F") == b"3"
    assert (found.file, found.code) == (str(made.path("Queries__q__cs")), "no-dotnet")
    assert "there is no .NET SDK" in found.message
    assert "dotnet.microsoft.com" in found.hint
    made.write("Queries__py__py", "def F():\n    return 4\n")
    made.build()
    assert made.answer("py", "F") == b"4"


def test_memory(flow: Callable[..., Flow]) -> None:
    """A call that asks for more memory than the Workflow's limit fails alone."""
    made = flow(
        Queries__q__cs="public class Q { public static int F(int n) => new byte[n].Length; }",
        resources={"Limit": {"Mem": "256Mi"}},
    )
    with pytest.raises(FunctionError, match="OutOfMemoryException"):
        made.answer("q", "F", [1_000_000_000])

    assert made.answer("q", "F", [1_000_000]) == b"1000000"


def test_no_icu(tmp_path: Path) -> None:
    """Without ICU .NET starts all the same, and has the formats of no culture."""
    unit = SourceUnit(
        "query",
        "q",
        str(tmp_path / "q.cs"),
        "csharp",
        'public class Q { public static string F() => 1.5.ToString(new System.Globalization.CultureInfo("de-DE")); }',
    )
    compiled = compile_dotnet([unit])
    assert compiled.made is not None
    (tmp_path / "net.json").write_bytes(msgspec.json.encode((compiled.made, unit)))
    program = """
import msgspec, os, pathlib, sys
from coflows_jupyter.runtimes import clr
from coflows_jupyter.runtimes.netmodel import Net
from coflows_jupyter.workflow.sources import SourceUnit
clr.has_icu = lambda: False
net, unit = msgspec.json.decode(pathlib.Path(sys.argv[1]).read_bytes(), type=tuple[Net, SourceUnit])
functions, found = clr.ClrRuntime(net, lambda what, given: None).load(unit)
print(functions["F"].target().data.decode(), flush=True)
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "net.json")], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.returncode) == ('"1.5"\n', 0), done.stderr
