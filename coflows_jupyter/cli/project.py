"""``coflows new``, ``add`` and ``validate``: make a Workflow and check it without running it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from coflows_jupyter.cli.session import session

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="[LANGUAGE] NAME",
        help="Its name, letters, digits and underscores; before it py, cs, vb, fs, java or js, Python by default.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    app.command()(new)
    add = typer.Typer(help="Add a file or a library to the Workflow.")
    add.command("query")(add_query)
    add.command("agent")(add_agent)
    add.command("base")(add_base)
    add.command("notebook")(add_notebook)
    add.command("pip")(add_pip)
    add.command("nuget")(add_nuget)
    app.add_typer(add, name="add")
    app.command()(validate)


def new(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="A folder that does not exist or is empty.")],
    name: Annotated[str | None, typer.Option(help="Name of the Workflow, else the folder's.")] = None,
) -> None:
    """Make a Workflow that runs, with a SecretKey of its own."""
    from coflows_jupyter.workflow.templates import new_workflow

    output = session(context).output
    folder = new_workflow(directory, name)
    output.document({"workflow": str(folder)})
    output.say(f"Created {folder}\nStart it with: coflows server {directory}")


def add_query(context: typer.Context, words: Words) -> None:
    """Add a Query: a file whose public functions are endpoints."""
    from coflows_jupyter.workflow.templates import add_query as add

    _add(context, add, words)


def add_agent(context: typer.Context, words: Words) -> None:
    """Add an Agent: a function that runs on a schedule."""
    from coflows_jupyter.workflow.templates import add_agent as add

    _add(context, add, words)


def add_base(context: typer.Context, words: Words) -> None:
    """Add a Base library: code that Queries use."""
    from coflows_jupyter.workflow.templates import add_base as add

    _add(context, add, words)


def add_notebook(
    context: typer.Context,
    notebook: Annotated[Path, typer.Argument(help="A notebook, like Files/report.ipynb.")],
    schedule: Annotated[str, typer.Option(help='When it runs: "0 0 9 ? * MON-FRI"; by hand only without it.')] = "",
    name: Annotated[str, typer.Option("--id", help="ID of the Agent; the file's name by default.")] = "",
    parameter: Annotated[list[str], typer.Option(help="NAME=VALUE, JSON or text; several times.")] = [],  # noqa: B006 - Typer copies it
) -> None:
    """Let a notebook run on its own, as an Agent, or change when it does."""
    from coflows_jupyter.agents.schedule import Schedule
    from coflows_jupyter.config import load_config
    from coflows_jupyter.workflow.notebooks import Scheduled, schedule_notebook

    current = session(context)
    if schedule:
        Schedule(schedule)
    values = dict(_parameter(text) for text in parameter)
    job = Scheduled(name or notebook.stem, schedule, values)
    schedule_notebook(load_config(current.config).workflow, Path(os.path.abspath(notebook)), job)  # noqa: PTH100 - keeps links
    current.output.document({"agent": job.id})
    current.output.say(f"Added {job.id}")


def _parameter(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def add_pip(
    context: typer.Context, requirement: Annotated[str, typer.Argument(help='As pip has it: pandas, "pandas>=2,<3".')]
) -> None:
    """Add a Python library that the Workflow's code imports, and install it."""
    from coflows_jupyter.build.dependencies.pips import add_pip as add
    from coflows_jupyter.config import load_config

    current = session(context)
    output = current.output
    with output.working(f"Installing {requirement}"):
        add(load_config(current.config).workflow, requirement)
    output.document({"pip": requirement})
    output.say(f"Added {requirement}")


def add_nuget(
    context: typer.Context,
    package: Annotated[str, typer.Argument(help="Its name, like Newtonsoft.Json.")],
    version: Annotated[str, typer.Argument(help="Its version or a range of them; the newest by default.")] = "",
) -> None:
    """Add a library for .NET that the Workflow's code uses, and restore it."""
    from coflows_jupyter.build.dependencies.nugets import add_nuget as add
    from coflows_jupyter.config import load_config

    current = session(context)
    output = current.output
    with output.working(f"Restoring {package}"):
        version = add(load_config(current.config), package, version)
    output.document({"nuget": package, "version": version})
    output.say(f"Added {package} {version}")


def _add(context: typer.Context, make: Callable[[Path, str, str], Path], words: list[str]) -> None:
    from coflows_jupyter.config import load_config
    from coflows_jupyter.workflow.sources import LANGUAGES

    *before, name = words
    if len(before) > 1:
        raise typer.BadParameter("there is one name, and a language before it")
    language = LANGUAGES.get(f".{before[0]}", before[0]) if before else "python"
    current = session(context)
    file = make(load_config(current.config).workflow, name, language)
    current.output.document({"file": str(file)})
    current.output.say(f"Created {file}")


def validate(
    context: typer.Context,
    config: Annotated[str | None, typer.Argument(help="The configuration, else the one in this folder.")] = None,
) -> int:
    """Check all files without running any of them."""
    from coflows_jupyter.errors import FAILED, USAGE
    from coflows_jupyter.workflow.sources import LANGUAGES
    from coflows_jupyter.workflow.validate import validate as check

    current = session(context)
    output = current.output
    found = check(config or current.config)
    wrong = [Path(d.file) for d in found if d.severity == "error"]
    output.document({"ok": not wrong, "diagnostics": found})
    output.diagnostics(found)
    if not wrong:
        output.say("Success!!!")
        return 0
    return FAILED if all(file.suffix in LANGUAGES for file in wrong) else USAGE
