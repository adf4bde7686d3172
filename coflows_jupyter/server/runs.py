"""The history of calls, and calls that are still being made."""

from __future__ import annotations

from typing import cast
from urllib.parse import parse_qsl

import msgspec
from tornado.web import HTTPError

from coflows_jupyter.access.permissions import AccessType, permission
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import ArgumentsError, FieldError, NotFoundError
from coflows_jupyter.host.protocol import ArgumentForm
from coflows_jupyter.runs.model import Filter, RunModel
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.models import RunList
from coflows_jupyter.server.queries import CallHandler


class RunsHandler(BaseHandler):
    """``GET /coflows/api/runs``."""

    async def get(self) -> None:
        """List runs, the latest first."""
        wanted = self._wanted()
        found: list[RunModel] = []
        for engine in self.services.workflows:
            own = msgspec.structs.replace(wanted, caller=self.caller.id)
            everybody = permission(self.caller, engine.id) >= AccessType.WRITE
            found += await engine.runs.list(wanted if everybody else own)
        found.sort(key=lambda run: run.started, reverse=True)
        self.write_json(msgspec.json.encode(RunList(found[: wanted.limit])))

    def _wanted(self) -> Filter:
        given = dict(parse_qsl(self.query))
        try:
            wanted = msgspec.convert(given, Filter, strict=False)
        except msgspec.ValidationError as error:
            raise ArgumentsError(str(error), [FieldError("limit", "is no whole number", given["limit"])]) from None
        if unknown := [FieldError(name, "is not known here") for name in given if name not in Filter.__struct_fields__]:
            raise ArgumentsError(f"{unknown[0].field} is not known here", unknown)
        return msgspec.structs.replace(wanted, limit=min(max(wanted.limit, 1), 1000))


class _RunHandler(BaseHandler):
    """Base of what concerns one run."""

    async def find_run(self, run_id: str) -> tuple[Engine, RunModel, str]:
        """Return a run with its Workflow and its log.

        People see their own runs, and all those of a Workflow on which they have Write.

        Raises:
            NotFoundError: there is none, or none that the caller may see.
        """
        for engine in self.services.workflows:
            found = await engine.runs.find(run_id)
            if found is not None and (
                found[0].caller == self.caller.id or permission(self.caller, engine.id) >= AccessType.WRITE
            ):
                return engine, *found
        raise NotFoundError(
            f"there is no run {run_id!r}", hint="history keeps the latest; `coflows runs list` shows it"
        )


class RunHandler(_RunHandler):
    """``GET /coflows/api/runs/ID``."""

    async def get(self, run: str) -> None:
        """Describe a run."""
        _, found, _ = await self.find_run(run)
        self.write_json(msgspec.json.encode(found))


class RunLogHandler(_RunHandler):
    """``GET /coflows/api/runs/ID/log``."""

    async def get(self, run: str) -> None:
        """Answer what the run printed and logged, as text."""
        _, _, log = await self.find_run(run)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(log)


class RunCancelHandler(_RunHandler):
    """``POST /coflows/api/runs/ID/cancel``."""

    async def post(self, run: str) -> None:
        """Ask a run to stop; one that has ended stays as it is."""
        engine, found, _ = await self.find_run(run)
        if found.outcome == "running":
            await engine.cancel(run)
            engine, found, _ = await self.find_run(run)
        self.write_json(msgspec.json.encode(found))


class RunRerunHandler(CallHandler, _RunHandler):
    """``POST /coflows/api/runs/ID/rerun``."""

    async def post(self, run: str) -> None:
        """Call the function again with the same arguments; answers as that call does."""
        engine, found, _ = await self.find_run(run)
        kept = await engine.runs.arguments(run)
        form, arguments = kept or ("", None)
        if arguments is None:
            raise HTTPError(409, "the arguments of this run were too large to keep, so it can't be run again")
        if form == "masked":
            raise HTTPError(409, "the arguments of this run hold secrets, which are not kept; call the function anew")
        await self.call(found.workflow, found.query, found.function, cast("ArgumentForm", form), arguments.encode())
