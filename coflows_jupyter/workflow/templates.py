"""Makes new Workflows, Queries and Base libraries from the texts in ``skeleton/``."""

from __future__ import annotations

import keyword
import os
import re
import secrets
import sys
import uuid
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from coflows_jupyter.config import FILE_NAMES
from coflows_jupyter.errors import PackageError, nearest
from coflows_jupyter.workflow.editing import Editor, write_atomic
from coflows_jupyter.workflow.package import FILE_NAME, read_package, save_package
from coflows_jupyter.workflow.sources import LANGUAGES

# The languages that skeleton/ has a folder for, each with what tells a word that can't be a name there.
_RESERVED: dict[str, Callable[[str], bool]] = {
    "python": keyword.iskeyword,
    "csharp": lambda word: word in _words("csharp"),
    "vb": lambda word: word.lower() in _words("vb"),
    "fsharp": lambda word: word in _words("fsharp"),
    "java": lambda word: word in _words("java"),
    "javascript": lambda word: word in _words("javascript"),
}

# The Workflow's name is also the name of its container, which clouds limit to this.
_WORKFLOW_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_FILE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


_TEMPLATES = {"Agents": "agent", "Base": "base", "Queries": "query"}


def new_workflow(directory: Path, name: str | None = None) -> Path:
    """Make a Workflow that runs as it is, with a random SecretKey that only its owner can read.

    Args:
        directory: where; made when missing. Files that are already there stay.
        name: the Workflow's name: a letter, then letters, digits and ``-``; by default made of the folder's name.

    Returns:
        The absolute folder.

    Raises:
        PackageError: the name can't be used, or one of the files to write exists.
    """
    folder = Path(os.path.abspath(directory))  # noqa: PTH100 - resolve() would follow links
    name = name or _name_of(folder)
    if not _WORKFLOW_NAME.fullmatch(name):
        hint = "begin with a letter, then use letters, digits and -, 63 at most"
        raise PackageError(f"{name!r} can't be the name of a Workflow", hint=hint)
    values = {"NAME": name, "ID": str(uuid.uuid4()), "SECRET_KEY": secrets.token_hex(16)}
    texts = {
        FILE_NAMES[0]: _skeleton("coflows_config.json", values),
        ".gitignore": _skeleton("gitignore", values),
        "Base/library.py": _skeleton("python/base.txt", {"NAME": "library"}),
        "Queries/pyapi.py": _skeleton("python/example.txt", values),
        "tests/test_pyapi.py": _skeleton("python/test.txt", values),
        "Files/start.ipynb": _skeleton("start.ipynb", values),
        FILE_NAME: _skeleton("package.json", values),
    }
    for path in texts:
        if os.path.lexists(folder / path):
            raise PackageError(f"{folder / path} is already there", hint="choose an empty folder")
    try:
        (folder / "Agents").mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            _write_new(folder / path, text, mode=0o600 if path == FILE_NAMES[0] else 0o666)
    except OSError as error:
        raise PackageError(
            f"{error.filename} can't be written: {error.strerror}", hint="choose another folder"
        ) from error
    return folder


def add_query(package_file: Path, name: str, language: str = "python") -> Path:
    """Add a Query with one documented function.

    Args:
        package_file: the Workflow's package.json.
        name: the file's name without suffix, and the Query's ID.
        language: a language of ``skeleton/``.

    Returns:
        The absolute path of the new file.

    Raises:
        PackageError: the name or language can't be used, or a Query of that name exists.
    """
    return _add(package_file, "Queries", name, language)


