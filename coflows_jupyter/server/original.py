"""What clients of the original ask for to bring, fetch and switch Workflows; it asked nobody who they are.

https://github.com/CoFlows/CoFlows-CE has the forms. Here everything needs Write on the Workflow, but to list those that
one may view.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from coflows_jupyter.access.permissions import AccessType, permission
from coflows_jupyter.agents.model import Mode
from coflows_jupyter.config import Config
from coflows_jupyter.deploy.bundle import Bundle, pack
from coflows_jupyter.deploy.inline import unfold
from coflows_jupyter.deploy.progress import Reporter
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import (
    ArgumentsError,
    BuildError,
    BundleError,
    DeniedError,
    FieldError,
    NotFoundError,
    PackageError,
)
from coflows_jupyter.server import trial
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.cloud import CloudHandler, UploadHandler
from coflows_jupyter.server.rules import Rule, enforce
from coflows_jupyter.workflow.package import Entry, Package, contained

_FOLDER = "mnt"


def answer(handler: BaseHandler, value: object) -> None:
    """Answer as the original does: with JSON, indented."""
    handler.write_json(msgspec.json.format(msgspec.json.encode(value), indent=2))


class DeployingHandler(UploadHandler):
    """Base of what deploys and answers once, at the end."""

    async def deploy(self, workflow: str, bundle: Bundle, folder: str) -> None:
        """Let a bundle serve; see ``Deployments.deploy``."""
        deployments = self.deployments
        with deployments.alone(workflow):
            incoming = await deployments.take(bundle.data, workflow, folder)
            if deployments.same_as(incoming) is None:
                number = await deployments.begin(incoming, self.actor)
                tell = Reporter(lambda _event: None)
                await self.until_gone(deployments.deploy(number, incoming, self.actor, tell))


class PackageHandler(DeployingHandler):
    """``POST /flow/createworkflow`` and ``/flow/compileworkflow``, the body is a package.json with its files."""

    async def post(self, action: str) -> None:
        """Deploy or build a Workflow; the answer's text is empty when that went well."""
        try:
            document = msgspec.json.decode(await self.upload(), type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ArgumentsError(f"the body is no package: {error}") from None
        workflow = document.get("ID")
        if not isinstance(workflow, str) or not workflow:
            raise ArgumentsError("the package has no ID", [FieldError("ID", "is missing")])
        enforce(Rule.WRITE, self.caller, self.services.group(workflow))
        await self.admit(workflow)
        engine = self.services.workflows.get(workflow)
        bundle = await asyncio.to_thread(_packed, document, engine, self.deployments.config)
        try:
            await self._do(action.lower(), workflow, bundle)
        except (BuildError, PackageError) as error:
            answer(self, {"Result": "\n".join(map(str, error.diagnostics)) or error.message})
        else:
            answer(self, {"Result": ""})

    async def _do(self, action: str, workflow: str, bundle: Bundle) -> None:
        if action == "compileworkflow":
            incoming = await self.deployments.take(bundle.data, workflow, _FOLDER)
            await self.until_gone(trial.check(self.deployments.config, incoming, Reporter(lambda _event: None)))
        else:
            await self.deploy(workflow, bundle, _FOLDER)


def _packed(document: dict[str, Any], engine: Engine | None, config: Config) -> Bundle:
    def stored(path: str) -> bytes:
        folder = engine.config.workflow.parent if engine is not None else None
        file = contained(folder, path) if folder is not None else None
        if file is None or not file.is_file():
            raise BundleError(f"{path} is not on this server", hint="send its content")
        return file.read_bytes()

    with tempfile.TemporaryDirectory(prefix="coflows-") as place:
        folder = Path(place) / _FOLDER
        for path, content in unfold(document, stored).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return pack(folder / "package.json", config)


class ZipHandler(CloudHandler):
    """``GET /flow/getzipfromworkflow?id=WID``."""

    @property
    def group(self) -> str:
        """The Workflow that the request names."""
        return self.services.group(self.given().get("id", ""))

    async def get(self) -> None:
        """Answer with a zip of the Workflow's files: a bundle."""
        engine = self.services.engine(self.given().get("id", ""))
        bundle = await asyncio.to_thread(pack, engine.config.workflow, engine.config)
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(engine.name, safe='')}.zip")
        self.finish(bundle.data)


class ServicedHandler(BaseHandler):
    """``GET /flow/servicedworkflows``."""

    def get(self) -> None:
        """List the Workflows that the caller may view, by name; sources are for those with Read."""
        packages = [(e, e.package) for e in self.services.workflows if e.package is not None]
        mine = [(package, permission(self.caller, e.id)) for e, package in packages]
        shown = [(package, level) for package, level in mine if level >= AccessType.VIEW]
        answer(self, [_record(package, level) for package, level in sorted(shown, key=lambda item: item[0].name)])


def _record(package: Package, level: AccessType) -> dict[str, Any]:
    def names(entries: tuple[Entry, ...]) -> list[dict[str, str]]:
        return [{"Name": entry.name} for entry in entries] if level >= AccessType.READ else []

    writes = level >= AccessType.WRITE
    return {
        "ID": package.id,
        "Name": package.name,
        "Strategies": [],
        "Code": None,
        "Agents": [entry.id for entry in package.agents] if level >= AccessType.READ else [],
        "Permissions": [{"ID": p.id, "Permission": p.permission} for p in package.permissions] if writes else [],
        "Bins": names(package.bins),
        "Files": names(package.files),
        "Publisher": package.publisher,
        "PublishTimestamp": package.publish_timestamp,
        "AutoDeploy": package.auto_deploy,
    }


class ToggleHandler(CloudHandler):
    """``GET /flow/activeagenttoggle?id=AGENT``."""

    async def get(self) -> None:
        """Start an Agent that does not run, stop one that does."""
        agent = self.given().get("id", "")
        for engine in self.services.workflows:
            agents = engine.agents
            if agents is None or agent not in agents.catalog.agents:
                continue
            enforce(Rule.WRITE, self.caller, engine.id)
            if self.presented != "header":
                raise DeniedError("what changes something by GET needs the key in a header")
            found = next(model for model in await agents.overview() if model.id == agent)
            mode: Mode = "stopped" if found.mode == "started" else "started"
            await agents.set_mode(agent, mode, f"by {self.caller.name}")
            answer(self, {"Ok": mode == "started"})
            return
        raise NotFoundError(f"there is no Agent {agent!r}")
