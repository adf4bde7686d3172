"""The arguments of a run as its row keeps them: as they came, or as JSON where secrets had to be taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import msgspec

from coflows_jupyter.host.protocol import ArgumentForm
from coflows_jupyter.runtimes.masking import MASK
from coflows_jupyter.runtimes.protocol import Parameter

Form = Literal["query", "json", "masked"]

LIMIT = 16 * 1024

_INDEXED = re.compile(r"p\[\d+\]")


def keep(form: ArgumentForm, data: bytes, parameters: Sequence[Parameter]) -> tuple[Form, str | None]:
    """Return what a row keeps of a call's arguments: its form, and its text or ``None`` where that is too large."""
    if len(data) > LIMIT:
        return form, None
    if not any(parameter.secret for parameter in parameters):
        return form, data.decode("utf-8", "replace")
    return "masked", msgspec.json.encode(mask(read(form, data), parameters)).decode()


def mask(arguments: Any, parameters: Sequence[Parameter]) -> Any:
    """Keep of ``arguments`` only what certainly belongs to a parameter that is no secret."""
    if isinstance(arguments, dict):
        known = {parameter.name for parameter in parameters if not parameter.secret}
        names = {parameter.name for parameter in parameters}
        if not arguments.keys() <= names:
            # By position under foreign names, a body that is the only parameter's value, or a misspelt name.
            return dict.fromkeys((name if name in names else "?" for name in arguments), MASK)
        return {name: value if name in known else MASK for name, value in arguments.items()}
    if isinstance(arguments, list):
        by_position = [parameter for parameter in parameters if parameter.kind == "positional"]
        if len(parameters) > 1 and len(arguments) <= len(by_position):
            pairs = zip(arguments, by_position, strict=False)
            return [MASK if parameter.secret else value for value, parameter in pairs]
    return MASK


def read(form: str, data: bytes) -> Any:
    """Return arguments as JSON has them: an object by name, an array by position; ``None`` when they can't be read."""
    if form != "query":
        try:
            return msgspec.json.decode(data) if data.strip() else {}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
    pairs = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True)
    if pairs and all(_INDEXED.fullmatch(name) for name, _ in pairs):
        return [value for _, value in sorted(pairs, key=lambda pair: int(pair[0][2:-1]))]
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def positional(values: Sequence[str]) -> bytes:
    """Return the query string of a call by position."""
    return urlencode([(f"p[{index}]", value) for index, value in enumerate(values)]).encode()
