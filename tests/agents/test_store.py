"""The tables of Agents and runs against a small model of what must be in them, with several servers."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection

from coflows_jupyter.agents import rows
from coflows_jupyter.agents.explain import explain_at
from coflows_jupyter.agents.model import AgentRun, Mode, instant, micros
from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.agents.store import AgentStore
from coflows_jupyter.database.connection import Database
from coflows_jupyter.runtimes.agent import AgentEntry, CatchUp, Overlap, Policy

T = TypeVar("T")

START = micros(datetime(2026, 11, 24, 9, tzinfo=UTC))
LEASE = 15.0
SCHEDULE = "0/20 * * * * ?"


class Server:
    """A server as the database sees it: a name, and what it believes that it runs."""

    def __init__(self, workflow: str, number: int) -> None:
        self.lives = 0
        self.workflow = workflow
        self.number = number
        self.born()

    def born(self) -> None:
        """Come to life under a new name, with nothing going on."""
        self.lives += 1
        self.store = AgentStore(self.workflow, f"server-{self.number}.{self.lives}", LEASE)
        self.going: list[AgentRun] = []


class Ledger(RuleBasedStateMachine):
    """Servers look, run, fail, freeze and die in any order; every tick has one row, and no attempt starts twice."""

    def __init__(self, database: Database, workflow: str) -> None:
        super().__init__()
        self.database = database
        self.now = START
        self.servers = [Server(workflow, number) for number in range(3)]
        self.started: set[tuple[str, int]] = set()
        self.expected: set[datetime] = set()
        self.mode: Mode = "started"

    def do(self, work: Callable[[Connection], T]) -> T:
        """Do work in a transaction."""
        return self.database.submit(work).result()

    @initialize(
        catchup=st.sampled_from(["none", "last", "all"]),
        overlap=st.sampled_from(["skip", "queue", "cancel", "allow"]),
        retries=st.integers(0, 2),
        again=st.booleans(),
    )
    def declare(self, catchup: CatchUp, overlap: Overlap, retries: int, *, again: bool) -> None:
        """Every server has the same Agent."""
        policy = Policy(catchup, 300, overlap, retries, 10, 0, again)
        self.entries = {"a": AgentEntry("a", "A", schedule=SCHEDULE, callbacks=("job",), policy=policy)}
        for server in self.servers:
            self.open(server)

    def open(self, server: Server) -> None:
        """Give a server the Agent."""
        self.do(lambda connection: server.store.open(connection, self.entries, self.now))

    @rule(seconds=st.sampled_from([1, 5, 19, 20, 40, 100, 1000]))
    def time_passes(self, seconds: int) -> None:
        """Let time pass; its ticks are to have rows."""
        if self.mode != "stopped":
            ticks = Schedule(SCHEDULE).between(instant(self.now), instant(self.now) + timedelta(seconds=seconds))
            self.expected.update(tick.at for tick in ticks)
        self.now += seconds * 1_000_000

    @rule(number=st.integers(0, 2), free=st.sampled_from([0, 1, 8]))
    def look(self, number: int, free: int) -> None:
        """A server looks, and starts what it is given."""
        server = self.servers[number]
        step = self.do(lambda connection: server.store.step(connection, self.now, free))
        assert len(step.start) <= free
        for run in step.start:
            assert (run.run_id, run.attempt) not in self.started, "an attempt was started twice"
            self.started.add((run.run_id, run.attempt))
            assert run.state == "running"
        server.going += step.start
        if step.next_at:
            assert step.next_at >= self.now

    @rule(number=st.integers(0, 2), outcome=st.sampled_from(["succeeded", "failed", "timed_out", "cancelled"]))
    def finish(self, number: int, outcome: str) -> None:
        """A server reports how its oldest run ended, perhaps long after it was given up."""
        server = self.servers[number]
        if not server.going:
            return
        run = server.going.pop(0)
        before = self.row(run)
        ended = [(run, outcome, "words")]
        (after,) = self.do(lambda c: server.store.finish(c, ended, self.now))  # type: ignore[arg-type]
        mine = (before.state, before.attempt, before.owner) == ("running", run.attempt, run.owner)
        assert (after is not None) == mine, "a late result was taken, or one in time refused"
        if not mine:
            assert self.row(run) == before

    @rule(number=st.integers(0, 2))
    def renew(self, number: int) -> None:
        """A server prolongs its leases."""
        server = self.servers[number]
        gone = self.do(lambda connection: server.store.renew(connection, server.going, self.now))
        server.going = [run for run in server.going if run.run_id not in gone]

    @rule(number=st.integers(0, 2))
    def die(self, number: int) -> None:
        """A server dies and another takes its place."""
        server = self.servers[number]
        server.born()
        self.open(server)

    @rule(mode=st.sampled_from(["started", "paused", "stopped"]))
    def switch(self, mode: Mode) -> None:
        """Somebody starts, pauses or stops the Agent."""
        self.do(lambda c: self.servers[0].store.set_mode(c, "a", mode, "by a test", self.now))
        self.mode = mode

    def row(self, run: AgentRun) -> AgentRun:
        """Return a run as it is now."""
        (found,) = self.do(lambda connection: self.servers[0].store.runs(connection, run_id=run.run_id))
        return found

    def rows(self) -> list[AgentRun]:
        """Return all runs."""
        return self.do(lambda connection: self.servers[0].store.runs(connection, limit=100_000))

    @invariant()
    def every_final_row_has_its_reason(self) -> None:
        """What did not succeed says why."""
        for run in self.rows():
            assert run.state in {"due", "running", "succeeded"} or run.reason
            assert run.ended_at or run.state in {"due", "running"}

    def teardown(self) -> None:
        """Long after everybody died one server looks: nothing is left running, and every tick has its row."""
        self.now += 3600 * 1_000_000
        if self.mode != "stopped":
            self.do(lambda c: self.servers[0].store.set_mode(c, "a", "stopped", "the end", self.now))
            ticks = Schedule(SCHEDULE).between(instant(self.now) - timedelta(hours=1), instant(self.now))
            self.expected.update(tick.at for tick in ticks)
        step = self.do(lambda connection: self.servers[1].store.step(connection, self.now, 100))
        self.do(lambda c: self.servers[1].store.finish(c, [(run, "succeeded", "") for run in step.start], self.now))
        found = self.rows()
        keys = [run.key for run in found]
        assert len(keys) == len(set(keys)), "a tick has two rows"
        assert {instant(run.fire_at) for run in found} == self.expected, "a tick has no row"
        assert not [run for run in found if run.state == "running"]


def test_servers_in_any_order(database: Database) -> None:
    """See ``Ledger``; each example is a Workflow of its own."""
    numbers = itertools.count()
    examples = 25 if database.location.type == "sqlite" else 8
    run_state_machine_as_test(
        lambda: Ledger(database, f"w{next(numbers)}"),  # type: ignore[arg-type]  # called for each example
        settings=settings(max_examples=examples, stateful_step_count=50, deadline=None),
    )


def declare(database: Database, entry: AgentEntry, *stores: AgentStore) -> None:
    """Give servers an Agent."""

    def work(connection: Connection) -> None:
        for store in stores:
            store.open(connection, {entry.id: entry}, START)

    database.submit(work).result()


def test_a_late_result_is_refused(database: Database) -> None:
    """A server that was frozen beyond its lease can't end the attempt that another began in the meantime."""
    entry = AgentEntry("a", "A", schedule=SCHEDULE, callbacks=("job",), policy=Policy(retry_on_lost=True))
    frozen, other = AgentStore("w", "frozen", LEASE), AgentStore("w", "other", LEASE)
    declare(database, entry, frozen, other)
    tick, later = START + 20_000_000, START + 20_000_000 + 16_000_000
    (run,) = database.submit(lambda c: frozen.step(c, tick, 1)).result().start
    assert database.submit(lambda c: other.step(c, tick, 1)).result().start == []
    (again,) = database.submit(lambda c: other.step(c, later, 1)).result().start
    assert (again.run_id, again.attempt, again.owner) == (run.run_id, 2, "other")
    assert database.submit(lambda c: frozen.finish(c, [(run, "succeeded", "")], later)).result() == [None]
    assert database.submit(lambda c: frozen.renew(c, [run], later)).result() == {run.run_id}
    (after,) = database.submit(lambda c: other.finish(c, [(again, "succeeded", "")], later)).result()
    assert after is not None
    assert after.state == "succeeded"


