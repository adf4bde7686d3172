"""Workflows in one JSON document, as clients of the original send them: package.json with the files in its lists.

Sources are text, ``Bins`` and ``Files`` are Base64. ``__content__in__m__`` stands for what the server has already.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from coflows_jupyter.deploy.manifest import complaint
from coflows_jupyter.errors import BundleError
from coflows_jupyter.workflow.package import FILE_NAME

KEPT = "__content__in__m__"
READ_ME = "README.md"

_TEXTS = ("Base", "Agents", "Queries")
_BYTES = ("Bins", "Files")


def unfold(document: Mapping[str, Any], stored: Callable[[str], bytes]) -> dict[str, bytes]:
    """Return the files of a Workflow, package.json included.

    Args:
        document: the package with its files.
        stored: gives the content of a file that the server has already.

    Raises:
        BundleError: an entry can't be read, or its name leads elsewhere.
    """
    files: dict[str, bytes] = {}
    package = dict(document)
    for key in (*_TEXTS, *_BYTES):
        entries = document.get(key) or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BundleError(f"{key} is no list of entries")
        package[key] = [_unfold(key, entry, files, stored) for entry in entries]
    if text := document.get("ReadMe"):
        files[READ_ME] = str(text).encode()
        package["ReadMe"] = READ_ME
    files[FILE_NAME] = msgspec.json.format(msgspec.json.encode(package), indent=4)
    return files


def _unfold(
    key: str, entry: Mapping[str, Any], files: dict[str, bytes], stored: Callable[[str], bytes]
) -> dict[str, Any]:
    name, content = str(entry.get("Name") or ""), str(entry.get("Content") or "")
    path = name if name.startswith(f"{key}/") else f"{key}/{name}"
    if wrong := complaint(path):
        raise BundleError(f"{key} has {name!r}: {wrong}")
    if content == KEPT:
        files[path] = stored(path)
    elif key in _TEXTS:
        files[path] = content.encode()
    else:
        try:
            files[path] = base64.b64decode(content, validate=True)
        except binascii.Error:
            raise BundleError(f"{path} is not in Base64") from None
    return {**entry, "Content": path}
