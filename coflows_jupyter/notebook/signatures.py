"""Functions of a catalog as Python spells them: a signature and a docstring, without the function."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec

from coflows_jupyter.runtimes.protocol import Parameter

_KINDS = {
    "positional": inspect.Parameter.POSITIONAL_OR_KEYWORD,
    "keyword": inspect.Parameter.KEYWORD_ONLY,
    "var_positional": inspect.Parameter.VAR_POSITIONAL,
    "var_keyword": inspect.Parameter.VAR_KEYWORD,
}


class _Spelled(str):
    """Text that appears in a signature as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def make_signature(parameters: Sequence[Parameter]) -> inspect.Signature:
    """Make the signature that ``help`` and Shift-Tab show.

    Args:
        parameters: in order; a default that has no JSON form is shown as ``...``.
    """
    return inspect.Signature([_parameter(p) for p in parameters])


def _parameter(parameter: Parameter) -> inspect.Parameter:
    default: Any = inspect.Parameter.empty
    if parameter.default:
        default = msgspec.json.decode(parameter.default)
    elif not parameter.required and parameter.kind in {"positional", "keyword"}:
        default = _Spelled("...")
    annotation = _Spelled(parameter.annotation) if parameter.annotation else inspect.Parameter.empty
    return inspect.Parameter(parameter.name, _KINDS[parameter.kind], default=default, annotation=annotation)


def make_doc(description: str, parameters: Sequence[Parameter], returns: str) -> str:
    """Make a docstring: the description, what each parameter means, what comes back."""
    described = [(p.name, p.description) for p in parameters if p.description]
    width = max((len(name) for name, _ in described), default=0)
    parts = [
        description,
        "\n".join(f"{name:{width}}  {' '.join(text.split())}" for name, text in described),
        f"Returns: {returns}" if returns else "",
    ]
    return "\n\n".join(part for part in parts if part)
