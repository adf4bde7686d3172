"""Doc comments: the XML lines above functions that document and secure them.

The grammar is the original's (``<info>``, ``<api name="…">`` with ``<description>``, ``<returns>``, ``<param>`` and
``<permissions>``). What differs is what happens when a comment can't be read: it closes functions here, where the
original opened them.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

import msgspec

from coflows_jupyter.access.permissions import AccessType, Grant
from coflows_jupyter.errors import Diagnostic, nearest
from coflows_jupyter.units import parse_duration

# The original took all three in every language, and so read a Python string as a comment.
_MARKERS = {"python": "###", "vb": "'''"}
_OTHER_MARKER = "///"

_MARKUP = re.compile(r"<[/!?:_A-Za-z]")
_DEEPEST = 20
_ELEMENTS = ("info", "api")
_PERMISSIONS = ("permissions", "permission", "group", "groups")
_LEVELS = {level.name.lower(): int(level) for level in AccessType} | {"invited": int(AccessType.DENIED)}


class Info(msgspec.Struct, frozen=True):
    """The ``<info>`` element of a Query's doc comment."""

    title: str = ""
    version: str = "0.0.1"
    description: str = ""
    terms_of_service: str = ""
    contact_name: str = ""
    contact_url: str = ""
    contact_email: str = ""
    license_name: str = ""
    license_url: str = ""


class FunctionDocs(msgspec.Struct, frozen=True):
    """One ``<api>`` element.

    Args:
        description: text of ``<description>``.
        returns: text of ``<returns>``.
        params: type and text of every ``<param>`` by name.
        secrets: names of those that say ``secret="true"``.
        grants: the groups of ``<permissions>``; ``None`` without that element.
        timeout: seconds; 0 when it is not given.
        line: 1-based line in the user's file.
        closed: what it says about permissions can't be read, so nobody may call.
    """

    description: str = ""
    returns: str = ""
    params: dict[str, tuple[str, str]] = {}
    secrets: tuple[str, ...] = ()
    grants: tuple[Grant, ...] | None = None
    timeout: float = 0.0
    line: int = 0
    closed: bool = False


class Docs(msgspec.Struct, frozen=True):
    """All documentation of one file; with ``ok`` false nobody may call any of its functions."""

    info: Info = Info()
    functions: dict[str, FunctionDocs] = {}
    ok: bool = True
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass
class _Node:
    tag: str
    attributes: dict[str, str]
    line: int
    column: int
    children: list[_Node] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def find(self, tag: str) -> _Node | None:
        """Return the first child of this name."""
        return next(self.all(tag), None)

    def all(self, tag: str) -> Iterator[_Node]:
        """Yield the children of this name."""
        return (child for child in self.children if child.tag == tag)

    def descendants(self) -> Iterator[_Node]:
        """Yield everything inside."""
        for child in self.children:
            yield child
            yield from child.descendants()

    def text(self, tag: str) -> str:
        """Return the text of a child, its white space folded."""
        child = self.find(tag)
        return child.content() if child is not None else ""

    def content(self) -> str:
        """Return all text inside, its white space folded."""
        return " ".join("".join(self.pieces).split())


class _Line(NamedTuple):
    """A comment line without its marker, and where it starts in the source."""

    number: int
    column: int
    text: str


def parse_docs(text: str, file: str, language: str) -> Docs:
    """Read the doc comments of a source file; never raises.

    Args:
        text: the source.
        file: its path, for diagnostics.
        language: a value of ``LANGUAGES``.
    """
    lines = _comment_lines(text, language)
    if not any(_MARKUP.search(line.text) for line in lines):
        return Docs()  # banners and headings
    try:
        root = _Document().read(lines)
    except _Unreadable as error:
        return _unreadable(Diagnostic(file, error.line, error.column, "error", "doc-comment", str(error), _XML_HINT))
    return _Reader(file).read(root)


