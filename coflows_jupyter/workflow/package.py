"""``package.json``: what a Workflow consists of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from coflows_jupyter.errors import Diagnostic, PackageError, nearest
from coflows_jupyter.jsonc import Document, parse
from coflows_jupyter.jsonc import Path as JsonPath
from coflows_jupyter.schema import Section, check, spell
from coflows_jupyter.units import parse_cpu, parse_memory
from coflows_jupyter.values import resolve_path
from coflows_jupyter.workflow.editing import Editor, write_atomic

FILE_NAME = "package.json"
SOURCE_LISTS = ("Base", "Queries", "Agents")
FILE_LISTS = ("Bins", "Files")

_UNUSABLE_ID = re.compile(r"[\x00-\x1f\x7f]|^\s|\s$|^\.{1,2}$")
_ENCODED_IN_URL = re.compile(r"[/\\?#%]")


class JobPolicy(Section):
    """What happens to the runs of a notebook when things do not go as planned; times in seconds."""

    catchup: Literal["none", "last", "all"] = Field(
        "last", validation_alias="Catchup", title="which of the missed times are run afterwards"
    )
    window: float = Field(3600, ge=0, validation_alias="Window", title="seconds until a missed time is given up")
    overlap: Literal["skip", "queue", "cancel", "allow"] = Field(
        "skip", validation_alias="Overlap", title="what happens while an earlier run goes on"
    )
    retries: int = Field(0, ge=0, validation_alias="Retries", title="how often a run that failed is tried again")
    backoff: float = Field(10, ge=0, validation_alias="Backoff", title="seconds before the first retry")
    timeout: float = Field(3600, gt=0, validation_alias="Timeout", title="seconds until a run is stopped")


class Entry(Section):
    """One element of ``Base``, ``Queries``, ``Agents``, ``Bins`` or ``Files``.

    Attributes:
        name: the file's name when the entry gives none.
        content: a path below the Workflow's folder, or literal text when it holds a line break.
        id: the Query's part of the URL; the name when the entry gives none.
        exe: the function of an Agent's file that describes it.
        schedule: when a notebook in ``Agents`` runs; its ``ID`` is the Agent's.
        parameters: what it is executed with.
        policy: what happens to its runs.
    """

    # What the file may leave out is filled in before it is read.
    model_config = ConfigDict(json_schema_extra={"required": ["Content"]})

    name: str = Field(validation_alias="Name", title="how the entry is called; the file's name by default")
    content: str = Field(
        validation_alias="Content",
        title="the path of the file, from this folder",
        min_length=1,
        description="a path in quotes",
        examples=["Queries/pyapi.py"],
    )
    id: str = Field(validation_alias="ID", title="a Query's part of the URL; the name by default")
    exe: str = Field("pkg", validation_alias="Exe", title="the function of an Agent's file that describes it")

    schedule: str = Field(
        "",
        validation_alias="Schedule",
        title="when a notebook in Agents runs, as Quartz text",
        examples=["0 0 9 ? * MON-FRI"],
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, validation_alias="Parameters", title="what a notebook in Agents is executed with"
    )
    policy: JobPolicy = Field(
        default_factory=lambda: JobPolicy.model_validate({}),
        validation_alias="Policy",
        title="what happens to the runs of a notebook",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        content = data.get("Content")
        name = data.get("Name") or (PurePosixPath(content).name if isinstance(content, str) else "")
        return data | {"Name": name, "ID": data.get("ID") or name}

    @property
    def is_literal(self) -> bool:
        """Whether ``content`` is the text itself."""
        return "\n" in self.content


class Permission(Section):
    """A user's fixed level in the Workflow's group; -2 invited, -1 denied, 0 view, 1 read, 2 write."""

    id: str = Field(validation_alias="ID", title="the address that a user signs in with", examples=["john@doe.com"])
    permission: int = Field(
        ge=-2,
        le=2,
        validation_alias="Permission",
        title="-2 invited, -1 denied, 0 view, 1 read, 2 write",
        description="a level from -2 (invited) to 2 (write)",
        examples=[1],
    )


class NuGet(Section):
    """A .NET dependency."""

    id: str = Field(validation_alias="ID", title="the name of a .NET package", examples=["Newtonsoft.Json"])
    version: str = Field(
        "", validation_alias="Version", title="its version, the newest by default", examples=["13.0.3"]
    )


class Pip(Section):
    """A Python dependency, as a pip requirement."""

    id: str = Field(validation_alias="ID", title="a requirement as pip understands it", examples=["pandas"])


class Jar(Section):
    """A JVM dependency, as a URL."""

    url: str = Field(validation_alias="Url", title="where the jar is")


def _cores(value: Any) -> Any:
    return (parse_cpu(value) if value != "" else None) if isinstance(value, str | int | float) else value


def _bytes(value: Any) -> Any:
    return (parse_memory(value) if value != "" else None) if isinstance(value, str | int | float) else value


_NUMBER_OR_TEXT = WithJsonSchema({"type": ["string", "number"]})
Cores = Annotated[float | None, BeforeValidator(_cores), _NUMBER_OR_TEXT]
Bytes = Annotated[int | None, BeforeValidator(_bytes), _NUMBER_OR_TEXT]


class Amount(Section):
    """CPU in cores and memory in bytes; ``None`` is no limit."""

    cpu: Cores = Field(None, validation_alias="Cpu", title="CPU cores, or thousandths with m", examples=["500m"])
    mem: Bytes = Field(None, validation_alias="Mem", title="bytes, or with a unit", examples=["2Gi"])


class VolumeMount(Section):
    """A folder that the container gets from outside."""

    mount_path: str = Field("", validation_alias="MountPath", title="where the container sees the folder")
    name: str = Field("", validation_alias="Name", title="the name of the volume")
    sub_path: str = Field("", validation_alias="SubPath", title="the folder in the volume")


class Resources(Section):
    """What the Workflow needs to run, in Kubernetes terms; ``storage`` in bytes."""

    type: str = Field("", validation_alias="Type", title="the kind of machine")
    request: Amount = Field(
        default_factory=lambda: Amount.model_validate({}),
        validation_alias="Request",
        title="what is kept for the Workflow",
    )
    limit: Amount = Field(
        default_factory=lambda: Amount.model_validate({}), validation_alias="Limit", title="what it may take at most"
    )
    volume_mounts: tuple[VolumeMount, ...] = Field(
        (), validation_alias="VolumeMounts", title="folders that come from outside"
    )
    storage: Bytes = Field(None, validation_alias="Storage", title="bytes on disk, or with a unit", examples=["10Gi"])


class Package(Section):
    """A checked ``package.json``.

    Attributes:
        file: absolute path of it.
        document: its text with the place of everything.
        diagnostics: warnings.
        id: the Workflow's ID, empty when the file has none (``update_package`` gives it one).
        name: the folder's name when the file gives none.
    """

    legacy: ClassVar[frozenset[str]] = frozenset({"Strategies"})

    file: Path
    document: Document = Field(repr=False)
    diagnostics: tuple[Diagnostic, ...] = ()

    id: str = Field("", validation_alias="ID", title="the ID of the Workflow, part of every URL")
    name: str = Field("", validation_alias="Name", title="how the Workflow is called")
    base: tuple[Entry, ...] = Field((), validation_alias="Base", title="libraries that Queries import")
    agents: tuple[Entry, ...] = Field((), validation_alias="Agents", title="programs that run on their own")
    queries: tuple[Entry, ...] = Field((), validation_alias="Queries", title="sources whose functions are Web APIs")
    permissions: tuple[Permission, ...] = Field((), validation_alias="Permissions", title="who may do what")
    nugets: tuple[NuGet, ...] = Field((), validation_alias="NuGets", title="libraries for .NET")
    pips: tuple[Pip, ...] = Field((), validation_alias="Pips", title="libraries for Python")
    jars: tuple[Jar, ...] = Field((), validation_alias="Jars", title="libraries for the JVM")
    bins: tuple[Entry, ...] = Field((), validation_alias="Bins", title="compiled libraries")
    files: tuple[Entry, ...] = Field((), validation_alias="Files", title="data and notebooks")
    read_me: str = Field("", validation_alias="ReadMe", title="the file that introduces the Workflow")
    publisher: str = Field("", validation_alias="Publisher", title="who publishes it")
    publish_timestamp: str = Field("", validation_alias="PublishTimestamp", title="when it was published")
    auto_deploy: bool = Field(
        default=False,
        validation_alias="AutoDeploy",
        title="whether it runs as soon as it is published",
        examples=[False],
    )
    resources: Resources = Field(
        default_factory=lambda: Resources.model_validate({}),
        validation_alias=AliasChoices("Resources", "Container"),
        title="what the Workflow needs to run",
    )

    @property
    def folder(self) -> Path:
        """The Workflow's folder."""
        return self.file.parent

    def entries(self, key: str) -> tuple[Entry, ...]:
        """Return the entries of the list that the file calls ``key``."""
        found: tuple[Entry, ...] = getattr(self, key.lower())
        return found

    def locate(self, entry: Entry) -> Path:
        """Return the absolute path of an entry's file."""
        return resolve_path(self.folder, entry.content)

    def report(self, path: JsonPath, code: str, message: str, hint: str) -> Diagnostic:
        """Make an error about the value at ``path``."""
        return self.document.report(self.document.place(path), "error", code, message, hint)


