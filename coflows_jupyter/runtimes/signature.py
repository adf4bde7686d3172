"""Python functions described: parameters with their JSON Schemas, docstring, line.

Types are understood by pydantic. An annotation that can't be evaluated or that pydantic doesn't know never fails a
function: its parameter accepts anything.
"""

from __future__ import annotations

import datetime as dt
import decimal
import inspect
import math
from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple, get_type_hints, is_typeddict

import orjson

from coflows_jupyter.runtimes.docstring import parameter_texts
from coflows_jupyter.runtimes.protocol import Parameter, ParameterKind, Signature

_KINDS: dict[Any, ParameterKind] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "var_positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "var_keyword",
}

TYPE_WORDS: dict[str, Any] = {
    "int": int,
    "int32": int,
    "int64": int,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "number": float,
    "decimal": decimal.Decimal,
    "bool": bool,
    "boolean": bool,
    "str": str,
    "string": str,
    "date": dt.date,
    "datetime": dt.datetime,
    "list": list,
    "array": list,
    "dict": dict,
    "object": dict,
}
"""What ``<param type="…">`` of a doc comment may say, in any case; any other word means no type."""


class Adapted(NamedTuple):
    """A type as pydantic understands it: the annotation to use, and its JSON Schema."""

    annotation: Any
    schema: dict[str, Any]


def describe(function: Callable[..., Any], name: str = "") -> Signature:
    """Describe a user's function.

    Args:
        function: anything callable; where it hides its parameters, it takes any.
        name: the name that it is called by, if not its own.
    """
    doc = inspect.getdoc(function) or ""
    texts = parameter_texts(doc)
    written = _signature(function)
    inner = inspect.unwrap(function)
    return Signature(
        name=name or getattr(function, "__name__", type(function).__name__),
        parameters=tuple(
            Parameter(
                name=p.name,
                kind=_KINDS[p.kind],
                annotation=_annotation_text(w.annotation),
                required=p.default is p.empty and p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD},
                default=_default_text(p.default),
                schema=adapted(p.annotation).schema,
                description=texts.get(p.name, ""),
            )
            for p, w in zip(parameters(function), written.parameters.values(), strict=True)
        ),
        returns=_annotation_text(written.return_annotation),
        doc=doc,
        line=getattr(getattr(inner, "__code__", None), "co_firstlineno", 0),
        is_async=inspect.iscoroutinefunction(inspect.unwrap(function, stop=inspect.iscoroutinefunction)),
    )


def parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """Return a function's parameters; an annotation is a type, or ``Parameter.empty`` where there is none to use."""
    found = _signature(function).parameters.values()
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    return tuple(p.replace(annotation=_evaluated(p.annotation, scope)) for p in found)


def adapted(annotation: Any) -> Adapted:
    """Return the type that pydantic validates for ``annotation``; ``Any`` when it can't."""
    try:
        return _adapted(annotation)
    except TypeError:  # not hashable, such as Annotated[int, []]
        return _adapted.__wrapped__(annotation)


@cache
def _adapted(annotation: Any) -> Adapted:
    # pydantic takes 100 ms to import, and many functions have no annotation at all.
    if annotation is inspect.Parameter.empty or annotation is Any:
        return Adapted(Any, {})
    from pydantic import ConfigDict, TypeAdapter

    if is_typeddict(annotation):
        annotation = _typed_dict(annotation)
    adapter: TypeAdapter[Any]
    try:
        adapter = TypeAdapter(annotation)
    except Exception:  # noqa: BLE001  (whatever an annotation of the user's raises, the function stays callable)
        try:
            adapter = TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
        except Exception:  # noqa: BLE001
            return Adapted(Any, {})
    try:
        return Adapted(annotation, adapter.json_schema(mode="validation"))
    except Exception:  # noqa: BLE001  (valid, but without a JSON form)
        return Adapted(annotation, {})


def _typed_dict(kind: Any) -> Any:
    """Make the kind of ``TypedDict`` that pydantic reads on every Python."""
    import typing_extensions

    fields = get_type_hints(kind, include_extras=True)
    return typing_extensions.TypedDict(kind.__name__, fields, total=kind.__total__)  # type: ignore[operator]


def documented(word: str) -> Adapted:
    """Return the type that a doc comment's ``<param type="…">`` names."""
    return adapted(TYPE_WORDS.get(word.strip().lower(), Any))


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # written in C, without a text signature
        anything = [
            inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
            inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
        ]
        return inspect.Signature(anything)


def _evaluated(annotation: Any, scope: Mapping[str, Any]) -> Any:
    """Resolve names in an annotation: all of ``"list[Order]"``, and the inner one of ``list["Order"]``."""
    if annotation is inspect.Parameter.empty:
        return annotation
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        return get_type_hints(holder, globalns=dict(scope), include_extras=True)["it"]
    except Exception:  # noqa: BLE001  (a name that exists only while types are checked, or no type at all)
        return inspect.Parameter.empty


def _annotation_text(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _default_text(default: Any) -> str:
    if default is inspect.Parameter.empty or (isinstance(default, float) and not math.isfinite(default)):
        return ""
    try:
        return orjson.dumps(default).decode()
    except TypeError:
        return ""
