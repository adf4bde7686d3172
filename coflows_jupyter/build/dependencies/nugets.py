"""``NuGets`` of package.json: libraries for .NET, with all that they need, by ``dotnet restore``.

Packages are unpacked into the user's cache, once for all Workflows, after NuGet has checked their signatures.
``coflows.lock`` holds which ones they are, with hashes; what is restored later has to be the same. What came of a
lock is kept, too, so that nothing is started where nothing changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.build.dependencies.lock import digest, nuget_lines, read_nugets, write_nugets
from coflows_jupyter.build.dependencies.restore import Remark, Resolved, Restore, RestoreError, Source
from coflows_jupyter.errors import BuildError, Diagnostic, PackageError, Severity
from coflows_jupyter.runtimes import dotnet
from coflows_jupyter.runtimes.dotnet import Dotnet, how_to_install
from coflows_jupyter.runtimes.netmodel import Packages
from coflows_jupyter.workflow.editing import Editor
from coflows_jupyter.workflow.package import Package, preview_package, read_package, save_package

if TYPE_CHECKING:
    from coflows_jupyter.config import Config

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_VERSION = re.compile(r"[\[(]?[0-9A-Za-z.+*, -]*[\])]?")
_LOCKED = re.compile(r"(?P<id>\S+) (?P<version>\S+) sha512:(?P<hash>\S+)")
# It could not be asked whether something in a package is known to be unsafe.
_NO_AUDIT = "NU1900"
_UNREACHABLE = "NU1301"
NO_DOTNET = "no-dotnet"
"""The code of the finding that there is no .NET here."""


class Provided(msgspec.Struct, frozen=True):
    """What NuGets come to.

    Args:
        packages: their files.
        remarks: what NuGet warned of.
    """

    packages: Packages = Packages()
    remarks: tuple[Remark, ...] = ()

    def diagnostics(self, package: Package) -> tuple[Diagnostic, ...]:
        """Return the remarks at their places in package.json."""
        return tuple(_at(package, remark, "warning") for remark in self.remarks)


class NuGets:
    """Provides the NuGets of one Workflow.

    Args:
        sources: gives where they come from; asked only when something is restored.
    """

    def __init__(self, sources: Callable[[], Sequence[Source]] = tuple) -> None:
        self._sources = sources
        self._restore = Restore()

    def provide(self, package: Package, on_step: Callable[[str], None] = lambda _: None) -> Provided:
        """Return the files of the NuGets, after bringing what is missing to this computer.

        It may take minutes, and no time when nothing changed.

        Args:
            package: the Workflow.
            on_step: told what is being done, before something is restored and for each package.

        Raises:
            BuildError: they can't be had; the diagnostics are at their places in package.json.
            NotReadyError: ``close`` was called meanwhile.
        """
        wanted = _read(package)
        if not wanted:
            return Provided()
        found = dotnet.here()
        if isinstance(found, str):
            raise _failed(package, [Remark(NO_DOTNET, "", found)], how_to_install())
        cache = _cache()
        try:
            if (known := _known(package, found)) is not None:
                return known
            on_step("restoring NuGets")
            (cache / "results").mkdir(parents=True, exist_ok=True)
            with (
                self._restore.alone(cache / "restore.lock"),
                tempfile.TemporaryDirectory(prefix="restore.", dir=cache) as folder,
            ):
                return self._provide(package, found, wanted, Path(folder), on_step)
        except OSError as error:
            raise _failed(package, [Remark("", "", f"{error.filename or cache}: {error.strerror}")]) from error

    def close(self) -> None:
        """Stop what is being restored."""
        self._restore.close()

    def _provide(
        self,
        package: Package,
        found: Dotnet,
        wanted: Mapping[str, str],
        folder: Path,
        on_step: Callable[[str], None],
    ) -> Provided:
        if (known := _known(package, found)) is not None:  # another process was at it
            return known
        locked = _locked(package)
        pins = {**wanted, **{name: f"[{version}]" for name, (version, _) in locked.items()}}
        packages = _cache() / "packages"
        try:
            resolved, remarks = self._restore.run(
                found,
                folder,
                pins,
                packages=packages,
                sources=self._sources(),
                on_package=lambda name: on_step(f"restoring NuGets: {name}"),
            )
        except RestoreError as error:
            raise _explain(package, error.remarks, locked or wanted, packages) from None
        _compare(package, resolved, locked)
        provided = Provided(_files(resolved, found), tuple(r for r in remarks if r.code != _NO_AUDIT))
        lines = sorted((f"{p.id} {p.version} sha512:{p.sha512}" for p in resolved), key=str.lower)
        if [line.lower() for line in lines] != [line.lower() for line in _lines(package)]:
            write_nugets(package.folder, _digest(package), lines)
        _keep(_result(package, found), provided)
        return provided


def add_nuget(config: Config, name: str, version: str, on_step: Callable[[str], None] = lambda _: None) -> str:
    """Restore one more NuGet and add it to package.json; where that fails both stay as they are.

    Args:
        config: names the Workflow.
        name: of the package.
        version: of it, or a range; empty for the newest, which is then written down.
        on_step: told what is being done.

    Returns:
        The version that package.json has now.

    Raises:
        PackageError: there is a NuGet of that name.
        BuildError: it can't be had together with the others.
    """
    package = read_package(config.workflow)
    if name.lower() in (nuget.id.lower() for nuget in package.nugets):
        raise PackageError(f"{name} is already in NuGets", hint="change its version in package.json instead")
    nugets = NuGets(lambda: sources(config))
    try:
        changed, editor = _with(package, name, version)
        nugets.provide(changed, on_step)
        if not version:
            (version,) = (found for id_, (found, _) in _locked(changed).items() if id_.lower() == name.lower())
            changed, editor = _with(package, name, version)
            nugets.provide(changed, on_step)
    except BuildError as error:
        # Its diagnostics are about a text that nobody wrote yet.
        raise BuildError(error.message, hint=error.hint) from None
    save_package(package, editor)
    return version


def _with(package: Package, name: str, version: str) -> tuple[Package, Editor]:
    editor = Editor(package.document)
    editor.append("NuGets", [{"ID": name, "Version": version}])
    return preview_package(package, editor), editor


def sources(config: Config) -> list[Source]:
    """Return where NuGets come from, with the secrets that ask for entry there.

    Raises:
        ConfigError: a secret is not there.
    """
    from coflows_jupyter.access.secrets import reveal  # it brings SQLAlchemy along

    return [Source(feed.url, feed.user, reveal(config, feed.key)) for feed in config.nuget.feeds]


def ready(package: Package) -> Provided | None:
    """Return what ``NuGets.provide`` would without restoring anything, ``None`` when something is missing.

    Raises:
        BuildError: a NuGet can't be one.
    """
    if not _read(package):
        return Provided()
    found = dotnet.here()
    return None if isinstance(found, str) else _known(package, found)


def _read(package: Package) -> dict[str, str]:
    """Return version ranges by name, as NuGet writes them."""
    wanted: dict[str, str] = {}
    for index, nuget in enumerate(package.nugets):
        if not _ID.fullmatch(nuget.id):
            raise _wrong(
                package, index, "ID", f"{nuget.id!r} is no name of a package", 'write it like "Newtonsoft.Json"'
            )
        if not _VERSION.fullmatch(nuget.version):
            hint = 'write it like "13.0.3", "13.*" or "[13.0,14.0)"'
            raise _wrong(package, index, "Version", f"{nuget.version!r} is no version of a package", hint)
        if nuget.id.lower() in map(str.lower, wanted):
            raise _wrong(package, index, "ID", f"{nuget.id} is there twice", "keep the entry with the right version")
        wanted[nuget.id] = nuget.version or "*"
    return wanted


def _wrong(package: Package, index: int, key: str, message: str, hint: str) -> BuildError:
    return BuildError(message, [package.report(("NuGets", index, key), "nuget", message, hint)], hint=hint)


def _digest(package: Package) -> str:
    return digest(f"{nuget.id} {nuget.version}" for nuget in package.nugets)


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("coflows") / "nugets"


def _lines(package: Package) -> list[str]:
    return nuget_lines(read_nugets(package.folder), _digest(package))


def _locked(package: Package) -> dict[str, tuple[str, str]]:
    """Return version and hash by name, as the lock has them."""
    found = filter(None, map(_LOCKED.fullmatch, _lines(package)))
    return {match["id"]: (match["version"], match["hash"]) for match in found}


def _result(package: Package, found: Dotnet) -> Path:
    """Name the file that keeps what came of a lock, for one runtime on one system."""
    key = "\0".join((*_lines(package), found.root, found.runtime, sysconfig.get_platform()))
    return _cache() / "results" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _known(package: Package, found: Dotnet) -> Provided | None:
    """Return what came of the lock before, if all of it is still there."""
    if not _lines(package):
        return None
    try:
        provided = msgspec.json.decode(_result(package, found).read_bytes(), type=Provided)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    files = provided.packages
    return provided if all(map(os.path.isfile, (*files.references, *files.managed, *files.natives))) else None


def _keep(file: Path, provided: Provided) -> None:
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_bytes(msgspec.json.encode(provided))
    partial.replace(file)


def _files(resolved: Iterable[Resolved], found: Dotnet) -> Packages:
    """Collect the files of packages; what the framework has itself is the framework's."""
    own = {Path(path).name for path in found.references}

    def other(paths: Iterable[str]) -> list[str]:
        return [path for path in paths if Path(path).name not in own]

    return Packages(
        tuple(path for package in resolved for path in other(package.references)),
        tuple(path for package in resolved for path in other(package.managed)),
        tuple(path for package in resolved for path in package.natives),
    )