def test_a_run_is_asked_to_stop_wherever_it_is(database: Database) -> None:
    """One that waits is over at once; one that goes on elsewhere is shown to its owner at its next look."""
    entry = AgentEntry("a", "A", schedule=SCHEDULE, callbacks=("job",), policy=Policy(overlap="queue"))
    owner, other = AgentStore("w", "owner", LEASE), AgentStore("w", "other", LEASE)
    declare(database, entry, owner, other)
    now = START + 41_000_000
    (run,) = database.submit(lambda c: owner.step(c, now, 5)).result().start
    waiting = next(r for r in database.submit(other.runs).result() if r.state == "due")
    over = database.submit(lambda c: other.ask_to_stop(c, waiting.run_id, "by ada", now)).result()
    assert over is not None
    assert (over.state, over.reason) == ("cancelled", "by ada")
    database.submit(lambda c: other.ask_to_stop(c, run.run_id, "by ada", now)).result()
    (asked,) = database.submit(lambda c: owner.step(c, now, 5)).result().stop
    assert (asked.run_id, asked.stop) == (run.run_id, "by ada")


def test_a_schedule_that_changes_begins_anew(database: Database) -> None:
    """Ticks of the old schedule have rows until the change, those of the new one after it; one kept goes on."""
    store = AgentStore("w", "owner", LEASE)
    entry = AgentEntry("a", "A", schedule=SCHEDULE, callbacks=("job",), policy=Policy(overlap="allow"))
    database.submit(lambda c: store.open(c, {"a": entry}, START)).result()
    kept, changed = START + 20_500_000, START + 40_500_000
    database.submit(lambda c: store.open(c, {"a": entry}, kept)).result()
    database.submit(lambda c: store.open(c, {}, kept)).result()
    other = AgentEntry("a", "A", schedule="0/25 * * * * ?", callbacks=("job",), policy=Policy(overlap="allow"))
    database.submit(lambda c: store.open(c, {"a": entry}, changed)).result()
    database.submit(lambda c: store.open(c, {"a": other}, changed)).result()
    database.submit(lambda c: store.step(c, START + 51_000_000, 9)).result()
    ticks = sorted((run.fire_at - START) // 1_000_000 for run in database.submit(store.runs).result())
    assert ticks == [20, 40, 50]


@pytest.fixture
def many() -> dict[str, AgentEntry]:
    """Return many Agents that are due at once, of all kinds."""
    policies = [Policy(overlap=overlap, retry_on_lost=True) for overlap in ("skip", "queue", "cancel", "allow")]
    return {
        name: AgentEntry(name, name, schedule=SCHEDULE, callbacks=("job",), policy=policies[number % len(policies)])
        for number, name in enumerate(f"agent-{number:02}" for number in range(24))
    }


def test_servers_open_at_once(open_database: Callable[..., Database], many: dict[str, AgentEntry]) -> None:
    """Several servers that see Agents for the first time at one moment leave each with one row."""
    databases = [open_database() for _ in range(4)]
    databases[0].run(lambda _: None)
    together = threading.Barrier(4)

    def start(number: int) -> None:
        store = AgentStore("w", f"server-{number}", LEASE)
        together.wait(10)
        databases[number].run(lambda c: store.open(c, many, START + number))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(start, range(4)))
    known = databases[0].run(AgentStore("w", "other", LEASE).agents)
    assert sorted(agent.agent_id for agent in known) == sorted(many)