def put_query(package_file: Path, name: str, text: str, *, replaces: Callable[[str], bool]) -> Path:
    """Write the source of a Query in Python, which may exist, and list it.

    Args:
        package_file: the Workflow's package.json.
        name: the Query's ID, and the file's name without suffix where there is none yet.
        text: the source.
        replaces: tells from the source that is there whether it may be overwritten.

    Returns:
        The absolute path of the file.

    Raises:
        PackageError: the name can't be used, or what is there must stay.
    """
    package = read_package(package_file)
    _check("Queries", name, "python")
    content = f"Queries/{name}.py"
    entry = next((query for query in package.queries if query.id == name), None)
    if entry is not None and (entry.is_literal or not entry.content.endswith(".py")):
        raise PackageError(f"the source of {name} is not a file of Python", hint="choose another name")
    file = package.folder / content if entry is None else package.locate(entry)
    other = next((q.id for q in package.queries if q.id != name and package.locate(q) == file), None)
    if other is not None:
        raise PackageError(f"{file.name} is the source of the Query {other}", hint="choose another name")
    try:
        if file.exists():
            if not replaces(file.read_text(encoding="utf-8")):
                raise PackageError(f"{file.name} was not written by %%query", hint="--force overwrites it")
            write_atomic(file, text)
        else:
            _write_new(file, text)
    except OSError as error:
        raise PackageError(f"{file} can't be written: {error.strerror}", hint="check the permissions") from error
    if entry is None:
        editor = Editor(package.document)
        editor.append("Queries", [{"Name": file.name, "Content": content, "ID": name}])
        save_package(package, editor)
    return file


def add_base(package_file: Path, name: str, language: str = "python") -> Path:
    """Add a Base library with one documented function.

    Args:
        package_file: the Workflow's package.json.
        name: the file's name without suffix.
        language: a language of ``skeleton/``.

    Returns:
        The absolute path of the new file.

    Raises:
        PackageError: the name or language can't be used, or a file of that name exists.
    """
    return _add(package_file, "Base", name, language)


def add_agent(package_file: Path, name: str, language: str = "python") -> Path:
    """Add an Agent that runs on a schedule.

    Args:
        package_file: the Workflow's package.json.
        name: the file's name without suffix, and the Agent's.
        language: a language of ``skeleton/``.

    Returns:
        The absolute path of the new file.

    Raises:
        PackageError: the name or language can't be used, or a file of that name exists.
    """
    return _add(package_file, "Agents", name, language)


def _add(package_file: Path, key: str, name: str, language: str) -> Path:
    package = read_package(package_file)
    _check(key, name, language)
    suffix = next(suffix for suffix, value in LANGUAGES.items() if value == language)
    content = f"{key}/{name}{suffix}"
    file = package.folder / content
    if os.path.lexists(file) or (key == "Queries" and name in {query.id for query in package.queries}):
        raise PackageError(f"{name} is already in {key}", hint="choose another name")
    entry = {"Name": content if key == "Base" else f"{name}{suffix}", "Content": content}
    if key == "Queries":
        entry["ID"] = name
    template = _TEMPLATES[key]
    try:
        _write_new(file, _skeleton(f"{language}/{template}.txt", {"NAME": name}))
    except OSError as error:
        raise PackageError(f"{file} can't be written: {error.strerror}", hint="check the permissions") from error
    editor = Editor(package.document)
    editor.append(key, [entry])
    save_package(package, editor)
    return file


def _check(key: str, name: str, language: str) -> None:
    if language not in _RESERVED:
        near = nearest(language, _RESERVED)
        hint = f"did you mean {near}?" if near else f"there is {', '.join(_RESERVED)}"
        raise PackageError(f"there is no template in {language!r}", hint=hint)
    if not files(__package__).joinpath("skeleton", language, f"{_TEMPLATES[key]}.txt").is_file():
        raise PackageError(f"{key} can't be in {language}", hint="write it in another language")
    if not _FILE_NAME.fullmatch(name) or _RESERVED[language](name):
        hint = "begin with a letter, then use letters, digits and _"
        raise PackageError(f"{name!r} can't be the name of a {language} file", hint=hint)
    if key == "Base" and language == "python" and name in sys.stdlib_module_names:
        raise PackageError(f"{name} would hide Python's own module of that name", hint="choose another name")


def _name_of(folder: Path) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", folder.name).strip("-")
    return (words if words[:1].isalpha() else f"Workflow-{words}")[:63].strip("-")


def _words(language: str) -> list[str]:
    return _skeleton(f"{language}/reserved.txt", {}).split()


def _skeleton(path: str, values: dict[str, str]) -> str:
    text = files(__package__).joinpath("skeleton", path).read_text(encoding="utf-8")
    return re.sub(r"__([A-Z_]+)__", lambda match: values[match[1]], text)


def _write_new(file: Path, text: str, mode: int = 0o666) -> None:
    """Write a file that must not exist yet, from its first byte on with the right mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
