"""Java Queries from their files to their answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator

import pytest

from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.compile import without_compiling
from coflows_jupyter.build.jvm import compile_jvm
from coflows_jupyter.errors import ArgumentsError, CrashedError, FunctionError, HostError
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.runtimes import jdk
from tests.flows import CALLER, Flow

JAVA = """
    import java.util.*;
    import java.util.concurrent.*;
    import app.base.Sums;

    /// <info><title>Numbers</title></info>
    /// <api name="Add">
    ///   <description>Adds</description>
    ///   <returns>the sum</returns>
    ///   <param name="x" type="int">the first</param>
    ///   <param name="y" type="int">the second</param>
    ///   <permissions><group id="Public" permission="view"/></permissions>
    /// </api>
    class Numbers {
        private int calls;

        public int Add(int x, int y) {
            return x + y;
        }

        public synchronized int Count() { return ++calls; }

        public static double Total(double... numbers) { return Arrays.stream(numbers).sum(); }

        public static String Over() { return "none"; }
        public static String Over(int a) { return "one " + a; }
        public static String Over(int a, String b) { return "two " + a + " " + b; }

        public static int Between(int from, int is) { return is - from; }

        public static String Perhaps(Optional<String> name) { return name.orElse("nobody"); }

        public static Future<Integer> Later(int x) { return CompletableFuture.supplyAsync(() -> x); }

        public static void Fail(int x) {
            System.out.println("about to fail with " + x);
            throw new IllegalStateException("no " + x);
        }

        public static String Wait() throws InterruptedException {
            Thread.sleep(60_000);
            return "never";
        }

        public static int Printed() throws Exception {
            System.out.print("one ");
            var thread = new Thread(() -> System.out.println("two é"));
            thread.start();
            thread.join();
            return 1;
        }

        public static double Base(double a) { return new Sums().add(a, 1); }
        public static int Deep(int x) { return 1 + Deep(x + 1); }
        public static void Exit() { System.exit(5); }
        static int Hidden() { return 1; }

        private static class Inner { public int Inside() { return 1; } }
    }

    class Helper { public int Help() { return 1; } }
"""
BASE = """
    package app.base;

    public class Sums {
        public double add(double a, double b) { return a + b; }
    }
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """A Workflow in Java and Python."""
    made = Flow(
        tmp_path_factory.mktemp("mixed"),
        Base__Sums__java=BASE,
        Queries__Numbers__java=JAVA,
        Queries__py__py="def Add(x: int, y: int = 2) -> int:\n    return x + y\n",
    )
    report = made.open()
    try:
        assert report.ok, [str(d) for d in report.diagnostics]
        yield made
    finally:
        made.close()


def test_calls(mixed: Flow) -> None:
    """Methods are called by position and by name, as overloads, with any number of arguments, and keep their object."""
    calls = {
        ("Add", "x=1&y=5"): b"6",
        ("Add", "y=5&x=1"): b"6",
        ("Total", "p[0]=1&p[1]=2.5"): b"3.5",
        ("Total", ""): b"0.0",
        ("Over", ""): b'"none"',
        ("Over", "p[0]=1"): b'"one 1"',
        ("Over", "p[0]=1&p[1]=b"): b'"two 1 b"',
        ("Between", "from=1&is=5"): b"4",
        ("Perhaps", ""): b'"nobody"',
        ("Perhaps", "name=Ada"): b'"Ada"',
        ("Later", "x=3"): b"3",
        ("Base", "a=2"): b"3.0",
        ("Count", ""): b"1",
    }

    assert {call: mixed.answer("Numbers", *call) for call in calls} == calls
    assert mixed.answer("Numbers", "Count") == b"2"


