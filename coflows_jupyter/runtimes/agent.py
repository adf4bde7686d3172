"""What user code declares an Agent to be: when it runs, what it listens to, and what happens when that goes wrong."""

from __future__ import annotations

from typing import Literal

import msgspec

Callback = Literal["load", "add", "exchange", "remove", "body", "job"]
CatchUp = Literal["none", "last", "all"]
Overlap = Literal["skip", "queue", "cancel", "allow"]


class Policy(msgspec.Struct, frozen=True):
    """What happens to an Agent's runs when things do not go as planned.

    Args:
        catchup: which of the ticks that nobody was there for are run afterwards.
        window: seconds; ticks missed longer ago than that are never run afterwards.
        overlap: what happens to a tick while an earlier run goes on.
        retries: how often a run that failed or timed out is tried again.
        backoff: seconds before the first retry; each further one waits twice as long.
        timeout: seconds until a run is stopped, 0 for the Workflow's own limit.
        retry_on_lost: whether a run is tried again whose server vanished, which may do its work twice.
    """

    catchup: CatchUp = "last"
    window: float = 3600.0
    overlap: Overlap = "skip"
    retries: int = 0
    backoff: float = 10.0
    timeout: float = 0.0
    retry_on_lost: bool = False


class AgentEntry(msgspec.Struct, frozen=True):
    """One Agent of a Build.

    Args:
        id: stable and unique in the Workflow.
        name: what to show.
        path: file that declares it.
        description: a sentence or more.
        schedule: when its job runs; empty without a schedule.
        listens: ID of the M set whose changes it is told of; empty for none.
        callbacks: which of its functions there are.
        policy: what happens to its runs.
        on_failure: where to tell of a run that failed for good: a URL, or ``agent:ID`` for a message.
        on_recovery: where to tell of the first success after that.
    """

    id: str
    name: str
    path: str = ""
    description: str = ""
    schedule: str = ""
    listens: str = ""
    callbacks: tuple[Callback, ...] = ()
    policy: Policy = Policy()
    on_failure: str = ""
    on_recovery: str = ""