def _comment_lines(text: str, language: str) -> list[_Line]:
    marker = _MARKERS.get(language, _OTHER_MARKER)
    lines = [
        _Line(number, len(line) - len(stripped) + len(marker), stripped.removeprefix(marker))
        for number, line in enumerate(text.split("\n"), 1)
        if (stripped := line.lstrip()).startswith(marker)
    ]
    if language == "python" and lines:
        comments = _python_comments(text)
        lines = [line for line in lines if line.number in comments]
    return lines


def _python_comments(text: str) -> Container[int]:
    """Return the lines that hold a comment: a heading in a docstring may begin with the marker too."""
    found = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.add(token.start[0])
    except (tokenize.TokenError, SyntaxError):
        return range(text.count("\n") + 2)  # such a file does not load; what it says is shown all the same
    return found


class _Unreadable(Exception):
    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"the doc comment is no well-formed XML: {message}")
        self.line = line
        self.column = column


def _unreadable(*diagnostics: Diagnostic) -> Docs:
    return Docs(ok=False, diagnostics=diagnostics)


class _Document:
    """Parses comment lines as one XML document whose places are those of the source file."""

    def __init__(self) -> None:
        self._parser = parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)  # each line is looked at before the next one
        self._lines: list[_Line] = []
        self._root = _Node("root", {}, 0, 0)
        self._open = [self._root]

    def read(self, lines: Iterable[_Line]) -> _Node:
        """Return the element that holds everything.

        Raises:
            _Unreadable: it is no well-formed XML, or more than a doc comment may be.
        """
        inside_tag = False
        try:
            self._parser.Parse("<root>\n")
            for line in lines:
                between = len(self._open) == 2 and not inside_tag  # noqa: PLR2004  (the document and <root>)
                if between and ">" not in line.text and not _MARKUP.search(line.text):
                    continue  # an ordinary comment between elements, which need not be XML
                self._lines.append(line)
                if "<" in line.text or ">" in line.text:
                    inside_tag = line.text.rfind("<") > line.text.rfind(">")
                self._parser.Parse(line.text + "\n")
            self._parser.Parse("</root>", True)
        except expat.ExpatError as error:
            raise self._unreadable(expat.ErrorString(error.code), error.lineno, error.offset) from None
        except UnicodeEncodeError:
            raise self._unreadable("it has half a character", len(self._lines) + 1, 0) from None
        return self._root.children[0]

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber
        if len(self._open) > _DEEPEST:
            raise self._unreadable("it is nested too deep", line, column)
        node = _Node(tag, attributes, *self._place(line, column))
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, _tag: str) -> None:
        self._open.pop()

    def _text(self, data: str) -> None:
        for node in self._open[2:]:
            node.pieces.append(data)

    def _doctype(self, *_: object) -> None:
        place = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber
        raise self._unreadable("a DOCTYPE is not allowed", *place)

    def _place(self, line: int, column: int) -> tuple[int, int]:
        if not self._lines:
            return 0, 0
        source = self._lines[min(max(line - 2, 0), len(self._lines) - 1)]
        return source.number, source.column + column + 1

    def _unreadable(self, message: str, line: int, column: int) -> _Unreadable:
        return _Unreadable(message, *self._place(line, column))


