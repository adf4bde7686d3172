"""The catalog: everything a door needs to know about a Build's functions without running them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from coflows_jupyter.access.permissions import Grant
from coflows_jupyter.errors import Diagnostic, nearest
from coflows_jupyter.queries.docs import FunctionDocs, Info, parse_docs
from coflows_jupyter.runtimes.agent import AgentEntry
from coflows_jupyter.runtimes.protocol import Parameter, Signature
from coflows_jupyter.runtimes.signature import documented
from coflows_jupyter.workflow.sources import SourceUnit


class FunctionEntry(msgspec.Struct, frozen=True):
    """One callable function of a Query.

    Args:
        signature: name, parameters (with the doc comment's descriptions merged in), docstring.
        description: ``<description>`` of the doc comment, else the docstring's first paragraph.
        returns: ``<returns>`` of the doc comment.
        grants: permissions that the doc comment names; ``None`` when it names none.
        closed: the documentation could not be read, so nobody may call.
        timeout: seconds of ``<api timeout>``; 0 means the Workflow's own.
    """

    signature: Signature
    description: str = ""
    returns: str = ""
    grants: tuple[Grant, ...] | None = None
    closed: bool = False
    timeout: float = 0.0


class QueryEntry(msgspec.Struct, frozen=True):
    """One Query: a file whose public functions are endpoints."""

    id: str
    name: str
    path: str
    language: str
    info: Info
    functions: dict[str, FunctionEntry]


class Catalog(msgspec.Struct, frozen=True):
    """All Queries and Agents of one Build by ID."""

    build: str = ""
    queries: dict[str, QueryEntry] = {}
    agents: dict[str, AgentEntry] = {}


def make_entry(unit: SourceUnit, signatures: Sequence[Signature]) -> tuple[QueryEntry, tuple[Diagnostic, ...]]:
    """Put a file's doc comments and its functions together.

    Args:
        unit: the Query's source.
        signatures: its public functions, as its runtime discovered them.

    Returns:
        The entry, and every finding about the documentation.
    """
    docs = parse_docs(unit.text, unit.path, unit.language)
    found = list(docs.diagnostics)
    names = [signature.name for signature in signatures]
    for name, described in docs.functions.items():
        if name not in names:
            near = nearest(name, names)
            hint = f"did you mean {near}?" if near else f"the functions are: {', '.join(names) or 'none'}"
            message = f"there is no function {name} for this documentation"
            found.append(Diagnostic(unit.path, described.line, 0, "warning", "doc-comment", message, hint))
    functions = {s.name: _function_entry(s, docs.functions.get(s.name), readable=docs.ok) for s in signatures}
    return QueryEntry(unit.name, unit.name, unit.path, unit.language, docs.info, functions), tuple(found)


def _function_entry(signature: Signature, docs: FunctionDocs | None, *, readable: bool) -> FunctionEntry:
    described = docs or FunctionDocs()
    return FunctionEntry(
        msgspec.structs.replace(signature, parameters=tuple(_documented(p, described) for p in signature.parameters)),
        described.description or signature.doc.partition("\n\n")[0].replace("\n", " "),
        described.returns,
        described.grants,
        described.closed or not readable,
        described.timeout,
    )


def _documented(parameter: Parameter, docs: FunctionDocs) -> Parameter:
    """Add what a doc comment says; its type counts only where the source gives none."""
    kind, text = docs.params.get(parameter.name, ("", ""))
    parameter = msgspec.structs.replace(parameter, secret=parameter.name in docs.secrets or _hides(parameter))
    description = text or parameter.description
    if parameter.annotation or not kind:
        return msgspec.structs.replace(parameter, description=description)
    return msgspec.structs.replace(parameter, description=description, annotation=kind, schema=documented(kind).schema)


def _hides(parameter: Parameter) -> bool:
    """Whether the annotation says that a value is a secret: pydantic's ``SecretStr`` and its like, at any depth."""
    return "Secret" in parameter.annotation or b'"writeOnly":true' in msgspec.json.encode(parameter.schema)
