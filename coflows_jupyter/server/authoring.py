"""What editors ask for: schemas of files, findings about unsaved texts, new Workflows, Queries and Base libraries."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from coflows_jupyter.config import FILE_NAMES, Config
from coflows_jupyter.errors import ArgumentsError, FieldError, NotFoundError, PackageError
from coflows_jupyter.schema import Section, json_schema
from coflows_jupyter.server.api import OneWorkflowHandler
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.models import Findings, Folder, NewSource, NewWorkflow, Source, Unsaved
from coflows_jupyter.workflow import templates
from coflows_jupyter.workflow.listing import list_source
from coflows_jupyter.workflow.package import FILE_NAME, Package
from coflows_jupyter.workflow.validate import validate_text

_MODELS: dict[str, type[Section]] = {FILE_NAMES[0]: Config, FILE_NAME: Package}

P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def _schema(name: str) -> bytes:
    return msgspec.json.encode(json_schema(_MODELS[name]))


class SchemaHandler(BaseHandler):
    """``GET /coflows/api/schemas/NAME``."""

    def get(self, name: str) -> None:
        """Answer with the JSON Schema of one of a Workflow's two files."""
        if name not in _MODELS:
            raise NotFoundError(f"there is no schema {name!r}", hint=f"there are {', '.join(_MODELS)}")
        self.write_json(_schema(name))


class ValidateHandler(OneWorkflowHandler):
    """``POST /coflows/api/workflows/WID/validate``."""

    async def post(self, workflow: str) -> None:
        """Say what is wrong with an unsaved text of the Workflow's config or package.json; nothing of it is run."""
        unsaved = self.read_json(Unsaved)
        config = self.services.engine(workflow).config
        file = self.services.file_of(unsaved.path)
        found = await asyncio.to_thread(validate_text, config, file, unsaved.text)
        self.write_json(msgspec.json.encode(Findings(self.findings(found))))


class SourcesHandler(OneWorkflowHandler):
    """``POST /coflows/api/workflows/WID/sources``."""

    async def post(self, workflow: str) -> None:
        """Add a new file, or one that is there, to Queries or Base of package.json; a Build shows it."""
        wanted = self.read_json(NewSource)
        package_file = self.services.engine(workflow).config.workflow
        if wanted.path:
            file = self.services.file_of(wanted.path)
            name = await change("path", wanted.path, list_source, package_file, wanted.list, file)
        else:
            add = templates.add_query if wanted.list == "Queries" else templates.add_base
            file = await change("name", wanted.name, add, package_file, wanted.name)
            name = wanted.name
        self.write_json(msgspec.json.encode(Source(name, self.services.lab_path(file))))


class NewWorkflowHandler(BaseHandler):
    """``POST /coflows/api/templates/workflow``."""

    async def post(self) -> None:
        """Make a Workflow in a folder below Lab's root; a server of its own serves it."""
        wanted = self.read_json(NewWorkflow)
        folder = self.services.file_of(wanted.folder)
        made: Path = await change("folder", wanted.folder, templates.new_workflow, folder, wanted.name or None)
        self.write_json(msgspec.json.encode(Folder(self.services.lab_path(made) or "")))


async def change(field: str, value: str, make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Read or write files off the loop; what can't be done is about what was asked for.

    Args:
        field: which field of the request that is.
        value: its value.
        make: does it.
        *args: for ``make``.
        **kwargs: for ``make``.

    Raises:
        ArgumentsError: it can't be done.
    """
    try:
        return await asyncio.to_thread(make, *args, **kwargs)
    except PackageError as error:
        message = f"{error.message}{f'; {error.hint}' if error.hint else ''}"
        raise ArgumentsError(message, [FieldError(field, message, value)]) from error
