"""Binds the raw arguments of a call to a function's parameters, once, in the host.

**Query strings.** When every name is a parameter's, by name; when none is, by position, as the original did with
``p[0]=…&p[1]=…`` or any other names. A mixture is a misspelt name and an error. A repeated name collects the items of
an array. Text becomes a value by the annotation, else by the type that the doc comment names, else it stays text;
where that fails it is read as JSON, which is how lists, objects and ``null`` are given.

**JSON.** An object by name, an array by position. A function with exactly one parameter that the body doesn't name
gets the whole body: converted, or as JSON text where the parameter has no type or is a ``str``, as the original did.

Conversion is pydantic's in lax mode, which users know from FastAPI: ``"2"`` and ``true`` are ints, ``2.5`` is not, and
of two equal names in one object the last counts.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from types import GenericAlias
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote_plus

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs, from_json

from coflows_jupyter.errors import ArgumentsError, FieldError
from coflows_jupyter.queries.misfits import explain, refuse, shown, unknown
from coflows_jupyter.queries.schemas import json_types
from coflows_jupyter.runtimes.masking import MASK, texts
from coflows_jupyter.runtimes.protocol import Signature
from coflows_jupyter.runtimes.signature import adapted, documented, parameters

Bound: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]

_INDEXED = re.compile(r"p\[(\d{1,4})\]")
_PLAIN = re.compile(r"[.\[]")
_IN_ORDER = [f"p[{index}]" for index in range(20)]
_BLANK = b" \t\r\n"


class Binder:
    """Binds calls of one function; the first call compiles its check.

    Args:
        function: the user's function.
        signature: its description, with the doc comment's types merged in.
    """

    def __init__(self, function: Callable[..., Any], signature: Signature) -> None:
        self._function = function
        self._parameters = signature.parameters
        self._names = {p.name for p in signature.parameters if p.kind in {"positional", "keyword"}}
        self._rest = next((p.name for p in signature.parameters if p.kind == "var_positional"), None)
        self._open = any(p.kind == "var_keyword" for p in signature.parameters)
        self._arrays = {p.name for p in signature.parameters if p.name == self._rest or "array" in json_types(p.schema)}
        self._adapters: dict[str, TypeAdapter[Any]] = {}

    def bind(self, form: Literal["query", "json"], data: bytes) -> Bound:
        """Return positional and keyword arguments for the function.

        Args:
            form: ``query`` for a query string or form body, ``json`` for a JSON document.
            data: the raw arguments; empty means none.

        Raises:
            ArgumentsError: they don't fit; it has an entry for every field that doesn't.
        """
        if form == "query":
            return self._bind_query(data)
        if not data.lstrip(_BLANK):
            return self._checked({})
        return self._bind_json(data)

    # -- secrets ----------------------------------------------------------------------------------------------------

    @cached_property
    def has_secrets(self) -> bool:
        """Whether a parameter's values are kept nowhere."""
        return any(p.secret for p in self._parameters)

    def secrets(self, bound: Bound) -> list[str]:
        """Return the texts of the secrets among bound arguments."""
        args, kwargs = bound
        given = inspect.Signature(self._written).bind_partial(*args, **kwargs).arguments
        return [text for p in self._parameters if p.secret for text in texts(given.get(p.name))]

    def conceal(self, error: ArgumentsError) -> tuple[ArgumentsError, list[str]]:
        """Take out of an error what may belong to a secret; returns the error and the texts that it showed."""
        plain = {p.name for p in self._parameters if not p.secret}
        hidden = [field for field in error.fields if field.value and _PLAIN.split(field.field, 1)[0] not in plain]
        fields = [FieldError(f.field, f.message, MASK) if f in hidden else f for f in error.fields]
        return ArgumentsError(error.message, fields), [field.value.removesuffix("…") for field in hidden]

    # -- the check ---------------------------------------------------------------------------------------------------

    @cached_property
    def _written(self) -> tuple[inspect.Parameter, ...]:
        return parameters(self._function)

    @cached_property
    def _types(self) -> dict[str, Any]:
        return {
            ours.name: (documented(ours.annotation) if p.annotation is p.empty else adapted(p.annotation)).annotation
            for ours, p in zip(self._parameters, self._written, strict=True)
        }

    @cached_property
    def _check(self) -> Any:
        """One validator for the whole call; pydantic runs it without coming back to Python in between.

        It sees a stand-in that has the function's parameters and gives back what it is called with.
        """

        def stand_in(*args: Any, **kwargs: Any) -> Bound:
            return args, kwargs

        written = [p.replace(annotation=self._types[p.name]) for p in self._written]
        if self._leading:  # may be given by name as well; _places brings them back
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            written = [p.replace(kind=kind) if p.kind is p.POSITIONAL_ONLY else p for p in written]
        stand_in.__signature__ = inspect.Signature(written)  # type: ignore[attr-defined]  # what pydantic reads
        stand_in.__annotations__ = dict(self._types)
        return _adapter(stand_in).validator

    @cached_property
    def _leading(self) -> list[inspect.Parameter]:
        """Parameters that must be passed by position even when they are given by name."""
        last = 0
        for place, parameter in enumerate(self._written):
            if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL}:
                last = place + (parameter.kind is parameter.POSITIONAL_ONLY)
        return list(self._written[:last])

    def _checked(self, given: dict[str, Any] | tuple[Any, ...]) -> Bound:
        try:
            return self._converted(given)
        except ValidationError as error:
            raise explain(error, given, self._parameters) from None

    def _converted(self, given: dict[str, Any] | tuple[Any, ...]) -> Bound:
        """Check and convert values by name or by position.

        Raises:
            pydantic.ValidationError: some don't fit.
        """
        if isinstance(given, tuple):
            bound: Bound = self._check.validate_python(ArgsKwargs(given))
            return bound
        rest: tuple[Any, ...] = ()
        if self._rest is not None and self._rest in given:
            rest = self._check_rest(self._rest, given[self._rest])
            given = {name: value for name, value in given.items() if name != self._rest}
        bound = self._check.validate_python(ArgsKwargs((), given))
        return self._places(bound, rest) if self._leading else (rest, bound[1])

    def _check_rest(self, name: str, values: Any) -> tuple[Any, ...]:
        """Check what is given for ``*args`` by its name."""
        try:
            return tuple(self._rest_adapter.validate_python(values))
        except ValidationError as error:
            raise explain(error, values, self._parameters, inside=name) from None

    @cached_property
    def _rest_adapter(self) -> TypeAdapter[Any]:
        assert self._rest is not None
        return _adapter(GenericAlias(list, (self._types[self._rest],)))

    def _adapter(self, name: str) -> TypeAdapter[Any]:
        """Return what checks a single value of one parameter."""
        if name not in self._adapters:
            self._adapters[name] = _adapter(self._types[name])
        return self._adapters[name]

    def _places(self, bound: Bound, rest: tuple[Any, ...]) -> Bound:
        """Move arguments that were given by name to the position that they must have."""
        args, kwargs = bound
        if args or not (rest or any(p.kind is p.POSITIONAL_ONLY for p in self._leading)):
            return bound
        leading = [p for p in self._leading if rest or p.kind is p.POSITIONAL_ONLY]
        return (*(kwargs.pop(p.name, p.default) for p in leading), *rest), kwargs

    # -- query strings -----------------------------------------------------------------------------------------------

    def _bind_query(self, data: bytes) -> Bound:
        pairs = _pairs(data)
        named = dict(pairs)
        by_name = len(named) == len(pairs) and named.keys() <= self._names
        given: dict[str, Any] | tuple[Any, ...] = named if by_name else self._arranged(pairs)
        try:
            return self._converted(given)
        except ValidationError as error:
            return self._checked(self._read_again(given, error))

    def _arranged(self, pairs: list[tuple[str, str]]) -> dict[str, Any] | tuple[str, ...]:
        """Decide between by name and by position, and collect repeated names."""
        if [name for name, _ in pairs] == _IN_ORDER[: len(pairs)]:  # as most callers write positions
            return tuple(value for _, value in pairs)
        foreign = [name for name, _ in pairs if name not in self._names and name != self._rest]
        places = [_INDEXED.fullmatch(name) for name, _ in pairs]
        if all(places):
            return _by_index(pairs, [int(place[1]) for place in places if place])
        if foreign and not self._open:
            if len(foreign) == len(pairs):
                return tuple(value for _, value in pairs)
            fields = [unknown(name, dict(pairs)[name], self._parameters) for name in dict.fromkeys(foreign)]
            raise refuse(fields)
        repeated = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
        if twice := [name for name in repeated if name not in self._arrays]:
            if len({name for name, _ in pairs}) == 1 and not self._open:
                return tuple(value for _, value in pairs)  # p=1&p=2, as the original took it
            fields = [FieldError(name, "is given more than once", shown(dict(pairs)[name])) for name in twice]
            raise refuse(fields)
        collected: dict[str, Any] = {}
        for name, value in pairs:
            if name in repeated or name == self._rest:
                collected.setdefault(name, []).append(value)
            else:
                collected[name] = value
        if self._rest is not None and self._rest in collected:
            collected[self._rest] = [self._readable(self._rest, text) for text in collected[self._rest]]
        return collected

    def _readable(self, name: str, text: str) -> Any:
        """Read one of ``*args`` as JSON if it is no value as text."""
        try:
            self._adapter(name).validate_python(text)
        except ValidationError:
            return self._from_text(name, text)
        return text

    def _read_again(
        self, given: dict[str, Any] | tuple[Any, ...], error: ValidationError
    ) -> dict[str, Any] | tuple[Any, ...]:
        """Read as JSON what is no value as text."""
        wrong = {e["loc"][0] for e in error.errors(include_url=False, include_context=False) if e["loc"]}
        if isinstance(given, tuple):
            names = [p.name for p in self._parameters if p.kind == "positional"][: len(given)]
            places = itertools.zip_longest(names, given, fillvalue=self._rest)
            return tuple(
                self._from_text(name, text) if place in wrong else text for place, (name, text) in enumerate(places)
            )
        return {name: self._from_text(name, text) if name in wrong else text for name, text in given.items()}

    def _from_text(self, name: str | None, text: Any) -> Any:
        if not isinstance(text, str) or name is None or name not in self._types:
            return text
        try:
            return self._adapter(name).validate_json(text or "null")
        except ValidationError:
            pass
        try:
            value = from_json(text)
        except ValueError:
            value = None
        if isinstance(value, list | dict):
            return value
        return [text] if name in self._arrays and name != self._rest else text

    # -- JSON documents ----------------------------------------------------------------------------------------------

    def _bind_json(self, data: bytes) -> Bound:
        try:
            if self._rest is not None:
                given = from_json(data)
                if isinstance(given, dict) and self._rest in given:
                    return self._checked(given)
            bound: Bound = self._check.validate_json(data)
        except ValidationError as error:
            return self._bind_whole(data, error)
        except ValueError as error:
            raise _no_json(error, data) from None
        return self._places(bound, ()) if self._leading else bound

    def _bind_whole(self, data: bytes, error: ValidationError) -> Bound:
        """Take the body as the value of the only parameter; ``error`` says why it is not its arguments."""
        try:
            body = from_json(data)
        except ValueError as invalid:
            raise _no_json(invalid, data) from None
        only = self._parameters[0] if len(self._parameters) == 1 else None
        named = only is not None and isinstance(body, dict) and only.name in body
        if only is None or named or only.name not in self._names:
            raise explain(error, body, self._parameters)
        written, accepted = self._written[0].annotation, json_types(only.schema)
        if written is str or (written is inspect.Parameter.empty and not accepted):
            if isinstance(body, list):
                raise explain(error, body, self._parameters)
            return self._passed(body if isinstance(body, str) else data.decode())
        try:
            return self._passed(self._adapter(only.name).validate_json(data))
        except ValidationError as second:
            kind = "object" if isinstance(body, dict) else "array" if isinstance(body, list) else None
            if kind is None or kind in accepted:
                raise explain(second, body, self._parameters, inside=only.name) from None
            raise explain(error, body, self._parameters) from None

    def _passed(self, value: Any) -> Bound:
        only = self._written[0]
        return ((), {only.name: value}) if only.kind is only.KEYWORD_ONLY else ((value,), {})


