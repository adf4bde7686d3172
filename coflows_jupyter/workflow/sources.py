"""What a Workflow's files look like to the builder and the runtimes."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["base", "query", "agent"]

LANGUAGES = {
    ".py": "python",
    ".cs": "csharp",
    ".fs": "fsharp",
    ".vb": "vb",
    ".java": "java",
    ".scala": "scala",
    ".js": "javascript",
}


class SourceUnit(msgspec.Struct, frozen=True):
    """One source file, read once, with ``$WID$`` and ``$ID$`` already substituted.

    Args:
        kind: which list of package.json names it.
        name: the entry's ``ID`` for a Query, else its ``Name``.
        path: absolute path of the user's file.
        language: a value of ``LANGUAGES``.
        text: the substituted source.
    """

    kind: Kind
    name: str
    path: str
    language: str
    text: str
