"""``QuantApp.Engine``: how the original's Python declares Agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from coflows_jupyter.compat.surface import Delegate, Surface
from coflows_jupyter.mset.m import M
from coflows_jupyter.runtimes.agent import Agent

__all__ = ["FPKG", "Body", "F", "FunctionType", "Job", "Load", "Utils"]

INSTEAD: Mapping[str, str] = {
    "Actor": "start processes of your own, or run more query hosts with Workers",
    "Code": "list libraries in Pips of package.json",
    "DM": "return plain values, frames or figures",
    "FMeta": "use FPKG",
    "F_v01": "use FPKG",
    "Workflow": "package.json is what describes a Workflow",
}


class Load(Delegate):
    """A function that takes the list of a set's values."""


class Body(Delegate):
    """A function that takes the text of a message and returns the answer."""


class Job(Delegate):
    """A function that takes the time of a tick and the type that the schedule names."""


class FunctionName(str):
    """The name of a function, with the function: two Agents can have one each of the same name."""

    __slots__ = ("function",)

    function: Callable[..., Any]

    def __new__(cls, name: str, function: Callable[..., Any]) -> Self:
        """Make a name that knows its function."""
        made = super().__new__(cls, name)
        made.function = function
        return made


class Utils(Surface):
    """The original's table of functions by name."""

    _instead: ClassVar[Mapping[str, str]] = {
        "ActiveWorkflowList": "GET /coflows/api/workflows says what is open",
        "BuildCode": "a save builds the Workflow",
        "ExecuteCode": "a save builds the Workflow",
        "RegisterCode": "import modules of Base",
    }

    @staticmethod
    def SetFunction(name: str, function: Callable[..., Any]) -> FunctionName:
        """Give a function a name and return that, to be passed to ``FPKG``."""
        if not callable(function):
            raise TypeError(f"SetFunction({name!r}, …) takes a function, not {type(function).__name__}")
        M._dic[str(name)] = function  # noqa: SLF001 - the original's name for this table
        return FunctionName(name, function)

    @staticmethod
    def GetFunction(name: str) -> Callable[..., Any] | None:
        """Return the function of a name; of a plain text, the one that got it last."""
        return name.function if isinstance(name, FunctionName) else M._dic.get(name)  # noqa: SLF001 - as above


@dataclass
class FunctionType:
    """A message to an Agent: what is wanted, and with what."""

    Function: str = ""
    Data: Any = None


class FPKG(Surface):
    """An Agent as code of the original describes it.

    Args:
        ID: stable and unique in the Workflow; the name when it is ``None``.
        WorkflowID: the Workflow's.
        Name: what to show.
        Description: a sentence or more.
        MID: ID of the M set whose changes it is told of; ``None`` for none.
        Load, Add, Exchange, Remove: what ``Utils.SetFunction`` returned, or a name that it was given.
        Body: likewise.
        ScheduleCommand: when the job runs.
        Job: likewise.

    Raises:
        TypeError: one of the names has no function.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the original's
        self,
        ID: str | None,
        WorkflowID: str,
        Name: str,
        Description: str,
        MID: str | None,
        Load: str | None,
        Add: str | None,
        Exchange: str | None,
        Remove: str | None,
        Body: str | None,
        ScheduleCommand: str | None,
        Job: str | None,
    ) -> None:
        self.ID, self.WorkflowID, self.Name, self.Description, self.MID = ID, WorkflowID, Name, Description, MID
        self.Load, self.Add, self.Exchange, self.Remove = Load, Add, Exchange, Remove
        self.Body, self.ScheduleCommand, self.Job = Body, ScheduleCommand, Job
        # Looked up now: a name that another Agent gives later is that one's.
        self._agent = Agent(
            Name or ID or "",
            id=ID or "",
            description=Description or "",
            schedule=ScheduleCommand,
            listens=MID,
            load=self._function("Load"),
            add=self._function("Add"),
            exchange=self._function("Exchange"),
            remove=self._function("Remove"),
            body=self._function("Body"),
            job=self._function("Job"),
        )

    def _function(self, field: str) -> Callable[..., Any] | None:
        name: str | None = getattr(self, field)
        if not name:
            return None
        found = Utils.GetFunction(name)
        if found is None:
            message = f"{field} is {name!r}, a name that Utils.SetFunction gave to no function"
            raise TypeError(f"FPKG {self.ID or self.Name}: {message}")
        # The delegate takes any number of arguments; what the function itself takes says more.
        return found.function if isinstance(found, Delegate) else found

    def __coflows_agent__(self) -> Agent:
        """Return the Agent that this describes."""
        return self._agent


class F(Surface):
    """The original's running Agents; here the server runs them, and other processes ask it."""

    _instead: ClassVar[Mapping[str, str]] = {
        "Create": "return the FPKG from pkg()",
        "CreatePKG": "return the FPKG from pkg()",
        "Find": "its Body is called by POST /flow/agent/ID",
        "ToFPKG": "it turns records of F#, and Python has FPKG itself",
    }
