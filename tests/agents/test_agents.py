"""Agents of a Workflow on disk, in hosts of their own."""

from __future__ import annotations

import asyncio
import json
import secrets
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from watchfiles import watch

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.agents.model import AgentRun, iso
from coflows_jupyter.agents.service import INITIAL, Agents
from coflows_jupyter.config import load_config
from coflows_jupyter.database.connection import open_database
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import FunctionError, NotFoundError, ScheduleError
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.runs.registry import open_runs
from coflows_jupyter.status import Mode

CALLER = Caller("root", "root", "local", "cli", AccessType.WRITE)
PATIENCE = 90

TICKER = """
from coflows_jupyter import agent

@agent("* * * * * ?")
def ticker(timestamp, kind):
    '''Ticks every second.'''
    print("tick", timestamp.isoformat(), kind)
"""


class Flow:
    """A Workflow on disk whose Agents write what happens into a file."""

    def __init__(self, folder: Path, mode: Mode) -> None:
        self.folder = folder
        self.mode = mode
        for name in ("Queries", "Agents"):
            (folder / name).mkdir(parents=True)
        (folder / "Queries" / "q.py").write_text("import os\ndef crash():\n    os._exit(1)\ndef one():\n    return 1\n")
        self.agent(TICKER)
        package = {
            "ID": "wid",
            "Name": "Flow",
            "Queries": [{"Name": "q", "Content": "Queries/q.py", "ID": "q"}],
            "Agents": [{"Name": "a.py", "Content": "Agents/a.py", "Exe": "pkg"}],
        }
        (folder / "package.json").write_text(json.dumps(package))
        config = {"Workflow": "package.json", "Server": {"Host": "localhost", "SecretKey": secrets.token_hex(16)}}
        (folder / "coflows_config.json").write_text(json.dumps(config))

    def agent(self, text: str) -> None:
        """Write the Agents' file."""
        (self.folder / "Agents" / "a.py").write_text(textwrap.dedent(text))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Engine, Agents]]:
        """Open and start the engine with its Agents."""
        config = load_config(self.folder, environ={})
        engine = Engine(
            config,
            mode=self.mode,
            watch=False,
            runs=open_runs(config),
            agents=open_database(config),
        )
        assert engine.agents is not None
        try:
            await engine.start()
            yield engine, engine.agents
        finally:
            await engine.close(0)


@pytest.fixture(params=["process", "embedded"])
def flow(tmp_path: Path, request: pytest.FixtureRequest) -> Flow:
    """A Workflow in each mode."""
    return Flow(tmp_path / "flow", request.param)