def test_catalog(mixed: Flow) -> None:
    """A Java Query is described as a Python one is: documentation, permissions, types, lines; no more is offered."""
    entry = mixed.engine.catalog.queries["Numbers"]
    add = entry.functions["Add"]
    x, y = add.signature.parameters

    assert entry.info.title == "Numbers"
    assert (add.description, add.returns) == ("Adds", "the sum")
    assert [grant.group for grant in add.grants or ()] == ["Public"]
    assert (x.name, x.annotation, x.required, x.description) == ("x", "int", True, "the first")
    assert y.schema == {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
    assert JAVA.splitlines()[add.signature.line - 1].strip() == "public int Add(int x, int y) {"
    assert not {"Hidden", "Inside", "Help", "toString"} & set(entry.functions)


def test_exceptions(mixed: Flow) -> None:
    """What a method throws has its type, its message and the user's own stack with file and line."""
    with pytest.raises(FunctionError, match=r"^IllegalStateException: no 7$") as error:
        mixed.answer("Numbers", "Fail", [7])
    line = next(n for n, text in enumerate(JAVA.splitlines(), 1) if "throw new" in text)

    assert f"(Numbers.java:{line})" in error.value.traceback
    assert "app.coflows" not in error.value.traceback
    assert "about to fail with 7" in "".join(text for _, text in mixed.printed)


def test_output(mixed: Flow) -> None:
    """What a thread of a call prints belongs to the call."""
    mixed.printed.clear()
    mixed.answer("Numbers", "Printed")

    assert "".join(text for _, text in mixed.printed) == "one two é\n"


def test_wrong_overload(mixed: Flow) -> None:
    """No method of this name takes such arguments."""
    with pytest.raises(ArgumentsError, match="one too many"):
        mixed.answer("Numbers", "Over", [1, "b", 3])
    with pytest.raises(ArgumentsError, match="a should be a whole number"):
        mixed.answer("Numbers", "Over", ["x"])


def test_interruption(mixed: Flow) -> None:
    """A method that waits is interrupted at its deadline, and its host goes on."""
    pid = mixed.engine.status().hosts[0].pid
    with pytest.raises(HostError):
        mixed.answer("Numbers", "Wait", timeout=0.3)

    assert mixed.answer("Numbers", "Add", [1, 2]) == b"3"
    assert mixed.engine.status().hosts[0].pid == pid


def test_stack_overflow(mixed: Flow) -> None:
    """A recursion without end fails alone."""
    pid = mixed.engine.status().hosts[0].pid
    with pytest.raises(FunctionError, match="StackOverflowError"):
        mixed.answer("Numbers", "Deep", [1])

    assert mixed.engine.status().hosts[0].pid == pid


def test_exit(mixed: Flow) -> None:
    """A method that ends its process ends a host and nothing else."""
    with pytest.raises(CrashedError):
        mixed.answer("Numbers", "Exit")

    assert mixed.answer("Numbers", "Add", [1, 2]) == b"3"


def test_threads(mixed: Flow) -> None:
    """Calls of both languages go on at the same time."""

    async def one(number: int) -> bytes:
        query = ("Numbers", "py")[number % 2]
        data = json.dumps([number, 1]).encode()
        result = await mixed.engine.call(Call(new_run_id(), query, "Add", "json", data, "", CALLER, 30))
        assert isinstance(result.body, bytes)
        return result.body

    async def many() -> list[bytes]:
        return await asyncio.gather(*(one(number) for number in range(150)))

    assert mixed.run(many()) == [str(number + 1).encode() for number in range(150)]


def test_large(mixed: Flow) -> None:
    """Arguments and results that are larger than the shared memory arrive whole."""
    text = "é" * 100_000

    assert json.loads(mixed.answer("Numbers", "Perhaps", [text])) == text


def test_save(flow: Callable[..., Flow]) -> None:
    """A changed file is compiled and served; one with a mistake changes nothing and says where it is."""
    made = flow(Queries__Q__java="public class Q { public static int F() { return 1; } }")
    assert made.answer("Q", "F") == b"1"

    made.write("Queries__Q__java", "public class Q {\n  public static int F() { return nope; }\n}")
    report = made.build()
    assert not report.ok
    (found,) = (d for d in report.diagnostics if d.severity == "error")
    assert (found.file, found.line, found.column) == (str(made.path("Queries__Q__java")), 2, 34)
    assert (found.code, "nope" in found.message) == ("compiler.err.cant.resolve.location", True)
    assert made.answer("Q", "F") == b"1"

    made.write("Queries__Q__java", "public class Q { public static int F() { return 2; } }")
    assert made.build().ok
    assert made.answer("Q", "F") == b"2"


def test_only_what_depends(flow: Callable[..., Flow]) -> None:
    """At the first build only what uses the failed unit is missing."""
    made = flow(
        Base__Sums__java=BASE.replace("a + b", "a + c"),
        Queries__Uses__java="class Uses { public double F() { return new app.base.Sums().add(1, 2); } }",
        Queries__Own__java="class Own { public int F() { return 1; } }",
        Queries__py__py="def F():\n    return 3\n",
    )

    assert made.answer("Own", "F") == b"1"
    assert made.answer("py", "F") == b"3"
    assert "Uses" not in made.engine.catalog.queries


def test_cache(flow: Callable[..., Flow]) -> None:
    """What was compiled before is not compiled again, and its warnings are said again."""
    body = f"System.out.println({time.time_ns()}L); Thread.currentThread().stop();"
    made = flow(Queries__Q__java=f"public class Q {{ public static void F() {{ {body} }} }}")
    units = assemble(made.folder / "package.json").build.units
    again = without_compiling(lambda refuse: compile_jvm(units, on_compile=refuse))

    assert again is not None
    assert again.diagnostics == made.engine.status().diagnostics
    assert [d.severity for d in again.diagnostics] == ["warning"]


def test_no_jdk(flow: Callable[..., Flow], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a JDK the Java file has a diagnostic that says how to get one, and Python goes on."""
    monkeypatch.setattr(jdk, "here", lambda: jdk.find({"PATH": ""}))
    monkeypatch.setattr(jdk, "_USUAL", ())
    made = flow(
        Queries__Q__java="public class Q { public static int F() { return 1; } }",
        Queries__py__py="def F():\n    return 3\n",
    )
    (found,) = made.engine.status().diagnostics

    assert made.answer("py", "F") == b"3"
    assert (found.file, found.code) == (str(made.path("Queries__Q__java")), "no-jdk")
    assert "there is no JDK" in found.message
    assert "openjdk-17-jdk-headless" in found.hint
