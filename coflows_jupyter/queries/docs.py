"""Doc comments: the XML lines above functions that document and secure them.

The grammar is the original's (``<info>``, ``<api name="…">`` with ``<description>``, ``<returns>``, ``<param>`` and
``<permissions>``). What differs is what happens when a comment can't be read: it closes functions here, where the
original opened them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

import msgspec

from coflows_jupyter.access.permissions import AccessType, Grant
from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.units import parse_duration

# The original took all three in every language, and so read a Python string as a comment.
_MARKERS = {"python": "###", "vb": "'''"}
_OTHER_MARKER = "///"

_TAG = re.compile(r"</?\s*[A-Za-z]")
_ELEMENTS = ("info", "api")
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
        grants: the groups of ``<permissions>``; ``None`` without that element.
        timeout: seconds; 0 when it is not given.
        line: 1-based line in the user's file.
        closed: what it says about permissions can't be read, so nobody may call.
    """

    description: str = ""
    returns: str = ""
    params: dict[str, tuple[str, str]] = {}
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

    def text(self, tag: str) -> str:
        """Return the text of a child, its white space folded."""
        child = self.find(tag)
        return child.content() if child is not None else ""

    def content(self) -> str:
        """Return all text inside, its white space folded."""
        return " ".join("".join(self.pieces).split())


def parse_docs(text: str, file: str, language: str) -> Docs:
    """Read the doc comments of a source file; never raises.

    Args:
        text: the source.
        file: its path, for diagnostics.
        language: a value of ``LANGUAGES``.
    """
    marker = _MARKERS.get(language, _OTHER_MARKER)
    lines = [
        (number, stripped.removeprefix(marker), len(line) - len(stripped) + len(marker))
        for number, line in enumerate(text.split("\n"), 1)
        if (stripped := line.lstrip()).startswith(marker)
    ]
    if not any(_TAG.search(content) for _, content, _ in lines):
        return Docs()  # a banner, not documentation
    try:
        root = _parse(lines)
    except _Unreadable as error:
        hint = "close every element, and write &lt; and &amp; for < and &; until then nobody may call this file"
        return Docs(
            ok=False,
            diagnostics=(Diagnostic(file, error.line, error.column, "error", "doc-comment", str(error), hint),),
        )
    return _Reader(file).read(root)


class _Unreadable(Exception):
    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"the doc comment is no well-formed XML: {message}")
        self.line = line
        self.column = column


def _parse(lines: list[tuple[int, str, int]]) -> _Node:
    """Parse comment lines as one document; places are those of the source file."""
    parser = expat.ParserCreate()
    root = _Node("root", {}, 0, 0)
    open_nodes = [root]

    def place(line: int, column: int) -> tuple[int, int]:
        number, _, indent = lines[min(max(line - 2, 0), len(lines) - 1)]
        return number, column + indent + 1

    def start(tag: str, attributes: dict[str, str]) -> None:
        node = _Node(tag, attributes, *place(parser.CurrentLineNumber, parser.CurrentColumnNumber))
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_tag: str) -> None:
        node = open_nodes.pop()
        open_nodes[-1].pieces += node.pieces

    def text(data: str) -> None:
        open_nodes[-1].pieces.append(data)

    def doctype(*_: object) -> None:
        raise _Unreadable("a DOCTYPE is not allowed", *place(parser.CurrentLineNumber, parser.CurrentColumnNumber))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    document = "\n".join(["<root>", *(content for _, content, _ in lines), "</root>"])
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise _Unreadable(expat.ErrorString(error.code), *place(error.lineno, error.offset)) from None
    return root.children[0]


class _Reader:
    """Makes ``Docs`` of a document, collecting what is wrong with it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Diagnostic] = []

    def read(self, root: _Node) -> Docs:
        functions: dict[str, FunctionDocs] = {}
        for node in root.children:
            if node.tag not in _ELEMENTS:
                near = difflib.get_close_matches(node.tag.lower(), _ELEMENTS, 1)
                hint = f"did you mean <{near[0]}>?" if near else "there are <info> and <api>"
                self._report(node, f"<{node.tag}> is not known here", hint, severity="warning")
        for node in root.all("api"):
            name = node.attributes.get("name", "")
            if not name:
                self._report(node, "<api> has no name", 'write <api name="…"> with the name of the function')
                continue
            docs = self._function(node)
            if name in functions:
                self._report(node, f"{name} is documented twice", "keep one <api>; until then nobody may call it")
                docs = msgspec.structs.replace(docs, closed=True)
            functions[name] = docs
        return Docs(self._info(root.find("info")), functions, diagnostics=tuple(self._found))

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
        closed = len(self._found) > before
        return FunctionDocs(
            description=node.text("description"),
            returns=node.text("returns"),
            params={
                name: (param.attributes.get("type", ""), param.content())
                for param in node.all("param")
                if (name := param.attributes.get("name", ""))
            },
            grants=grants,
            timeout=self._timeout(node),
            line=node.line,
            closed=closed,
        )

    def _grants(self, node: _Node) -> Iterator[Grant]:
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


_GROUP_HINT = (
    'write <group id="…" permission="view"/> (or read, write, denied); until then nobody may call the function'
)
