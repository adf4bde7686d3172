"""Parameter descriptions out of docstrings in Google, NumPy and Sphinx style."""

from __future__ import annotations

import re

# For each style: where the descriptions are, and how one begins. What is indented deeper continues it.
_STYLES = (
    (
        re.compile(r"^(?:Args|Arguments|Parameters|Keyword Args):\n((?:[ \t]+.*\n|\n)*)", re.MULTILINE),
        re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)"),
    ),
    (
        re.compile(r"^(?:Other )?Parameters\n-{3,}\n((?:(?!.*\n-{3}).*\n)*)", re.MULTILINE),
        re.compile(r"\*{0,2}(\w+)\s*(?::.*)?()$"),
    ),
    (
        re.compile(r"^((?::param .*\n(?:[ \t]+.*\n)*)+)", re.MULTILINE),
        re.compile(r":param\s(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)"),
    ),
)


def parameter_texts(doc: str) -> dict[str, str]:
    """Return parameter name → description, each on one line.

    Args:
        doc: a dedented docstring.
    """
    pieces: dict[str, list[str]] = {}
    for block, entry in _STYLES:
        for found in block.finditer(doc + "\n"):
            lines = [line for line in found[1].splitlines() if line.strip()]
            margin = min((_indent(line) for line in lines), default=0)
            name = ""
            for line in lines:
                start = entry.match(line.strip()) if _indent(line) == margin else None
                if start:
                    name = start[1]
                    pieces[name] = [start[2]]
                elif name:
                    pieces[name].append(line.strip())
    return {name: " ".join(filter(None, texts)) for name, texts in pieces.items()}


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
