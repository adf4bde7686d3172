"""What can be wrong with a declared Agent."""

from __future__ import annotations

from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.errors import Diagnostic, ScheduleError
from coflows_jupyter.queries.catalog import Catalog
from coflows_jupyter.runtimes.agent import AgentEntry


def wrong_with(entry: AgentEntry) -> ScheduleError | None:
    """Return why an Agent's schedule can't be read, ``None`` when it can, or there is none."""
    try:
        if entry.schedule:
            Schedule(entry.schedule)
    except ScheduleError as error:
        return error
    return None


def check(catalog: Catalog) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the Agents' schedules."""
    wrong = [(entry, error) for entry in catalog.agents.values() if (error := wrong_with(entry))]
    return tuple(
        Diagnostic(entry.path, 0, 0, "error", "schedule", f"Agent {entry.id}: {error.message}", error.hint)
        for entry, error in wrong
    )
