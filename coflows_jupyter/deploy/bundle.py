"""A Workflow as one file: a zip whose bytes are always the same for the same content.

A bundle is called by the digest of its manifest. It depends on the content alone and not on how that is compressed, so
every computer calls the same Workflow the same.

Format: a zip (APPNOTE 6.3.3; no ZIP64, no comments) of plain files that are dated 1980-01-01 and sorted.
``coflows-manifest.json`` comes first and has size and SHA-256 of every other; ``package.json`` is one of these.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.deploy.ignore import FILE_NAME as IGNORE_FILE
from coflows_jupyter.deploy.ignore import Ignore, holds_secret
from coflows_jupyter.deploy.manifest import BOMB_SLACK, LIMITS, MANIFEST, Content, Limits, Manifest, clash, complaint
from coflows_jupyter.errors import BundleError
from coflows_jupyter.workflow.package import FILE_NAME as PACKAGE

if TYPE_CHECKING:
    from coflows_jupyter.config import Config

_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_PLAIN_FILE = 0o100644 << 16
_SHOWN = 3


class Bundle(msgspec.Struct, frozen=True):
    """A packed Workflow.

    Args:
        data: the zip.
        manifest: what is in it.
        left_out: the files that may not leave this computer, sorted.
    """

    data: bytes
    manifest: Manifest
    left_out: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What it is called by."""
        return self.manifest.digest

    def __repr__(self) -> str:
        return f"<Bundle {self.digest[:12]}: {len(self.manifest.files)} files, {len(self.data)} bytes>"


def pack(package_file: Path, config: Config, limits: Limits = LIMITS) -> Bundle:
    """Pack the folder of a Workflow.

    Args:
        package_file: absolute path of package.json, which is called so in the bundle whatever it is called here.
        config: the configuration here. Neither it nor what opens other systems is packed; a server has its own.
        limits: how large it may be.

    Raises:
        BundleError: a file can't be read or can't travel, ``.coflowsignore`` can't be read, or it is too large.
    """
    folder = package_file.parent
    left_out: list[str] = []
    contents: dict[str, bytes] = {}
    size = 0
    for path in _files(folder, Ignore(folder, config), left_out):
        content = _read(folder / path, limits)
        if holds_secret(path, content):
            left_out.append(path)
            continue
        name = PACKAGE if path == package_file.name else path
        if name in contents:
            raise BundleError(f"there are {PACKAGE} and {package_file.name}", hint=f"name {PACKAGE} in {IGNORE_FILE}")
        if wrong := complaint(name, limits):
            raise BundleError(f"{path} can't travel: {wrong}", hint=f"rename it, or name it in {IGNORE_FILE}")
        contents[name] = content
        size += len(content)
        if size > limits.total or len(contents) > limits.files:
            raise _too_large(contents, limits)
    if PACKAGE not in contents:
        raise BundleError(f"{package_file} is missing", hint=f"restore it, or see whether {IGNORE_FILE} names it")
    if path := clash(contents):
        raise BundleError(f"{path} can't travel: other disks take it for another file", hint="rename it")
    manifest = Manifest(1, {name: Content.of(content) for name, content in contents.items()})
    data = _zip({MANIFEST: manifest.encode()} | dict(sorted(contents.items())), limits)
    if len(data) > limits.packed:
        raise _too_large(contents, limits)
    return Bundle(data, manifest, tuple(sorted(left_out)))


def _files(folder: Path, ignore: Ignore, left_out: list[str], below: str = "") -> Iterator[str]:
    """Yield what is to be packed, from the Workflow's folder; secrets go to ``left_out``."""
    try:
        entries = sorted(os.scandir(folder / below), key=lambda entry: entry.name)
    except OSError as error:
        raise BundleError(f"{error.filename} can't be read: {error.strerror}", hint=_HINT) from None
    for entry in entries:
        path = below + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        asked = f"{path}/" if is_folder else path
        if ignore.is_left(asked):
            continue
        if ignore.is_secret(asked):
            left_out.append(asked)
        elif is_folder:
            yield from _files(folder, ignore, left_out, asked)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            what = "a link" if entry.is_symlink() else "no plain file"
            raise BundleError(f"{folder / path} can't travel: it is {what}", hint=_HINT)


_HINT = f"replace it, or name it in {IGNORE_FILE}"


def _read(file: Path, limits: Limits) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(limits.file + 1)
    except OSError as error:
        raise BundleError(f"{file} can't be read: {error.strerror}", hint=_HINT) from None
    if len(content) > limits.file:
        raise BundleError(f"{file} has more than {_mib(limits.file)}", hint=f"name it in {IGNORE_FILE}")
    return content


def _zip(contents: Mapping[str, bytes], limits: Limits, stored: Collection[str] = ()) -> bytes:
    """Return the zip; what deflates so well that it would be taken for a bomb is ``stored`` as it is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = _UNIX, _PLAIN_FILE
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
        dense = [i.filename for i in archive.infolist() if i.file_size > limits.ratio * i.compress_size + BOMB_SLACK]
    return _zip(contents, limits, dense) if dense and not stored else stream.getvalue()


def _too_large(contents: Mapping[str, bytes], limits: Limits) -> BundleError:
    largest = sorted(contents, key=lambda name: len(contents[name]), reverse=True)[:_SHOWN]
    shown = ", ".join(f"{name} ({_mib(len(contents[name]))})" for name in largest)
    most = f"{limits.files} files, {_mib(limits.total)}, {_mib(limits.packed)} when packed"
    return BundleError(
        f"the Workflow is too large to travel: at most {most}; the largest files are {shown}",
        hint=f"name what a server doesn't need in {IGNORE_FILE}",
    )


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.3g} MiB"
