"""What every runtime offers, and what it says about a user's function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from coflows_jupyter.errors import CoflowsError, Diagnostic
from coflows_jupyter.workflow.sources import SourceUnit

if TYPE_CHECKING:
    from coflows_jupyter.runtimes.agent import Agent

ParameterKind = Literal["positional", "keyword", "var_positional", "var_keyword"]


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a user's function.

    Args:
        name: as the source spells it.
        kind: ``positional`` (by position or name), ``keyword`` (by name only) or a variadic.
        annotation: the type as text, empty when the source gives none.
        required: whether a call must give it.
        default: JSON text of the default value, empty when there is none or it has no JSON form.
        schema: JSON Schema of accepted values; ``{}`` accepts anything.
        description: text of ``<param>``, else of the docstring, else empty.
        secret: whether its values are kept nowhere: ``<param secret="true">`` or an annotation such as ``SecretStr``.
    """

    name: str
    kind: ParameterKind = "positional"
    annotation: str = ""
    required: bool = True
    default: str = ""
    schema: dict[str, Any] = {}
    description: str = ""
    secret: bool = False


class Signature(msgspec.Struct, frozen=True):
    """A public function as its runtime discovered it.

    Args:
        name: as the source spells it.
        parameters: in order.
        returns: the return annotation as text, empty when the source gives none.
        doc: the docstring, dedented, empty when there is none.
        line: 1-based line of the definition in the user's file.
        is_async: whether it is a coroutine function; a sync decorator around one is not.
        returns_schema: JSON Schema of what a call answers; ``{}`` when the annotation does not tell.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    returns: str = ""
    doc: str = ""
    line: int = 0
    is_async: bool = False
    returns_schema: dict[str, Any] = {}


class Function(msgspec.Struct, frozen=True):
    """A user's function that can be called from Python, whatever it is written in."""

    signature: Signature
    target: Callable[..., Any]


class Runtime(Protocol):
    """Runs sources of some languages; lives inside a host and holds one Build's units."""

    def compile(self, unit: SourceUnit) -> tuple[Diagnostic, ...]:
        """Check a unit without running it."""

    def load(self, unit: SourceUnit) -> tuple[dict[str, Function], tuple[Diagnostic, ...]]:
        """Load a unit and return its public functions by name, or why it can't be loaded."""

    def load_agents(self, unit: SourceUnit) -> tuple[list[Agent], tuple[Diagnostic, ...]]:
        """Load a unit and return the Agents that it declares, or why there are none."""

    def close(self) -> None:
        """Give back what the runtime changed in this process."""


class ForeignError(Exception):
    """What a function threw that is not written in Python.

    Args:
        line: its type and message.
        traceback: its own, as its language writes it.
    """

    def __init__(self, line: str, traceback: str) -> None:
        super().__init__(line)
        self.line = line
        self.traceback = traceback


class Refusal(Exception):
    """A function could not be called, or its result could not be given; ``error`` says why, and it is not its fault."""

    def __init__(self, error: CoflowsError) -> None:
        super().__init__(error.message)
        self.error = error
