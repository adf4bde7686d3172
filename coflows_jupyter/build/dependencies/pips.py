"""``Pips`` of package.json: Python libraries of the user, in a directory of their own per lock.

The directory comes first on the import path of hosts, of ``coflows local`` and of our kernel, so the user's versions
win there and the server never sees them. ``coflows.lock`` beside package.json holds what was resolved, with hashes and
for all systems; it belongs into version control. Where this Python has all that is asked for and there is no lock yet,
nothing is resolved and nothing is installed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coflows_jupyter.build.dependencies import usage
from coflows_jupyter.build.dependencies.lock import LOCK_NAME, digest, is_for_pips, read_pips, write_pips
from coflows_jupyter.build.dependencies.uv import Uv, UvError
from coflows_jupyter.errors import BuildError, PackageError
from coflows_jupyter.workflow.editing import Editor
from coflows_jupyter.workflow.package import Package, preview_package, read_package, save_package

if TYPE_CHECKING:
    # It takes as long to import as all of this package, and no start of a server that needs nothing waits for it.
    from packaging.requirements import Requirement

# A host runs on these itself and has them loaded before it looks at the user's, so there is one version for both.
SHARED = (
    "annotated-types",
    "msgspec",
    "orjson",
    "pydantic",
    "pydantic-core",
    "typing-extensions",
    "typing-inspection",
)

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


class Pips:
    """Provides the Pips of one Workflow."""

    def __init__(self) -> None:
        self._uv = Uv()

    def provide(self, package: Package, on_install: Callable[[], object] = lambda: None) -> tuple[str, ...]:
        """Return the directories that come first on the import path, after installing what is missing.

        It may take minutes, and no time when nothing changed.

        Args:
            package: the Workflow.
            on_install: called before something is resolved or installed.

        Raises:
            BuildError: a requirement can't be met; the diagnostic is at its place in package.json.
            NotReadyError: ``close`` was called meanwhile.
        """
        found = ready(package)
        if found is not None:
            return found
        on_install()
        requirements = _read(package)
        try:
            _cache().mkdir(parents=True, exist_ok=True)
            with self._uv.alone(_cache() / f"{_digest(package)}.lock"):
                if not _fits(read_pips(package.folder), package):
                    self._lock(package, requirements)
                directory = _directory(read_pips(package.folder))
                usage.hold(directory)
                if not directory.is_dir():
                    self._install(package, directory)
                    usage.hold(directory)
                    usage.prune(_cache())
        except UvError as error:
            raise _failed(package, requirements, error.message) from None
        except OSError as error:
            raise _failed(package, requirements, f"{error.filename or _cache()}: {error.strerror}") from error
        return (str(directory),)

    def close(self) -> None:
        """Stop what is being installed."""
        self._uv.close()

    def _lock(self, package: Package, requirements: Sequence[Requirement]) -> None:
        """Resolve, and prefer what the lock has already."""
        made = _cache() / f"{_digest(package)}.resolved"
        constraints = _cache() / f"{_digest(package)}.constraints"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in _shared()))
        try:
            made.write_text(read_pips(package.folder))
            arguments: list[str | Path] = ["pip", "compile", "-", "--output-file", made, "--constraints", constraints]
            arguments += ["--python", sys.executable, "--universal", "--generate-hashes", "--no-header"]
            text = "".join(f"{requirement}\n" for requirement in requirements)
            self._uv.run([*arguments, "--no-annotate"], folder=package.folder, text=text)
            write_pips(package.folder, _digest(package), made.read_text())
        finally:
            made.unlink(missing_ok=True)
            constraints.unlink()

    def _install(self, package: Package, directory: Path) -> None:
        """Install what the lock says beside ``directory``, which appears when it is complete."""
        partial = _cache() / f"{_digest(package)}.partial"
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
        lock = package.folder / LOCK_NAME
        try:
            arguments: list[str | Path] = ["pip", "install", "--target", partial, "--python", sys.executable]
            self._uv.run([*arguments, "--no-deps", "--require-hashes", "--requirements", lock], folder=package.folder)
            partial.mkdir(exist_ok=True)  # where no requirement is for this system
            partial.rename(directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def add_pip(package_file: Path, text: str) -> None:
    """Install one more Pip and add it to package.json; where that fails both stay as they are.

    Args:
        package_file: the Workflow's package.json.
        text: a requirement.

    Raises:
        PackageError: there is a Pip of that name.
        BuildError: it is no requirement, or can't be met together with the others.
    """
    package = read_package(package_file)
    editor = Editor(package.document)
    editor.append("Pips", [{"ID": text}])
    changed = preview_package(package, editor)
    try:
        *others, added = map(_name, _read(changed))
        if added in others:
            hint = f"change {package.pips[others.index(added)].id!r} in package.json instead"
            raise PackageError(f"{added} is already in Pips", hint=hint)
        Pips().provide(changed)
    except BuildError as error:
        # Its diagnostics are about a text that nobody wrote yet.
        raise BuildError(error.message, hint=error.hint) from None
    save_package(package, editor)


def ready(package: Package) -> tuple[str, ...] | None:
    """Return what ``Pips.provide`` would without installing anything, ``None`` when something is missing.

    Raises:
        BuildError: a Pip is no requirement.
    """
    if not package.pips:
        return ()
    lock = read_pips(package.folder)
    if not lock and all(map(_is_met, _read(package))):
        return ()
    if _fits(lock, package):
        directory = _directory(lock)
        usage.hold(directory)
        if directory.is_dir():
            return (str(directory),)
    return None


def _digest(package: Package) -> str:
    return digest(pip.id for pip in package.pips)


def _read(package: Package) -> list[Requirement]:
    from packaging.requirements import InvalidRequirement, Requirement

    requirements: list[Requirement] = []
    for index, pip in enumerate(package.pips):
        try:
            requirements.append(Requirement(pip.id))
        except InvalidRequirement as error:
            message = f"{pip.id!r} is no requirement: {str(error).partition(chr(10))[0]}"
            found = package.report(("Pips", index, "ID"), "pip", message, 'write it like "pandas" or "pandas>=2,<3"')
            raise BuildError(message, [found], hint=found.hint) from None
    return requirements


def _name(requirement: Requirement) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(requirement.name)


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("coflows") / "pips"


def _fits(lock: str, package: Package) -> bool:
    """Whether a lock was made of these Pips, and for what hosts run on here."""
    if not is_for_pips(lock, _digest(package)):
        return False
    shared = dict(_shared())
    return all(shared.get(name, version) == version for name, version in _PIN.findall(lock))


def _directory(lock: str) -> Path:
    """Name the directory of a lock: it holds machine code, so it is for one Python on one system."""
    key = "\0".join((lock, sys.implementation.cache_tag or "", sysconfig.get_platform()))
    return _cache() / hashlib.sha256(key.encode()).hexdigest()[:32]


def _is_met(requirement: Requirement) -> bool:
    """Whether this Python has it; extras and URLs are left to the resolver."""
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    version = _version(requirement.name)
    met = bool(version) and requirement.specifier.contains(version, prereleases=True)
    return met and not requirement.extras and not requirement.url


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _shared() -> Iterator[tuple[str, str]]:
    return ((name, version) for name in SHARED if (version := _version(name)))


def _failed(package: Package, requirements: Sequence[Requirement], reason: str) -> BuildError:
    """Make an error at the first Pip that the reason names, else at the list."""
    from packaging.utils import canonicalize_name

    words = {canonicalize_name(word) for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", reason.replace("==", " "))}
    index = next((i for i, r in enumerate(requirements) if _name(r) in words), None)
    what = "the Pips" if index is None else package.pips[index].id
    message = f"{what} can't be installed: {reason}"
    hint = "correct it in package.json, or check the connection to the package index"
    shared = next(((name, version) for name, version in _shared() if name in words), None)
    if shared is not None:
        hint = f"hosts run on {shared[0]} {shared[1]} themselves: ask for something that goes with it"
    found = package.report(("Pips",) if index is None else ("Pips", index, "ID"), "pip", message, hint)
    return BuildError(message, [found], hint=hint)
