"""The history of calls, and calls that are still being made."""

from __future__ import annotations

from contextlib import aclosing
from typing import cast
from urllib.parse import parse_qsl

import msgspec
from tornado.iostream import StreamClosedError

from coflows_jupyter.access.permissions import AccessType, permission
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import ArgumentsError, DeniedError, FieldError, NotFoundError, RepeatError
from coflows_jupyter.host.protocol import ArgumentForm
from coflows_jupyter.runs.arguments import LIMIT
from coflows_jupyter.runs.live import LogPiece, Run
from coflows_jupyter.runs.model import Filter, RunModel, moment
from coflows_jupyter.server.base import BaseHandler, ClientGoneError
from coflows_jupyter.server.models import RunList
from coflows_jupyter.server.queries import CallHandler


class RunsHandler(BaseHandler):
    """``GET /coflows/api/runs``."""

    async def get(self) -> None:
        """List runs, the latest first."""
        wanted = self._wanted()
        found: list[RunModel] = []
        for engine in self.services.workflows:
            if wanted.workflow in {"", engine.id}:
                everybody = permission(self.caller, engine.id) >= AccessType.WRITE
                caller = wanted.caller if everybody else self.caller.id
                runs = await engine.runs.list(msgspec.structs.replace(wanted, workflow=engine.id, caller=caller))
                found += [r for r in runs if everybody or self.caller.covers(engine.id, r.query, r.function)]
        found.sort(key=lambda run: run.started, reverse=True)
        self.write_json(msgspec.json.encode(RunList(found[: wanted.limit])))

    def _wanted(self) -> Filter:
        given = dict(parse_qsl(self.query))
        try:
            wanted = msgspec.convert(given, Filter, strict=False)
        except msgspec.ValidationError as error:
            raise ArgumentsError(str(error), [FieldError("limit", "is no whole number", given["limit"])]) from None
        try:
            # From here on it means the same moment, however long the answer takes.
            wanted = msgspec.structs.replace(wanted, since=wanted.since and moment(wanted.since))
        except ValueError as error:
            raise ArgumentsError(f"since: {error}", [FieldError("since", str(error), wanted.since)]) from None
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
            if found is not None and self._may_see(found[0], engine.id):
                return engine, *found
        raise NotFoundError(
            f"there is no run {run_id!r}", hint="history keeps the latest; `coflows runs list` shows it"
        )

    def _may_see(self, run: RunModel, workflow: str) -> bool:
        if permission(self.caller, workflow) >= AccessType.WRITE:
            return True
        return run.caller == self.caller.id and self.caller.covers(workflow, run.query, run.function)


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


class RunResultHandler(CallHandler, _RunHandler):
    """``GET /coflows/api/runs/ID/result``."""

    async def get(self, run: str) -> None:
        """Answer as the call would have: its result or its error; 202 while it goes on."""
        engine, found, _ = await self.find_run(run)
        later = engine.runs.results.get(run)
        self.set_header("X-Run-Id", run)
        if later is None and found.outcome != "running":
            raise NotFoundError("the result of this run is not kept", hint="Prefer: respond-async keeps it for an hour")
        if later is None or later.run is not None:
            self.set_status(202)
            self.set_header("Retry-After", "1")
            self.write_json(msgspec.json.encode(found))
        else:
            await self.respond(later.outcome())


class RunEventsHandler(_RunHandler):
    """``GET /coflows/api/runs/ID/events``: ``log``, ``progress`` and at the end ``end``, as server-sent events."""

    async def get(self, run: str) -> None:
        """Stream what the run logged so far, then what happens until it ends."""
        engine, _, log = await self.find_run(run)
        self.set_header("Content-Type", "text/event-stream")
        live = engine.runs.get(run)
        try:
            if live is not None:
                await self.until_gone(self._follow(live))
                await engine.runs.settled(run)
            elif log:
                self._event("log", LogPiece("log", log))
            _, found, _ = await self.find_run(run)
            self._event("end", found)
            await self.flush()
        except (ClientGoneError, DeniedError, StreamClosedError):
            return

    async def _follow(self, live: Run) -> None:
        async with aclosing(live.follow()) as happenings:
            async for happening in happenings:
                self._event("log" if isinstance(happening, LogPiece) else "progress", happening)
                await self.flush()

    def _event(self, kind: str, data: object) -> None:
        self.write(b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data)))


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
        if arguments is None or form == "masked":
            raise _unrepeatable(engine, found, form)
        await self.call(found.workflow, found.query, found.function, cast("ArgumentForm", form), arguments.encode())


def _unrepeatable(engine: Engine, run: RunModel, form: str) -> RepeatError:
    """Say why a run can't be run again, and what to do instead."""
    query = engine.catalog.queries.get(run.query)
    entry = query.functions.get(run.function) if query else None
    if entry is None:
        hint = f"the Workflow has no function {run.function} in {run.query} now"
    else:
        named = [f"{p.name} (a secret)" if p.secret else p.name for p in entry.signature.parameters]
        url = f"flow/query/{engine.id}/{run.query}/{run.function}"
        hint = f"call it anew with {', '.join(named) or 'no arguments'}: POST a JSON object to {url}"
    if run.outcome in {"denied", "refused"}:
        return RepeatError("nothing is kept of the arguments of a call that was refused", hint=hint)
    if form == "masked":
        return RepeatError("the arguments of this run hold secrets, which are not kept", hint=hint)
    return RepeatError(f"the arguments of this run were too large to keep: more than {LIMIT // 1024} KB", hint=hint)
