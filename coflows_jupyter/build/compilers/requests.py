"""What is said to a builder and what it says; one line of JSON each."""

from __future__ import annotations

import msgspec

from coflows_jupyter.errors import Diagnostic, Severity


class Source(msgspec.Struct, frozen=True):
    """A file to compile; the text counts, and the path is what findings and stack traces name."""

    path: str
    text: str


class Request(msgspec.Struct, frozen=True):
    """What to compile into one artefact.

    Args:
        language: as ``SourceUnit`` has it.
        name: the artefact's own name.
        output: path of the artefact: a library, whose symbols come to lie beside it, or a folder of classes.
        sources: in the order that counts for F#.
        references: paths of what they may use.
        id: matches the reply.
    """

    language: str
    name: str
    output: str
    sources: tuple[Source, ...]
    references: tuple[str, ...]
    id: int = 0


class Finding(msgspec.Struct, frozen=True):
    """What a compiler says; an empty ``file`` means all of them."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str


class Reply(msgspec.Struct, frozen=True):
    """How a request went."""

    id: int
    ok: bool
    findings: tuple[Finding, ...]


def diagnostic(finding: Finding, path: str) -> Diagnostic:
    """Return a finding as everything else has it; ``path`` is the file where none is named."""
    place = finding.file or path, finding.line, finding.column
    return Diagnostic(*place, finding.severity, finding.code, finding.message)