def contained(folder: Path, text: str) -> Path | None:
    """Return the path that ``text`` means, ``None`` when it leads out of ``folder``, also through a link."""
    try:
        path = resolve_path(folder, text)
        real = Path(os.path.realpath(path))
    except (OSError, ValueError):  # a link to itself, a null character
        return None
    return path if real.is_relative_to(os.path.realpath(folder)) else None


def read_package(path: Path) -> Package:
    """Read and check a ``package.json``.

    Args:
        path: the file.

    Raises:
        PackageError: it can't be read or has mistakes; ``diagnostics`` has all of them.
    """
    file = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links and lose the user's spelling
    return read_package_text(_read(file), file)


def preview_package(package: Package, editor: Editor) -> Package:
    """Return the package as it would be with the changes of ``editor``; nothing is written.

    Raises:
        PackageError: the changes are a mistake.
    """
    return read_package_text(editor.result(), package.file)


def save_package(package: Package, editor: Editor) -> Package:
    """Write the changes of ``editor`` and return the package as it is now.

    Where the file can't be written the changes count for this process only, and a warning says so.
    """
    text = editor.result()
    if text == package.document.text:
        return package
    updated = read_package_text(text, package.file)
    try:
        write_atomic(package.file, text)
    except OSError as error:
        message = f"the changed {FILE_NAME} can't be written: {error.strerror}"
        warning = Diagnostic(str(package.file), 0, 0, "warning", "read-only", message, "make the file writable")
        return updated.model_copy(update={"diagnostics": (*updated.diagnostics, warning)})
    return updated


