"""What ``coflows cloud`` and whoever deploys by themselves ask a server for.

Long operations answer with lines of ``deploy.progress.Event``. What can be refused at once is refused with a status;
once lines are sent, the last one says how it ended, and an answer without one broke off.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import IO, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from coflows_jupyter.access.permissions import AccessType, permission
from coflows_jupyter.deploy import revisions
from coflows_jupyter.deploy.manifest import LIMITS
from coflows_jupyter.deploy.progress import CONTENT_TYPE, Channel, Event, Reporter, encode
from coflows_jupyter.deploy.revisions import Revision
from coflows_jupyter.deploy.wish import Wish
from coflows_jupyter.errors import ArgumentsError, CoflowsError, FieldError, NotReadyError
from coflows_jupyter.server import trial
from coflows_jupyter.server.base import BaseHandler, ClientGoneError
from coflows_jupyter.server.deployments import Deployments
from coflows_jupyter.server.rules import Rule, enforce
from coflows_jupyter.status import EngineStatus

HEARTBEAT_SECONDS = 10.0
_MOST_WISH = 1024 * 1024
_MOST_BYTES = LIMITS.packed + _MOST_WISH
_IN_MEMORY = 4 * 2**20

T = TypeVar("T")


class CloudStatus(msgspec.Struct):
    """What a server has of a Workflow.

    Args:
        workflow: what serves; ``null`` when nothing does.
        revision: the revision that serves; 0 for what the server's own folder holds.
        revisions: all of them, the latest first.
    """

    workflow: EngineStatus | None
    revision: int
    revisions: list[Revision]


class CloudList(msgspec.Struct):
    """The Workflows on which the caller has Write, and the revisions that serve; 0 for what a folder holds."""

    workflows: dict[str, int]


class CloudHandler(BaseHandler):
    """Base of what concerns what is served."""

    @property
    def deployments(self) -> Deployments:
        """What changes it.

        Raises:
            NotReadyError: it can't be changed here.
        """
        if self.services.deployments is None:
            raise NotReadyError(self.services.idle or "the server is starting")
        return self.services.deployments

    def given(self) -> dict[str, str]:
        """Return the arguments of the URL."""
        return dict(parse_qsl(self.query))

    async def stream(self, title: str, work: Callable[[Reporter], Awaitable[None]]) -> None:
        """Answer with what ``work`` says; it is cancelled when the client leaves.

        Args:
            title: what it is.
            work: does it.
        """
        channel = Channel()

        async def run() -> None:
            with contextlib.suppress(Exception), channel.reporter.operation(title):
                try:
                    await work(channel.reporter)
                except CoflowsError:
                    raise
                except Exception:
                    self.log.exception("run %s: unexpected error", self.run_id)
                    raise

        task = asyncio.get_running_loop().create_task(run())
        await asyncio.sleep(0)  # so that it has begun, and tidies up after itself
        try:
            await self.lines(channel.follow())
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def lines(self, events: AsyncIterator[Event]) -> None:
        """Answer with a line for each event, and an empty one now and then: proxies close what is silent."""
        self.set_header("Content-Type", CONTENT_TYPE)
        self.set_header("X-Accel-Buffering", "no")
        with contextlib.suppress(ClientGoneError, StreamClosedError):
            await self.until_gone(self._copy(events))

    async def _copy(self, events: AsyncIterator[Event]) -> None:
        await self.flush()
        async with aclosing(events) as following:  # type: ignore[type-var]  # those that we are given are generators
            upcoming = asyncio.ensure_future(anext(following))
            try:
                while True:
                    done, _ = await asyncio.wait([upcoming], timeout=HEARTBEAT_SECONDS)
                    try:
                        self.write(encode(upcoming.result()) if done else b"\n")
                    except StopAsyncIteration:
                        return
                    await self.flush()
                    if done:
                        upcoming = asyncio.ensure_future(anext(following))
            finally:
                upcoming.cancel()
                await asyncio.wait([upcoming])


@stream_request_body
class UploadHandler(CloudHandler):
    """Base of what takes a bundle; nobody sends one who may not, and none is larger than bundles are."""

    _file: IO[bytes]

    def prepare(self) -> Awaitable[None] | None:
        """Decide whether the body may come."""
        connection: Any = self.request.connection
        connection.set_max_body_size(_MOST_BYTES)
        waiting = super().prepare()
        length = self.request.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            raise HTTPError(413, f"a bundle has at most {LIMITS.packed} bytes")
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - on_finish closes it
        return waiting

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body; who was refused already may send what they like."""
        if not self._finished:
            self._file.write(chunk)

    def on_finish(self) -> None:
        """Forget the body."""
        if hasattr(self, "_file"):
            self._file.close()

    def _body(self) -> bytes:
        self._file.seek(0)
        return self._file.read()

    async def upload(self) -> bytes:
        """Return the whole body."""
        return await asyncio.to_thread(self._body)

    async def admit(self, workflow: str) -> None:
        """Leave it to Administrators to bring a Workflow that this server does not know."""
        if await self.deployments.is_new(workflow):
            enforce(Rule.ADMINISTRATOR, self.caller, "")

    @property
    def folder(self) -> str:
        """How the Workflow's folder is called where it comes from."""
        return self.given().get("folder", "")


