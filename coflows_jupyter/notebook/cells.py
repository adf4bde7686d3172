"""``%%query NAME`` makes a cell a Query, ``%query ID`` brings a Query into a cell."""

from __future__ import annotations

import shlex
import sys

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class

from coflows_jupyter.errors import CoflowsError, DiagnosticsError, NotFoundError, nearest
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.notebook.promotion import MARK, demote, promote
from coflows_jupyter.notebook.query import Directory
from coflows_jupyter.notebook.servers import find_server
from coflows_jupyter.notebook.workflow import find_workflow
from coflows_jupyter.workflow.package import read_package
from coflows_jupyter.workflow.templates import put_query

_FORCE = "--force"


@magics_class
class QueryMagics(Magics):
    """Moves Queries between files and cells.

    Args:
        shell: the notebook's.
        directory: what ``query`` knows, to be read again when a Query was written.
    """

    def __init__(self, shell: InteractiveShell, directory: Directory) -> None:
        super().__init__(shell)
        self._directory = directory

    @line_cell_magic
    def query(self, line: str, cell: str | None = None) -> None:
        """Make this cell a Query, or bring a Query into the next cell.

        ``%%query NAME`` runs the cell, writes it to the Workflow with documentation and permissions for its public
        functions, builds, and prints where they answer. It overwrites what it wrote before; ``--force`` overwrites
        any Query. ``%query ID`` brings a Query's source into a new cell.
        """
        words = shlex.split(line)
        names = [word for word in words if word != _FORCE]
        if len(names) != 1:
            raise UsageError("%%query NAME [--force] above the code, or %query ID")
        try:
            if cell is None:
                self._bring(names[0])
            else:
                self._promote(names[0], cell, force=_FORCE in words)
        except DiagnosticsError as error:
            for diagnostic in error.diagnostics:
                sys.stderr.write(f"{diagnostic}\n")
            raise UsageError(_sentence(error)) from None
        except CoflowsError as error:
            raise UsageError(_sentence(error)) from None

    def _bring(self, name: str) -> None:
        package = read_package(find_workflow(Client(find_server())).package_file)
        entry = next((entry for entry in package.queries if entry.id == name), None)
        if entry is None:
            known = [entry.id for entry in package.queries]
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else f"there are: {', '.join(known) or 'none'}"
            raise NotFoundError(f"there is no Query {name}", hint=hint)
        file = package.locate(entry)
        if entry.is_literal or file.suffix != ".py":
            raise NotFoundError(f"the source of {name} is not a file of Python")
        self._shell.set_next_input(demote(file.read_text(encoding="utf-8"), name))

    def _promote(self, name: str, cell: str, *, force: bool) -> None:
        source = promote(cell, name)
        # What fails here would fail as a Query too, and is better seen before there is one.
        exec(compile(cell, self._shell.compile.cache(cell), "exec"), self._shell.user_ns)  # noqa: S102  (the cell itself)
        client = Client(find_server())
        workflow = find_workflow(client)
        put_query(workflow.package_file, name, source, replaces=lambda old: force or old.startswith(MARK))
        report = client.build(workflow.info.id)
        if not report.ok:
            raise DiagnosticsError(f"{name} is written, but the Workflow does not build", report.diagnostics)
        self._directory.queries(now=True)
        written = next(query for query in client.queries(workflow.info.id).queries if query.id == name)
        for function in written.functions:
            sys.stdout.write(f"{client.url}{function.url}\n")

    @property
    def _shell(self) -> InteractiveShell:
        assert self.shell is not None
        return self.shell


def _sentence(error: CoflowsError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
