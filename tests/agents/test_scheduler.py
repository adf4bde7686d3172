"""The scheduler: real time, a real database, and runs that do as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from coflows_jupyter.agents.clock import SystemClock
from coflows_jupyter.agents.model import AgentRun
from coflows_jupyter.agents.rows import Rows
from coflows_jupyter.agents.scheduler import Scheduler
from coflows_jupyter.agents.store import AgentStore
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import FunctionError
from coflows_jupyter.runtimes.agent import AgentEntry, Policy

SECONDLY = "* * * * * ?"
PATIENCE = 60
HOUR = 3_600_000_000


class Stage:
    """A runner whose runs do what the test wants, and a list of what ended."""

    def __init__(self, act: Callable[[AgentRun], Awaitable[object]]) -> None:
        self._act = act
        self.began: asyncio.Queue[AgentRun] = asyncio.Queue()
        self.ended: asyncio.Queue[AgentRun] = asyncio.Queue()

    async def run(self, run: AgentRun) -> object:
        """Note that a run began, and act."""
        self.began.put_nowait(run)
        return await self._act(run)


@asynccontextmanager
async def scheduler(location: Location, stage: Stage, entry: AgentEntry, **more: object) -> AsyncIterator[Scheduler]:
    """Run a scheduler with one Agent."""
    database = Database(location)
    scheduler = Scheduler("w", database, stage, on_end=stage.ended.put_nowait, **more)  # type: ignore[arg-type]
    await scheduler.open({entry.id: entry})
    try:
        yield scheduler
    finally:
        await scheduler.close(0)
        database.close()


async def row(location: Location, run: AgentRun) -> AgentRun:
    """Return a run as it is kept."""
    database = Database(location)
    other = Scheduler("w", database, Stage(at_once))
    (found,) = await other.transact(lambda store, connection, _now: store.runs(connection, run_id=run.run_id))
    database.close()
    return found


def agent(schedule: str = SECONDLY, **policy: object) -> AgentEntry:
    """Return an Agent that runs every second."""
    return AgentEntry("a", "A", schedule=schedule, callbacks=("job",), policy=Policy(**policy))  # type: ignore[arg-type]


async def at_once(_run: AgentRun) -> None:
    """Succeed."""


async def never(_run: AgentRun) -> None:
    """Go on until somebody stops it."""
    await asyncio.Event().wait()


async def soon(queue: asyncio.Queue[AgentRun]) -> AgentRun:
    """Return what the queue gets next."""
    return await asyncio.wait_for(queue.get(), PATIENCE)


def test_a_tick_runs_on_time_and_has_its_row(location: Location) -> None:
    """What comes every second runs every second, within it, and its rows say so."""

    async def main() -> None:
        stage = Stage(at_once)
        async with scheduler(location, stage, agent()) as running:
            ended = [await soon(stage.ended) for _ in range(3)]
            rows = await running.transact(lambda store, connection, _now: store.runs(connection))
        assert [run.fire_at for run in ended] == [ended[0].fire_at + n * 1_000_000 for n in range(3)]
        assert all(run.state == "succeeded" and run.owner == running.owner for run in ended)
        assert all(0 <= run.started_at - run.fire_at < 1_000_000 for run in ended)
        assert {run.run_id for run in ended} <= {run.run_id for run in rows}

    asyncio.run(main())


def test_two_servers_run_each_tick_once(location: Location) -> None:
    """With two schedulers on one database, every tick runs at one of them."""

    async def main() -> None:
        stage = Stage(at_once)
        async with scheduler(location, stage, agent()), scheduler(location, stage, agent()):
            ended = [await soon(stage.ended) for _ in range(4)]
        times = sorted(run.fire_at for run in ended)
        assert times == [times[0] + n * 1_000_000 for n in range(4)]

    asyncio.run(main())


def test_what_fails_is_tried_again(location: Location) -> None:
    """A failure is followed by a retry after its wait, and the row tells of the last attempt."""

    async def main() -> None:
        async def act(run: AgentRun) -> None:
            if run.attempt == 1:
                raise FunctionError("it broke")

        stage = Stage(act)
        async with scheduler(location, stage, agent(retries=1, backoff=0.05)):
            over = await soon(stage.ended)
        assert (over.state, over.attempt) == ("succeeded", 2)

    asyncio.run(main())


def test_a_run_can_be_stopped_from_another_server(location: Location) -> None:
    """Somebody at one server stops what goes on at another; the row names the reason."""

    async def main() -> None:
        stage = Stage(never)
        database = Database(location)
        elsewhere = Scheduler("w", database, stage)
        async with scheduler(location, stage, agent()):
            run = await soon(stage.began)
            await elsewhere.transact(lambda store, c, now: store.ask_to_stop(c, run.run_id, "by ada", now))
            over = await soon(stage.ended)
        database.close()
        assert (over.run_id, over.state, over.reason) == (run.run_id, "cancelled", "by ada")

    asyncio.run(main())


def test_the_end_of_a_server_leaves_nothing_running(location: Location) -> None:
    """What goes on when a server ends is stopped and its row says why, without waiting for a lease."""

    async def main() -> None:
        stage = Stage(never)
        async with scheduler(location, stage, agent()):
            run = await soon(stage.began)
        over = await row(location, run)
        assert (over.state, over.reason) == ("cancelled", "the server ended")

    asyncio.run(main())


def test_a_server_that_lost_its_run_stops_it(location: Location) -> None:
    """A run whose lease was taken away while its server slept is stopped there, and its result is not taken."""

    async def main() -> None:
        stopped = asyncio.Event()

        async def act(_run: AgentRun) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

        stage = Stage(act)
        async with scheduler(location, stage, agent(overlap="queue"), lease=0.6) as sleeper:
            run = await soon(stage.began)

            def take(_store: AgentStore, connection: Connection, _now: int) -> None:
                changed = msgspec.structs.replace(run, state="lost", reason="a test took it", ended_at=1)
                Rows.update(connection, [(run, changed)])

            await sleeper.transact(take)
            await asyncio.wait_for(stopped.wait(), PATIENCE)
            assert (await row(location, run)).state == "lost"

    asyncio.run(main())


def test_a_message_is_run_at_once_and_noted(location: Location) -> None:
    """A message's run begins with its row, whatever else goes on, and gives its result to who sent it."""

    async def main() -> None:
        async def act(run: AgentRun) -> object:
            if run.cause == "schedule":
                await never(run)
            return f"answer to {run.argument}"

        stage = Stage(act)
        async with scheduler(location, stage, agent()) as running:
            await soon(stage.began)
            run, answer = await running.send("a", "body", '["hello"]')
            assert answer == 'answer to ["hello"]'
            over = await soon(stage.ended)
        assert (over.run_id, over.cause, over.state) == (run.run_id, "message", "succeeded")

    asyncio.run(main())


