"""The runtime of JavaScript: QuickJS, in every host.

Each Query and each Agent has a context of its own, in which the Workflow's Base files of JavaScript run before it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import orjson

from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.runtimes.agent import Agent, Callback
from coflows_jupyter.runtimes.jscontext import Answer, JsContext, ScriptError
from coflows_jupyter.runtimes.jsparameters import parameters
from coflows_jupyter.runtimes.protocol import Function
from coflows_jupyter.runtimes.signature import describe
from coflows_jupyter.workflow.sources import JAVASCRIPT, SourceUnit

_LEXICAL = re.compile(r"^(?:const|let)\s+([A-Za-z][\w$]*)\s*=", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z][\w$]*")
_CALLBACKS: tuple[Callback, ...] = ("load", "add", "exchange", "remove", "body", "job")


class JsRuntime:
    """Loads JavaScript units of one Build.

    Args:
        units: all units of the Build.
        answer: answers what JavaScript asks Python.
    """

    def __init__(self, units: Iterable[SourceUnit], answer: Answer) -> None:
        self._base = [(unit.path, unit.text) for unit in units if unit.language == JAVASCRIPT and unit.kind == "base"]
        self._answer = answer

    def load(self, unit: SourceUnit) -> tuple[dict[str, Function], tuple[Diagnostic, ...]]:
        """Run a unit and return its public functions by name, or why it can't be run."""
        context = self._open(unit)
        if isinstance(context, Diagnostic):
            return {}, (context,)
        return _functions(context, unit), ()

    def load_agents(self, unit: SourceUnit) -> tuple[list[Agent], tuple[Diagnostic, ...]]:
        """Run a unit and return the Agents that it declares, or why there are none."""
        context = self._open(unit)
        if isinstance(context, Diagnostic):
            return [], (context,)
        exe = unit.exe if _NAME.fullmatch(unit.exe) else "pkg"
        try:
            declared = orjson.loads(
                context.evaluate(f'__coflows.declared(typeof {exe} === "undefined" ? undefined : {exe})')
            )
            agents = [_agent(context, about) for about in declared]
        except ScriptError as error:
            return [], (_diagnostic(unit, error, "agent"),)
        except (TypeError, ValueError) as error:
            return [], (_diagnostic(unit, ScriptError(str(error)), "agent"),)
        if not agents:
            hint = "declare one with agent({name, schedule, job})"
            return [], (Diagnostic(unit.path, 0, 0, "warning", "agent", "the file declares no Agent", hint),)
        return agents, ()

    def _open(self, unit: SourceUnit) -> JsContext | Diagnostic:
        try:
            return JsContext([*self._base, (unit.path, unit.text)], self._answer)
        except ScriptError as error:
            return _diagnostic(unit, error, "syntax" if error.message.startswith("SyntaxError") else "import")


def _functions(context: JsContext, unit: SourceUnit) -> dict[str, Function]:
    """Return functions in their order, and what ``var`` declares, which is a function without parameters."""
    words = dict.fromkeys(name for name in _NAME.findall(unit.text) if name in context.declared)
    lexical = [name for name in dict.fromkeys(_LEXICAL.findall(unit.text)) if name not in words]
    table = [*words, *(f"...(typeof {name} === 'function' && {{ {name} }})" for name in lexical)]
    survey = orjson.loads(context.evaluate(f"__coflows.survey({{ {', '.join(table)} }})"))
    found = [
        _function(context, name, place, text, _line(name, unit.text)) for name, place, text in survey if name[0] != "_"
    ]
    return {f.signature.name: f for f in sorted(found, key=lambda f: f.signature.line)}


def _function(context: JsContext, name: str, place: int, text: str | None, line: int) -> Function:
    signature = inspect.Signature(parameters(text) if text is not None else [])

    def target(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return context.call(place, [_parsed(arg) for arg in bound.args])

    target.__signature__ = signature  # type: ignore[attr-defined]  # what inspect reads
    return Function(msgspec.structs.replace(describe(target, name), doc="", line=line), target)


def _parsed(value: Any) -> Any:
    """Read an object that came as text, as the original did."""
    if isinstance(value, str) and value.startswith('{"'):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _line(name: str, text: str) -> int:
    declaration = rf"^\s*(?:(?:(?:async\s+)?function\s*\*?|const|let|var)\s+)?{re.escape(name)}\s*[=(]"
    found = re.search(declaration, text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 0


def _agent(context: JsContext, about: dict[str, Any]) -> Agent:
    def function(place: int) -> Callable[..., Any]:
        return lambda *args: context.call(place, args)

    functions = {callback: function(about.pop(callback)) for callback in _CALLBACKS if about.get(callback) is not None}
    settings = {_spelled(key): value for key, value in about.items() if value is not None}
    name = settings.pop("name", "") or settings.get("id", "")
    if not name:
        raise TypeError("an Agent needs a name")
    return Agent(name, **settings, **functions)  # type: ignore[arg-type]


def _spelled(key: str) -> str:
    """Spell a word of JavaScript's, ``onFailure``, as Python does."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()


def _diagnostic(unit: SourceUnit, error: ScriptError, code: str) -> Diagnostic:
    hint = "" if error.path in {"", unit.path} else f"{unit.name} needs it"
    return Diagnostic(error.path or unit.path, error.line, error.column, "error", code, error.message, hint)