# ---------------------------------------------------------------------------------------------- reading


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        near = nearest(file.name, (p.name for p in file.parent.glob("*.json")))
        hint = f"did you mean {near}?" if near else 'check "Workflow" in coflows_config.json, or run `coflows new DIR`'
        raise _fail(file, "no-package", "there is no such file", hint) from None
    except IsADirectoryError:
        raise _fail(file, "no-package", "this is a folder", f"name the {FILE_NAME} in it") from None
    except OSError as error:
        raise _fail(file, "unreadable", f"the file can't be read: {error.strerror}", "check its permissions") from None
    except UnicodeDecodeError:
        raise _fail(file, "encoding", "the file is not UTF-8 text", "save it as UTF-8") from None


def _fail(file: Path, code: str, message: str, hint: str) -> PackageError:
    return PackageError(f"{file}: {message}", [Diagnostic(str(file), 0, 0, "error", code, message, hint)], hint=hint)


def read_package_text(text: str, file: Path) -> Package:
    """Check the text of a ``package.json``.

    Args:
        text: as JSON with comments.
        file: absolute path of it.

    Raises:
        PackageError: it has mistakes; ``diagnostics`` has all of them.
    """
    document = parse(text, str(file))
    found = list(document.diagnostics)
    package = None
    if document.ok:
        package, more = check(Package, document, own={"file": file, "document": document}, lenient=True)
        found += more
    if package is not None:
        found += [*_check_paths(package), *_check_ids(package), *_check_read_me(package)]
    errors = sum(d.severity == "error" for d in found)
    if package is None or errors:
        raise PackageError(f"{file} has {errors} mistake{'s' * (errors > 1)}", found)
    name = package.name or file.parent.name
    return package.model_copy(update={"name": name, "diagnostics": tuple(found)})


def _check_paths(package: Package) -> Iterator[Diagnostic]:
    for key in (*SOURCE_LISTS, *FILE_LISTS):
        for index, entry in enumerate(package.entries(key)):
            if not entry.is_literal and contained(package.folder, entry.content) is None:
                path = (key, index, "Content")
                message = f"{spell(path)} leads out of the Workflow's folder"
                yield package.report(
                    path, "outside", message, f"move the file into {key}/ and write its path from there"
                )


def _check_ids(package: Package) -> Iterator[Diagnostic]:
    yield from _check_id(package, ("ID",), package.id)
    first: dict[str, int] = {}
    for index, query in enumerate(package.queries):
        path: JsonPath = ("Queries", index, "ID")
        yield from _check_id(package, path, query.id)
        if query.id in first:
            line = package.document.place(("Queries", first[query.id])).line
            message = f'{spell(path)}: "{query.id}" is already the ID of the Query of line {line}'
            yield package.report(path, "duplicate-id", message, "give each Query its own ID: it is part of its URL")
        first.setdefault(query.id, index)


def _check_id(package: Package, path: JsonPath, value: str) -> Iterator[Diagnostic]:
    if _UNUSABLE_ID.search(value) or (not value and path != ("ID",)):
        message = f"{spell(path)} can't be part of a URL"
        yield package.report(path, "id", message, "use letters, digits, - and _")
    elif _ENCODED_IN_URL.search(value):
        message = f"{spell(path)} has characters that URLs need encoded"
        hint = f'write "{_ENCODED_IN_URL.sub("-", value)}"'
        yield package.document.report(package.document.place(path), "warning", "id", message, hint)


def _check_read_me(package: Package) -> Iterator[Diagnostic]:
    path = contained(package.folder, package.read_me)
    if package.read_me and (path is None or not path.is_file()):
        place = package.document.place(("ReadMe",))
        message = "ReadMe names a file that doesn't exist"
        yield package.document.report(place, "warning", "no-file", message, "create it or remove the key")
