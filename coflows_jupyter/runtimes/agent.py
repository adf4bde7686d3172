"""What user code declares an Agent to be: when it runs, what it listens to, and what happens when that goes wrong."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal, TypeVar

import msgspec

UserFunction = Callable[..., Any]
F = TypeVar("F", bound=UserFunction)

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
        timeout: seconds until a run is stopped.
        retry_on_lost: whether a run is tried again whose server vanished, which may do its work twice.
    """

    catchup: CatchUp = "last"
    window: float = 3600.0
    overlap: Overlap = "skip"
    retries: int = 0
    backoff: float = 10.0
    timeout: float = 3600.0
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
        notebook: the notebook that its job executes, empty for code.
        parameters: what the notebook is executed with.
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
    notebook: str = ""
    parameters: dict[str, Any] = {}


class Change(msgspec.Struct, frozen=True):
    """One change of an M set, as an Agent that listens to it is told.

    Args:
        kind: what happened to the entry.
        id: the entry's ID.
        value: the entry's value: the new one, or the one that is gone.
    """

    kind: Literal["add", "exchange", "remove"]
    id: str
    value: Any = None


class Agent:
    """An Agent as user code declares it, with the functions that are called.

    Each function may take fewer arguments than it is offered.

    Args:
        name: what to show, and the ID unless one is given.
        id: stable and unique in the Workflow.
        description: a sentence or more; the docstring of its job by default.
        schedule: when ``job`` runs: Quartz's six or seven fields, ``[type|]cron[ @ Zone]``, several joined by ``;``.
        listens: ID of the M set whose changes ``add``, ``exchange`` and ``remove`` are told of.
        load: called with the list of the set's values when the Agent begins to listen.
        add, exchange, remove: called with an entry's ID and value.
        body: called with the text of a message; what it returns is the answer.
        job: called with the tick's time, a ``datetime`` in UTC without a zone, and the type that the schedule names.
        catchup, window, overlap, retries, backoff, timeout, retry_on_lost: see ``Policy``.
        on_failure, on_recovery: see ``AgentEntry``.
    """

    def __init__(  # noqa: PLR0913 - keywords, each with a user
        self,
        name: str,
        *,
        id: str = "",  # noqa: A002 - what it is
        description: str = "",
        schedule: str | None = None,
        listens: str | None = None,
        load: UserFunction | None = None,
        add: UserFunction | None = None,
        exchange: UserFunction | None = None,
        remove: UserFunction | None = None,
        body: UserFunction | None = None,
        job: UserFunction | None = None,
        on_failure: str = "",
        on_recovery: str = "",
        **policy: Any,
    ) -> None:
        given: dict[Callback, UserFunction | None] = {
            "load": load, "add": add, "exchange": exchange, "remove": remove, "body": body, "job": job,
        }  # fmt: skip
        self.functions = {callback: function for callback, function in given.items() if function is not None}
        self.entry = AgentEntry(
            id or name,
            name,
            description=description or inspect.cleandoc((job and job.__doc__) or ""),
            schedule=schedule or "",
            listens=listens or "",
            callbacks=tuple(self.functions),
            policy=msgspec.convert(policy, Policy, strict=False),
            on_failure=on_failure,
            on_recovery=on_recovery,
        )
        unknown = policy.keys() - set(Policy.__struct_fields__)
        if unknown:
            raise TypeError(f"Agent() has no argument {min(unknown)!r}")

    def __coflows_agent__(self) -> Agent:
        """Return itself: whatever a module declares answers so."""
        return self

    def __repr__(self) -> str:
        return f"Agent({self.entry.id!r})"


def agent(schedule: str | None = None, *, listens: str | None = None, name: str = "", **more: Any) -> Callable[[F], F]:
    """Make an Agent of a function: its job with a schedule, else what is told of the changes of an M set.

    Args:
        schedule: when it runs.
        listens: ID of an M set; the function is then called with a ``Change``.
        name: of the Agent, the function's own by default.
        more: as for ``Agent``.

    Raises:
        TypeError: neither or both of ``schedule`` and ``listens`` are given.
    """
    if (schedule is None) == (listens is None):
        raise TypeError("agent() takes either a schedule or the M set that it listens to")

    def declare(function: F) -> F:
        about = {"name": name or function.__name__, "description": inspect.cleandoc(function.__doc__ or ""), **more}
        if schedule is not None:
            about |= {"schedule": schedule, "job": function}
        else:
            about |= {"listens": listens, **{kind: _told(function, kind) for kind in ("add", "exchange", "remove")}}
        made = Agent(**about)
        function.__coflows_agent__ = lambda: made  # type: ignore[attr-defined]
        return function

    return declare


def _told(function: UserFunction, kind: Any) -> UserFunction:
    @functools.wraps(function)
    def tell(id: str, value: Any) -> Any:  # noqa: A002 - as everywhere
        return fitting(function)(Change(kind, id, value))

    tell.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in ("id", "value")]
    )
    return tell


def fitting(function: UserFunction) -> UserFunction:
    """Return ``function`` so that it can be called with more positional arguments than it takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a built-in that does not say
        return function
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return function
    count = sum(
        parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD} for parameter in parameters
    )
    return lambda *args: function(*args[:count])


def declared(module: ModuleType, exe: str) -> list[Agent]:
    """Return the Agents that a module declares.

    Args:
        module: the imported file.
        exe: name of the function that makes one, as package.json's ``Exe`` says; ``pkg`` is the original's.

    Raises:
        TypeError: the function returned something else.
    """
    found: dict[str, Agent] = {}
    makes = getattr(module, exe, None)
    # The original calls a function of this name; an object that declares itself may stand there as well.
    values = [makes() if callable(makes) and not hasattr(makes, "__coflows_agent__") else makes, *vars(module).values()]
    for value in values:
        declare = getattr(value, "__coflows_agent__", None)
        if declare is not None and not isinstance(value, type):
            made: Agent = declare()
            found.setdefault(made.entry.id, made)
        elif value is values[0] and value is not None:
            raise TypeError(f"{exe}() returned {type(value).__name__} and no Agent or FPKG")
    return list(found.values())
