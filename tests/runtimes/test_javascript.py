"""Queries and Agents in JavaScript, in a host of their own."""

from __future__ import annotations

import asyncio
import contextvars
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.model import part
from coflows_jupyter.errors import FunctionError, NotAcceptableError, TimedOutError
from coflows_jupyter.host.process import ProcessHost
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.mset.place import database_of
from coflows_jupyter.runtimes.context import CallContext, enter
from coflows_jupyter.runtimes.interrupt import CallCancelled
from coflows_jupyter.runtimes.jscontext import JsContext
from coflows_jupyter.workflow.templates import add_agent, add_base, add_query, new_workflow
from tests.flows import CALLER, Flow

QUERY = """
    /// <info version="2.0"><title>Sums</title></info>

    /// <api name="add">
    ///   <description>Adds two numbers</description>
    ///   <param name="x" type="int">first</param>
    ///   <permissions><group id="$WID$" permission="read"/></permissions>
    /// </api>
    function add(x, y = 2) {
      console.log("adding", x, { y });
      return x + y;
    }
    const arrow = (a, ...more) => [a, more.length];
    var version = "1.0";
    let secretly = 1;
    function _own() {}

    function values() {
      const map = new Map([["k", new Set([1, 2])]]);
      const words = (function* () { yield "a"; yield "b"; })();
      return { none: undefined, nan: NaN, big: 2n ** 70n, map, words, bytes: new Uint8Array([1, 2]), at: new Date(0) };
    }
    function given(value) { return [typeof value, value]; }
    function defaults(a = [1].length, b) { return [a, b === undefined]; }
    async function total(...numbers) { return python("Base.lib.total", ...numbers); }
    async function caught() {
      try { await python("Base.lib.missing"); } catch (error) { return error.message; }
    }
    async function stored(value) {
      const set = M("js-values");
      await set.add(value);
      return set.values();
    }
    async function caller() { return [(await user()).Email, await permission("$WID$")]; }
    function unawaited() { progress(1, 2, "half"); return "done"; }
    function circular() { const a = {}; a.a = a; return a; }

    function fail() {
      throw new RangeError("too far");
    }
    async function failLater() { await null; (void 0).x; }
    function throwText() { throw "just text"; }
    function deep() { return deep() + 1; }
    async function never() { await new Promise(() => {}); }
    async function loop() { await null; while (true) {} }
    async function slow() { await python("Base.lib.nap", 0.3); return "slow"; }
"""
BASE_JS = "function twice(x) { return 2 * x; }\nfunction failsInBase() { null.y; }\n"
BASE_PY = "import time\n\ndef total(*numbers):\n    return sum(numbers)\n\ndef nap(seconds):\n    time.sleep(seconds)\n"
USES_BASE = "\n\nfunction quadruple(x) { return twice(twice(x)); }\nfunction through() { return failsInBase(); }\n"
ORIGINAL = """
    let qkernel = importNamespace('QuantApp.Kernel')

    let name = function () { return qkernel.User.ContextUser.Email }
    function getName() { return "something" + System.Environment.NewLine }
    function Permission() {
      return qkernel.User.PermissionContext("$WID$") == qkernel.AccessType.Write
    }
    function keep(value) {
      const set = qkernel.M.Base("js-original")
      set.Add(value)
      set.Save()
      return set.KeyValues().map(([key, value]) => value)
    }
"""


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """A Workflow with Queries in JavaScript and Base in Python and JavaScript."""
    sources = {"Base__lib__py": BASE_PY, "Base__more__js": BASE_JS, "Queries__q__js": QUERY}
    folder = tmp_path_factory.mktemp("flow")
    flow = Flow(folder, **sources, Queries__b__js=USES_BASE, Queries__old__js=ORIGINAL)  # type: ignore[arg-type]
    report = flow.open()
    assert report.ok, report.diagnostics
    yield flow
    flow.close()


def test_catalog(flow: Flow) -> None:
    """Functions, arrow functions and what `var` declares are offered, with the documentation of comments."""
    query = flow.engine.catalog.queries["q"]
    assert query.info.title == "Sums"
    assert list(query.functions)[:3] == ["add", "arrow", "version"]
    assert not {"secretly", "_own", "twice"} & set(query.functions)
    add = query.functions["add"]
    assert (add.description, add.signature.line) == ("Adds two numbers", 9)
    assert [(p.name, p.required, p.default) for p in add.signature.parameters] == [("x", True, ""), ("y", False, "2")]
    assert add.signature.parameters[0].schema["type"] == "integer"
    assert add.grants is not None
    assert [grant.group for grant in add.grants] == ["wid"]


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("add", [1], 3),
        ("add", {"x": 1, "y": 5}, 6),
        ("add", "x=1", 3),
        ("arrow", [1, 2, 3], [1, 2]),
        ("version", [], "1.0"),
        ("given", "p[0]=text", ["string", "text"]),
        ("given", 'p[0]={"a":[1]}', ["object", {"a": [1]}]),
        ("given", [None], ["object", None]),
        ("defaults", [], [1, True]),
        ("defaults", {"b": 5}, [1, False]),
        ("total", [1, 2.5, 3], 6.5),
        ("caught", [], "AttributeError: module 'Base.lib' has no attribute 'missing'"),
        ("caller", [], ["", 2]),
        ("unawaited", [], "done"),
    ],
)
def test_calls(flow: Flow, function: str, arguments: Any, expected: Any) -> None:
    """Arguments arrive as in every language, promises are waited for, Python answers."""
    assert json.loads(flow.answer("q", function, arguments)) == expected


