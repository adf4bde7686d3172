"""Results and functions on a terminal: tables for tables, JSON otherwise."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from coflows_jupyter.cli.output import Output
from coflows_jupyter.notebook.signatures import make_doc, make_signature

if TYPE_CHECKING:
    from coflows_jupyter.host.protocol import Result
    from coflows_jupyter.queries.catalog import FunctionEntry, QueryEntry

_TEXTS = frozenset({"application/json", "application/x-ndjson"})
# Nothing is cut where nobody looks at a window of some width.
_WIDE = 10_000


async def show(output: Output, result: Result, *, raw: bool = False) -> None:
    """Print what a call gave back; a stream appears as it comes.

    Args:
        output: the command's voice; where it wants JSON, the call has to ask for JSON.
        result: what ``Engine.call`` returned.
        raw: print its very bytes, whatever they are.
    """
    media_type = result.content_type.partition(";")[0]
    text = media_type in _TEXTS or media_type.startswith("text/")
    if not isinstance(result.body, bytes) and text and (raw or media_type != "application/json"):
        async for chunk in result.body:
            _binary(output.stdout, chunk)
        return
    body = result.body if isinstance(result.body, bytes) else b"".join([chunk async for chunk in result.body])
    if raw and (text or not output.stdout.isatty()):
        _binary(output.stdout, body)
    elif media_type == "application/json":
        _show_json(output, body)
    elif text:
        output.write(body.decode().removesuffix("\n"))
    elif output.stdout.isatty():
        output.note(f"{len(body)} bytes of {media_type}; write > FILE behind the command to keep them")
    else:
        _binary(output.stdout, body)


def _binary(stream: TextIO, data: bytes) -> None:
    stream.flush()
    stream.buffer.write(data)
    stream.buffer.flush()


def _show_json(output: Output, body: bytes) -> None:
    text = msgspec.json.format(body, indent=2).decode()
    rows = None if output.json else _rows(msgspec.json.decode(body))
    if rows is not None:
        show_table(output.stdout, rows)
    elif output.stdout.isatty():
        from rich.console import Console
        from rich.highlighter import JSONHighlighter

        Console(file=output.stdout).print(JSONHighlighter()(text), soft_wrap=True)
    else:
        output.write(text)


def _rows(value: Any) -> list[dict[str, Any]] | None:
    """Return ``value`` if it is a table: records, with at least one field each."""
    if isinstance(value, list) and value and all(isinstance(row, dict) and row for row in value):
        return value
    return None


def show_table(stream: TextIO, rows: list[dict[str, Any]]) -> None:
    """Print records as a table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for name in columns:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row.get(name))) for name in columns))
    Console(file=stream, width=None if stream.isatty() else _WIDE).print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def describe(entry: FunctionEntry) -> str:
    """Spell a function with its parameters, as ``help`` would."""
    signature = entry.signature
    doc = make_doc(entry.description, signature.parameters, entry.returns)
    return f"{signature.name}{make_signature(signature.parameters)}\n{textwrap.indent(doc, '    ')}".rstrip()


def document(entry: QueryEntry) -> dict[str, Any]:
    """Make the JSON document that lists a Query's functions."""
    return {
        "id": entry.id,
        "name": entry.name,
        "functions": [
            {
                "name": name,
                "description": function.description,
                "returns": function.returns,
                "parameters": function.signature.parameters,
            }
            for name, function in entry.functions.items()
        ],
    }
