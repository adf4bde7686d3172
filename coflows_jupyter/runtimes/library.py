"""A library that was compiled of sources, whatever runs it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from coflows_jupyter.workflow.sources import Kind


class Library(msgspec.Struct, frozen=True):
    """What was compiled of some sources.

    Args:
        path: of the library, whose symbols lie beside it; for the JVM, of a folder of classes.
        kind: of the sources that it was made of.
        sources: their paths.
    """

    path: str
    kind: Kind
    sources: tuple[str, ...]


def of_kind(libraries: Iterable[Library], kind: Kind) -> tuple[Library, ...]:
    """Return those that are of this kind or Base."""
    return tuple(library for library in libraries if library.kind in {"base", kind})


def sources_of(libraries: Iterable[Library]) -> list[str]:
    """Return the paths of all sources."""
    return [source for library in libraries for source in library.sources]


def by_source(libraries: Iterable[Library]) -> dict[str, str]:
    """Return the library of each source, both by their paths."""
    return {source: library.path for library in libraries for source in library.sources}