def test_servers_look_at_once(open_database: Callable[..., Database], many: dict[str, AgentEntry]) -> None:
    """Servers that look, renew and finish at one time begin no attempt twice, wait for no lock, and leave no tick out.

    A transaction that was a deadlock's victim would be begun again, which is counted.
    """
    servers = 4
    databases = [open_database() for _ in range(servers)]
    stores = [AgentStore("w", f"server-{number}", LEASE) for number in range(servers)]
    for database, store in zip(databases, stores, strict=True):
        database.run(lambda c, store=store: store.open(c, many, START))  # type: ignore[misc]
    together = threading.Barrier(servers)
    began: list[list[tuple[str, int]]] = [[] for _ in range(servers)]
    transactions = [0] * servers

    def serve(number: int) -> None:
        going: list[AgentRun] = []

        def work(connection: Connection) -> list[AgentRun]:
            transactions[number] += 1
            store.finish(connection, [(run, "succeeded", "") for run in going[:3]], now)
            return store.step(connection, now, 6, {run.run_id for run in going}).start

        def renew(connection: Connection) -> None:
            transactions[number] += 1
            store.renew(connection, going, now)

        store = stores[number]
        for look in range(20):
            now = START + look * 20_000_000
            together.wait(30)
            databases[number].run(renew)
            going = going[3:] + databases[number].run(work)
            began[number] += [(run.run_id, run.attempt) for run in going[-6:] if run.started_at == now]

    with ThreadPoolExecutor(servers) as threads:
        list(threads.map(serve, range(servers)))
    attempts = [attempt for found in began for attempt in found]
    assert len(attempts) == len(set(attempts))
    assert transactions == [40] * servers
    ticks = [(run.agent_id, run.key) for run in databases[0].run(lambda c: stores[0].runs(c, limit=100_000))]
    assert len(ticks) == len(set(ticks)) == 19 * len(many)