async def over(agents: Agents, count: int = 1, **wanted: Any) -> list[AgentRun]:
    """Wait until so many runs of that kind are over, and return them, the earliest first."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = [
            run
            for run in await agents.history(limit=1000)
            if run.ended_at and all(getattr(run, name) == value for name, value in wanted.items())
        ]
        if len(runs) >= count:
            return runs[::-1]
        await asyncio.sleep(0.05)
    raise AssertionError(f"no {count} runs with {wanted}")


async def exists(file: Path) -> None:
    """Wait until user code has made a file."""

    def wait() -> None:
        next(_ for _ in watch(file.parent, rust_timeout=50, yield_on_timeout=True) if file.exists())

    await asyncio.wait_for(asyncio.to_thread(wait), PATIENCE)


def test_a_function_runs_on_its_schedule(flow: Flow) -> None:
    """What is decorated with a schedule runs on time; its rows and its log are in the history."""

    async def main() -> None:
        async with flow.open() as (engine, agents):
            runs = await over(agents, 2, agent_id="ticker", state="succeeded")
            (known,) = await agents.overview()
            assert (known.words, known.mode, known.description) == ("Every second", "started", "Ticks every second.")
            assert len(known.upcoming) == 5
            found = await engine.runs.find(runs[0].run_id)
            assert found is not None
            model, log = found
            assert (model.door, model.outcome, model.query, model.function) == ("agent", "succeeded", "ticker", "job")
            assert log.startswith("tick 20")
            assert log.strip().endswith("All")

    asyncio.run(main())


def test_a_message_is_answered(flow: Flow) -> None:
    """The body is given a message's text and its value is the answer; its failure is the sender's to see."""
    flow.agent("""
        from coflows_jupyter import Agent

        def body(text):
            if text == "bad":
                raise ValueError("a bad message")
            return {"got": text}

        echo = Agent("echo", body=body)
    """)

    async def main() -> None:
        async with flow.open() as (_, agents):
            run, result = await agents.send("echo", "hello")
            assert json.loads(result.body) == {"got": "hello"}  # type: ignore[arg-type]
            with pytest.raises(FunctionError, match="a bad message"):
                await agents.send("echo", "bad")
            runs = await over(agents, 3)
            assert {r.argument for r in runs} == {json.dumps([text]) for text in (INITIAL, "hello", "bad")}
            assert next(r for r in runs if r.run_id == run.run_id).state == "succeeded"
            assert next(r for r in runs if r.state == "failed").reason == "ValueError: a bad message"
            with pytest.raises(NotFoundError, match="no Agent 'ecco'") as caught:
                await agents.send("ecco", "hello")
            assert caught.value.hint == "did you mean echo?"

    asyncio.run(main())


def test_the_first_message_comes_once_for_a_build(flow: Flow) -> None:
    """``Initial Execution`` is sent when a Build is opened first, and neither by a save nor by a restart."""
    body = 'from coflows_jupyter import Agent\ndef body(text):\n    return text\na = Agent("a", body=body)\n'
    flow.agent(body)

    async def main() -> None:
        async with flow.open() as (engine, agents):
            await over(agents, 1, cause="message")
            if flow.mode == "process":
                flow.agent(body + "\n# saved\n")
                assert (await engine.build()).ok
            await agents.send("a", "hello")
            assert len(await agents.history()) == 2
        flow.agent(body)
        async with flow.open() as (_, agents):
            await agents.send("a", "hello")
            assert len(await agents.history()) == 3

    asyncio.run(main())


def test_an_agent_that_is_stopped_stays_so(flow: Flow) -> None:
    """Stopped and paused Agents stay so when the server restarts; ``explain`` and the rows say why."""

    async def main() -> None:
        async with flow.open() as (_, agents):
            await over(agents, 1, state="succeeded")
            await agents.set_mode("ticker", "paused", "by ada")
            (skipped,) = (await over(agents, 1, state="skipped"))[:1]
            assert skipped.reason == "paused by ada"
            (sentence,) = await agents.explain("ticker", iso(skipped.fire_at) or "")
            assert "it was skipped: paused by ada" in sentence
            await agents.set_mode("ticker", "stopped", "by ada")
        async with flow.open() as (_, agents):
            (known,) = await agents.overview()
            assert (known.mode, known.upcoming) == ("stopped", [])
            later = iso(skipped.fire_at + 3600 * 1_000_000) or ""
            assert "it is stopped by ada" in (await agents.explain("ticker", later))[0]

    asyncio.run(main())


def test_now_and_backfill(flow: Flow) -> None:
    """A job can be run now, and for ticks that never ran; what ran already is not run again."""
    flow.agent("""
        from coflows_jupyter import agent

        @agent("0 0 0 * * ? @ Europe/Paris", name="nightly")
        async def nightly(timestamp):
            print(timestamp)
    """)
    midnight = 1_764_025_200_000_000  # 2025-11-25 00:00 in Paris

    async def main() -> None:
        async with flow.open() as (_, agents):
            started = await agents.start_run("nightly")
            (run,) = await over(agents, 1, cause="manual")
            assert (run.run_id, run.state) == (started.run_id, "succeeded")
            day = 86_400 * 1_000_000
            made = await agents.backfill("nightly", midnight - day, midnight + day)
            assert [r.fire_at for r in made] == [midnight, midnight + day]
            await over(agents, 2, cause="backfill", state="succeeded")
            assert await agents.backfill("nightly", midnight - day, midnight + day) == []

    asyncio.run(main())


def test_a_wrong_schedule_stops_only_its_agent(flow: Flow) -> None:
    """A schedule that can't be read is an error in its file, the other Agents and the Queries work."""
    flow.agent(TICKER + '\n@agent("0 0 25 * * ?")\ndef never(): ...\n')

    async def main() -> None:
        async with flow.open() as (engine, agents):
            await over(agents, 1, agent_id="ticker", state="succeeded")
            (wrong,) = [d for d in engine.status().diagnostics if d.severity == "error"]
            assert wrong.code == "schedule"
            assert wrong.file.endswith("a.py")
            assert "25 is out of range" in wrong.message
            for attempt in (agents.start_run("never"), agents.set_mode("never", "paused", "by ada")):
                with pytest.raises(ScheduleError, match="25 is out of range"):
                    await attempt

    asyncio.run(main())


