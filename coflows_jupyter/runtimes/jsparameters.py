"""Reads the parameters of a JavaScript function from its own text."""

from __future__ import annotations

import inspect
import re
from typing import Any

import orjson

_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_SKIPPED = re.compile(r"""\s+|//[^\n]*|/\*.*?\*/""", re.DOTALL)
_TEXT = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`""", re.DOTALL)
_OPENING, _CLOSING = "([{", ")]}"
_HEAD = re.compile(r"\s*(?:async\b\s*)?(?:function\b\s*\*?\s*)?(?:[A-Za-z_$][\w$]*\s*)?\(", re.DOTALL)
_ARROW = re.compile(r"\s*(?:async\s+)?([A-Za-z_$][\w$]*)\s*=>")


class Unset:
    """Stands for an argument that the function itself knows the default of."""

    def __repr__(self) -> str:
        return "…"


UNSET = Unset()


def parameters(text: str) -> list[inspect.Parameter]:
    """Return the parameters of a function.

    Args:
        text: what its ``toString`` says: ``function f(a, b = 2, ...rest) {…}``, ``(a) => …``, ``a => …``.
    """
    if arrow := _ARROW.match(text):
        return [_parameter(arrow[1], 0)]
    head = _HEAD.match(text)
    pieces = _pieces(text, head.end()) if head else []
    made = [_parameter(piece, place) for place, piece in enumerate(pieces)]
    # Python has no parameter without a default after one with; JavaScript has undefined for it.
    optional = False
    for place, parameter in enumerate(made):
        if optional and parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL:
            made[place] = parameter.replace(default=UNSET)
        optional = optional or parameter.default is not parameter.empty
    return made


def _pieces(text: str, start: int) -> list[str]:
    """Split the list that begins at ``start`` at its commas, without comments."""
    pieces, depth, place = [""], 0, start
    while place < len(text):
        if skipped := _SKIPPED.match(text, place):
            pieces[-1] += " "
            place = skipped.end()
            continue
        if quoted := _TEXT.match(text, place):
            pieces[-1] += quoted[0]
            place = quoted.end()
            continue
        character = text[place]
        if character in _CLOSING:
            if depth == 0:
                break
            depth -= 1
        depth += character in _OPENING
        if character == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += character
        place += 1
    stripped = [piece.strip() for piece in pieces]
    return stripped if stripped[-1] else stripped[:-1]


def _parameter(piece: str, place: int) -> inspect.Parameter:
    rest = piece.startswith("...")
    name = _NAME.match(piece.removeprefix("...").lstrip())
    # A parameter that is taken apart has no name of its own.
    spelled = name[0].replace("$", "_") if name else f"p{place}"
    if rest:
        return inspect.Parameter(spelled, inspect.Parameter.VAR_POSITIONAL)
    _, mark, default = piece[name.end() if name else _end(piece) :].partition("=")
    value = _value(default.strip()) if mark else inspect.Parameter.empty
    return inspect.Parameter(spelled, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value)


def _end(piece: str) -> int:
    """Return where a pattern like ``{a, b = 1}`` ends."""
    depth = 0
    for place, character in enumerate(piece):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth == 0:
            return place + 1
    return len(piece)


def _value(default: str) -> Any:
    """Return a default that has a JSON form; any other is the function's to know."""
    if re.fullmatch(r"'[^'\"\\\n]*'", default):
        default = f'"{default[1:-1]}"'
    try:
        return orjson.loads(default)
    except orjson.JSONDecodeError:
        return UNSET