class CloudDeployHandler(UploadHandler):
    """``POST /coflows/api/cloud/WID/deploy?folder=mnt``, the body is a bundle."""

    async def post(self, workflow: str) -> None:
        """Let a Workflow take the place of what serves, if all of it builds."""
        deployments = self.deployments
        await self.admit(workflow)
        with deployments.alone(workflow):
            incoming = await deployments.take(await self.upload(), workflow, self.folder)
            same = deployments.same_as(incoming)
            if same is not None:
                await self.stream("Deploying", lambda tell: _unchanged(tell, same))
                return
            number = await deployments.begin(incoming, self.actor)

            async def work(tell: Reporter) -> None:
                revision = await deployments.deploy(number, incoming, self.actor, tell)
                tell.result(f"Revision {revision.number} serves", revision)

            await self.stream(f"Deploying revision {number}", work)


async def _unchanged(tell: Reporter, revision: Revision) -> None:
    tell.result(f"Nothing to do: revision {revision.number} is the same", revision)


class CloudBuildHandler(UploadHandler):
    """``POST /coflows/api/cloud/WID/build?folder=mnt``, the body is a bundle."""

    async def post(self, workflow: str) -> None:
        """Build a Workflow without serving it."""
        await self.admit(workflow)
        incoming = await self.deployments.take(await self.upload(), workflow, self.folder)

        async def work(tell: Reporter) -> None:
            found = await trial.check(self.deployments.config, incoming, tell)
            tell.result("It builds", {"diagnostics": found})

        await self.stream("Building", work)


class CloudQueryHandler(UploadHandler):
    """``POST /coflows/api/cloud/WID/query?folder=mnt``, the body is a wish and a bundle, see ``deploy.wish``."""

    async def post(self, workflow: str) -> None:
        """Call a function of a Workflow that is sent along, beside what serves."""
        await self.admit(workflow)
        line, _, data = (await self.upload()).partition(b"\n")
        try:
            wish = msgspec.json.decode(line, type=Wish)
        except msgspec.MsgspecError as error:
            raise ArgumentsError(f"the first line of the body does not fit: {error}") from None
        incoming = await self.deployments.take(data, workflow, self.folder)

        async def work(tell: Reporter) -> None:
            tell.result("", await trial.call(self.deployments.config, incoming, wish, self.caller, tell))

        await self.stream("Querying", work)


class CloudRollbackHandler(CloudHandler):
    """``POST /coflows/api/cloud/WID/rollback?revision=3``."""

    async def post(self, workflow: str) -> None:
        """Let the bundle of an earlier revision serve again, as a new one."""
        deployments = self.deployments
        wanted = self.given().get("revision", "")
        if wanted and not wanted.isdecimal():
            raise ArgumentsError("revision is no number", [FieldError("revision", "is a whole number", wanted)])
        with deployments.alone(workflow):
            target = await deployments.earlier(workflow, int(wanted or 0))
            incoming = await deployments.bring(target)
            number = await deployments.begin(incoming, self.actor, f"back to revision {target.number}")

            async def work(tell: Reporter) -> None:
                revision = await deployments.deploy(number, incoming, self.actor, tell)
                tell.result(f"Revision {revision.number} serves: {revision.reason}", revision)

            await self.stream(f"Going back to revision {target.number}", work)


class CloudRestartHandler(CloudHandler):
    """``POST /coflows/api/cloud/WID/restart``."""

    async def post(self, workflow: str) -> None:
        """Let new hosts with the same Build take over."""
        self.services.engine(workflow)

        async def work(tell: Reporter) -> None:
            with tell.step("restart", "Starting new hosts"):
                await self.deployments.restart(workflow)
            tell.result("Restarted")

        await self.stream("Restarting", work)


class CloudHandlerOfOne(CloudHandler):
    """``/coflows/api/cloud/WID``."""

    async def get(self, workflow: str) -> None:
        """Say what serves, and what did."""
        deployments = self.deployments
        engine = self.services.workflows.get(workflow)
        name = deployments.spelled(workflow)
        found = await deployments.ask(lambda connection: revisions.history(connection, name))
        if engine is None and not found:
            self.services.engine(workflow)
        serving = deployments.revision_of(workflow)
        status = engine.status() if engine is not None else None
        self.write_json(msgspec.json.encode(CloudStatus(status, serving.number if serving else 0, found)))

    async def delete(self, workflow: str) -> None:
        """Let a Workflow serve no more."""
        with self.deployments.alone(workflow):
            await self.deployments.remove(workflow, self.actor)
        self.set_status(204)
        self.finish()


class CloudsHandler(CloudHandler):
    """``GET /coflows/api/cloud``."""

    def get(self) -> None:
        """List the Workflows on which the caller has Write."""
        mine = [e.id for e in self.services.workflows if e.id and permission(self.caller, e.id) >= AccessType.WRITE]
        served = {name: self.deployments.revision_of(name) for name in mine}
        self.write_json(msgspec.json.encode(CloudList({name: r.number if r else 0 for name, r in served.items()})))


class CloudLogHandler(CloudHandler):
    """``GET /coflows/api/cloud/WID/log?follow=1&tail=100``."""

    async def get(self, workflow: str) -> None:
        """Answer what a Workflow did and printed lately; with ``follow``, go on."""
        given = self.given()
        work_log = self.deployments.log_of(workflow)
        tail = given.get("tail", "100")
        if not tail.isdecimal():
            raise ArgumentsError("tail is no number", [FieldError("tail", "is a whole number", tail)])

        async def events() -> AsyncIterator[Event]:
            following = work_log.follow()
            for event in work_log.tail(int(tail)):
                yield event
            if given.get("follow") == "1":
                async for event in following:
                    yield event

        await self.lines(events())
