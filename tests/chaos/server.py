"""One of several servers that share a database: ``python -m tests.chaos.server``, with options on standard input.

Its runs write down that they begin and end. What a process has written is there when it is killed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
import time

import msgspec

from coflows_jupyter.agents.model import AgentRun
from coflows_jupyter.agents.scheduler import Scheduler
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import FunctionError
from coflows_jupyter.runtimes.agent import AgentEntry, Overlap, Policy

WORKFLOW = "chaos"
OVERLAPS: tuple[Overlap, ...] = ("allow", "queue", "skip", "cancel")
DRAIN_SECONDS = 5.0

log = logging.getLogger(__name__)


class Options(msgspec.Struct, frozen=True):
    """What a server is told.

    Args:
        location: the database.
        journal: file that its runs append to.
        owner: its name.
        agents: how many Agents there are, each due every second.
        lease: seconds.
    """

    location: Location
    journal: str
    owner: str
    agents: int
    lease: float


class Note(msgspec.Struct, frozen=True, array_like=True):
    """A line of a journal.

    Args:
        what: begin or end.
        run_id: whose.
        attempt: which of it.
        owner: the server.
        at: seconds since 1970.
    """

    what: str
    run_id: str
    attempt: int
    owner: str
    at: float


def entries(count: int) -> dict[str, AgentEntry]:
    """Return Agents of all kinds; every other one is tried again when its server vanished."""
    found = {}
    for number in range(count):
        name = f"agent-{number:04}"
        policy = Policy(
            catchup="all",
            overlap=OVERLAPS[number % 4],
            retries=number // 4 % 2,
            backoff=0.5,
            retry_on_lost=number // 4 % 2 == 1,
        )
        found[name] = AgentEntry(name, name, schedule="* * * * * ?", callbacks=("job",), policy=policy)
    return found


class Runner:
    """Runs that take a moment, or one in ten a second, and fail one time in twenty.

    Args:
        options: the server's.
    """

    def __init__(self, options: Options) -> None:
        self._owner = options.owner
        self._file = os.open(options.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def _note(self, what: str, run: AgentRun) -> None:
        note = Note(what, run.run_id, run.attempt, self._owner, time.time())
        os.write(self._file, msgspec.json.encode(note) + b"\n")

    async def run(self, run: AgentRun) -> None:
        """See ``scheduler.Runner.run``."""
        self._note("begin", run)
        chance = random.Random(f"{run.agent_id} {run.key} {run.attempt}").random()  # noqa: S311 - no secret
        try:
            await asyncio.sleep(10 * chance if chance < 0.1 else 0.05 * chance)
            if chance > 0.95:
                raise FunctionError("as chance would have it")
        finally:
            self._note("end", run)


async def main(options: Options) -> None:
    """Serve until SIGTERM."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    database = Database(options.location)
    scheduler = Scheduler(WORKFLOW, database, Runner(options), owner=options.owner, lease=options.lease)
    while not over.is_set():
        try:
            await scheduler.open(entries(options.agents))
            break
        except Exception as error:  # noqa: BLE001 - a database that restarts comes back
            log.warning("%s", error)
    await over.wait()
    await scheduler.close(DRAIN_SECONDS)
    database.close()


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.stdin.read(), type=Options)))
