"""JSON Schemas of parameters: what they accept, and how they become part of a document."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_REFERENCE = re.compile(r'"#/\$defs/([^"]+)"')
# What these hold is data, whatever it looks like.
_DATA = frozenset({"const", "default", "enum", "example", "examples", "value"})
_NAMED = frozenset({"dependentSchemas", "patternProperties", "properties"})


def json_types(schema: dict[str, Any]) -> set[str]:
    """Return which of JSON's types a schema accepts; empty for one that says nothing about it."""
    definitions: dict[str, Any] = schema.get("$defs", {})
    found: set[str] = set()
    todo, seen = [schema], set()
    while todo:
        part = todo.pop()
        reference = part.get("$ref", "")
        if reference and reference not in seen:
            seen.add(reference)
            todo.append(definitions.get(reference.rpartition("/")[2], {}))
        kind = part.get("type", [])
        found.update([kind] if isinstance(kind, str) else kind)
        todo += [*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())]
    return found


class Components:
    """Collects the definitions of schemas under names of a document: there, ``#/$defs`` would point at its root.

    Args:
        schemas: what the document has already, by name.
    """

    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = dict(schemas)
        self._sources: dict[str, Any] = dict(schemas)

    def take(self, part: Any, names: dict[str, str] | None = None) -> Any:
        """Return ``part`` with every reference to a definition pointing at the document's components.

        Args:
            part: a schema, or a part of a document with schemas in it.
            names: the components of the definitions around it.
        """
        if isinstance(part, list):
            return [self.take(item, names) for item in part]
        if not isinstance(part, dict):
            return part
        if "$defs" in part:
            names = self._named(part["$defs"])
        return {key: self._value(key, value, names or {}) for key, value in part.items() if key != "$defs"}

    def _value(self, key: str, value: Any, names: dict[str, str]) -> Any:
        if key in _DATA:
            return value
        if key == "$ref":
            return _moved(value, names)
        if key == "discriminator":
            mapping = {word: _moved(target, names) for word, target in value.get("mapping", {}).items()}
            return {**value, "mapping": mapping}
        if key in _NAMED:
            return {name: self.take(schema, names) for name, schema in value.items()}
        return self.take(value, names)

    def _named(self, definitions: dict[str, Any]) -> dict[str, str]:
        """Give definitions names of the document; equal ones share theirs, others of the same name get a number."""
        names: dict[str, str] = {}
        new: list[str] = []
        for name in definitions:
            source = _reachable(name, definitions)
            chosen, number = name, 1
            while self._sources.setdefault(chosen, source) != source:
                number += 1
                chosen = f"{name}_{number}"
            names[name] = chosen
            new += [name] if chosen not in self.schemas else []
        for name in new:
            self.schemas[names[name]] = self.take(definitions[name], names)
        return names


def _moved(reference: str, names: dict[str, str]) -> str:
    name = reference.removeprefix("#/$defs/")
    return f"#/components/schemas/{names[name]}" if name in names else reference


def _reachable(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a definition with all that it refers to, which is what makes it equal to another."""
    found: dict[str, Any] = {}
    todo = [name]
    while todo:
        name = todo.pop()
        if name not in found and name in definitions:
            found[name] = definitions[name]
            todo += _REFERENCE.findall(msgspec.json.encode(definitions[name]).decode())
    return found
