"""Notebooks as jobs over HTTP: what they can be executed with, and when they run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec

from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.errors import ArgumentsError, FieldError, NotFoundError, ScheduleError
from coflows_jupyter.server.authoring import change
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.workflow.notebooks import (
    Parameter,
    Scheduled,
    read_parameters,
    schedule_notebook,
    schedules_of,
    unschedule_notebook,
)
from coflows_jupyter.workflow.package import read_package


class NotebookJobs(msgspec.Struct):
    """What a notebook can be executed with, and when it is."""

    parameters: list[Parameter]
    jobs: list[Scheduled]


class NotebookJob(Scheduled):
    """When the notebook that Lab names ``path`` runs, and with what."""

    path: str = ""


class NotebookJobsHandler(BaseHandler):
    """``/coflows/api/workflows/WID/notebook-jobs``; a Build puts changes to work."""

    async def get(self, workflow: str) -> None:
        """Say what the notebook of the argument ``path`` can be executed with, and when it is."""
        given = dict(parse_qsl(self.query))
        notebook = self.services.file_of(given.get("path", ""))
        package_file = self._package_file(workflow)
        if not await asyncio.to_thread(notebook.is_file):
            raise NotFoundError(f"there is no notebook {given.get('path', '')!r}")

        def read() -> NotebookJobs:
            return NotebookJobs(read_parameters(notebook), schedules_of(read_package(package_file), notebook))

        self.write_json(msgspec.json.encode(await change("path", given.get("path", ""), read)))

    async def post(self, workflow: str) -> None:
        """Let a notebook run on a schedule, or change when and with what it does."""
        wanted = self.read_json(NotebookJob)
        notebook = self.services.file_of(wanted.path)
        if wanted.schedule:
            try:
                Schedule(wanted.schedule)
            except ScheduleError as error:
                raise ArgumentsError(error.message, [FieldError("schedule", error.message, wanted.schedule)]) from error
        job = Scheduled(wanted.id, wanted.schedule, wanted.parameters)
        await change("id", job.id, schedule_notebook, self._package_file(workflow), notebook, job)
        self.write_json(msgspec.json.encode(job))

    async def delete(self, workflow: str) -> None:
        """Let the notebook of the argument ``path`` no longer run as the Agent of the argument ``id``."""
        given = dict(parse_qsl(self.query))
        notebook, agent = self.services.file_of(given.get("path", "")), given.get("id", "")
        await change("id", agent, unschedule_notebook, self._package_file(workflow), notebook, agent)
        self.set_status(204)

    def _package_file(self, workflow: str) -> Path:
        return self.services.engine(workflow).config.workflow