def test_values(flow: Flow) -> None:
    """What JSON has no form for has Python's."""
    assert flow.answer("q", "values") == (
        b'{"nan":null,"big":1180591620717411303424,"map":{"k":[1,2]},"words":["a","b"],"bytes":[1,2],'
        b'"at":"1970-01-01T00:00:00.000Z"}'
    )
    assert flow.answer("q", "arrow", [1, 2], accept="text/csv").decode().split() == ["1", "1"]


def test_m(flow: Flow) -> None:
    """JavaScript shares M sets with all languages, in its own words and in the original's."""
    assert json.loads(flow.answer("q", "stored", [{"a": 1}])) == [{"a": 1}]
    assert json.loads(flow.answer("old", "keep", [{"b": [2]}])) == [{"b": [2]}]


def test_what_is_printed(flow: Flow) -> None:
    """`console.log` is the output of the call."""
    flow.printed.clear()
    flow.answer("q", "add", [7])
    assert flow.printed == [("stdout", 'adding 7 {"y":2}\n')]


def test_errors(flow: Flow) -> None:
    """An error has its type, its message, and the user's own lines, whichever file they are in."""
    path = flow.path("Queries__q__js")
    lines = path.read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "too far" in text)
    with pytest.raises(FunctionError, match=r"^RangeError: too far$") as caught:
        flow.answer("q", "fail")
    assert caught.value.traceback.splitlines()[1].strip().startswith(f"at fail ({path}:{line}:")
    assert "prelude" not in caught.value.traceback
    assert len(caught.value.traceback.splitlines()) == 2
    with pytest.raises(FunctionError, match=r"^TypeError: cannot read property 'x' of undefined$"):
        flow.answer("q", "failLater")
    with pytest.raises(FunctionError, match=r"^just text$"):
        flow.answer("q", "throwText")
    with pytest.raises(FunctionError, match="Maximum call stack size exceeded"):
        flow.answer("q", "deep")
    with pytest.raises(FunctionError, match="waits for a promise that nothing settles"):
        flow.answer("q", "never")
    with pytest.raises(FunctionError) as caught:
        flow.answer("b", "through")
    inner, outer = caught.value.traceback.splitlines()[1:]
    assert f"failsInBase ({flow.path('Base__more__js')}:2:" in inner
    assert f"through ({flow.path('Queries__b__js')}:4:" in outer
    with pytest.raises(NotAcceptableError, match="circular reference"):
        flow.answer("q", "circular")


def test_base(flow: Flow) -> None:
    """Base libraries in JavaScript are there for every Query, and are no functions of it."""
    assert flow.answer("b", "quadruple", [3]) == b"12"
    assert list(flow.engine.catalog.queries["b"].functions) == ["quadruple", "through"]


def test_the_originals_names(flow: Flow) -> None:
    """A Query of the original asks for the caller without promises."""
    assert flow.answer("old", "name") == b'""'
    assert json.loads(flow.answer("old", "getName")) == "something\n"
    assert flow.answer("old", "Permission") == b"true"


@pytest.mark.parametrize(
    "function", ["function f() { while (true) {} }", "async function f() { await 1; while (true) {} }"]
)
def test_a_loop_ends_with_its_time(function: str) -> None:
    """What computes for ever is stopped, and the context goes on."""
    context = JsContext([("q.js", f"{function}\nfunction g() {{ return 1; }}")], lambda _, __: None)
    context.evaluate("__coflows.survey({f, g})")

    def late() -> None:
        enter(CallContext("run", CALLER, "q", "f", time.monotonic() + 0.1, lambda _, __: None))
        with pytest.raises(CallCancelled):
            context.call(0, [])

    contextvars.copy_context().run(late)
    assert context.call(1, []).data == b"1"


def test_a_call_that_does_not_end(flow: Flow) -> None:
    """Its caller hears so in time, and the next call is answered."""
    with pytest.raises(TimedOutError):
        flow.answer("q", "loop", timeout=0.2)
    assert flow.answer("q", "add", [1], timeout=60) == b"3"


