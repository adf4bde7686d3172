"""The registry of all Workflows that a server has open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import NotFoundError, NotReadyError, nearest
from coflows_jupyter.queries.catalog import FunctionEntry, QueryEntry


class Workflows:
    """All Workflows that a server has open, by ID.

    Attributes:
        opening: whether some are still being looked for.
    """

    def __init__(self) -> None:
        self.opening = False
        self._engines: list[Engine] = []

    def add(self, engine: Engine) -> None:
        """Open one more; its ID may become known only when it is built."""
        self._engines.append(engine)

    def remove(self, engine: Engine) -> None:
        """Let one be found no more; closing it is left to the caller."""
        self._engines.remove(engine)

    def __iter__(self) -> Iterator[Engine]:
        return iter(self._engines)

    def get(self, workflow: str) -> Engine | None:
        """Return the Workflow with this ID, in any case."""
        for engine in self._engines:
            if engine.id == workflow or engine.id.lower() == workflow.lower():
                return engine
        return None

    def query(self, workflow: str, query: str) -> tuple[Engine, QueryEntry]:
        """Find a Query.

        Raises:
            NotFoundError: there is none; the hint names the nearest, so it is for identified callers only.
            NotReadyError: the Workflow is being built.
        """
        engine = self.get(workflow)
        if engine is None:
            if self.opening or any(not engine.id for engine in self._engines):
                raise NotReadyError("the Workflow is being opened")
            raise _not_found("Workflow", workflow, [engine.id for engine in self._engines])
        entry = engine.catalog.queries.get(query)
        if entry is None:
            if not engine.catalog.build:
                raise NotReadyError("; ".join(engine.reasons()))
            raise _not_found("Query", query, engine.catalog.queries)
        return engine, entry

    def find(self, workflow: str, query: str, function: str) -> tuple[Engine, FunctionEntry]:
        """Find a function; raises as ``query`` does."""
        engine, entry = self.query(workflow, query)
        found = entry.functions.get(function)
        if found is None:
            raise _not_found(f"function in {query}", function, entry.functions)
        return engine, found

    async def close(self, drain: float = 2.0) -> None:
        """Close every Workflow at once."""
        await asyncio.gather(*(engine.close(drain) for engine in self._engines))


def _not_found(what: str, name: str, names: Iterable[str]) -> NotFoundError:
    known = sorted(names)
    near = nearest(name, known)
    hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(known[:20]) or 'none'}"
    return NotFoundError(f"there is no {what} {name!r}", hint=hint)
