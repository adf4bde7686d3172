"""Changes a JSON document in place: every byte that isn't part of the change stays, comments included."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coflows_jupyter.jsonc import Document


class Editor:
    """Collects changes to the top level of a document that holds an object.

    Written text follows the document's own indentation and line ends.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._edits: list[tuple[int, int, str]] = []
        self._added: list[str] = []
        text = document.text
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        first = next((document.keys[(key,)] for key in document.value), None)
        self._indent = "    " if first is None else self._indent_before(first)

    def set(self, key: str, value: Any) -> None:
        """Give ``key`` a new value; a new key comes last."""
        written = self._write(value, 1)
        if (key,) in self._document.spans:
            self._edits.append((*self._document.spans[(key,)], written))
        else:
            self._added.append(f"{json.dumps(key)}: {written}")

    def append(self, key: str, items: Sequence[Any]) -> None:
        """Add ``items`` to the end of the list ``key``, which may be missing, ``null`` or empty."""
        if not items:
            return
        present = self._document.value.get(key)
        if not present:
            self.set(key, list(items))
            return
        start, end = self._document.spans[key, len(present) - 1]
        indent = self._indent_before(start)
        flat = self._line_end not in self._document.text[start:end]
        text = ""
        for item in items:
            written = json.dumps(item, ensure_ascii=False) if flat else self._write(item, 2)
            text += f", {written}" if indent is None else f",{self._line_end}{indent}{written}"
        self._edits.append((end, end, text))

    def result(self) -> str:
        """Return the changed text."""
        text = self._document.text
        edits = list(self._edits)
        if self._added:
            edits.append(self._addition())
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _addition(self) -> tuple[int, int, str]:
        start, end = self._document.spans[()]
        lead = " " if self._indent is None else self._line_end + self._indent
        members = f",{lead}".join(self._added)
        if self._document.value:
            last = max(end for path, (_, end) in self._document.spans.items() if len(path) == 1)
            return last, last, f",{lead}{members}"
        return start, end, f"{{{lead}{members}{self._line_end}}}"

    def _indent_before(self, offset: int) -> str | None:
        """Return the blank in front of what stands at ``offset``, ``None`` when it isn't first in its line."""
        before = self._document.text[:offset]
        line = before[max(before.rfind("\n"), before.rfind("\r")) + 1 :]
        return line if not line.strip() and len(line) < len(before) else None

    def _write(self, value: Any, level: int) -> str:
        if self._indent is None:
            return json.dumps(value, ensure_ascii=False)
        text = json.dumps(value, ensure_ascii=False, indent=self._indent)
        return text.replace("\n", self._line_end + self._indent * level)


def write_atomic(file: Path, text: str) -> None:
    """Replace a file's text so that a reader sees the old or the new one and nothing between.

    Args:
        file: an existing file, which keeps its mode; a link keeps pointing at it.
        text: written as UTF-8, line ends as they are.

    Raises:
        OSError: the folder isn't writable, the disk is full, …
    """
    target = Path(os.path.realpath(file))
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