def test_a_run_survives_the_crash_of_a_query(tmp_path: Path) -> None:
    """A Query that ends its host leaves a run of an Agent alone."""
    flow = Flow(tmp_path / "flow", "process")
    flow.agent("""
        import pathlib, time
        from coflows_jupyter import Agent

        def body(text):
            pathlib.Path("began").touch()
            while not pathlib.Path("go").exists():
                time.sleep(0.01)
            return "survived"

        slow = Agent("slow", body=body)
    """)

    async def main() -> None:
        (flow.folder / "go").touch()
        async with flow.open() as (engine, agents):
            await over(agents, 1)
            (flow.folder / "go").unlink()
            (flow.folder / "began").unlink()
            sending = asyncio.create_task(agents.send("slow", "x"))
            await exists(flow.folder / "began")
            call = Call(new_run_id(), "q", "crash", "query", b"", "", CALLER, 10)
            with pytest.raises(Exception, match="ended"):
                await engine.call(call)
            (flow.folder / "go").touch()
            _, result = await asyncio.wait_for(sending, PATIENCE)
            assert result.body == b'"survived"'

    asyncio.run(main())


def test_a_run_that_takes_too_long_is_stopped_and_tried_again(flow: Flow) -> None:
    """A run beyond its limit is stopped for good, and its retry may succeed."""
    flow.agent("""
        import pathlib, time
        from coflows_jupyter import Agent

        here = pathlib.Path(__file__).parent

        def job(timestamp, kind):
            if not (here / "again").exists():
                (here / "again").touch()
                while True:
                    time.sleep(0.01)

        slow = Agent("slow", schedule="0 0 0 1 1 ? 2099", job=job, timeout=0.5, retries=1, backoff=0.1)
    """)

    async def main() -> None:
        async with flow.open() as (_, agents):
            started = await agents.start_run("slow")
            (run,) = await over(agents, 1, state="succeeded")
            assert (run.run_id, run.attempt) == (started.run_id, 2)

    asyncio.run(main())


ORIGINAL = """
import clr

import System
import QuantApp.Kernel as qak
import QuantApp.Engine as qae

import json

workflowID = "$WID$"

def Add(id, data):
    pass

def Body(data):
    command = json.loads(data)
    if command["Data"] == "Initial Execution":
        System.Console.WriteLine("begins")
    qak.M.Base("seen").Add(data)
    return data

def Job(timestamp, data):
    System.Console.WriteLine("Job: " + str(timestamp) + " --> " + str(data))

def pkg():
    return qae.FPKG(
    workflowID + "-agent", #ID
    workflowID, #Workflow ID
    "Python Agent", #Name
    "An Agent in Python", #Description
    "trades", #M ID Listener
    None,
    qae.Utils.SetFunction("Add", qak.MCallback(Add)),
    None,
    None,
    qae.Utils.SetFunction("Body", qae.Body(Body)),
    "* * * ? * *", #Cron Schedule
    qae.Utils.SetFunction("Job", qae.Job(Job))
    )
"""


def test_an_agent_of_the_original(flow: Flow) -> None:
    """An Agent as the original's Python writes it: told at the start, answers messages, runs on schedule, uses M."""
    flow.agent(ORIGINAL)

    async def main() -> None:
        async with flow.open() as (engine, agents):
            (first,) = await over(agents, function="body")
            (entry,) = agents.catalog.agents.values()
            assert (entry.id, entry.name, entry.listens) == ("wid-agent", "Python Agent", "trades")
            assert entry.callbacks == ("add", "body", "job")
            _, log = await engine.runs.find(first.run_id) or pytest.fail("it has no row")
            assert log == "begins\n"
            message = json.dumps({"Function": "Main", "Data": "now"})
            _, answer = await agents.send("wid-agent", message)
            assert json.loads(answer.body) == message  # type: ignore[arg-type]
            (tick,) = (await over(agents, function="job", state="succeeded"))[:1]
            _, log = await engine.runs.find(tick.run_id) or pytest.fail("it has no row")
            assert log.startswith("Job: 20")
            assert log.endswith(" --> All\n")
            assert engine.m.base("seen").find(message)

    asyncio.run(main())


