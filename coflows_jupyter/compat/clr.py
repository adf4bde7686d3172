"""``clr``: there is no .NET in this process, so a reference to one of its libraries changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["AddReference", "AddReferenceToFile", "AddReferenceToFileAndPath"]

INSTEAD: Mapping[str, str] = {}


def AddReference(name: str) -> None:
    """Do nothing: what of the original there is, is importable anyway."""


AddReferenceToFile = AddReferenceToFileAndPath = AddReference
