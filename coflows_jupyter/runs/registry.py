"""All runs of one Workflow: those that go on, those whose result is kept, and the ledger."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable

import msgspec

from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import locate
from coflows_jupyter.errors import ConfigError, Diagnostic
from coflows_jupyter.host.calls import OnProgress, ignore_progress
from coflows_jupyter.host.protocol import Call, Result
from coflows_jupyter.queries.catalog import Catalog, FunctionEntry
from coflows_jupyter.runs.ledger import Ledger
from coflows_jupyter.runs.live import Run
from coflows_jupyter.runs.metrics import Metrics
from coflows_jupyter.runs.model import Filter, Progress, RunModel, outcome_of
from coflows_jupyter.runs.refusals import Refusals
from coflows_jupyter.runs.results import Results

# A run that takes longer is written down while it goes on.
LONG_SECONDS = 1.0
# Characters that are kept of what strangers choose.
NAME, MESSAGE = 100, 400
# Runs may be as short as a tenth of a millisecond; who watches them is told less often.
TELL_SECONDS = 0.25


class Runs:
    """Knows every run of one Workflow.

    Args:
        ledger: where those go that ended; ``None`` keeps no history.
        diagnostics: why there is none although one was wanted.
        on_progress: told run ID, done, total and text of how far runs are.
        on_end: told of runs that ended.

    Attributes:
        on_change: called when a run began, went on or ended, once for all within ``TELL_SECONDS``.
    """

    def __init__(
        self,
        ledger: Ledger | None = None,
        diagnostics: tuple[Diagnostic, ...] = (),
        on_progress: OnProgress = ignore_progress,
        on_end: Callable[[Run], None] | None = None,
    ) -> None:
        self._on_progress = on_progress
        self.ledger = ledger
        self.diagnostics = diagnostics
        self.metrics = Metrics()
        self.results = Results()
        self.on_change: Callable[[], None] | None = None
        self._live: dict[str, Run] = {}
        self._refusals = Refusals()
        self._timer: asyncio.TimerHandle | None = None
        self._teller: asyncio.TimerHandle | None = None
        self._on_end = on_end

    def open(self) -> None:
        """Begin to write the ledger."""
        if self.ledger is not None:
            self.ledger.open()

    async def close(self) -> None:
        """Write what waits, and forget results."""
        for timer in (self._timer, self._teller):
            if timer is not None:
                timer.cancel()
        await self.results.close()
        if self.ledger is not None:
            await self.ledger.close()

    # -- what happens --------------------------------------------------------------------------------------------------

    def begin(self, call: Call, workflow: str, catalog: Catalog) -> Run:
        """Take a call that is about to be made."""
        run = self._live[call.run_id] = Run(call, workflow, catalog.build, _entry(catalog, call))
        if self._timer is None and self.ledger is not None:
            self._timer = asyncio.get_running_loop().call_later(LONG_SECONDS, self._note_long)
        self._changed()
        return run

    def note(self, run: Run) -> None:
        """Write down that a run goes on, so that there is a trace of it even if this server ends first."""
        if self.ledger is not None and not run.noted and run.outcome == "running":
            self.ledger.note(run)

    def _note_long(self) -> None:
        # The oldest come first.
        for run in itertools.takewhile(lambda run: run.age >= LONG_SECONDS, self._live.values()):
            self.note(run)
        self._timer = asyncio.get_running_loop().call_later(LONG_SECONDS, self._note_long) if self._live else None

    def refuse(self, call: Call, workflow: str, catalog: Catalog, error: BaseException, status: int) -> None:
        """Take a call that never came to its function.

        Args:
            call: the call.
            workflow: the Workflow's ID.
            catalog: what can be called.
            error: why not.
            status: HTTP status of the answer.
        """
        entry = _entry(catalog, call)
        outcome, _, message = outcome_of(error)
        # What strangers call functions that don't exist is theirs to choose, and to repeat without end.
        names = ("", "") if entry is None else (call.query, call.function)
        self.metrics.refuse(*names, outcome="denied" if outcome == "denied" else "refused", door=call.caller.door)
        if self.ledger is None or not self._refusals.keeps(known=call.caller.source != "anonymous"):
            return
        short = msgspec.structs.replace(call, query=call.query[:NAME], function=call.function[:NAME], data=b"")
        run = Run(short, workflow, catalog.build, entry)
        run.conclude("denied" if outcome == "denied" else "refused", status, message[:MESSAGE])
        self.ledger.add(run)
        self._changed()

    def fail(self, run: Run, error: BaseException) -> None:
        """Take the error that ended a run."""
        self._end(run, *outcome_of(error))

    def succeed(self, run: Run, result: Result) -> None:
        """Take a run's result; one that is streamed ends when its last byte is taken."""
        if isinstance(result.body, bytes):
            run.result_bytes = len(result.body)
            self._end(run, "succeeded", result.status)
        else:
            result.body = _Watched(self, run, result.status, result.body)

    def _end(self, run: Run, outcome: str, status: int, error: str = "") -> None:
        if self._live.pop(run.call.run_id, None) is None:
            return
        run.conclude(outcome, status, error)  # type: ignore[arg-type]  # one of Outcome's
        self._changed()
        self.metrics.add(run)
        if self.ledger is not None:
            self.ledger.add(run)
        if self._on_end is not None:
            self._on_end(run)

    def output(self, run_id: str, stream: str, text: str) -> None:
        """Take what a run printed."""
        run = self._live.get(run_id)
        if run is not None:
            run.write(stream, text)

    def report(self, run_id: str, done: float, total: float, text: str) -> None:
        """Take how far a run is."""
        run = self._live.get(run_id)
        if run is not None:
            run.report(Progress(done, total, text))
            self._changed()
            self._on_progress(run_id, done, total, text)

    def _changed(self) -> None:
        if self.on_change is not None and self._teller is None:
            self._teller = asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell, self.on_change)

    def _tell(self, listener: Callable[[], None]) -> None:
        self._teller = None
        listener()

    # -- what is known -------------------------------------------------------------------------------------------------

    def get(self, run_id: str) -> Run | None:
        """Return a run that goes on, or whose result is still being written."""
        later = self.results.get(run_id)
        return self._live.get(run_id) or (None if later is None else later.run)

    async def settled(self, run_id: str) -> None:
        """Wait until the result of a run that ended is kept; at once when it isn't going to be."""
        later = self.results.get(run_id)
        if later is not None and later.task is not None:
            await asyncio.wait([later.task])

    async def list(self, wanted: Filter) -> list[RunModel]:
        """Return runs, the latest first; those that go on come before all others."""
        going = [] if wanted.before else [run.model() for run in reversed(self._live.values())]
        found = [run for run in going if wanted.matches(run)][: wanted.limit]
        if self.ledger is not None and len(found) < wanted.limit and wanted.outcome != "running":
            found += [run for run in await self.ledger.list(wanted) if run.id not in self._live]
        return found[: wanted.limit]

    async def find(self, run_id: str) -> tuple[RunModel, str] | None:
        """Return a run and its log, ``None`` when there is no such run."""
        run = self.get(run_id)
        if run is not None:
            return run.model(), run.log
        later = self.results.get(run_id)
        if later is not None and later.model is not None:
            return later.model, later.log
        return None if self.ledger is None else await self.ledger.find(run_id)

    async def arguments(self, run_id: str) -> tuple[str, str | None] | None:
        """Return form and text of a run's arguments as far as they are kept; ``None`` when there is no such run."""
        run = self.get(run_id)
        if run is not None:
            return run.arguments()
        return None if self.ledger is None else await self.ledger.arguments(run_id)


def open_runs(config: Config) -> Runs:
    """Make what knows a Workflow's runs, with the history that its configuration wants."""
    if config.runs.keep == "off":
        return Runs()
    try:
        location = locate(config)
    except ConfigError as error:
        return Runs(diagnostics=error.diagnostics)
    return Runs(Ledger(Database(location), config.runs))


def _entry(catalog: Catalog, call: Call) -> FunctionEntry | None:
    query = catalog.queries.get(call.query)
    return None if query is None else query.functions.get(call.function)


class _Watched:
    """The body of a streamed result, whose end is the run's."""

    def __init__(self, runs: Runs, run: Run, status: int, body: AsyncIterator[bytes]) -> None:
        self._runs = runs
        self._run = run
        self._status = status
        self._body = body

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._body)
        except StopAsyncIteration:
            self._runs._end(self._run, "succeeded", self._status)  # noqa: SLF001 - its own half
            raise
        except BaseException as error:
            self._runs.fail(self._run, error)
            raise
        self._run.result_bytes += len(chunk)
        return chunk

    async def aclose(self) -> None:
        """Stop reading: nobody waits for the rest."""
        close = getattr(self._body, "aclose", None)
        if close is not None:
            await close()
        self._runs.fail(self._run, GeneratorExit())