def test_calls_take_turns(flow: Flow) -> None:
    """While one call waits for Python, others of the same Query run."""

    async def both() -> list[str]:
        ended: list[str] = []

        async def one(function: str, data: bytes) -> None:
            await flow.engine.call(Call(new_run_id(), "q", function, "json", data, "", CALLER, 30))
            ended.append(function)

        await asyncio.gather(one("slow", b"[]"), one("add", b"[1]"))
        return ended

    assert flow.run(both()) == ["add", "slow"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("function f() {\n  return 1 +;\n}", (2, 13), "SyntaxError: "),
        ("var a = 1;\nnope.x;", (2, 1), "ReferenceError: nope is not defined"),
        ("importNamespace('Cs.Base')", (1, 1), "JavaScript reaches QuantApp.Engine, QuantApp.Kernel, System only"),
    ],
)
def test_mistakes(tmp_path_factory: pytest.TempPathFactory, text: str, place: tuple[int, int], message: str) -> None:
    """What can't be run has a diagnostic at its place, and Python goes on."""
    flow = Flow(tmp_path_factory.mktemp("bad"), Queries__bad__js=text, Queries__py__py="def f():\n    return 1\n")
    try:
        (found,) = flow.open().diagnostics
        assert (found.file, found.line) == (str(flow.path("Queries__bad__js")), place[0])
        assert message in found.message
        assert flow.answer("py", "f") == b"1"
    finally:
        flow.close()


AGENT = """
    const seen = [];
    agent({
      name: "Told", id: "wid-told", description: "A sample", listens: "prices", retries: 2, retryOnLost: true,
      load: (values) => { seen.push(["load", values]); },
      add: (id, value) => { seen.push(["add", id, value]); },
      body: (message) => ({ got: message.Data ?? message, seen }),
      schedule: "0 0/5 * * * ?",
      job: async (time, kind) => { console.log(time.getUTCHours(), kind); return python("math.sqrt", 16); },
    });
"""
ORIGINAL_AGENT = """
    let qengine = importNamespace('QuantApp.Engine')
    let workflowID = '$WID$'
    let pkg = new qengine.FPKG(
      workflowID + "-js", workflowID, "JS Agent", "JS Analytics Agent Sample", "--Agent-MID",
      jsWrapper.Load("Load", function (data) { log("Load: " + data.length) }),
      jsWrapper.Callback("Add", function (id, data) { log("Add: " + id) }),
      null, null,
      jsWrapper.Body("Body", function (data) { if (data.Data == "Initial Execution") log("begins"); return data }),
      "0 * * ? * *",
      jsWrapper.Job("Job", function (time, data) { log("Job: " + data) }))
"""


def test_agents(tmp_path: Path) -> None:
    """Agents are declared by `agent` or as the original does; their functions get what Python's get."""
    flow = Flow(tmp_path, Agents__a__js=AGENT, Agents__old__js=ORIGINAL_AGENT)
    printed: list[str] = []
    assert flow.open().ok

    async def work() -> list[bytes]:
        build = assemble(flow.folder / "package.json").build
        host = ProcessHost(
            "agents", lambda _, __, text: printed.append(text), print, database=database_of(flow.engine.config)
        )
        await host.start()
        try:
            loaded = await host.load(part(build, "agent"))
            assert not loaded.diagnostics
            told, old = loaded.catalog.agents["wid-told"], loaded.catalog.agents["wid-js"]
            assert (told.name, told.listens, told.schedule, told.policy.retries, told.policy.retry_on_lost) == (
                *("Told", "prices", "0 0/5 * * * ?", 2, True),
            )
            assert told.callbacks == ("load", "add", "body", "job")
            assert (old.name, old.description, old.listens) == ("JS Agent", "JS Analytics Agent Sample", "--Agent-MID")
            assert old.callbacks == ("load", "add", "body", "job")

            async def call(agent: str, callback: str, *arguments: Any) -> bytes:
                data = json.dumps(arguments).encode()
                result = await host.call(Call(new_run_id(), agent, callback, "json", data, "", CALLER, 30))
                assert isinstance(result.body, bytes | memoryview)
                return bytes(result.body)

            await call("wid-told", "load", [1, 2])
            await call("wid-told", "add", "key", {"price": 3})
            answers = [
                await call("wid-told", "body", '{"Data": 5}'),
                await call("wid-told", "job", "2026-01-01T07:30:00", "daily"),
                await call("wid-js", "body", '{"Function": "Main", "Data": "Initial Execution"}'),
                await call("wid-js", "job", "2026-01-01T07:30:00", "daily"),
            ]
        finally:
            await host.close(0)
        return answers

    try:
        body, job, old_body, old_job = flow.run(work())
    finally:
        flow.close()
    assert json.loads(body) == {"got": 5, "seen": [["load", [1, 2]], ["add", "key", {"price": 3}]]}
    assert (job, old_job) == (b"4", b"null")
    assert json.loads(old_body)["Data"] == "Initial Execution"
    assert "".join(printed) == "7 daily\nbegins\nJob: daily\n"


def test_templates(tmp_path: Path) -> None:
    """What `coflows add` writes runs as it is."""
    package = new_workflow(tmp_path / "flow") / "package.json"
    flow = Flow(package.parent)
    for name, add in (("more", add_base), ("sums", add_query), ("clock", add_agent)):
        add(package, name, "javascript")
    try:
        assert flow.open().ok
        assert flow.answer("sums", "Add", [1, 2]) == b"3"
    finally:
        flow.close()
