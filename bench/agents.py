"""Agents' runs per second, each in the ledger, and beside Prefect's: ``python -m bench.agents``."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.common import median_ratio, table
from coflows_jupyter.agents.model import AgentRun
from coflows_jupyter.agents.scheduler import Scheduler
from coflows_jupyter.agents.service import Agents
from coflows_jupyter.config import load_config
from coflows_jupyter.database.connection import Database, open_database
from coflows_jupyter.engine import Engine
from coflows_jupyter.host.protocol import new_run_id
from coflows_jupyter.runs.registry import open_runs
from coflows_jupyter.runtimes.agent import AgentEntry, Policy

WORKFLOW = "bench"
LEDGERED = 20_000
IN_HOST = 2000
CALLS = 40
AGENT = """
from coflows_jupyter import Agent

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

fibonacci = Agent("fib", body=lambda text: fib(int(text)), job=lambda *_: fib(10), overlap="allow")
"""
PREFECT = """
import json, sys, time
from prefect import flow, get_client, runtime, task
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

@task
def one(n):
    return fib(n)

@flow
def all(count):
    assert [one(10) for _ in range(count)] == [55] * count
    return runtime.flow_run.id

def measure(count):
    began = time.perf_counter()
    flow_run = FlowRunFilter(id=FlowRunFilterId(any_=[all(count)]))
    with get_client(sync_client=True) as client:
        while True:
            states = [run.state for run in client.read_task_runs(flow_run_filter=flow_run)]
            if sum(bool(state and state.is_completed()) for state in states) == count:
                break
            time.sleep(0.005)
    return time.perf_counter() - began

measure(2)
for line in sys.stdin:
    print(json.dumps(measure(int(line))), flush=True)
"""


def job(agent: str) -> AgentRun:
    """Return a run of an Agent's job that is due."""
    name = new_run_id()
    return AgentRun(
        run_id=name,
        workflow=WORKFLOW,
        agent_id=agent,
        key=name,
        cause="manual",
        function="job",
        argument='["2026-01-01T00:00:00","All"]',
        fire_at=time.time_ns() // 1000,
    )


class Counter:
    """Runs that take no time, and their number."""

    def __init__(self) -> None:
        self.ended = 0
        self.all = asyncio.Event()

    async def run(self, run: AgentRun) -> None:
        """Do nothing."""

    def over(self, _run: AgentRun) -> None:
        """Count one whose row says that it ended."""
        self.ended += 1
        if self.ended == LEDGERED:
            self.all.set()


async def ledgered(folder: Path) -> float:
    """Return how many runs per second get their row, begin, end, and have that written."""
    database, counter = Database(folder / "ledger.db"), Counter()
    entries = {name: AgentEntry(name, name, policy=Policy(overlap="allow")) for name in map(str, range(100))}
    scheduler = Scheduler(WORKFLOW, database, counter, on_end=counter.over)
    await scheduler.open(entries)
    began = time.perf_counter()
    for start in range(0, LEDGERED, 1000):
        await scheduler.add([job(str(number % 100)) for number in range(start, start + 1000)])
    await counter.all.wait()
    rate = LEDGERED / (time.perf_counter() - began)
    await scheduler.close(0)
    database.close()
    return rate


async def in_host(agents: Agents) -> float:
    """Return how many runs per second go through the Agents' host."""
    began = time.perf_counter()
    for _ in range(IN_HOST):
        await agents.start_run("fib")
    while sum(run.state == "succeeded" for run in await agents.history(limit=2 * IN_HOST)) < IN_HOST:
        await asyncio.sleep(0.1)
    return IN_HOST / (time.perf_counter() - began)


async def one_by_one(agents: Agents) -> float:
    """Return seconds of 40 messages, each run before the next, until the rows of all say so."""
    began = time.perf_counter()
    for _ in range(CALLS):
        _, result = await agents.send("fib", "10")
        assert result.body == b"55"
    while sum(run.state == "succeeded" for run in await agents.history(limit=CALLS)) < CALLS:
        await asyncio.sleep(0.005)
    return time.perf_counter() - began


async def measure(folder: Path, prefect: Sequence[str], rounds: int) -> list[tuple[str, str]]:
    """Return what was measured, as rows of a table."""
    rate = await ledgered(folder)
    (folder / "Agents").mkdir()
    (folder / "Agents" / "a.py").write_text(AGENT)
    package = {"ID": WORKFLOW, "Name": "Bench", "Agents": [{"Name": "a", "Content": "Agents/a.py"}]}
    (folder / "package.json").write_text(json.dumps(package))
    settings = {"Workflow": "package.json", "Server": {"Host": "localhost", "SecretKey": "0" * 32}}
    (folder / "coflows_config.json").write_text(json.dumps(settings))
    config = load_config(folder, environ={})
    engine = Engine(config, watch=False, runs=open_runs(config), agents=open_database(config))
    await engine.start()
    assert engine.agents is not None
    peer = None
    ours: list[float] = []
    theirs: list[float] = []
    try:
        await one_by_one(engine.agents)
        if prefect:
            peer = subprocess.Popen(prefect, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(rounds):
            ours.append(await one_by_one(engine.agents))
            if peer is not None:
                theirs.append(await asyncio.to_thread(ask, peer))
        through = await in_host(engine.agents)
    finally:
        if peer is not None and peer.stdin is not None:
            peer.stdin.close()
            peer.wait(60)
        await engine.close(0)
    rows = [
        ("runs that take no time, on SQLite", f"{rate:8.0f} runs/s   (wanted 1000, aim 5000)"),
        ("fib(10) in the Agents' host", f"{through:8.0f} runs/s"),
        (f"{CALLS} times fib(10), one by one", f"{statistics.median(ours):8.3f} s"),
    ]
    if theirs:
        rows.append(("the same as Prefect's tasks", f"{statistics.median(theirs):8.3f} s"))
        rows.append(("Prefect / ours", f"{median_ratio(theirs, ours):8.1f}   (wanted 10)"))
    return rows


def ask(peer: subprocess.Popen[str]) -> float:
    """Let Prefect run its tasks; return the seconds that they took."""
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write(f"{CALLS}\n")
    peer.stdin.flush()
    for line in peer.stdout:
        try:
            return float(json.loads(line))
        except ValueError:
            continue  # what it has to say besides
    raise SystemExit("Prefect ended")


def main() -> None:
    """Measure the ledger alone, then our Agents beside Prefect's tasks in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prefect", help="a Python that has prefect")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        folder = Path(name)
        prefect: list[str] = []
        if options.prefect:
            environment = [f"PREFECT_HOME={folder / 'prefect'}", "PREFECT_LOGGING_LEVEL=ERROR"]
            environment += [
                "PREFECT_SERVER_ANALYTICS_ENABLED=false",
                "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS=120",
            ]
            prefect = ["env", *environment, options.prefect, "-c", PREFECT]
        rows = runner.run(measure(folder, prefect, options.rounds))
    table("Agents' runs, each with its row in the ledger", rows)


if __name__ == "__main__":
    main()
