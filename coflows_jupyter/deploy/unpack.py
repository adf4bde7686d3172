"""Opens bundles that anybody may have made.

Everything that the directory of the zip says is checked before a byte is unpacked, and everything that is unpacked
against the manifest. The folder appears complete or not at all.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path

import msgspec

from coflows_jupyter.deploy.manifest import BOMB_SLACK, LIMITS, MANIFEST, Content, Limits, Manifest, clash, complaint
from coflows_jupyter.errors import BundleError
from coflows_jupyter.workflow.package import FILE_NAME as PACKAGE

# APPNOTE 4.3.16, and the sizes of the fixed parts of 4.3.7 and 4.3.12.
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LOCAL_SIZE = 30
_ENTRY_SIZE = 46
# Room for an entry's extra fields: ours have none, zip programs add times and owners.
_EXTRAS = 64
_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# A manifest has about 90 bytes and a path for each file.
_MANIFEST_ENTRY = 128
# What zipfile raises when bytes aren't what a zip has there.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def unpack(data: bytes, folder: Path, limits: Limits = LIMITS) -> Manifest:
    """Unpack a bundle.

    Args:
        data: the zip.
        folder: absolute path of the folder to make; the folder around it is there.
        limits: how large it may be.

    Returns:
        Its manifest, which all of it was checked against.

    Raises:
        BundleError: it is no bundle, is too large, or might do harm.
        FileExistsError: the folder is there already.
        OSError: it can't be written.
    """
    if os.path.lexists(folder):
        raise FileExistsError(f"{folder} is there already")
    with _open(data, limits) as archive:
        members = _check(archive, limits)
        manifest = _manifest(archive, members.pop(MANIFEST, None), limits)
        _compare(set(members), set(manifest.files))
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for path, info in members.items():
                _write(made / path, _verified(archive, info, manifest.files[path]))
            made.rename(folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    return manifest


def _open(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """Read the directory of a zip, after a look at how long it is: reading it costs memory per entry."""
    if len(data) > limits.packed:
        raise BundleError(f"the bundle has more than {limits.packed} bytes")
    if len(data) < _END.size or data[-_END.size :][:4] != _END_SIGNATURE or data[-2:] != b"\0\0":
        raise BundleError("this is no bundle: it doesn't end as one")
    _, disk, first_disk, here, count, size, _, _ = _END.unpack(data[-_END.size :])
    # One more than the files: the manifest.
    if disk or first_disk or here != count or count > limits.files + 1:
        raise BundleError(f"the bundle has more than {limits.files} files, or isn't whole")
    if size > (limits.files + 1) * (_ENTRY_SIZE + limits.path + _EXTRAS):
        raise BundleError("the bundle's directory is too large")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN:
        raise BundleError("this is no bundle: its directory can't be read") from None
    if len(archive.infolist()) != count:
        raise BundleError("the bundle's directory contradicts itself")
    return archive


def _check(archive: zipfile.ZipFile, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """Check all that the directory says; return the members by path."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        # Not `filename`, which zipfile cuts at a null character and changes on Windows.
        path = info.orig_filename
        wrong = "" if path == MANIFEST else complaint(path, limits)
        if wrong := wrong or _complaint(info, limits):
            raise BundleError(f"{path!r} is not allowed in a bundle: {wrong}")
        if path in members:
            raise BundleError(f"{path!r} is twice in the bundle")
        members[path] = info
    if sum(info.file_size for path, info in members.items() if path != MANIFEST) > limits.total:
        raise BundleError(f"the bundle has more than {limits.total} bytes when unpacked")
    if path := clash(members):
        raise BundleError(f"{path!r} is not allowed in a bundle: some disks take it for another file")
    _check_places(archive)
    return members


def _complaint(info: zipfile.ZipInfo, limits: Limits) -> str:
    if info.is_dir() or stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
        return "only plain files are"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in _METHODS:
        return "it is compressed in a way that bundles aren't"
    if info.file_size > limits.file:
        return f"it has more than {limits.file} bytes"
    if info.file_size > limits.ratio * info.compress_size + BOMB_SLACK:
        return "it looks like a zip bomb"
    return ""


def _check_places(archive: zipfile.ZipFile) -> None:
    """Refuse members that share bytes, which is how small zips become huge."""
    end = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise BundleError(f"{info.orig_filename!r} is not allowed in a bundle: it shares bytes with another file")
        end = info.header_offset + _LOCAL_SIZE + info.compress_size
    if end > archive.start_dir:
        raise BundleError("the bundle's directory contradicts itself")


def _manifest(archive: zipfile.ZipFile, info: zipfile.ZipInfo | None, limits: Limits) -> Manifest:
    if info is None:
        raise BundleError(f"this is no bundle: {MANIFEST} is missing")
    if info.file_size > (limits.files + 1) * (_MANIFEST_ENTRY + 6 * limits.path):
        raise BundleError(f"{MANIFEST} is too large")
    content = _content(archive, info)
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError:
        raise BundleError(f"{MANIFEST} can't be read", hint="pack it with this version") from None
    if manifest.encode() != content:
        raise BundleError(f"{MANIFEST} isn't written as manifests are", hint="pack it with this version")
    if PACKAGE not in manifest.files:
        raise BundleError(f"this is no bundle: {PACKAGE} is missing")
    return manifest


def _compare(present: set[str], listed: set[str]) -> None:
    for path in sorted(present ^ listed)[:1]:
        where = f"in the bundle but not in its {MANIFEST}" if path in present else "missing from the bundle"
        raise BundleError(f"{path} is {where}")


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Unpack one member; never more than its entry of the directory says, which was checked."""
    try:
        with archive.open(info) as stream:
            content = stream.read(info.file_size + 1)
    except _BROKEN:
        raise BundleError(f"{info.orig_filename} is broken") from None
    if len(content) != info.file_size:
        raise BundleError(f"{info.orig_filename} has another size than the bundle's directory says")
    return content


def _verified(archive: zipfile.ZipFile, info: zipfile.ZipInfo, expected: Content) -> bytes:
    content = _content(archive, info)
    if Content.of(content) != expected:
        raise BundleError(f"{info.orig_filename} is not what the bundle's manifest says")
    return content


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
