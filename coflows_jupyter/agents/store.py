"""What servers do with the tables of Agents and their runs; all of it on the database's thread, in a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from coflows_jupyter.agents import cadence, hearing, rows, state
from coflows_jupyter.agents.model import LAST, AgentRun, AgentState, Mode, instant, micros, new_run
from coflows_jupyter.agents.rows import Rows
from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.agents.state import Outcome
from coflows_jupyter.agents.tables import AGENTS, RUNS
from coflows_jupyter.runtimes.agent import AgentEntry, Policy

# How many Agents whose ticks came one transaction looks at.
MOST_AGENTS = 500
# At how many more Agents that wait it looks than it can start runs of.
_MORE = 8

_DUE = rows.for_update(
    rows.AGENT.where(AGENTS.c.next_at > 0, AGENTS.c.next_at <= sa.bindparam("now"), AGENTS.c.mode != "stopped")
    .order_by(AGENTS.c.next_at)
    .limit(MOST_AGENTS),
    AGENTS,
)
_ALL = rows.for_update(rows.AGENT.order_by(AGENTS.c.agent_id), AGENTS, wait=True)


class AgentStore:
    """The Agents of one Workflow, as one server sees them.

    Args:
        workflow: the Workflow's ID.
        owner: names this server among all.
        lease: seconds after which a run of a silent server is lost.
    """

    def __init__(self, workflow: str, owner: str, lease: float) -> None:
        self.owner = owner
        self.lease = lease
        self._workflow = workflow
        self._rows = Rows(workflow)
        self._entries: Mapping[str, AgentEntry] = {}
        self._schedules: dict[str, Schedule] = {}
        # Agents that have runs which wait for their turn, as far as this server has seen, in the order of a look.
        self._waiting: list[str] = []

    # -- Agents --------------------------------------------------------------------------------------------------------

    def open(self, connection: sa.Connection, entries: Mapping[str, AgentEntry], now: int) -> None:
        """Take the Agents of a Build; a schedule that changed begins anew, one that did not goes on.

        Args:
            connection: in a transaction.
            entries: by ID.
            now: microseconds.
        """
        self._entries = entries
        self._schedules = {
            entry.id: Schedule(entry.schedule)
            for entry in entries.values()
            if entry.schedule and "job" in entry.callbacks
        }
        known = {agent.agent_id: agent for agent in self._rows.agents(connection, _ALL)}
        for agent_id in entries:
            if agent_id in known or not self._introduce(connection, agent_id, now):
                agent = known.get(agent_id) or self._rows.agents_by_id(connection, [agent_id])[0]
                self._open(connection, agent, now)
        gone = [agent_id for agent_id in known if agent_id not in entries]
        self._set(connection, gone, next_at=0)

    def _introduce(self, connection: sa.Connection, agent_id: str, now: int) -> bool:
        """Give an Agent its row; say whether it had none."""
        schedule = self._schedules.get(agent_id)
        agent = AgentState(
            workflow=self._workflow,
            agent_id=agent_id,
            name=self._entries[agent_id].name,
            schedule=schedule.text if schedule else "",
            cursor=now,
            next_at=state.following(schedule, now),
            changes=hearing.latest(connection, self._entries[agent_id].listens),
        )
        try:
            with connection.begin_nested():
                connection.execute(AGENTS.insert(), msgspec.structs.asdict(agent))
        except IntegrityError:  # another server was quicker
            return False
        return True

    def _open(self, connection: sa.Connection, agent: AgentState, now: int) -> None:
        agent_id = agent.agent_id
        schedule = self._schedules.get(agent_id)
        text = schedule.text if schedule else ""
        name = self._entries[agent_id].name
        following = state.following(schedule, now)
        if agent.schedule != text:
            if agent.mode != "stopped":
                self._plan(connection, state.own_schedules([agent]), now)
            opened = 0 if agent.mode == "stopped" else following
            self._set(connection, [agent_id], name=name, schedule=text, cursor=now, next_at=opened)
        elif agent.mode != "stopped" and not agent.next_at:
            self._set(connection, [agent_id], name=name, next_at=state.following(schedule, agent.cursor))

    def agents(self, connection: sa.Connection) -> list[AgentState]:
        """Return what is remembered of the Workflow's Agents."""
        return self._rows.agents(connection)

    def set_mode(self, connection: sa.Connection, agent_id: str, mode: Mode, why: str, now: int) -> None:
        """Start, pause or stop an Agent.

        Ticks until ``now`` have rows of the mode before; one that was stopped begins anew at ``now``.
        """
        (agent,) = self._rows.agents_by_id(connection, [agent_id])
        values: dict[str, str | int] = {"mode": mode, "why": why}
        schedules = state.own_schedules([agent])
        if agent.mode != "stopped":
            self._plan(connection, schedules, now)
        else:
            values |= {
                "cursor": now,
                "next_at": max((state.following(schedule, now) for _, schedule in schedules), default=0),
            }
            if agent_id in self._entries:
                values |= {"changes": hearing.latest(connection, self._entries[agent_id].listens)}
        if mode == "stopped":
            values |= {"next_at": 0}
        self._set(connection, [agent_id], **values)

    def _set(self, connection: sa.Connection, agents: Sequence[str], **values: str | int) -> None:
        for agent_id in agents:
            mine = (AGENTS.c.workflow == self._workflow, AGENTS.c.agent_id == agent_id)
            connection.execute(AGENTS.update().where(*mine).values(values))

    # -- runs ----------------------------------------------------------------------------------------------------------

    def step(
        self, connection: sa.Connection, now: int, free: int, held: Collection[str] = (), *, expire: bool = True
    ) -> state.Step:
        """Give ticks that came their rows, take what this server may run, and note who vanished.

        Args:
            connection: in a transaction.
            now: microseconds.
            free: how many runs this server can start; it may have more than it should already.
            held: IDs of runs that go on at this server.
            expire: whether leases that have passed say that their owners vanished.
        """
        step = state.Step()
        self._trouble(connection, step, now, held, expire=expire)
        self._hear(connection)
        agents = self._rows.agents(connection, _DUE, now=now)
        self._plan(connection, self._scheduled(agents), now)
        if not self._waiting:
            found = connection.execute(rows.WAITING, {"workflow": self._workflow, "now": now}).scalars()
            self._waiting = [agent_id for agent_id in found if agent_id in self._entries]
        if self._waiting:
            self._admit(connection, step, now, max(free, 0))
        if len(agents) == MOST_AGENTS or (self._waiting and len(step.start) < free):
            step.next_at = now
        else:
            moments = connection.execute(rows.NEXT, {"workflow": self._workflow, "now": now}).one()
            step.next_at = min(filter(None, moments), default=0)
        return step

    def _trouble(
        self, connection: sa.Connection, step: state.Step, now: int, held: Collection[str], *, expire: bool
    ) -> None:
        found = self._rows.runs(connection, rows.TROUBLED, now=now, owner=self.owner)
        step.stop = [run for run in found if run.owner == self.owner and run.stop]
        passed = [run.run_id for run in found if run.lease_until < now and run.run_id not in held]
        if passed and expire:
            # Their owners may have written between the two statements.
            taken = self._rows.runs_by_id(connection, passed, rows.RUNS_TO_TAKE)
            gone = [run for run in taken if run.lease_until < now]
            step.lost = [state.expire(run, self._policy(run.agent_id), now) for run in gone]
            self._rows.update(connection, zip(gone, step.lost, strict=True))

    def _scheduled(self, agents: Iterable[AgentState]) -> list[tuple[AgentState, Schedule]]:
        """Return the Agents that have a schedule here; that of another may be in another server's Build."""
        return [(agent, self._schedules[agent.agent_id]) for agent in agents if agent.agent_id in self._schedules]

    def _hear(self, connection: sa.Connection) -> None:
        """Give changes of M sets that Agents listen to their rows."""
        listening = [entry.id for entry in self._entries.values() if entry.listens]
        for agent in self._rows.agents_by_id(connection, listening, rows.AGENTS_TO_TAKE) if listening else ():
            if agent.mode == "started":
                runs, seq = hearing.news(connection, self._entries[agent.agent_id], agent)
                self._rows.insert(connection, runs)
                if seq > agent.changes:
                    self._set(connection, [agent.agent_id], changes=seq)
                self._expect([agent.agent_id] if runs else [])

    def _expect(self, agents: Iterable[str]) -> None:
        """Look at these Agents, too, while others that wait are still being looked at."""
        if self._waiting:
            known = set(self._waiting)
            self._waiting += [agent_id for agent_id in agents if agent_id not in known]

    def _plan(self, connection: sa.Connection, agents: Iterable[tuple[AgentState, Schedule]], now: int) -> None:
        runs, moved = [], []
        for agent, schedule in agents:
            plan = state.plan(schedule, self._policy(agent.agent_id), agent, now)
            runs += [self._run(agent.agent_id, row, now) for row in plan.rows]
            moved.append((agent.agent_id, plan.cursor, plan.next_at))
        self._rows.insert(connection, runs)
        self._rows.move(connection, moved)
        self._expect(agent_id for agent_id, _, _ in moved)

    def _run(self, agent_id: str, row: state.Row, now: int) -> AgentRun:
        argument = msgspec.json.encode([row.tick.at.replace(tzinfo=None), row.tick.type]).decode()
        key = f"{row.tick.at:%Y-%m-%dT%H:%M:%SZ} {row.tick.type}"
        run = new_run(self._workflow, agent_id, row.cause, "job", argument, micros(row.tick.at), key)
        ended = now if row.state == "skipped" else 0
        return msgspec.structs.replace(run, state=row.state, reason=row.reason, ended_at=ended)

    def _admit(self, connection: sa.Connection, step: state.Step, now: int, free: int) -> None:
        """Take what may run of the next Agents that wait; those for whose runs there is no room stay the next."""
        # Some have runs of which none may start.
        count = free + _MORE
        mine, self._waiting = self._waiting[:count], self._waiting[count:]
        if connection.dialect.name != "sqlite":
            locked = {agent.agent_id for agent in self._rows.agents_by_id(connection, mine, rows.AGENTS_TO_TAKE)}
            mine = [agent_id for agent_id in mine if agent_id in locked]
        runs: dict[str, tuple[list[AgentRun], list[AgentRun]]] = {agent_id: ([], []) for agent_id in mine}
        for run in self._candidates(connection, mine, now, few := max(2 * free // max(len(mine), 1), 2)):
            runs[run.agent_id][run.state == "running"].append(run)
        changes: list[tuple[AgentRun, AgentRun]] = []
        cancel: dict[str, str] = {}
        later, more = [], []
        for agent_id, (due, running) in runs.items():
            admission = state.admit(due, running, self._policy(agent_id), now)
            room = free - len(step.start)
            begun = [(run, state.start(run, self.owner, now, self.lease)) for run in admission.start[:room]]
            step.start += [started for _, started in begun]
            changes += begun
            before = {run.run_id: run for run in due}
            changes += [(before[run.run_id], run) for run in admission.skip]
            cancel |= {run.run_id: run.stop for run in admission.cancel}
            if len(admission.start) > room:
                later.append(agent_id)
            elif len(due) >= few and (admission.start or admission.skip):
                more.append(agent_id)
        self._waiting = [*later, *self._waiting, *more]
        if connection.dialect.name != "sqlite":
            # Nothing here waits for a row: whoever holds it may wait for one of ours.
            ids = [run.run_id for run, _ in changes]
            taken = {run.run_id for run in self._rows.runs_by_id(connection, ids, rows.WAITING_TO_TAKE)}
            changes = [change for change in changes if change[0].run_id in taken]
            step.start = [run for run in step.start if run.run_id in taken]
        for run in self._rows.runs_by_id(connection, list(cancel), rows.RUNS_TO_TAKE):
            changes.append((run, msgspec.structs.replace(run, stop=cancel[run.run_id])))
        self._rows.update(connection, changes)

    def _candidates(self, connection: sa.Connection, agents: Sequence[str], now: int, few: int) -> Iterator[AgentRun]:
        """Yield what goes on of some Agents, and the first of what waits."""
        # Where ticks wait for their turn, the first will do; where they do not, the last one counts.
        lasting = {agent_id for agent_id in agents if self._policy(agent_id).overlap in {"allow", "queue"}}
        for ids, ticks in ((lasting, few), (set(agents) - lasting, rows.MOST_TICKS)):
            if ids:
                yield from self._rows.runs(connection, rows.CANDIDATES, ids=sorted(ids), now=now, few=few, ticks=ticks)

    def begin(self, connection: sa.Connection, run: AgentRun, now: int) -> AgentRun:
        """Give a run that begins at once, a message's, its row; return it as started."""
        started = state.start(run, self.owner, now, self.lease)
        self._rows.insert(connection, [started])
        return started

    def add(self, connection: sa.Connection, runs: Sequence[AgentRun]) -> list[AgentRun]:
        """Give runs that wait for their turn their rows; those whose key is known are left out of what is returned."""
        # Whoever else gives an Agent runs by key waits meanwhile.
        self._rows.agents_by_id(connection, sorted({run.agent_id for run in runs}))
        held: set[tuple[str, str]] = set()
        for agent_id in {run.agent_id for run in runs}:
            keys = [run.key for run in runs if run.agent_id == agent_id]
            for start in range(0, len(keys), rows.MOST_IDS):
                known = sa.select(RUNS.c.key).where(RUNS.c.workflow == self._workflow, RUNS.c.agent_id == agent_id)
                part = known.where(RUNS.c.key.in_(keys[start : start + rows.MOST_IDS]))
                held |= {(agent_id, key) for key in connection.scalars(part)}
        fresh = [run for run in runs if (run.agent_id, run.key) not in held]
        self._rows.insert(connection, fresh)
        return fresh

    def backfill(self, connection: sa.Connection, entry: AgentEntry, start: int, end: int, now: int) -> list[AgentRun]:
        """Make every tick in ``start < tick <= end`` due that has no row or was skipped; return those."""
        self._rows.agents_by_id(connection, [entry.id])
        ticks = Schedule(entry.schedule).between(instant(start), instant(end))
        wanted = [
            msgspec.structs.replace(self._run(entry.id, state.Row(tick, "backfill", "due"), now), reason="backfill")
            for tick in ticks
        ]
        span = (RUNS.c.agent_id == entry.id, RUNS.c.fire_at > start, RUNS.c.fire_at <= end)
        held = {run.key: run for run in self._rows.runs(connection, rows.RUN.where(*span))}
        skipped = [run for run in (held.get(run.key) for run in wanted) if run is not None and run.state == "skipped"]
        again = [msgspec.structs.replace(run, state="due", cause="backfill", reason="", ended_at=0) for run in skipped]
        self._rows.update(connection, zip(skipped, again, strict=True))
        return [*again, *self.add(connection, [run for run in wanted if run.key not in held])]

    def before(self, connection: sa.Connection, run: AgentRun) -> AgentRun | None:
        """Return the run of the same Agent that was over before this one, skipped ones left out."""
        over = RUNS.c.state.in_(("succeeded", "failed", "timed_out", "lost"))
        others = rows.RUN.where(RUNS.c.agent_id == run.agent_id, RUNS.c.run_id != run.run_id, over)
        found = self._rows.runs(connection, others.order_by(RUNS.c.ended_at.desc()).limit(1))
        return next(iter(found), None)

    def latest(self, connection: sa.Connection) -> list[AgentRun]:
        """Return what goes on, and of each Agent the latest run that is over."""
        over = sa.select(sa.func.max(RUNS.c.number)).where(RUNS.c.state.not_in(("due", "running")), RUNS.c.ended_at > 0)
        newest = over.where(RUNS.c.workflow == self._workflow).group_by(RUNS.c.agent_id)
        return self._rows.runs(connection, rows.RUN.where(sa.or_(RUNS.c.state == "running", RUNS.c.number.in_(newest))))

    def finish(
        self, connection: sa.Connection, ended: Iterable[tuple[AgentRun, Outcome, str]], now: int
    ) -> list[AgentRun | None]:
        """Note how attempts of this server ended.

        Args:
            connection: in a transaction.
            ended: runs as they were started, with their outcome and what went wrong.
            now: microseconds.

        Returns:
            The run after each, ``None`` where the attempt was this server's no longer.
        """
        ended = list(ended)
        kept = self._kept(connection, [run for run, _, _ in ended])
        found = [
            state.end(run, outcome, error, self._policy(run.agent_id), now) if run.run_id in kept else None
            for run, outcome, error in ended
        ]
        self._rows.update(connection, [(run, after) for (run, _, _), after in zip(ended, found, strict=True) if after])
        return found

    def renew(self, connection: sa.Connection, runs: Sequence[AgentRun], now: int) -> set[str]:
        """Prolong the leases of runs; return the IDs of those that are this server's no longer."""
        until = now + round(self.lease * 1_000_000)
        kept = self._kept(connection, runs)
        self._rows.update(connection, [(run, msgspec.structs.replace(run, lease_until=until)) for run in kept.values()])
        return {run.run_id for run in runs if run.run_id not in kept}

    def _kept(self, connection: sa.Connection, runs: Sequence[AgentRun]) -> dict[str, AgentRun]:
        """Return those attempts that are still this server's, as they are now, by ID."""
        attempts = {run.run_id: run.attempt for run in runs}
        found = self._rows.runs_by_id(connection, list(attempts), rows.RUNS_TO_KEEP, owner=self.owner)
        return {run.run_id: run for run in found if run.attempt == attempts[run.run_id]}

    def ask_to_stop(self, connection: sa.Connection, run_id: str, reason: str, now: int) -> AgentRun | None:
        """Ask the owner of a run to stop it; one that waits is over at once. Return it as it is then."""
        run = next(iter(self._rows.runs_by_id(connection, [run_id])), None)
        if run is None or run.state not in {"due", "running"}:
            return run
        changed = (
            {"stop": reason} if run.state == "running" else {"state": "cancelled", "reason": reason, "ended_at": now}
        )
        after = msgspec.structs.replace(run, **changed)
        self._rows.update(connection, [(run, after)])
        return after

    def runs(
        self, connection: sa.Connection, agent_id: str = "", *, limit: int = 50, until: int = 0, run_id: str = ""
    ) -> list[AgentRun]:
        """Return runs, the latest first.

        Args:
            connection: in a transaction.
            agent_id: of this Agent only.
            limit: how many at most.
            until: only those due at this instant or before, in microseconds.
            run_id: only this one.
        """
        wanted = [RUNS.c.agent_id == agent_id] if agent_id else []
        wanted += [RUNS.c.fire_at <= until] if until else []
        wanted += [RUNS.c.run_id == run_id] if run_id else []
        order = (RUNS.c.fire_at.desc(), RUNS.c.number.desc())
        return self._rows.runs(connection, rows.RUN.where(*wanted).order_by(*order).limit(limit))

    def drift(self, connection: sa.Connection, agent_id: str, until: int = LAST) -> str:
        """Say how an Agent did not keep its schedule's pace until an instant; see ``cadence.drift``."""
        return cadence.drift(self._rows.ticks(connection, agent_id, until, cadence.TICKS))

    def prune(self, connection: sa.Connection, before: int) -> None:
        """Delete runs that were over before an instant."""
        over = (RUNS.c.ended_at > 0, RUNS.c.ended_at < before, RUNS.c.state.not_in(("due", "running")))
        connection.execute(RUNS.delete().where(RUNS.c.workflow == self._workflow, *over))

    # -- inside --------------------------------------------------------------------------------------------------------

    def _policy(self, agent_id: str) -> Policy:
        entry = self._entries.get(agent_id)
        return entry.policy if entry else Policy()
