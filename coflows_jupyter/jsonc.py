"""The JSON that people write by hand, with the place of everything in it.

Beyond RFC 8259: ``//`` and ``/* */`` comments, trailing commas, a byte order mark, and a missing comma before a key,
which the seed's own example has and which is only a warning.

Written here because no library does it: json5 and commentjson give no positions, json-five gives them but takes the
module name that JupyterLab's own json5 needs, lark alone costs 80 ms to import, and none of them survives the missing
comma. Strings and escapes are the standard library's. Messages repeat keys but no values: any text may be a secret.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Any, NamedTuple, NoReturn

from coflows_jupyter.errors import Diagnostic, Severity

Path = tuple[str | int, ...]
"""Where a value is: keys and list indices from the root, as pydantic spells a location."""

MAX_DEPTH = 100

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"(?:[\s\ufeff]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![\w.])")
_WORD = re.compile(r"[\w.$+-]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_CONSTANTS = {"true": True, "false": False, "null": None}
_CONSTANT_HINTS = {"true": "true", "false": "false", "null": "null", "none": "null", "undefined": "null", "nan": "null"}
# Longer numbers take quadratic time to convert and mean nothing in a config file.
_MAX_DIGITS = 400


class Place(NamedTuple):
    """A 1-based line and column."""

    line: int
    column: int


class Document:
    """A parsed text.

    Attributes:
        file: name for diagnostics.
        text: what was parsed.
        value: plain Python values, ``None`` when there is a syntax error.
        spans: start and end offset of the value at each path.
        keys: offset of the key at each path.
        diagnostics: warnings, and at most one error, which is the last.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.value: Any = None
        self.spans: dict[Path, tuple[int, int]] = {}
        self.keys: dict[Path, int] = {}
        self.diagnostics: list[Diagnostic] = []
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    @property
    def ok(self) -> bool:
        """Whether the text could be parsed."""
        return all(d.severity != "error" for d in self.diagnostics)

    def at(self, offset: int) -> Place:
        """Return the place of a character."""
        line = bisect_right(self._starts, offset)
        column = offset - self._starts[line - 1] + 1
        return Place(line, column - 1 if line == 1 and self.text.startswith("\ufeff") else column)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return the place of the value at ``path``, or of its key; of what encloses it when there is none."""
        while path:
            if key and path in self.keys:
                return self.at(self.keys[path])
            if path in self.spans:
                return self.at(self.spans[path][0])
            path = path[:-1]
        return self.at(self.spans.get((), (0, 0))[0])

    def report(self, place: Place, severity: Severity, code: str, message: str, hint: str) -> Diagnostic:
        """Make a diagnostic about a place of this document."""
        return Diagnostic(self.file, place.line, place.column, severity, code, message, hint)


def parse(text: str, file: str) -> Document:
    """Parse ``text``; never raises, see ``Document.diagnostics``.

    Args:
        text: the whole document.
        file: its name for diagnostics.
    """
    document = Document(text, file)
    try:
        document.value = _Parser(document).document_value()
    except _SyntaxFoundError as found:
        document.diagnostics.append(found.diagnostic)
    return document


class _SyntaxFoundError(Exception):
    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(str(diagnostic))
        self.diagnostic = diagnostic


class _Parser:
    """Recursive descent; ``position`` is always at the start of a token."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.position = 0

    def document_value(self) -> Any:
        self.skip_blank()
        if self.position == len(self.text):
            self.fail("the file is empty", "write at least {}")
        value = self.value(())
        if self.position < len(self.text):
            self.fail(
                f"found {self.found()} after the end of the document", "remove it, or a closing bracket before it"
            )
        return value

    def value(self, path: Path) -> Any:
        """Read one value and the blank behind it."""
        start = self.position
        if len(path) > MAX_DEPTH:
            self.fail(f"nested more than {MAX_DEPTH} levels deep", "flatten the document")
        value: Any
        match self.peek():
            case "{":
                value = self.object(path)
            case "[":
                value = self.array(path)
            case '"':
                value = self.string()
            case _:
                value = self.scalar()
        self.document.spans[path] = (start, self.position)
        self.skip_blank()
        return value

    def object(self, path: Path) -> dict[str, Any]:
        members: dict[str, Any] = {}
        opened = self.position
        self.advance()
        while self.peek() != "}":
            if self.peek() != '"':
                self.fail_key(opened)
            start = self.position
            key = self.string()
            self.skip_blank()
            if self.peek() != ":":
                self.fail(f'found {self.found()} after the key "{key}"', f'write "{key}": and then the value')
            self.advance()
            here = (*path, key)
            if key in members:
                self.warn(start, "duplicate-key", f'"{key}" is given twice; the last one counts', "remove one of them")
            self.document.keys[here] = start
            members[key] = self.value(here)
            self.separator(opened, "}")
        self.position += 1
        return members

    def array(self, path: Path) -> list[Any]:
        items: list[Any] = []
        opened = self.position
        self.advance()
        while self.peek() != "]":
            if not self.peek():
                self.fail_unclosed(opened)
            items.append(self.value((*path, len(items))))
            self.separator(opened, "]")
        self.position += 1
        return items

    def separator(self, opened: int, closing: str) -> None:
        """Step over the comma between members; warn where only a key can follow and none is there."""
        character = self.peek()
        if character == ",":
            self.advance()
        elif character == '"' and closing == "}":
            key = self.text[self.position : self.string_end()]
            message = f"a comma is missing before {key}"
            self.warn(self.position, "missing-comma", message, "write , after the value above it")
        elif not character:
            self.fail_unclosed(opened)
        elif character != closing:
            message = f"found {self.found()} where a comma or {closing} is due"
            self.fail(message, f"write , between values and {closing} after the last")

    def string_end(self) -> int:
        start = self.position
        self.string()
        end, self.position = self.position, start
        return end

    def string(self) -> str:
        start = self.position
        try:
            value, self.position = _DECODER.raw_decode(self.text, self.position)
        except json.JSONDecodeError as error:
            if error.msg.startswith("Invalid control"):
                message = "the text in quotes doesn't end on its line"
                self.fail(message, 'write " at its end, and \\n for a line break in it', error.pos)
            if error.msg.startswith("Invalid \\"):
                message = f"{self.text[error.pos : error.pos + 2]} means nothing in a text"
                self.fail(message, r"write \\ for a backslash, or / in a path", error.pos)
            self.fail("the text in quotes doesn't end", 'write " at its end')
        text = str(value)
        if _SURROGATE.search(text):
            self.fail(
                "the text has half a character", r"write the character itself, or both halves: \ud83d\ude00", start
            )
        return text

    def scalar(self) -> Any:
        if number := _NUMBER.match(self.text, self.position):
            if len(number[0]) > _MAX_DIGITS:
                self.fail(f"a number of more than {_MAX_DIGITS} digits", 'write it as text, in "…"')
            self.position = number.end()
            return float(number[0]) if number[2] or number[3] else int(number[0])
        word = _WORD.match(self.text, self.position)
        if not word or word[0] not in _CONSTANTS:
            self.fail(f"found {self.found()} where a value is due", _value_hint(word[0] if word else ""))
        self.position = word.end()
        return _CONSTANTS[word[0]]

    def skip_blank(self) -> None:
        match = _BLANK.match(self.text, self.position)
        self.position = match.end() if match else self.position
        if self.text.startswith("/*", self.position):
            self.fail("the comment doesn't end", "write */ at its end")

    def advance(self) -> None:
        self.position += 1
        self.skip_blank()

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def found(self) -> str:
        if not self.peek():
            return "the end of the file"
        return "a word without quotes" if _WORD.match(self.text, self.position) else self.peek()

    def fail_key(self, opened: int) -> NoReturn:
        if not self.peek():
            self.fail_unclosed(opened)
        word = _WORD.match(self.text, self.position)
        hint = f'write it in double quotes: "{word[0]}"' if word else 'write "key": value'
        self.fail(f"found {self.found()} where a key is due", hint)

    def fail_unclosed(self, opened: int) -> NoReturn:
        line, column = self.document.at(opened)
        bracket = self.text[opened]
        message = f"the file ends before the {bracket} of line {line}, column {column} is closed"
        self.fail(message, f"write the missing {'}' if bracket == '{' else ']'}")

    def fail(self, message: str, hint: str, offset: int | None = None) -> NoReturn:
        place = self.document.at(self.position if offset is None else offset)
        raise _SyntaxFoundError(self.document.report(place, "error", "syntax", message, hint))

    def warn(self, offset: int, code: str, message: str, hint: str) -> None:
        self.document.diagnostics.append(self.document.report(self.document.at(offset), "warning", code, message, hint))


def _value_hint(word: str) -> str:
    constant = _CONSTANT_HINTS.get(word.lower())
    if constant:
        return f"write {constant}"
    if word and not word[0].isalpha():
        return "write a number like 4 or 0.5, without a sign or zero in front"
    return (
        'write text in double quotes, as in "text"' if word else 'write "text", a number, true, false, null, {…} or […]'
    )
