"""Agents over HTTP: what they are and do, switching them, running them, sending them messages."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from coflows_jupyter.agents.model import AgentModel, AgentRun, Mode, iso, micros, public
from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.agents.service import UPCOMING, Agents
from coflows_jupyter.errors import ArgumentsError, FieldError, NotFoundError
from coflows_jupyter.runs.model import moment
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.queries import CallHandler
from coflows_jupyter.workflow.copies import find_copy

MOST_RUNS = 1000
_MODES: dict[str, Mode] = {"start": "started", "pause": "paused", "stop": "stopped"}


class AgentList(msgspec.Struct):
    """All Agents of a Workflow."""

    agents: list[AgentModel]


class AgentRuns(msgspec.Struct):
    """Runs of Agents, the latest first; see ``coflows agents runs``."""

    runs: list[dict[str, Any]]


class Explanation(msgspec.Struct):
    """Why an Agent did or did not run, in sentences."""

    sentences: list[str]


class Preview(msgspec.Struct):
    """What a schedule means: in plain language, and its next instants in ISO 8601."""

    words: str
    upcoming: list[str]


class Backfill(msgspec.Struct):
    """For which ticks to run: ``start < tick <= end``, ISO 8601."""

    start: str
    end: str


class Start(msgspec.Struct):
    """What to run an Agent's job with."""

    type: str = "All"


class Message(msgspec.Struct):
    """A message to an Agent: a text, or a value that is sent as JSON text."""

    data: Any = ""


class Text(msgspec.Struct):
    """The text of a schedule."""

    text: str


class _AgentsHandler(BaseHandler):
    """Base of what concerns the Agents of one Workflow."""

    def agents(self, workflow: str) -> Agents:
        """Return a Workflow's Agents.

        Raises:
            NotFoundError: this server leaves Agents alone.
        """
        agents = self.services.engine(workflow).agents
        if agents is None:
            raise NotFoundError("this server runs no Agents: its database can't be used")
        return agents

    def given(self) -> dict[str, str]:
        """Return the arguments of the URL."""
        return dict(parse_qsl(self.query))

    def by(self) -> str:
        """Say who acts, for the history."""
        return f"by {self.caller.name}"


class AgentsHandler(_AgentsHandler):
    """``GET /coflows/api/workflows/WID/agents``."""

    async def get(self, workflow: str) -> None:
        """List Agents, with what they do next and did last."""
        found = [
            msgspec.structs.replace(
                agent,
                path=self.services.lab_path(agent.path) or "",
                notebook=self.services.lab_path(agent.notebook) or "",
            )
            for agent in await self.agents(workflow).overview()
        ]
        self.write_json(msgspec.json.encode(AgentList(found)))


class AgentRunsHandler(_AgentsHandler):
    """``GET /coflows/api/workflows/WID/agent-runs?agent=ID&limit=50``."""

    async def get(self, workflow: str) -> None:
        """List runs of Agents, the latest first."""
        given = self.given()
        limit = given.get("limit", "50")
        if not re.fullmatch(r"[0-9]{1,4}", limit) or not 1 <= int(limit) <= MOST_RUNS:
            raise ArgumentsError(
                "limit does not fit", [FieldError("limit", f"is no number from 1 to {MOST_RUNS}", limit)]
            )
        runs = await self.agents(workflow).history(given.get("agent", ""), limit=int(limit))
        self.write_json(msgspec.json.encode(AgentRuns([public(run) for run in runs])))


class AgentNotebookHandler(_AgentsHandler):
    """``GET /coflows/api/workflows/WID/agent-runs/ID/notebook``."""

    async def get(self, workflow: str, run: str) -> None:
        """Answer with the executed copy of a notebook; ``Content-Location`` says where Lab has it."""
        found = await self.agents(workflow).run_of(run)
        folder = self.services.engine(workflow).config.workflow.parent
        file = await asyncio.to_thread(find_copy, folder, found.run_id, found.attempt)
        if file is None:
            hint = f"it ran on {found.owner}" if found.owner else "it has not run"
            raise NotFoundError(f"there is no copy of a notebook of run {run} here, or not any longer", hint=hint)
        self.set_header("Content-Type", "application/x-ipynb+json")
        self.set_header("Content-Location", quote(self.services.lab_path(file) or ""))
        self.finish(await asyncio.to_thread(file.read_bytes))