def _adapter(kind: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # a model has its own configuration
        return TypeAdapter(kind)


def _pairs(data: bytes) -> list[tuple[str, str]]:
    try:
        text = data.decode()
        parts = [part.partition("=") for part in text.split("&") if part]
        if "%" in text or "+" in text:
            return [(unquote_plus(n, errors="strict"), unquote_plus(v, errors="strict")) for n, _, v in parts]
    except UnicodeDecodeError:
        field = FieldError("arguments", "are not UTF-8 text", shown(data))
        raise refuse([field]) from None
    return [(name, value) for name, _, value in parts]


def _by_index(pairs: list[tuple[str, str]], indices: list[int]) -> tuple[str, ...]:
    wanted = set(range(len(pairs)))
    fields = [FieldError(f"p[{i}]", "is given more than once") for i, n in Counter(indices).items() if n > 1]
    if not fields and wanted != set(indices):
        fields = [FieldError(f"p[{min(wanted - set(indices))}]", "is missing")]
    if fields:
        raise refuse(fields)
    return tuple(value for _, (_, value) in sorted(zip(indices, pairs, strict=True)))


def _no_json(error: ValueError, data: bytes) -> ArgumentsError:
    field = FieldError("body", f"is no JSON: {error}", shown(data))
    return refuse([field])
