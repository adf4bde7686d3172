"""What the compilations of all languages have in common: their order, their outcome, and doing without them.

The original's order: Base first, whose files with the word ``namespace`` or ``package`` are grouped into consecutive
runs of one language, each of which may use the earlier ones, and then those without, by language. Every Query and every
Agent is compiled on its own, and may use all of Base. What does not compile takes with it what uses it, because that
does not compile either, and nothing else.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.runtimes.library import Library
from coflows_jupyter.workflow.sources import SourceUnit

T = TypeVar("T")

Make = Callable[[Sequence[SourceUnit], Sequence[Library]], Library | None]


class Compiled(NamedTuple, Generic[T]):
    """What came of a Workflow's sources for one virtual machine.

    Args:
        made: what a host needs; ``None`` when there is no such source, or nothing to run it with.
        diagnostics: every finding.
        complete: whether everything compiled for which there is a compiler.
    """

    made: T | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    complete: bool = True


class _Missing(Exception):
    """Something is not in the cache, and nothing may be compiled."""


def without_compiling(work: Callable[[Callable[[], None]], T]) -> T | None:
    """Return what ``work`` gives when nothing has to be compiled for it, else ``None``.

    Args:
        work: takes what it calls before it compiles.
    """

    def refuse() -> None:
        raise _Missing

    try:
        return work(refuse)
    except _Missing:
        return None


def missing_package(module: str, name: str, extra: str) -> str:
    """Say that a Python package is missing that languages need; nothing when it is there.

    Args:
        module: what is imported of it.
        name: its own.
        extra: the extra of ours that brings it.
    """
    if importlib.util.find_spec(module) is not None:
        return ""
    return f"the Python package {name} is missing: pip install 'coflows_jupyter[{extra}]'"


def unavailable(unit: SourceUnit, name: str, code: str, problem: str, how: str) -> Diagnostic:
    """Return the finding about a source in a language that can't be used here.

    Args:
        unit: the source.
        name: of its language, for people.
        code: of the finding.
        problem: why not.
        how: how to get what is missing, where the problem does not say it.
    """
    hint = "" if "pip install" in problem else how
    return Diagnostic(unit.path, 0, 0, "error", code, f"{name} can't be used: {problem}", hint)


def compile_all(
    units: Sequence[SourceUnit], word: str, languages: Collection[str], make: Make, at_once: int
) -> tuple[Library, ...]:
    """Compile sources in the original's order; return what could be compiled.

    Args:
        units: the sources, in package.json's order.
        word: in Base, what tells a file with a place of its own.
        languages: in the order in which files without one are compiled.
        make: compiles sources together, with the libraries of Base that they may use.
        at_once: how many Queries and Agents are compiled at the same time.
    """
    base: list[Library] = []
    for group in _groups([unit for unit in units if unit.kind == "base"], word, languages):
        if (library := make(group, base)) is not None:
            base.append(library)
    others = [unit for unit in units if unit.kind != "base"]
    with ThreadPoolExecutor(at_once) as threads:
        made = list(threads.map(lambda unit: make([unit], base), others))
    return (*base, *(library for library in made if library is not None))


def in_order(diagnostics: Iterable[Diagnostic], units: Sequence[SourceUnit]) -> tuple[Diagnostic, ...]:
    """Return findings in the order of the sources, and of their lines."""
    order = {unit.path: place for place, unit in enumerate(units)}
    return tuple(sorted(diagnostics, key=lambda d: (order.get(d.file, 0), d.line, d.column)))


def _groups(units: Sequence[SourceUnit], word: str, languages: Collection[str]) -> list[list[SourceUnit]]:
    """Return which files of Base are compiled together."""
    placed = [unit for unit in units if word in unit.text.lower()]
    groups = [list(group) for _, group in itertools.groupby(placed, key=lambda unit: unit.language)]
    others = ([unit for unit in units if unit.language == language and unit not in placed] for language in languages)
    return groups + [other for other in others if other]
