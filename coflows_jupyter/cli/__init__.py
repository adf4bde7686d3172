"""The ``coflows`` command: one module per family of verbs.

``--help`` has to answer at once, so the modules import nothing heavy before a command runs.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Sequence
from typing import Annotated

import typer

from coflows_jupyter import __version__
from coflows_jupyter.cli import (
    aci,
    agents,
    certificate,
    cloud,
    db,
    doctor,
    image,
    key,
    local,
    msets,
    people,
    project,
    runs,
    secret,
    server,
    test,
)
from coflows_jupyter.cli.output import Output
from coflows_jupyter.cli.session import Session, hoist

app = typer.Typer(
    help="Make, build, query and serve a Workflow.",
    epilog="--config, --json, --quiet and --debug work before and after any command.",
    rich_markup_mode=None,
)
_FAMILIES = (
    *(project, doctor, test, server, local, cloud, runs, msets, agents),
    *(people, key, secret, certificate, db, aci, image),
)
for family in _FAMILIES:
    family.register(app)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        str | None, typer.Option(help="The coflows_config.json to use, else the one in this folder.", metavar="FILE")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,  # noqa: FBT002
    quiet: Annotated[bool, typer.Option("--quiet", help="Print results and errors only.")] = False,  # noqa: FBT002
    debug: Annotated[bool, typer.Option("--debug", help="Print our own tracebacks too.")] = False,  # noqa: FBT002
    version: Annotated[  # noqa: ARG001, FBT002
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    context.obj = Session(config, Output(json=json, quiet=quiet, debug=debug))


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: what follows ``coflows`` on the command line.

    Returns:
        The exit code: 0 ok, 1 the Workflow failed, 2 usage or configuration, 3 denied or unreachable, 130 interrupted.
    """
    options, rest = hoist(arguments)
    try:
        code = app([*options, *rest] or ["--help"], prog_name="coflows", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - the last resort: nobody above us could say it better
        output = Output(json="--json" in options, debug="--debug" in options)
        return output.error(error)
    return code or 0


def main() -> None:
    """Be the ``coflows`` command."""
    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    if threading.active_count() > 1:
        # A thread that user code left behind must not keep the command from ending, nor run into an interpreter that
        # is being taken down.
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
