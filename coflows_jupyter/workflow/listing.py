"""Keeps the lists of ``package.json`` in step with the files of the Workflow's folder."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from coflows_jupyter.errors import PackageError
from coflows_jupyter.workflow.editing import Editor
from coflows_jupyter.workflow.package import (
    FILE_LISTS,
    SOURCE_LISTS,
    Package,
    contained,
    read_package,
    save_package,
)
from coflows_jupyter.workflow.sources import LANGUAGES

_IGNORED_FOLDERS = frozenset({"__pycache__", "bin", "obj"})
_IGNORED_ENDINGS = (".pyc", "~")


def update_package(path: Path) -> Package:
    """Read a ``package.json`` and keep it as the original does.

    A missing ``ID`` is given a GUID. Files found below Base, Queries and Agents are added to their lists, entries are
    never removed. ``Bins`` and ``Files`` follow what is there. Everything else keeps its bytes, and a file that is up
    to date isn't written.

    Args:
        path: the file.

    Raises:
        PackageError: it can't be read or has mistakes.
    """
    package = read_package(path)
    editor = Editor(package.document)
    if not package.id:
        editor.set("ID", str(uuid.uuid4()))
    for key in SOURCE_LISTS:
        editor.append(key, [_entry(key, found) for found in _unlisted(package, key)])
    for key in FILE_LISTS:
        _follow(package, key, editor)
    return save_package(package, editor)


def list_source(package_file: Path, key: str, file: Path) -> str:
    """Add a file that exists to ``Base`` or ``Queries``.

    Args:
        package_file: the Workflow's package.json.
        key: the list.
        file: absolute path of a source below the Workflow's folder.

    Returns:
        The Query's ID, or the name of the Base library.

    Raises:
        PackageError: the file can't be a source of this Workflow, is in the list already, or its ID is taken.
    """
    package = read_package(package_file)
    if file.suffix not in LANGUAGES or not file.is_file():
        raise PackageError(f"{file.name} is no source", hint=f"choose a file that ends in {', '.join(LANGUAGES)}")
    if not file.is_relative_to(package.folder) or contained(package.folder, str(file)) is None:
        raise PackageError(f"{file.name} is outside of the Workflow's folder", hint="move it there")
    if any(package.locate(entry) == file for entry in package.entries(key)):
        raise PackageError(f"{file.name} is already in {key}")
    content = file.relative_to(package.folder).as_posix()
    entry = _entry(key, content)
    if key == "Queries":
        entry |= {"Name": file.name, "ID": file.stem}
        if file.stem in {query.id for query in package.queries}:
            raise PackageError(f"there is already a Query {file.stem}", hint="rename the file")
    editor = Editor(package.document)
    editor.append(key, [entry])
    save_package(package, editor)
    return entry.get("ID", entry["Name"])


def _found(package: Package, key: str) -> Iterator[str]:
    """Yield the paths, from the Workflow's folder, of the files below one of its lists' folders."""
    ignored = _IGNORED_FOLDERS if key in SOURCE_LISTS else {"__pycache__"}
    for parent, folders, files in os.walk(package.folder / key):
        folders[:] = sorted(f for f in folders if f not in ignored and not f.startswith("."))
        for name in sorted(files):
            path = (Path(parent) / name).relative_to(package.folder).as_posix()
            is_text = path.isprintable()  # a name that isn't UTF-8 has no spelling in JSON
            if (
                is_text
                and not name.startswith(".")
                and not name.endswith(_IGNORED_ENDINGS)
                and contained(package.folder, path)
            ):
                yield path


def _unlisted(package: Package, key: str) -> list[str]:
    listed = {contained(package.folder, e.content) for e in package.entries(key) if not e.is_literal}
    return [path for path in _found(package, key) if package.folder / path not in listed]


def _entry(key: str, path: str) -> dict[str, str]:
    """Make the entry of a found file, named as the original names it."""
    below = path.removeprefix(f"{key}/")
    match key:
        case "Base":
            return {"Name": path if path.endswith(".py") else below, "Content": path}
        case "Queries":
            return {"Name": below, "Content": path, "ID": below}
        case "Agents":
            return {"Name": below, "Content": path, "Exe": "pkg"}
        case _:
            return {"Name": below, "Content": path}


def _follow(package: Package, key: str, editor: Editor) -> None:
    raw = package.document.value.get(key) or []
    kept = [
        item
        for item, entry in zip(raw, package.entries(key), strict=True)
        if not entry.is_literal and os.path.isfile(package.locate(entry))  # noqa: PTH113 - never raises
    ]
    added = [_entry(key, path) for path in _unlisted(package, key)]
    if len(kept) < len(raw):
        editor.set(key, kept + added)
    else:
        editor.append(key, added)
