"""Servers that are killed, frozen and cut off from their database, and what must be true of the ledger afterwards."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import func, select

from coflows_jupyter.agents.model import AgentRun, AgentState, instant, micros
from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.agents.store import AgentStore
from coflows_jupyter.agents.tables import RUNS
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from tests.chaos.server import WORKFLOW, Note, Options, entries

ROOT = Path(__file__).resolve().parents[2]
SERVERS = 4
UNFINISHED = ("due", "running")
LEASE = 3.0
# How much later than its lease another server may notice that one vanished.
GRACE = 1.0
PAUSE = 0.7
RESTART_SECONDS = 20.0
START_SECONDS = 30.0


class Server:
    """A server and the lives that it had.

    Args:
        folder: where its journals are.
        number: which of the servers.
        make: makes the options for an owner's name and a journal.
    """

    def __init__(self, folder: Path, number: int, make: Callable[[str, str], Options]) -> None:
        self._folder = folder
        self._number = number
        self._make = make
        self._lives = 0
        self.start()

    def start(self) -> None:
        """Begin a life."""
        self._lives += 1
        self.owner = f"server-{self._number}.{self._lives}"
        self.wakes = 0.0
        self._journal = self._folder / f"{self.owner}.journal"
        options = self._make(self.owner, str(self._journal))
        with (self._folder / f"{self.owner}.log").open("wb") as log:
            command = [sys.executable, "-m", "tests.chaos.server"]
            self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(options))
        self.process.stdin.close()

    def began(self) -> bool:
        """Whether it has run anything in this life."""
        return self._journal.exists() and self._journal.stat().st_size > 0

    def serves(self) -> bool:
        """Whether it is at work now."""
        return self.began() and not self.wakes

    def kill(self) -> None:
        """End a life at once."""
        self.process.kill()
        self.process.wait()

    def freeze(self, seconds: float) -> None:
        """Let it do nothing for a time."""
        self.process.send_signal(signal.SIGSTOP)
        self.wakes = time.time() + seconds

    def wake(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)
        self.wakes = 0.0


def can_write(file: Path) -> bool:
    """Whether anybody can write to a SQLite file."""
    with contextlib.closing(sqlite3.connect(file, timeout=GRACE / 2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


class Chaos:
    """A run of several servers.

    Args:
        location: the database.
        folder: for journals and logs.
        agents: how many Agents there are, each due every second.
        seconds: how long the chaos lasts.
        restart: restarts the database; ``None`` where there is nothing to restart.
        seed: of what happens when.
    """

    def __init__(
        self,
        location: Location,
        folder: Path,
        *,
        agents: int,
        seconds: float,
        restart: Callable[[], None] | None,
        seed: int,
    ) -> None:
        self._database = Database(location)
        self._store = AgentStore(WORKFLOW, "the test", LEASE)
        self._folder = folder
        self._agents = agents
        self._seconds = seconds
        self._restart = restart
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._make = lambda owner, journal: Options(location, journal, owner, agents, LEASE)
        self._file = location.file
        self.deaths: dict[str, float] = {}
        self.outages: list[tuple[float, float]] = []
        self.events: Counter[str] = Counter()

    def run(self) -> Ledger:
        """Let it happen, then calm down; return what is there afterwards."""
        began = micros(datetime.now(UTC))
        self._database.run(lambda c: self._store.open(c, entries(self._agents), began))
        servers = [Server(self._folder, number, self._make) for number in range(SERVERS)]
        try:
            self._happen(servers)
            self._calm(servers)
        finally:
            for server in servers:
                server.kill()
        rows = self._database.run(lambda c: self._store.runs(c, limit=10_000_000))
        agents = self._database.run(self._store.agents)
        self._database.close()
        return Ledger(self, began, agents, rows, self._journals())

    def _happen(self, servers: list[Server]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._journals():
            assert time.monotonic() < deadline, "no server began anything"
            time.sleep(0.1)
        end = time.time() + self._seconds
        next_restart = time.time() + RESTART_SECONDS / 2
        while time.time() < end:
            time.sleep(self._random.uniform(0, 2 * PAUSE))
            for server in servers:
                if server.wakes and server.wakes < time.time():
                    server.wake()
            server = self._random.choice(servers)
            others = [other for other in servers if other is not server and other.serves()]
            if self._restart and time.time() > next_restart:
                next_restart = time.time() + RESTART_SECONDS
                began = time.time()
                self._restart()
                self.outages.append((began, time.time() + GRACE))
                self.events["database restarts"] += 1
            elif not others or not server.began():
                continue
            elif self._random.random() < 0.5 or server.wakes:
                self.deaths[server.owner] = time.time()
                server.kill()
                self.events["SIGKILL"] += 1
                server.start()
            else:
                seconds = self._random.uniform(0.2, 2 * LEASE)
                server.freeze(seconds)
                self.events["SIGSTOP"] += 1
                if self._file and not can_write(self._file):
                    # It was frozen while it wrote, and nobody else can write now.
                    self.outages.append((time.time() - GRACE, time.time() + seconds + 2 * PAUSE))

    def _calm(self, servers: list[Server]) -> None:
        """Let everything be noticed that happened, end the Agents, and the servers."""
        for server in servers:
            server.wake()
        time.sleep(LEASE + 2 * GRACE)

        for agent_id in entries(self._agents):
            now = micros(datetime.now(UTC))
            self._database.run(lambda c: self._store.set_mode(c, agent_id, "stopped", "the end", now))  # noqa: B023
        going = select(func.count()).select_from(RUNS).where(RUNS.c.state.in_(UNFINISHED))
        deadline = time.monotonic() + START_SECONDS
        while self._database.run(lambda c: c.scalar(going)):
            assert time.monotonic() < deadline, "runs wait for ever"
            time.sleep(0.2)
        for server in servers:
            server.process.terminate()
        for server in servers:
            assert server.process.wait(START_SECONDS) == 0, (self._folder / f"{server.owner}.log").read_text()

    def _journals(self) -> list[Note]:
        lines = [
            line for file in self._folder.glob("*.journal") for line in file.read_bytes().splitlines(keepends=True)
        ]
        # A line that was being written when its process was killed has no end.
        return [msgspec.json.decode(line, type=Note) for line in lines if line.endswith(b"\n")]


class Ledger:
    """What is there after a run of several servers, and what is wrong with it.

    Args:
        chaos: what happened.
        began: when the Agents were there, in microseconds.
        agents: what is remembered of them.
        rows: all runs.
        notes: what runs wrote down themselves.
    """

    def __init__(
        self, chaos: Chaos, began: int, agents: list[AgentState], rows: list[AgentRun], notes: list[Note]
    ) -> None:
        self._chaos = chaos
        self.rows = rows
        self.ticks = {
            (agent.agent_id, micros(tick.at))
            for agent in agents
            for tick in Schedule(agent.schedule).between(instant(began), instant(agent.cursor))
        }
        self._begins = {(note.run_id, note.attempt): note for note in notes if note.what == "begin"}
        self._ends = {(note.run_id, note.attempt): note for note in notes if note.what == "end"}
        self.begins = Counter((note.run_id, note.attempt) for note in notes if note.what == "begin")

    def wrong(self) -> dict[str, list[str]]:
        """Return what breaks a promise, by promise."""
        rows = Counter((run.agent_id, run.fire_at) for run in self.rows)
        known = {run.run_id for run in self.rows}
        return {
            "ticks without a row": [str(tick) for tick in sorted(self.ticks - rows.keys())],
            "rows without a tick": [str(tick) for tick in sorted(rows.keys() - self.ticks)],
            "ticks with two rows": [str(tick) for tick, count in rows.items() if count > 1],
            "attempts that began twice": [str(attempt) for attempt, count in self.begins.items() if count > 1],
            "runs without a row": [run_id for run_id, _ in self.begins if run_id not in known],
            "rows without an end or a reason": [
                run.run_id
                for run in self.rows
                if run.state in UNFINISHED or not run.ended_at or not (run.reason or run.state == "succeeded")
            ],
            "results of an attempt that was given up": [
                run.run_id
                for run in self.rows
                if run.state in {"succeeded", "failed"} and not self._own(run, self._begins, self._ends)
            ],
        }

    @staticmethod
    def _own(run: AgentRun, *notes: dict[tuple[str, int], Note]) -> bool:
        """Whether a run's last attempt is its owner's by its own notes."""
        found = [kind.get((run.run_id, run.attempt)) for kind in notes]
        return all(note is not None and note.owner == run.owner for note in found)

    def refused(self) -> int:
        """Return how many attempts ended after they had been given up."""
        last = {run.run_id: run for run in self.rows}
        return sum(
            last[run_id].attempt > attempt or last[run_id].state == "lost"
            for run_id, attempt in self._ends
            if run_id in last and self._ends[run_id, attempt].owner not in self._chaos.deaths
        )

    def take_overs(self) -> list[float]:
        """Return seconds from a server's end until a run of its was given up, where the database was there."""
        found = []
        for run in self.rows:
            owner = run.owner
            died = self._chaos.deaths.get(owner)
            if run.state != "lost" or died is None:
                continue
            until = died + LEASE + GRACE
            if not any(start < until and died < end for start, end in self._chaos.outages):
                found.append(run.ended_at / 1_000_000 - died)
        return sorted(found)

    def figures(self) -> list[tuple[str, str]]:
        """Return what there is to know about it, as rows of a table."""
        states = Counter(run.state for run in self.rows)
        take_overs = self.take_overs()
        slowest = f"{take_overs[-1]:.2f} s of {len(take_overs)}" if take_overs else "none"
        return [
            ("ticks", f"{len(self.ticks)}"),
            *sorted((f"  {state}", f"{count}") for state, count in states.items()),
            ("attempts that began", f"{len(self.begins)}"),
            *((event, f"{count}") for event, count in sorted(self._chaos.events.items())),
            ("late results refused", f"{self.refused()}"),
            (f"slowest take-over (lease {LEASE:g} s)", slowest),
            *((what, f"{len(found)}") for what, found in self.wrong().items()),
        ]