def _compare(package: Package, resolved: Iterable[Resolved], locked: Mapping[str, tuple[str, str]]) -> None:
    """Refuse what is not what the lock says."""
    by_name = {name.lower(): value for name, value in locked.items()}
    for one in resolved:
        version, sha512 = by_name.get(one.id.lower(), (one.version, one.sha512))
        if (one.version, one.sha512) != (version, sha512):
            message = (
                f"{one.id} {one.version} is not the package that coflows.lock names: "
                f"its hash is {one.sha512}, and not {sha512}"
            )
            hint = (
                f"if the lock is right, delete {one.folder} and see where the package comes from; "
                "if the package is, delete coflows.lock"
            )
            raise _failed(package, [Remark("hash", one.id, message)], hint)


def _explain(package: Package, remarks: Sequence[Remark], wanted: Mapping[str, object], packages: Path) -> BuildError:
    """Make an error of what NuGet says; where a feed can't be reached, name what would have to come from it."""
    unreachable = next((remark for remark in remarks if remark.code == _UNREACHABLE), None)
    if unreachable is None:
        return _failed(package, remarks)
    missing = [
        " ".join((name, *(version[:1] if isinstance(version, tuple) else ())))
        for name, version in wanted.items()
        if not _is_unpacked(packages / name.lower(), version)
    ]
    what = " and ".join(missing) or "what they need"
    message = f"{what} {'is' if len(missing) == 1 else 'are'} not in this computer's cache, and {unreachable.message}"
    about = next(iter(missing), "").partition(" ")[0]
    hint = 'check the connection, or name another source in "NuGet": {"Feeds": […]} of the configuration'
    return _failed(package, [Remark(_UNREACHABLE, about, message)], hint)


def _is_unpacked(folder: Path, version: object) -> bool:
    """Whether a package is in the cache: the locked version of it, else any."""
    if isinstance(version, tuple):
        folder = folder / str(version[0]).lower()
    return folder.is_dir()


def _failed(
    package: Package,
    remarks: Sequence[Remark],
    hint: str = "correct it in package.json, or check where NuGets come from",
) -> BuildError:
    found = [_at(package, remark, "error", hint) for remark in remarks]
    return BuildError("; ".join(d.message for d in found), found, hint=hint)


def _at(package: Package, remark: Remark, severity: Severity, hint: str = "") -> Diagnostic:
    """Put a remark at the NuGet that it is about, else at the list."""
    names = [nuget.id.lower() for nuget in package.nugets]
    about = remark.about.lower()
    path = ("NuGets", names.index(about), "ID") if about in names else ("NuGets",)
    message = remark.message if about else f"the NuGets can't be restored: {remark.message}"
    place = package.document.place(path)
    return package.document.report(place, severity, remark.code or "nuget", message, hint)
