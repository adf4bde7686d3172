"""``coflows agents``: the same with a server and without one."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Coflows
from tests.conftest import RunningServer

AGENTS = '''
from coflows_jupyter import Agent, agent


@agent("* * * * * ?", name="Ticker", id="ticker")
def tick(timestamp, kind):
    """Ticks."""
    print("tick", kind)


def body(text):
    if text == "bad":
        raise ValueError("a bad message")
    return {"got": text}


echo = Agent("echo", body=body)
'''
WID = "5b0c1d6e-9a36-4a0c-8a7a-3c8f6a2f1d11"
FIELDS = {"run_id", "agent_id", "fire_at", "state", "attempt", "owner", "started_at", "ended_at", "reason"}


@pytest.fixture
def with_agents(workflow: Path) -> Path:
    """Return a Workflow with two Agents."""
    (workflow / "Agents").mkdir()
    (workflow / "Agents" / "agents.py").write_text(AGENTS)
    return workflow


def answered(coflows: Coflows, *words: str) -> Any:
    """Return what a command of the family prints as JSON."""
    done = coflows("agents", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_agents_with_and_without_a_server(coflows: Coflows, with_agents: Path, running_server: RunningServer) -> None:
    """Agents are listed, switched, run, sent messages and explained; the history is the same without a server."""
    server = running_server(with_agents / "coflows_config.json")
    agents = {agent["id"]: agent for agent in answered(coflows, "list")["agents"]}
    assert agents["ticker"]["words"] == "Every second"
    assert agents["echo"]["callbacks"] == ["body"]
    assert answered(coflows, "send", "echo", "hello") == {"got": "hello"}
    bad = coflows("agents", "send", "echo", "bad")
    assert (bad.returncode, "a bad message" in bad.stderr) == (1, True)
    answered(coflows, "run", "Ticker", "--type", "special")
    deadline = time.monotonic() + 30
    while not any(
        run["state"] == "succeeded" and run["cause"] == "manual" for run in answered(coflows, "runs")["runs"]
    ):
        assert time.monotonic() < deadline
    answered(coflows, "pause", "ticker")
    while (last := answered(coflows, "runs", "ticker", "--limit", "1")["runs"][0])["state"] != "skipped":
        assert time.monotonic() < deadline
    assert last.keys() >= FIELDS
    assert last["reason"] == "paused by root"
    assert last["fire_at"].endswith("Z")
    assert "it was skipped: paused by root" in coflows("agents", "explain", "ticker", last["fire_at"]).stdout
    answered(coflows, "stop", "ticker")
    before = answered(coflows, "runs", "Ticker", "--limit", "5")
    server.stop()

    assert answered(coflows, "runs", "Ticker", "--limit", "5") == before
    assert "paused by root" in coflows("agents", "explain", "Ticker", last["fire_at"]).stdout
    assert "it is stopped by root" in coflows("agents", "explain", "ticker", "2027-01-01T00:00:00").stdout
    answered(coflows, "start", "ticker")
    assert coflows("agents", "list").returncode == 3
    unknown = coflows("agents", "runs", "tickr")
    assert (unknown.returncode, "did you mean ticker?" in unknown.stderr.lower()) == (2, True)


def test_the_originals_url_of_an_agent(with_agents: Path, running_server: RunningServer) -> None:
    """``POST /flow/agent/ID`` gives the body to the Agent and answers; it takes a key."""
    server = running_server(with_agents / "coflows_config.json")
    answer = server.http.post("flow/agent/echo", content='{"Function":"x"}')
    assert answer.json() == {"got": '{"Function":"x"}'}
    assert answer.headers["X-Run-Id"]
    assert httpx.post(f"{server.http.base_url}flow/agent/echo", content="x").status_code == 401
    missing = server.http.post("flow/agent/nobody", content="x")
    assert missing.status_code == 404
    listed = server.http.get(f"coflows/api/workflows/{WID}/agent-runs?agent=echo&limit=5000")
    assert (listed.status_code, listed.json()["errors"][0]["field"]) == (422, "limit")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("0 30 9 ? * MON-FRI @ Europe/Paris", 0, "At 09:30, Monday through Friday (Europe/Paris)"),
        ("*/5 * * * *", 2, "write '0 */5 * * * ?'"),
    ],
)
def test_a_schedule_in_words(coflows: Coflows, text: str, code: int, words: str) -> None:
    """A schedule is told in plain language with its next times; a wrong one is answered with what to write."""
    done = coflows("agents", "schedule", text)
    assert done.returncode == code
    assert words in done.stdout + done.stderr
    if not code:
        assert len(done.stdout.splitlines()) == 6