def test_of_many_that_wait_none_waits_for_ever(database: Database) -> None:
    """However many runs of some Agents wait for their turn, those of others get theirs."""
    store = AgentStore("w", "server", LEASE)
    queue = {f"queue-{n}": AgentEntry(f"queue-{n}", "Q", policy=Policy(overlap="queue")) for n in range(40)}
    entries = {**queue, "late": AgentEntry("late", "L")}
    database.run(lambda c: store.open(c, entries, START))

    def wait(connection: Connection) -> None:
        for number in range(rows.MOST_TICKS + 50):
            store.add(connection, [waiting(agent, number) for agent in queue])

    database.run(wait)
    began: list[AgentRun] = []
    while len(began) < len(queue):
        began += database.run(lambda c: store.step(c, START, 8)).start
    assert {run.agent_id for run in began} == set(queue)
    database.run(lambda c: store.add(c, [waiting("late", 1000)]))
    for _ in range(2 * len(queue)):
        late = database.run(lambda c: store.step(c, START, 1)).start
        if late:
            break
    assert [run.agent_id for run in late] == ["late"]


def test_a_pace_that_is_not_kept_is_explained(database: Database) -> None:
    """The last ticks until the time that is asked for say how the Agent drifts; what others make of it does not."""
    store = AgentStore("w", "server", LEASE)
    entry = AgentEntry("a", "A", schedule=SCHEDULE, callbacks=("job",))
    declare(database, entry, store)
    ticks = [
        msgspec.structs.replace(
            waiting("a", number),
            cause="schedule",
            state="succeeded",
            attempt=1,
            fire_at=START + number * 20_000_000,
            started_at=START + number * 20_000_000 + max(0, number - 10) * 3_000_000,
        )
        for number in range(30)
    ]
    database.run(lambda c: store.add(c, [*ticks, waiting("a", 1_000_000_000)]))
    assert database.run(lambda c: store.drift(c, "a", ticks[9].fire_at)) == ""
    assert database.run(lambda c: store.drift(c, "a")).endswith("0 s after their ticks 19 runs ago, 57 s now")
    at = instant(ticks[29].fire_at).isoformat()
    first, second = database.run(lambda c: explain_at(store, c, entry, at, START + 600_000_000))
    assert "which is 57 s late" in first
    assert second.startswith("around then, its runs begin later and later")


def waiting(agent_id: str, number: int) -> AgentRun:
    """Return a run that waits for its turn."""
    key = f"{agent_id}-{number}"
    return AgentRun(
        run_id=key,
        workflow="w",
        agent_id=agent_id,
        key=key,
        cause="manual",
        function="job",
        argument="[]",
        fire_at=START + number,
    )
