"""``Bins`` of package.json: libraries that the user has compiled already, for .NET or in machine code.

They are copied into the cache, into a folder that is named by their content, and loaded from there: a host holds what
it has loaded, so what is saved over the user's own files must not reach it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from coflows_jupyter.errors import BuildError
from coflows_jupyter.runtimes.netmodel import Packages

if TYPE_CHECKING:
    from coflows_jupyter.workflow.package import Package

_LIBRARIES = (".dll", ".exe")
_NATIVES = (".so", ".dylib")
_WITH_SYMBOLS = (*_LIBRARIES, *_NATIVES, ".pdb")


def bins(package: Package) -> Packages:
    """Return the libraries in Bins, as they are now.

    Raises:
        BuildError: one can't be read; the diagnostic is at its place in package.json.
    """
    found: list[Path] = []
    for index, entry in enumerate(package.bins):
        path = package.locate(entry)
        if path.suffix.lower() in _WITH_SYMBOLS:
            found.append(path)
            if not path.is_file():
                message, hint = f"there is no file {entry.content}", "remove the entry, or bring the file back"
                report = package.report(("Bins", index, "Content"), "no-file", message, hint)
                raise BuildError(message, [report], hint=hint)
    if not found:
        return Packages()
    try:
        folder = _copied(found)
        copies = [folder / path.name for path in found]
        managed = tuple(str(path) for path in copies if path.suffix.lower() in _LIBRARIES and is_managed(path))
    except OSError as error:
        message = f"Bins can't be used: {error.filename}: {error.strerror}"
        report = package.report(("Bins",), "unreadable", message, "check permissions, and the space on the disk")
        raise BuildError(message, [report], hint=report.hint) from error
    natives = (str(path) for path in copies if path.suffix.lower() != ".pdb")
    return Packages(managed, managed, tuple(path for path in natives if path not in managed))


def is_managed(path: Path) -> bool:
    """Whether a library is for .NET: its header points to one of .NET's."""
    with path.open("rb") as file:
        head = file.read(4096)
    try:
        (start,) = struct.unpack_from("<I", head, 0x3C)
        magic, (kind,) = head[start : start + 4], struct.unpack_from("<H", head, start + 24)
        # The fifteenth of the data directories, which come 96 bytes after the start of a 32-bit header, else 112.
        directories = start + 24 + (112 if kind == 0x20B else 96)  # noqa: PLR2004
        (address,) = struct.unpack_from("<I", head, directories + 14 * 8)
    except struct.error:
        return False
    return head[:2] == b"MZ" and magic == b"PE\0\0" and address > 0


def _copied(files: list[Path]) -> Path:
    """Return a folder with copies of these files; it appears when it is complete."""
    from platformdirs import user_cache_path

    key = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            key.update(f"{file.name}\0{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    cache = user_cache_path("coflows") / "bins"
    folder = cache / key.hexdigest()[:32]
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=cache))
        try:
            for file in files:
                shutil.copyfile(file, partial / file.name)
            _appear(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def _appear(partial: Path, folder: Path) -> None:
    try:
        os.replace(partial, folder)  # noqa: PTH105  (its error names the files)
    except OSError:
        if not folder.is_dir():  # another process was quicker
            raise
