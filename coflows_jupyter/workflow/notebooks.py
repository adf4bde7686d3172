"""Notebooks that run as Agents: their parameters, and their entries in package.json."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import msgspec

from coflows_jupyter.errors import PackageError
from coflows_jupyter.workflow.editing import Editor
from coflows_jupyter.workflow.package import Package, contained, read_package, save_package

TAG = "parameters"


class Parameter(msgspec.Struct):
    """A name that the cell tagged ``parameters`` gives a value.

    Args:
        name: what is assigned.
        value: the value as JSON where it has such a form, else as Python text.
    """

    name: str
    value: str


class Scheduled(msgspec.Struct):
    """One schedule of a notebook.

    Args:
        id: the Agent's ID.
        schedule: Quartz text, empty for by hand only.
        parameters: values by name; those that are missing keep what the notebook says.
    """

    id: str
    schedule: str = ""
    parameters: dict[str, Any] = {}


def read_parameters(notebook: Path) -> list[Parameter]:
    """Return what the cell tagged ``parameters`` assigns, in its order; nothing where the notebook has no such cell.

    Args:
        notebook: an ``.ipynb`` file.

    Raises:
        PackageError: it can't be read.
    """
    found: dict[str, Parameter] = {}
    for cell in _cells(notebook):
        if TAG in cell.get("metadata", {}).get("tags", []):
            source = cell.get("source", "")
            try:
                tree = ast.parse(source if isinstance(source, str) else "".join(source))
            except SyntaxError:
                continue  # the run says so, at the line
            for name, value in _assigned(tree):
                found[name] = Parameter(name, _shown(value))
    return list(found.values())


def _cells(notebook: Path) -> list[dict[str, Any]]:
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        return [cell for cell in cells if cell.get("cell_type") == "code"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackageError(f"{notebook.name} can't be read as a notebook", hint="open and save it in Lab") from error


def _assigned(tree: ast.Module) -> list[tuple[str, ast.expr]]:
    found = []
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found += [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found.append((node.target.id, node.value))
    return found


def _shown(value: ast.expr) -> str:
    try:
        return json.dumps(ast.literal_eval(value), ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return ast.unparse(value)


def schedules_of(package: Package, notebook: Path) -> list[Scheduled]:
    """Return the Agents that execute a notebook."""
    return [
        Scheduled(entry.id, entry.schedule, entry.parameters)
        for entry in package.agents
        if not entry.is_literal and package.locate(entry) == notebook
    ]


def schedule_notebook(package_file: Path, notebook: Path, wanted: Scheduled) -> None:
    """Write into package.json when a notebook runs; an Agent of that ID is changed if it is a notebook's.

    Args:
        package_file: the Workflow's package.json.
        notebook: absolute path of an ``.ipynb`` file below the Workflow's folder.
        wanted: the Agent.

    Raises:
        PackageError: the notebook can't be one of this Workflow's, or the ID is another's.
    """
    package = read_package(package_file)
    if notebook.suffix != ".ipynb" or not notebook.is_file():
        raise PackageError(f"{notebook.name} is no notebook")
    if not notebook.is_relative_to(package.folder) or contained(package.folder, str(notebook)) is None:
        raise PackageError(f"{notebook.name} is outside of the Workflow's folder", hint="move it there")
    if not wanted.id or not wanted.id.isprintable():
        raise PackageError("the name is empty", hint="give it a name")
    bad = next((name for name in wanted.parameters if not name.isidentifier()), None)
    if bad is not None:
        raise PackageError(f"{bad!r} is no name of a parameter")
    entry = {
        "Name": wanted.id,
        "Content": notebook.relative_to(package.folder).as_posix(),
        "ID": wanted.id,
        "Schedule": wanted.schedule,
        "Parameters": wanted.parameters,
    }
    editor = Editor(package.document)
    taken = next((index for index, agent in enumerate(package.agents) if agent.id == wanted.id), None)
    if taken is None:
        editor.append("Agents", [entry])
    elif package.locate(package.agents[taken]) != notebook:
        raise PackageError(f"there is already an Agent {wanted.id}", hint="choose another name")
    else:
        editor.set("Agents", _replaced(package, taken, entry))
    save_package(package, editor)


def unschedule_notebook(package_file: Path, notebook: Path, agent: str) -> None:
    """Take an Agent of a notebook out of package.json; nothing happens when it is not there.

    Args:
        package_file: the Workflow's package.json.
        notebook: absolute path.
        agent: its ID.
    """
    package = read_package(package_file)
    kept = [
        item
        for item, entry in zip(package.document.value.get("Agents") or [], package.agents, strict=True)
        if entry.id != agent or package.locate(entry) != notebook
    ]
    if len(kept) < len(package.agents):
        editor = Editor(package.document)
        editor.set("Agents", kept)
        save_package(package, editor)


def _replaced(package: Package, index: int, entry: dict[str, Any]) -> list[Any]:
    items = list(package.document.value["Agents"])
    items[index] = items[index] | entry
    return items