class SetClock(SystemClock):
    """The machine's clock, which somebody sets; ``looks`` counts how often it was waited for."""

    def __init__(self) -> None:
        self.ahead = 0
        self.looks: asyncio.Queue[None] = asyncio.Queue()

    def now(self) -> int:
        """See ``Clock.now``."""
        return super().now() + self.ahead

    def set_by(self, hours: int) -> None:
        """Set it forward or back."""
        self.ahead += hours * HOUR

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """See ``Clock.wait``."""
        self.looks.put_nowait(None)
        await super().wait(event, seconds)


class NoTime(SystemClock):
    """A clock for which no time passes while somebody waits."""

    async def wait(self, event: asyncio.Event, _seconds: float) -> None:
        """See ``Clock.wait``."""
        await event.wait()


def test_what_ends_makes_room_at_once(location: Location) -> None:
    """With room for one run only, the next begins because one ended and not because time passed."""

    async def main() -> None:
        stage = Stage(at_once)
        idle = AgentEntry("a", "A", policy=Policy(overlap="allow"))
        async with scheduler(location, stage, idle, clock=NoTime(), slots=1) as running:
            due = [
                AgentRun(
                    run_id=name,
                    workflow="w",
                    agent_id="a",
                    key=name,
                    cause="manual",
                    function="job",
                    argument="[]",
                    fire_at=1,
                )
                for name in "abcde"
            ]
            await running.add(due)
            assert [(await soon(stage.ended)).run_id for _ in due] == list("abcde")

    asyncio.run(main())


def test_clocks_that_are_set_forward_lose_no_run(tmp_path: Path) -> None:
    """All leases pass at once, and yet nobody vanished: what goes on goes on, and ticks left out say so."""
    location = Location.at(tmp_path / "test.db")

    async def main() -> None:
        stage, clock, entry = Stage(never), SetClock(), agent(overlap="queue", catchup="none")
        several = {"clock": clock, "lease": 12.0}
        async with scheduler(location, stage, entry, **several), scheduler(location, stage, entry, **several):
            run = await soon(stage.began)
            clock.set_by(1)
            while (now := await row(location, run)).lease_until < clock.now():
                await soon_looked(clock)
            assert (now.state, now.attempt) == ("running", 1)
            assert stage.ended.empty()

    asyncio.run(main())


def test_clocks_that_are_set_back_repeat_no_tick(tmp_path: Path) -> None:
    """An hour that clocks show again has its runs already; after it, they go on."""
    location = Location.at(tmp_path / "test.db")

    async def main() -> None:
        stage, clock = Stage(at_once), SetClock()
        async with scheduler(location, stage, agent(), clock=clock):
            first = await soon(stage.ended)
            clock.set_by(-1)
            await soon_looked(clock)
            await soon_looked(clock)
            while not stage.ended.empty():
                stage.ended.get_nowait()
            for _ in range(4):
                await soon_looked(clock)
            assert stage.ended.empty()
            clock.set_by(1)
            assert (await soon(stage.ended)).fire_at > first.fire_at
        rows = await everything(location)
        assert len({run.key for run in rows}) == len(rows)
        assert {run.attempt for run in rows if run.state == "succeeded"} == {1}

    asyncio.run(main())


async def soon_looked(clock: SetClock) -> None:
    """Return after somebody's next look."""
    while not clock.looks.empty():
        clock.looks.get_nowait()
    await asyncio.wait_for(clock.looks.get(), PATIENCE)


async def everything(location: Location) -> list[AgentRun]:
    """Return all runs."""
    database = Database(location)
    other = Scheduler("w", database, Stage(at_once))
    found = await other.transact(lambda store, connection, _now: store.runs(connection, limit=1000))
    database.close()
    return found