LISTENER = """
import json, pathlib
from coflows_jupyter import Agent, M, agent

@agent(listens="prices", name="reactor")
def react(change):
    print(change.kind, change.id, json.dumps(change.value))

def load(values):
    print("loaded", sorted(values))

def add(id, value):
    M.Base("doubled").add({"id": id, "price": value["price"] * 2})

doubler = Agent("doubler", listens="prices", load=load, add=add)
"""


def test_an_agent_hears_every_change_in_order(flow: Flow) -> None:
    """What listens to an M set is given its values at the beginning and then each change, once and in order."""
    flow.agent(LISTENER)

    async def main() -> None:
        async with flow.open() as (engine, agents):
            prices, doubled = engine.m.base("prices"), engine.m.base("doubled")
            await over(agents, 1, agent_id="doubler", function="load", state="succeeded")
            first = await asyncio.to_thread(prices.add, {"price": 1})
            await asyncio.to_thread(prices.add_many, [{"price": price} for price in range(2, 10)])
            assert first
            await asyncio.to_thread(prices.put, first, {"price": 100})
            await asyncio.to_thread(prices.remove_id, first)
            runs = await over(agents, 11, agent_id="reactor", state="succeeded")
            assert [run.function for run in runs] == ["add"] * 9 + ["exchange", "remove"]
            assert [json.loads(run.argument)[1]["price"] for run in runs] == [*range(1, 10), 100, 100]
            started = [run.started_at for run in runs]
            assert started == sorted(started)
            await over(agents, 9, agent_id="doubler", function="add", state="succeeded")
            assert sorted(value["price"] for value in doubled) == [2 * n for n in range(1, 10)]

    asyncio.run(main())


def test_changes_while_no_server_runs_are_heard_later(tmp_path: Path) -> None:
    """Changes that happen while the server is off, or the Agent paused, are told when it is back."""
    flow = Flow(tmp_path / "flow", "process")
    flow.agent(LISTENER)

    async def main() -> None:
        async with flow.open() as (engine, agents):
            await agents.set_mode("reactor", "paused", "by ada")
            await asyncio.to_thread(engine.m.base("prices").add, {"price": 1})
            await over(agents, 1, agent_id="doubler", function="add")
            assert await agents.history("reactor") == []
        async with flow.open() as (engine, agents):
            await agents.set_mode("reactor", "started", "by ada")
            (run,) = await over(agents, 1, agent_id="reactor", state="succeeded")
            assert json.loads(run.argument)[1] == {"price": 1}

    asyncio.run(main())


def test_a_failure_is_told_and_the_recovery(tmp_path: Path) -> None:
    """Another Agent is told of a run that failed for good, and of the first success after it."""
    flow = Flow(tmp_path / "flow", "process")
    flow.agent("""
        import json, pathlib
        from coflows_jupyter import Agent

        here = pathlib.Path(__file__).parent

        def job(timestamp, kind):
            if kind == "bad":
                raise ValueError("it broke")

        def told(text):
            run = json.loads(text)
            if "state" in run:
                with open(here / "told.txt", "a") as file:
                    print(run["state"], run["reason"], file=file)

        worker = Agent(
            "worker", schedule="0 0 0 1 1 ? 2099", job=job, on_failure="agent:pager", on_recovery="agent:pager"
        )
        pager = Agent("pager", body=told)
    """)

    async def main() -> None:
        async with flow.open() as (_, agents):
            for kind in ("All", "bad", "All", "All"):
                run = await agents.start_run("worker", kind)
                await over(agents, 1, run_id=run.run_id)
            await over(agents, 3, agent_id="pager")
        assert (flow.folder / "Agents" / "told.txt").read_text() == "failed ValueError: it broke\nsucceeded \n"

    asyncio.run(main())
