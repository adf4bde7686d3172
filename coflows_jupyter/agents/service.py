"""The Agents of one Workflow on a server: their host, their scheduler, and what doors ask of them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.agents.cadence import Pace
from coflows_jupyter.agents.explain import explain_at
from coflows_jupyter.agents.model import AgentModel, AgentRun, AgentState, Mode, instant, iso, micros, new_run, public
from coflows_jupyter.agents.news import News
from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.agents.scheduler import Scheduler
from coflows_jupyter.agents.soundness import check, wrong_with
from coflows_jupyter.agents.telling import Teller
from coflows_jupyter.build.model import Build, part
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import CoflowsError, Diagnostic, NotFoundError, nearest
from coflows_jupyter.host.pool import Pool, Prepared
from coflows_jupyter.host.protocol import Call, Result
from coflows_jupyter.mset.store import MStore
from coflows_jupyter.queries.catalog import Catalog
from coflows_jupyter.runs.registry import Runs
from coflows_jupyter.runtimes.agent import AgentEntry

if TYPE_CHECKING:
    from sqlalchemy import Connection

# What the original sends to every Agent that it deploys.
INITIAL = json.dumps({"Function": "Main", "Data": "Initial Execution"}, separators=(",", ":"))
UPCOMING = 5
# Between two looks for runs that are too old to keep.
PRUNE_MICROS = 600_000_000

log = logging.getLogger(__name__)


class Agents:
    """The Agents of one Workflow.

    Args:
        make_pool: makes the host in which they run, once there are any.
        runs: what knows all runs.
        database: where ticks and runs are kept.
        sets: gives the Workflow's M sets, so that their changes are heard of at once.
        keep: days for which runs that are over stay in the history.
        on_change: see ``News``.

    Attributes:
        settled: whether the first Build's Agents have been loaded, or there were none.
    """

    def __init__(
        self,
        make_pool: Callable[[], Pool],
        runs: Runs,
        database: Database,
        sets: Callable[[], MStore],
        keep: float,
        on_change: Callable[[str], None] = lambda _failure: None,
    ) -> None:
        self.catalog = Catalog()
        self.settled = False
        self._make_pool = make_pool
        self._runs = runs
        self._database = database
        self._pool: Pool | None = None
        self._scheduler: Scheduler | None = None
        self._workflow = ""
        self._sets = sets
        self._keep = round(keep * 86_400_000_000)
        self._pruned = 0
        self._pace = Pace()
        self._subscriptions: dict[str, Callable[[], None]] = {}
        self._teller = Teller(self.send, self._before)
        self._news = News(on_change)

    async def load(self, build: Build, *, initial: bool) -> tuple[Diagnostic, ...]:
        """Load the Agents of a Build in place of those before, if all can be loaded; return every finding.

        Args:
            build: the Workflow's.
            initial: whether Agents get the first message of a deployment if there were none before.
        """
        try:
            prepared = await self.prepare(build)
            if prepared is None:
                return ()
            first = not self.catalog.build
            if prepared.loaded.complete or first:
                deployed = f"deploy {prepared.loaded.catalog.build}"
                await self.commit(build.workflow, prepared, deployed if initial and first else "")
            else:
                prepared.discard()
            return prepared.loaded.diagnostics
        finally:
            self.settled = True

    async def prepare(self, build: Build) -> Prepared | None:
        """Load the Agents of a Build beside those at work; ``None`` when there is nothing to load."""
        agents = part(build, "agent")
        if self._pool is None:
            if not any(unit.kind == "agent" for unit in agents.units):
                return None
            self._pool = self._make_pool()
        if agents.id == self.catalog.build:
            return None
        prepared = await self._pool.prepare(agents)
        if wrong := check(prepared.loaded.catalog):
            found = (*prepared.loaded.diagnostics, *wrong)
            prepared.loaded = msgspec.structs.replace(prepared.loaded, diagnostics=found, complete=False)
        return prepared

    async def commit(self, workflow: str, prepared: Prepared, deployment: str) -> None:
        """Let ``prepared`` Agents of the Workflow with this ID take over.

        Args:
            workflow: the ID.
            prepared: as ``prepare`` gave them.
            deployment: names the deployment whose first message they get, once; empty for none.
        """
        prepared.commit()
        self.catalog = prepared.loaded.catalog
        await self._open(workflow, deployment)

    async def restart(self) -> None:
        """Let Agents run in a new host; runs that go on end in the one before."""
        if self._pool is not None:
            await self._pool.restart()

    async def _open(self, workflow: str, deployment: str) -> None:
        self._workflow = workflow
        if self._scheduler is None:
            self._scheduler = Scheduler(workflow, self._database, self, on_end=self._ended)
        entries = {entry.id: entry for entry in self.catalog.agents.values() if not wrong_with(entry)}
        await self._scheduler.open(entries)
        loop, wake = asyncio.get_running_loop(), self._scheduler.wake
        names = {entry.listens for entry in entries.values() if entry.listens}

        def wake_soon() -> None:
            loop.call_soon_threadsafe(wake)

        await asyncio.to_thread(self._listen, names, wake_soon)
        for entry in entries.values():
            if "load" in entry.callbacks:
                await self._load_values(entry)
        if deployment:
            # Not at a save: whoever works on an Agent would have it run at every key stroke.
            messages = [self._message(entry, deployment) for entry in entries.values() if "body" in entry.callbacks]
            await self._scheduler.transact(lambda store, connection, _now: store.add(connection, messages))

    def _listen(self, names: set[str], wake: Callable[[], None]) -> None:
        """Look at once when a set changes that an Agent listens to; otherwise that would take a second."""
        for name in self._subscriptions.keys() - names:
            self._subscriptions.pop(name)()
        for name in names - self._subscriptions.keys():
            self._subscriptions[name] = self._sets().subscribe(name, -1, lambda _page: wake())

    async def _load_values(self, entry: AgentEntry) -> None:
        """Give an Agent that begins to listen the values of its set: its host is new and knows nothing of them."""

        def look(_store: object, connection: Connection, _now: int) -> list[str]:
            from coflows_jupyter.agents.hearing import values

            return values(connection, entry.listens)

        values = await self._opened().transact(look)
        try:
            await self._opened().send(entry.id, "load", f"[[{','.join(values)}]]")
        except CoflowsError as error:
            log.warning("Agent %s could not load the M set %s: %s", entry.id, entry.listens, error.message)

    def _ended(self, run: AgentRun) -> None:
        self._news.ended(run)
        entry = self.catalog.agents.get(run.agent_id)
        if entry is not None:
            self._teller.tell(entry, run)
        if run.ended_at - self._pruned > PRUNE_MICROS:
            self._pruned = run.ended_at
            self._opened().submit(lambda store, connection, now: store.prune(connection, now - self._keep))

    async def _before(self, run: AgentRun) -> AgentRun | None:
        return await self._opened().transact(lambda store, connection, _now: store.before(connection, run))

    def _message(self, entry: AgentEntry, key: str) -> AgentRun:
        return new_run(self._workflow, entry.id, "message", "body", json.dumps([INITIAL]), self._now(), key)

    async def close(self, drain: float) -> None:
        """Start nothing more, give runs ``drain`` seconds, end the host."""
        for unsubscribe in self._subscriptions.values():
            unsubscribe()
        self._teller.close()
        if self._scheduler is not None:
            await self._scheduler.close(drain)
        self._news.close()
        if self._pool is not None:
            await self._pool.close(drain)
        await asyncio.to_thread(self._database.close)

    # -- runs ----------------------------------------------------------------------------------------------------------

    async def run(self, run: AgentRun) -> Result:
        """Run one attempt in the host; see ``Runner.run``."""
        assert self._pool is not None
        entry = self._entry(run.agent_id)
        name = run.run_id if run.attempt == 1 else f"{run.run_id}.{run.attempt}"
        caller = Caller(run.agent_id, entry.name, "local", "agent", AccessType.WRITE)
        data, timeout = run.argument.encode(), entry.policy.timeout
        call = Call(name, run.agent_id, run.function, "json", data, "", caller, timeout)
        noted = self._runs.begin(call, self._workflow, self.catalog)
        self._runs.note(noted)
        self._news.changed()
        try:
            result = await self._pool.call(call)
        except BaseException as error:
            self._runs.fail(noted, error)
            raise
        self._runs.succeed(noted, result)
        if run.cause != "message" and not isinstance(result.body, bytes):
            async for _ in result.body:
                pass  # a job that yields runs to its end, though nobody reads
        return result

    async def send(self, agent_id: str, text: str) -> tuple[AgentRun, Result]:
        """Give a message to an Agent's body, at once; return the run and the answer.

        Raises:
            NotFoundError: there is no such Agent, or it takes no messages.
            CoflowsError: it failed.
        """
        entry = self._entry(agent_id)
        if "body" not in entry.callbacks:
            raise NotFoundError(f"the Agent {entry.id} takes no messages", hint="give it a body")
        run, result = await self._opened().send(entry.id, "body", json.dumps([text]))
        assert isinstance(result, Result)
        return run, result

    async def start_run(self, agent_id: str, type_: str = "All") -> AgentRun:
        """Let an Agent's job run now, after those that go on.

        Raises:
            NotFoundError: there is no such Agent, or it has no job.
            ScheduleError: its schedule can't be read.
        """
        entry = self._sound(agent_id)
        if "job" not in entry.callbacks:
            raise NotFoundError(f"the Agent {entry.id} has no job", hint="send it a message instead")
        now = self._now()
        argument = json.dumps([(iso(now) or "").rstrip("Z"), type_])
        run = new_run(self._workflow, entry.id, "manual", "job", argument, now)
        await self._opened().add([run])
        self._news.changed()
        return run

    async def backfill(self, agent_id: str, start: int, end: int) -> list[AgentRun]:
        """Let an Agent's job run for each tick in ``start < tick <= end`` that never ran.

        Args:
            agent_id: the Agent's ID.
            start: microseconds.
            end: microseconds.

        Raises:
            NotFoundError: there is no such Agent, or it has no schedule.
            ScheduleError: its schedule can't be read.
        """
        entry = self._sound(agent_id)
        if not entry.schedule:
            raise NotFoundError(f"the Agent {entry.id} has no schedule")
        return await self._opened().backfill(entry, start, end)

    async def cancel(self, run_id: str, reason: str) -> AgentRun:
        """Stop a run, wherever it goes on, or one that waits.

        Raises:
            NotFoundError: there is no such run.
        """
        scheduler = self._opened()
        run = await scheduler.transact(lambda store, c, now: store.ask_to_stop(c, run_id, reason, now))
        if run is None:
            raise NotFoundError(f"there is no run {run_id} of an Agent")
        scheduler.stop(run_id, reason)
        self._news.changed()
        return run

    def stop(self, run_id: str) -> None:
        """Stop a run that goes on here, of which the history knows by this ID; unknown IDs are ignored."""
        if self._scheduler is not None:
            self._scheduler.stop(run_id.partition(".")[0], "cancelled by a caller")

    # -- Agents --------------------------------------------------------------------------------------------------------

    async def overview(self) -> list[AgentModel]:
        """Return all Agents, with what they do next and did last."""
        if self._scheduler is None:
            return []
        known, latest = await self._scheduler.transact(lambda store, c, _now: (store.agents(c), store.latest(c)))
        states = {state.agent_id: state for state in known}
        if stale := self._pace.stale(latest):
            drifts = await self._scheduler.transact(
                lambda store, c, _now: [store.drift(c, run.agent_id) for run in stale]
            )
            self._pace.take(zip(stale, drifts, strict=True))
        return [self._model(entry, states.get(entry.id), latest) for entry in self.catalog.agents.values()]

    def _model(self, entry: AgentEntry, state: AgentState | None, latest: list[AgentRun]) -> AgentModel:
        mode: Mode = state.mode if state else "stopped"
        schedule = Schedule(entry.schedule) if entry.schedule and not wrong_with(entry) else None
        upcoming = schedule.upcoming(instant(self._now()), UPCOMING) if schedule and mode == "started" else []
        mine = [run for run in latest if run.agent_id == entry.id]
        over = next((run for run in mine if run.state not in {"due", "running"}), None)
        return AgentModel(
            id=entry.id,
            name=entry.name,
            description=entry.description,
            path=entry.path,
            mode=mode,
            schedule=entry.schedule,
            words=schedule.describe() if schedule else "",
            upcoming=[iso(micros(moment)) or "" for moment in upcoming],
            listens=entry.listens,
            callbacks=entry.callbacks,
            policy=msgspec.to_builtins(entry.policy),
            last=public(over) if over else None,
            drift=self._pace.drift(entry.id) if upcoming else "",
            running=[run.run_id for run in mine if run.state == "running"],
            notebook=entry.notebook,
            parameters=entry.parameters,
        )

    async def set_mode(self, agent_id: str, mode: Mode, why: str) -> None:
        """Start, pause or stop an Agent; it stays so when the server restarts.

        Raises:
            NotFoundError: there is no such Agent.
            ScheduleError: its schedule can't be read.
        """
        entry = self._sound(agent_id)
        await self._opened().set_mode(entry.id, mode, why)
        self._news.changed()

    async def history(self, agent_id: str = "", *, limit: int = 50) -> list[AgentRun]:
        """Return runs, of all Agents or of one, the latest first."""
        if self._scheduler is None:
            return []
        entry = self._entry(agent_id).id if agent_id else ""
        return await self._scheduler.transact(lambda store, c, _now: store.runs(c, entry, limit=limit))

    async def run_of(self, run_id: str) -> AgentRun:
        """Return one run.

        Raises:
            NotFoundError: there is no such run.
        """
        found = await self._opened().transact(lambda store, c, _now: store.runs(c, run_id=run_id, limit=1))
        if not found:
            raise NotFoundError(f"there is no run {run_id} of an Agent")
        return found[0]

    async def explain(self, agent_id: str, time: str) -> list[str]:
        """Say why an Agent did or did not run at a time, in sentences.

        Args:
            agent_id: the Agent's ID or name.
            time: see ``explain.named``.

        Raises:
            NotFoundError: there is no such Agent.
            ValueError: the text names no time.
        """
        entry = self._entry(agent_id)
        return await self._opened().transact(lambda store, c, now: explain_at(store, c, entry, time, now))

    def _entry(self, agent_id: str) -> AgentEntry:
        """Return the Agent of this ID, or the only one of this name."""
        agents = self.catalog.agents
        named = [entry for entry in agents.values() if entry.name == agent_id]
        if agent_id in agents:
            return agents[agent_id]
        if len(named) == 1:
            return named[0]
        near = nearest(agent_id, [*agents, *(entry.name for entry in agents.values())])
        hint = f"did you mean {near}?" if near else f"there are: {', '.join(agents) or 'none'}"
        raise NotFoundError(f"there is no Agent {agent_id!r}", hint=hint)

    def _sound(self, agent_id: str) -> AgentEntry:
        """Return an Agent that the scheduler has: not one whose schedule can't be read."""
        entry = self._entry(agent_id)
        if error := wrong_with(entry):
            raise error
        return entry

    def _opened(self) -> Scheduler:
        if self._scheduler is None:
            raise NotFoundError("the Workflow has no Agents", hint="declare one in a file of Agents/")
        return self._scheduler

    def _now(self) -> int:
        return self._opened().now()
