"""``/flow/createquery`` and ``/flow/removequery``: clients of the original change one Query and call it.

A changed Query is a new revision, like any deployment: it serves if all of the Workflow builds with it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from coflows_jupyter.access.permissions import may_call
from coflows_jupyter.deploy.bundle import Bundle, pack
from coflows_jupyter.deploy.manifest import complaint
from coflows_jupyter.deploy.unpack import unpack
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import ArgumentsError, BuildError, BundleError, DeniedError, FieldError, NotFoundError
from coflows_jupyter.host.protocol import Call
from coflows_jupyter.jsonc import parse
from coflows_jupyter.server import trial
from coflows_jupyter.server.original import DeployingHandler, answer
from coflows_jupyter.server.rules import Rule, enforce
from coflows_jupyter.workflow.package import FILE_NAME, contained

T = TypeVar("T")


class CodeForm(msgspec.Struct, rename="pascal"):
    """A Query: its file's name, its ID, its source, its Workflow."""

    name: str = ""
    id: str = msgspec.field(default="", name="ID")
    code: str = ""
    workflow_id: str = msgspec.field(default="", name="WorkflowID")


class FunctionForm(msgspec.Struct, rename="pascal"):
    """What to call; nothing without a name."""

    name: str | None = None
    parameters: list[Any] | None = None


class QueryForm(msgspec.Struct, rename="pascal"):
    """What ``createquery`` takes."""

    code: CodeForm
    function: FunctionForm | None = None


class _Value(msgspec.Struct):
    """A function's name and what it gave back, as the original's triple."""

    name: str = msgspec.field(name="Item1")
    value: msgspec.Raw = msgspec.field(name="Item2")
    third: None = msgspec.field(default=None, name="Item3")


class CreateQueryHandler(DeployingHandler):
    """``POST /flow/createquery``."""

    async def post(self) -> None:
        """Add or change a Query where the body names one, then call its function where the body names one."""
        wanted = _decode(await self.upload(), QueryForm)
        engine, compilation = _engine(self, wanted.code), ""
        if wanted.code.name:
            compilation = await change(self, engine, lambda folder, package: _put(folder, package, wanted.code))
        values = []
        if not compilation and wanted.function is not None and wanted.function.name:
            values.append(await self._call(engine, wanted.code, wanted.function.name, wanted.function.parameters or []))
        answer(self, {"Result": values, "Compilation": compilation})

    async def _call(self, engine: Engine, code: CodeForm, name: str, parameters: list[Any]) -> _Value:
        query = code.id or code.name
        _, entry = self.services.workflows.find(engine.id, query, name)
        if not may_call(self.caller, engine.id, query, name, entry.grants, closed=entry.closed):
            raise DeniedError(f"you may not call {name}")
        data, timeout = msgspec.json.encode(parameters), engine.timeout(entry)
        call = Call(self.run_id, query, name, "json", data, "application/json", self.caller, timeout)
        got = await self.until_gone(engine.call(call))
        return _Value(name, msgspec.Raw((await trial.collect(got)).text.encode()))


class RemoveQueryHandler(DeployingHandler):
    """``POST /flow/removequery``."""

    async def post(self) -> None:
        """Take a Query out of the Workflow."""
        code = _decode(await self.upload(), CodeForm)
        engine = _engine(self, code)
        compilation = await change(self, engine, lambda folder, package: _remove(folder, package, code))
        answer(self, {"Result": compilation or "Done"})


def _decode(data: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=form)
    except msgspec.MsgspecError as error:
        raise ArgumentsError(f"the body does not fit: {error}") from None


def _engine(handler: DeployingHandler, code: CodeForm) -> Engine:
    if not code.workflow_id:
        raise ArgumentsError("the Workflow is missing", [FieldError("WorkflowID", "is missing")])
    enforce(Rule.WRITE, handler.caller, handler.services.group(code.workflow_id))
    return handler.services.engine(code.workflow_id)


async def change(handler: DeployingHandler, engine: Engine, edit: Callable[[Path, dict[str, Any]], None]) -> str:
    """Deploy a Workflow with a change; return what does not build, empty when it serves.

    Args:
        handler: the request's.
        engine: the Workflow.
        edit: changes files in a copy of its folder, and what its package.json says.

    Raises:
        ConflictError: it is being deployed, or its folder is what counts.
    """
    bundle = await asyncio.to_thread(_edited, engine, edit)
    try:
        await handler.deploy(engine.id, bundle, engine.config.workflow.parent.name)
    except BuildError as error:
        return "\n".join(map(str, error.diagnostics)) or error.message
    return ""


def _edited(engine: Engine, edit: Callable[[Path, dict[str, Any]], None]) -> Bundle:
    with tempfile.TemporaryDirectory(prefix="coflows-") as place:
        folder = Path(place) / "mnt"
        unpack(pack(engine.config.workflow, engine.config).data, folder)
        file = folder / FILE_NAME
        package: dict[str, Any] = parse(file.read_text(encoding="utf-8-sig"), str(file)).value
        edit(folder, package)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(package), indent=4))
        return pack(file, engine.config)


def _entry(package: dict[str, Any], code: CodeForm) -> dict[str, Any] | None:
    wanted = code.id or code.name
    return next((e for e in package.get("Queries") or [] if wanted in {e.get("ID"), e.get("Name")}), None)


def _put(folder: Path, package: dict[str, Any], code: CodeForm) -> None:
    entry = _entry(package, code)
    if entry is None:
        path = f"Queries/{code.name.removeprefix('Queries/')}"
        if wrong := complaint(path):
            raise BundleError(f"{code.name!r} can't be the name of a Query: {wrong}")
        entry = {"Name": code.name, "Content": path, "ID": code.id or code.name}
        package["Queries"] = [*(package.get("Queries") or []), entry]
    file = contained(folder, str(entry.get("Content")))
    if file is None:
        raise BundleError(f"the source of {code.name!r} is not a file of the Workflow")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code.code, encoding="utf-8")


def _remove(folder: Path, package: dict[str, Any], code: CodeForm) -> None:
    entry = _entry(package, code)
    if entry is None:
        raise NotFoundError(f"there is no Query {code.id or code.name!r}")
    package["Queries"].remove(entry)
    file = contained(folder, str(entry.get("Content")))
    if file is not None:
        file.unlink(missing_ok=True)