class _Reader:
    """Makes ``Docs`` of a document, collecting what is wrong with it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Diagnostic] = []
        self._lost: list[_Node] = []

    def read(self, root: _Node) -> Docs:
        functions: dict[str, FunctionDocs] = {}
        for node in root.children:
            if node.tag not in _ELEMENTS:
                near = nearest(node.tag, _ELEMENTS)
                hint = f"did you mean <{near}>?" if near else "there are <info> and <api>"
                self._report(node, f"<{node.tag}> is not known here", hint, severity="warning")
            # Permissions of nobody knows which function: they may be meant for any.
            if node.tag != "api":
                self._lost += [n for n in (node, *node.descendants()) if _is_permission(n)]
        for node in root.all("api"):
            name = node.attributes.get("name", "")
            if not name:
                self._lost.append(node)
                continue
            docs = self._function(node)
            if name in functions:
                self._report(node, f"{name} is documented twice", "keep one <api>; until then nobody may call it")
                docs = msgspec.structs.replace(docs, closed=True)
            functions[name] = docs
        for node in self._lost:
            hint = 'put it into <api name="…"> with the name of the function; until then nobody may call this file'
            self._report(node, f"<{node.tag}> belongs to no function", hint)
        return Docs(self._info(root.find("info")), functions, not self._lost, tuple(self._found))

    def _report(self, node: _Node, message: str, hint: str, *, severity: str = "error") -> None:
        self._found.append(
            Diagnostic(self._file, node.line, node.column, severity, "doc-comment", message, hint)  # type: ignore[arg-type]
        )

    @staticmethod
    def _info(node: _Node | None) -> Info:
        if node is None:
            return Info()
        contact = node.find("contact") or _Node("", {}, 0, 0)
        licence = node.find("license") or _Node("", {}, 0, 0)
        terms = node.find("termsOfService") or _Node("", {}, 0, 0)
        return Info(
            title=node.text("title"),
            version=node.attributes.get("version", "") or "0.0.1",
            description=node.text("description"),
            terms_of_service=terms.attributes.get("url", ""),
            contact_name=contact.attributes.get("name", ""),
            contact_url=contact.attributes.get("url", ""),
            contact_email=contact.attributes.get("email", ""),
            license_name=licence.attributes.get("name", ""),
            license_url=licence.attributes.get("url", ""),
        )

    def _function(self, node: _Node) -> FunctionDocs:
        before = len(self._found)
        permissions = list(node.all("permissions"))
        grants = tuple(grant for p in permissions for grant in self._grants(p)) if permissions else None
        for child in node.children:
            for inner in (child, *child.descendants()) if child.tag != "permissions" else ():
                if _is_permission(inner):
                    self._report(inner, f"<{inner.tag}> has no meaning here", _GROUP_HINT)
        closed = len(self._found) > before
        return FunctionDocs(
            description=node.text("description"),
            returns=node.text("returns"),
            params={
                name: (param.attributes.get("type", ""), param.content())
                for param in node.all("param")
                if (name := param.attributes.get("name", ""))
            },
            secrets=tuple(
                param.attributes.get("name", "")
                for param in node.all("param")
                if param.attributes.get("secret", "false").strip().lower() not in {"false", "no", "0", ""}
            ),
            grants=grants,
            timeout=self._timeout(node),
            line=node.line,
            closed=closed,
        )

    def _grants(self, node: _Node) -> Iterator[Grant]:
        if not node.children:
            self._report(node, "<permissions> names no group, so nobody may call", _GROUP_HINT)
        for child in node.children:
            group, word = child.attributes.get("id", ""), child.attributes.get("permission", "")
            level = _LEVELS.get(word.strip().lower())
            if child.tag != "group" or not group:
                self._report(child, f"<{child.tag}> is no <group> with an id", _GROUP_HINT)
            elif level is None:
                self._report(child, f"the permission {word!r} of group {group} is not known", _GROUP_HINT)
            else:
                yield Grant(group, level)

    def _timeout(self, node: _Node) -> float:
        text = node.attributes.get("timeout", "")
        if not text:
            return 0.0
        try:
            return parse_duration(text)
        except ValueError as error:
            self._report(node, f"timeout: {error}", 'write for example timeout="30s"')
            return 0.0


def _is_permission(node: _Node) -> bool:
    """Whether an element speaks of permissions, also when it is misspelt."""
    return nearest(node.tag, _PERMISSIONS) != ""


_XML_HINT = "close every element, and write &lt; and &amp; for < and &; until then nobody may call this file"
_GROUP_HINT = (
    'write <permissions><group id="…" permission="read"/></permissions> (or view, write, denied); '
    "until then nobody may call the function"
)
