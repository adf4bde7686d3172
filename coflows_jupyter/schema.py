"""From a parsed document to a pydantic model, with every complaint at its line and column.

A model describes a file by ``Section`` classes. A field's ``description`` says in words what it takes ("a port from 0
to 65535"), its ``examples`` what to write; messages are made of these and never repeat a text, which may be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, NoDefault
from pydantic_core import ErrorDetails

from coflows_jupyter.errors import Diagnostic, nearest
from coflows_jupyter.jsonc import Document, Path

# By the first word of pydantic's error type: what it wants, and how that is written.
_WANTED = {
    "bool": ("true or false", "true"),
    "dict": ("a section in {…}", "{…}"),
    "float": ("a number", "1"),
    "int": ("a whole number", "1"),
    "model": ("a section in {…}", "{…}"),
    "string": ("a text in quotes", '"…"'),
    "tuple": ("a list in […]", "[…]"),
}


class Section(BaseModel):
    """Base of everything that is read from a file; ``null`` means the same as nothing.

    Attributes:
        legacy: keys that the original knows and nothing here reads; they are no mistake.
    """

    model_config = ConfigDict(
        frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True, validate_default=True
    )
    legacy: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data


S = TypeVar("S", bound=Section)


def section(model: type[Section], alias: str) -> Any:
    """Make the field of a section that may be left out."""
    return Field(default_factory=lambda: model.model_validate({}), validation_alias=alias)


def check(
    model: type[S], document: Document, *, own: dict[str, Any], context: object = None, lenient: bool = False
) -> tuple[S | None, list[Diagnostic]]:
    """Read ``document`` as ``model``.

    Args:
        model: what the file should hold.
        document: without syntax errors.
        own: fields of the model that don't come from the file.
        context: for validators.
        lenient: unknown keys are only reported when they look like a misspelt known one.

    Returns:
        The model, ``None`` when there is an error, and all warnings and errors in order of place.
    """
    found = list(_unknown_keys(model, document, document.value, (), lenient=lenient))
    value = document.value
    if isinstance(value, dict):
        # A key of the file must never set a field that isn't the file's.
        value = {key: inner for key, inner in value.items() if key in _aliases(model)} | own
    result = None
    try:
        result = model.model_validate(value, context=context)
    except ValidationError as error:
        found += [_explain(model, document, detail) for detail in error.errors(include_url=False)]
    return result, sorted(found, key=lambda d: (d.line, d.column))


def _aliases(model: type[Section]) -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for field in model.model_fields.values():
        alias = field.validation_alias
        names = alias.choices if isinstance(alias, AliasChoices) else [alias]
        found |= {name: field for name in names if isinstance(name, str)}
    return found


def _nested(annotation: Any) -> type[Section] | None:
    """Return the Section that a field's annotation holds, through unions and tuples."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(_nested, get_args(annotation))), None)


def _unknown_keys(
    model: type[Section], document: Document, value: Any, path: Path, *, lenient: bool
) -> Iterator[Diagnostic]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_keys(model, document, item, (*path, index), lenient=lenient)
    if not isinstance(value, dict):
        return
    known = _aliases(model)
    for key, inner in value.items():
        here = (*path, key)
        if key in known:
            if section := _nested(known[key].annotation):
                yield from _unknown_keys(section, document, inner, here, lenient=lenient)
        elif not key.startswith("_") and key not in model.legacy:  # The original's templates switch a key off by a _
            near = nearest(key, known)
            if near or not lenient:
                yield _unknown_key(document, here, near, known)


def _unknown_key(document: Document, path: Path, near: str, known: Iterable[str]) -> Diagnostic:
    key = str(path[-1])
    if near.lower() == key.lower():
        message, hint = f"the key {spell(path)} is ignored: keys are case-sensitive", f'write "{near}"'
    else:
        message = f"the key {spell(path)} is unknown and ignored"
        hint = f'did you mean "{near}"?' if near else f"known here: {', '.join(known)}"
    return document.report(document.place(path, key=True), "warning", "unknown-key", message, hint)


def spell(path: Path) -> str:
    """Return a path as people write it: ``Queries[2].Content``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _explain(model: type[Section], document: Document, detail: ErrorDetails) -> Diagnostic:
    path, kind, name = detail["loc"], detail["type"], spell(detail["loc"])
    field = _field(model, path)
    family = kind.split("_")[0]
    place = document.place(path)
    hint = f'write "{path[-1]}": {_example(field, family)}' if path else "write { at its start and } at its end"
    code = "value"
    if not path:
        message = "the file must hold one section in {…}"
    elif kind == "missing":
        place, code, message = document.place(path[:-1], key=True), "missing-key", f"{name} is missing"
    elif kind == "value_error":
        # Our validators raise "what is wrong; what to do".
        wrong, _, better = str(detail["ctx"]["error"]).partition("; ")
        message, hint = f"{name}: {wrong}", better or hint
    elif field and kind == "literal_error":
        *others, last = (json.dumps(choice) for choice in get_args(field.annotation))
        near = nearest(str(detail["input"]), map(str, get_args(field.annotation)))
        message = f"{name} must be {', '.join(others)} or {last}"
        hint = f'did you mean "{near}"?' if near else hint
    else:
        wanted = field.description if field and field.description else _WANTED.get(family, ("valid", ""))[0]
        # Only where a number is due it can't be a secret.
        given = detail["input"]
        numeric = type(given) in {int, float} and family in {"int", "float", "greater", "less"}
        message = f"{name} must be {wanted}, not {given if numeric else _kind(given)}"
    return document.report(place, "error", code, message, hint)


def _field(model: type[Section], path: Path) -> FieldInfo | None:
    section: type[Section] | None = model
    field: FieldInfo | None = None
    for step in path:
        if isinstance(step, str):
            field = _aliases(section).get(step) if section else None
            section = _nested(field.annotation) if field else None
    return field


def _example(field: FieldInfo | None, family: str) -> str:
    if field and field.examples:
        return json.dumps(field.examples[0])
    return _WANTED.get(family, ("", "…"))[1]


def _kind(value: object) -> str:
    """Name a value without repeating it."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "this text" if value else "an empty text"
        case list():
            return "a list"
        case _:
            return "a section"


class _OfFile(GenerateJsonSchema):
    """Describes what stands in the file: no field that is ours, no default that may be a secret."""

    def field_is_present(self, field: Any) -> bool:
        """Tell whether a field is read from the file."""
        return bool(field.get("validation_alias"))

    def get_default_value(self, schema: Any) -> Any:
        """Return what a field is when the file does not say; nothing for the classes that wrap secrets and paths."""
        default = super().get_default_value(schema)
        return default if isinstance(default, str | int | float) else NoDefault

    def get_title_from_name(self, name: str) -> str:
        """Return no made-up title: ours say what a field is for."""
        return name


def json_schema(model: type[Section]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the files that ``model`` describes, for editors.

    It says less than ``check``, which knows paths, IDs and what depends on what.
    """
    found = model.model_json_schema(schema_generator=_OfFile)
    for section in (found, *found["$defs"].values()):
        # What follows the first paragraph of a docstring is for programmers.
        section["description"] = section["description"].partition("\n\n")[0].replace("``", "`")
    return {"$schema": _OfFile.schema_dialect} | found