class AgentExplainHandler(_AgentsHandler):
    """``GET /coflows/api/workflows/WID/agents/ID/explain?at=TIME``."""

    async def get(self, workflow: str, agent: str) -> None:
        """Say why an Agent did or did not run at a time."""
        at = self.given().get("at", "")
        try:
            found = await self.agents(workflow).explain(agent, at)
        except ValueError as error:
            raise ArgumentsError(f"at: {error}", [FieldError("at", str(error), at)]) from None
        self.write_json(msgspec.json.encode(Explanation(found)))


class AgentActionHandler(_AgentsHandler):
    """``POST /coflows/api/workflows/WID/agents/ID/start`` and its like."""

    async def post(self, workflow: str, agent: str, action: str) -> None:
        """Start, pause or stop an Agent, run its job now, or for ticks that it did not run for."""
        agents = self.agents(workflow)
        if action in _MODES:
            await agents.set_mode(agent, _MODES[action], self.by())
            self.write_json(msgspec.json.encode(AgentList(await agents.overview())))
        elif action == "run":
            self._runs([await agents.start_run(agent, self.read_json(Start).type)])
        elif action == "backfill":
            span = self.read_json(Backfill)
            start, end = instant_of("start", span.start), instant_of("end", span.end)
            self._runs(await agents.backfill(agent, start, end))
        else:
            raise NotFoundError(f"an Agent can't {action}", hint="start, pause, stop, run, backfill")

    def _runs(self, runs: list[AgentRun]) -> None:
        self.set_status(202)
        self.write_json(msgspec.json.encode(AgentRuns([public(run) for run in runs])))


class AgentSendHandler(CallHandler, _AgentsHandler):
    """``POST /coflows/api/workflows/WID/agents/ID/send``."""

    async def post(self, workflow: str, agent: str) -> None:
        """Give an Agent a message, and answer with what its body returns."""
        data = self.read_json(Message).data
        await self.send(workflow, agent, data if isinstance(data, str) else msgspec.json.encode(data).decode())

    async def send(self, workflow: str, agent: str, text: str) -> None:
        """Give an Agent a message, and answer with what its body returns."""
        run, result = await self.until_gone(self.agents(workflow).send(agent, text))
        self.set_header("X-Run-Id", run.run_id)
        await self.respond(result)


class LegacyAgentHandler(AgentSendHandler):
    """``POST /flow/agent/ID``: the original's form, in which the Agent's ID says which Workflow it is of."""

    @property
    def group(self) -> str:
        """ID of the Workflow that has the Agent; of the first one when none has."""
        agent = self.path_kwargs["agent"]
        engines = list(self.services.workflows)
        having = [engine for engine in engines if engine.agents and agent in engine.agents.catalog.agents]
        return (having or engines)[0].id if engines else ""

    async def post(self, agent: str) -> None:  # type: ignore[override]
        """Give an Agent the body of the request as a message."""
        await self.send(self.group, agent, self.request.body.decode(errors="replace"))


class AgentCancelHandler(_AgentsHandler):
    """``POST /coflows/api/workflows/WID/agent-runs/ID/cancel``."""

    async def post(self, workflow: str, run: str) -> None:
        """Stop a run of an Agent, wherever it goes on."""
        found = await self.agents(workflow).cancel(run, self.by())
        self.write_json(msgspec.json.encode(AgentRuns([public(found)])))


class ScheduleHandler(BaseHandler):
    """``POST /coflows/api/schedule``."""

    def post(self) -> None:
        """Say what a schedule means."""
        schedule = Schedule(self.read_json(Text).text)
        upcoming = [iso(micros(at)) or "" for at in schedule.upcoming(datetime.now(UTC), UPCOMING)]
        self.write_json(msgspec.json.encode(Preview(schedule.describe(), upcoming)))


def instant_of(name: str, text: str) -> int:
    """Return the instant that a text names, in microseconds.

    Raises:
        ArgumentsError: it is none.
    """
    try:
        return micros(datetime.fromisoformat(moment(text)))
    except ValueError as error:
        raise ArgumentsError(f"{name}: {error}", [FieldError(name, str(error), text)]) from None
