"""Deploying a Workflow from here to Azure Container Instances; see ``deploy.aci``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from coflows_jupyter.access.secrets import with_key
from coflows_jupyter.config import Config, load_config
from coflows_jupyter.deploy.aci.asking import ask
from coflows_jupyter.deploy.aci.auth import read_auth
from coflows_jupyter.deploy.aci.client import Clients
from coflows_jupyter.deploy.aci.deploy import deploy
from coflows_jupyter.deploy.aci.logs import read_logs
from coflows_jupyter.deploy.aci.masks import make_masker
from coflows_jupyter.deploy.aci.plan import SECTION, Options, Plan, make_plan, section
from coflows_jupyter.deploy.aci.remove import remove
from coflows_jupyter.deploy.aci.status import Found, owned
from coflows_jupyter.deploy.progress import Reporter
from coflows_jupyter.errors import ArgumentsError, ConflictError, FieldError, NotFoundError
from coflows_jupyter.server.cloud import CloudHandler
from coflows_jupyter.server.route import api
from coflows_jupyter.server.rules import Rule
from coflows_jupyter.workflow.package import Package, read_package

T = TypeVar("T")

_YES = frozenset({"1", "true"})


class ContainerLog(msgspec.Struct):
    """What a container printed, a text a line."""

    lines: list[str]


class AzureHandler(CloudHandler):
    """Base of what concerns a Workflow's container in Azure."""

    def files(self, workflow: str) -> Callable[[], tuple[Config, Package]]:
        """Return what reads the Workflow's files as they are now; it blocks, and may find no section for Azure.

        Raises:
            NotFoundError: there is no such Workflow.
            ConflictError: it was sent here, so the credentials of this server's configuration are not its own.
        """
        engine = self.services.engine(workflow)
        if self.deployments.revision_of(workflow) is not None:
            message = "this Workflow was deployed to this server: deploy it from where its folder is"
            raise ConflictError(message, hint="run `coflows aci deploy` there")

        def read() -> tuple[Config, Package]:
            # Somebody may have written it since the server began.
            config = with_key(load_config(engine.config.file)) if engine.config.file else engine.config
            if config.azure_container_instance is None:
                raise NotFoundError(f"the configuration has no section {SECTION}", hint="docs/deploy.md says how")
            return config, read_package(config.workflow)

        return read

    async def ask(self, workflow: str, question: Callable[[Clients, Plan], T]) -> T:
        """Ask Azure about what was deployed."""
        read = self.files(workflow)

        def answer() -> T:
            config, package = read()
            auth = read_auth(section(config).auth_file)
            with Clients(auth, make_masker(config, auth)) as clients:
                return question(clients, make_plan(config, package))

        return await asyncio.to_thread(answer)

    async def run(self, title: str, work: Callable[[Reporter], None]) -> None:
        """Answer with what ``work`` says, on a thread; it is cancelled when the client leaves."""

        async def wait(tell: Reporter) -> None:
            try:
                await asyncio.to_thread(work, tell)
            except asyncio.CancelledError:
                tell.cancel()
                raise

        await self.stream(title, wait)

    @property
    def wished(self) -> Options:
        """What the caller takes on themselves."""
        given = self.given()
        return Options(*(given.get(name, "").lower() in _YES for name in ("force", "accept_data_loss")))


class AzureDeployHandler(AzureHandler):
    """``/coflows/api/deploy/WID/aci?force=1&accept_data_loss=1``."""

    async def get(self, workflow: str) -> None:
        """Answer the plan."""
        read, options = self.files(workflow), self.wished

        def plan() -> Plan:
            config, package = read()
            return make_plan(config, package, ask(config, package), options)

        self.write_json(msgspec.json.encode(await asyncio.to_thread(plan)))

    async def post(self, workflow: str) -> None:
        """Make the container, or bring it up to date, and send the Workflow."""
        options = self.wished
        config, package = await asyncio.to_thread(self.files(workflow))
        await self.run("Deploying to Azure", lambda tell: tell.result(data=deploy(config, package, tell, options)))

    async def delete(self, workflow: str) -> None:
        """Take the container away."""
        config, package = await asyncio.to_thread(self.files(workflow))

        def work(tell: Reporter) -> None:
            auth = read_auth(section(config).auth_file)
            with Clients(auth, make_masker(config, auth)) as clients:
                tell.result(data=remove(clients, make_plan(config, package), tell))

        await self.run("Removing from Azure", work)


class AzureStatusHandler(AzureHandler):
    """``GET /coflows/api/deploy/WID/aci/status``."""

    async def get(self, workflow: str) -> None:
        """Answer what the container does, and what Azure did with it."""
        found: Found = await self.ask(workflow, owned)
        self.write_json(msgspec.json.encode(found))


class AzureLogHandler(AzureHandler):
    """``GET /coflows/api/deploy/WID/aci/log?tail=100``."""

    async def get(self, workflow: str) -> None:
        """Answer what the container printed."""
        tail = self.given().get("tail", "100")
        if not tail.isdecimal() or not int(tail):
            raise ArgumentsError("tail is no number of lines", [FieldError("tail", "write a whole number from 1")])

        def read(clients: Clients, plan: Plan) -> list[str]:
            owned(clients, plan)
            return [clients.masker.mask(line) for line in read_logs(clients, plan.group, plan.container, int(tail))]

        self.write_json(msgspec.json.encode(ContainerLog(await self.ask(workflow, read))))


_ACI = "coflows/api/deploy/{workflow}/aci"

ROUTES = (
    api(
        _ACI,
        AzureDeployHandler,
        {"GET": Rule.WRITE, "POST": Rule.WRITE, "DELETE": Rule.WRITE},
        "Say what a deployment to Azure would do; do it, or undo it, with a line for each event.",
        Plan,
    ),
    api(_ACI + "/status", AzureStatusHandler, {"GET": Rule.WRITE}, "Say what the container in Azure does.", Found),
    api(_ACI + "/log", AzureLogHandler, {"GET": Rule.WRITE}, "Answer what the container printed.", ContainerLog),
)
