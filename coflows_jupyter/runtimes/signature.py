"""Python functions described: parameters with their JSON Schemas, docstring, line.

Types are understood by pydantic. An annotation that can't be evaluated or that pydantic doesn't know never fails a
function: its parameter accepts anything.
"""

from __future__ import annotations

import datetime as dt
import decimal
import inspect
import math
import os
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import cache
from types import NoneType, SimpleNamespace
from typing import Annotated, Any, NamedTuple, get_origin, get_type_hints, is_typeddict

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

# Known without pydantic, which takes 100 ms to import.
_RETURNED: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    NoneType: {"type": "null"},
}
# These answer with a stream, or with bytes as they are; a path with those of its file.
_NO_DOCUMENT = (Iterator, AsyncIterator, bytes, bytearray, memoryview, os.PathLike)
_FRAMES = {"pandas.DataFrame", "polars.DataFrame"}


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
    returns = _evaluated(written.return_annotation, getattr(inner, "__globals__", {}))
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
        is_async=inspect.iscoroutinefunction(function),
        returns_schema=returned(returns),
    )


def parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """Return a function's parameters; an annotation is a type, or ``Parameter.empty`` where there is none to use."""
    found = _signature(function).parameters.values()
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    settled = [_settled(p.replace(annotation=_evaluated(p.annotation, scope))) for p in found]
    for place, later in reversed(list(enumerate(settled))):
        # `x=Field(3), y=Field()` is Python, yet no call can leave out only the first of two positions.
        if later.default is later.empty and later.kind in {later.POSITIONAL_ONLY, later.POSITIONAL_OR_KEYWORD}:
            settled[:place] = [p.replace(default=p.empty) for p in settled[:place]]
            break
    return tuple(settled)


def _settled(parameter: inspect.Parameter) -> inspect.Parameter:
    """Read ``x: int = Field(3, ge=1)`` as pydantic does: 3 is the default, and the constraint belongs to the type."""
    fields = sys.modules.get("pydantic.fields")
    field = parameter.default
    if fields is None or not isinstance(field, fields.FieldInfo):
        return parameter
    kind = parameter.annotation
    if field.metadata:
        kind = Annotated[(Any if kind is parameter.empty else kind, *field.metadata)]
    default = parameter.empty if field.is_required() else field.get_default(call_default_factory=True)
    return parameter.replace(annotation=kind, default=default)


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

    adapter: TypeAdapter[Any]
    try:
        if is_typeddict(annotation):
            annotation = _typed_dict(annotation)
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


def returned(annotation: Any) -> dict[str, Any]:
    """Return the JSON Schema of what a value of this type is answered as; ``{}`` when that is not known."""
    try:
        return _returned(annotation)
    except TypeError:  # not hashable, such as Annotated[int, []]
        return _returned.__wrapped__(annotation)


@cache
def _returned(annotation: Any) -> dict[str, Any]:
    kind = NoneType if annotation is None else get_origin(annotation) or annotation
    if isinstance(kind, type):
        if kind in _RETURNED:
            return _RETURNED[kind]
        # What is called an iterable often is an iterator.
        if kind in {Iterable, AsyncIterable, inspect.Parameter.empty} or issubclass(kind, _NO_DOCUMENT):
            return {}
        if f"{kind.__module__.partition('.')[0]}.{kind.__name__}" in _FRAMES:
            return {"type": "array", "items": {"type": "object"}}
    return _answered(adapted(annotation).annotation)


def _answered(annotation: Any) -> dict[str, Any]:
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    class AsAnswered(GenerateJsonSchema):
        """Where our encoding of results differs from pydantic's."""

        def decimal_schema(self, schema: Any) -> dict[str, Any]:  # noqa: ARG002  (pydantic's signature)
            return {"type": "number"}

        def named_tuple_schema(self, schema: Any) -> dict[str, Any]:  # noqa: ARG002
            return {"type": "object"}

        arguments_schema = named_tuple_schema  # its name in older pydantic

    try:
        return TypeAdapter(annotation).json_schema(mode="serialization", schema_generator=AsAnswered)
    except Exception:  # noqa: BLE001  (no type of pydantic's, or none with a JSON form)
        return {}


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
