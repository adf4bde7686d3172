"""Tables as CSV, text, HTML and Arrow.

A frame, a list of objects, a list of lists and an object of lists are tables, and an object is one of two columns.
"""

from __future__ import annotations

import csv
import html
import io
import itertools
import sys
from typing import Any

import orjson

from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.jsonform import key_text, to_json, unfold

_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:1.5em;color-scheme:light dark}"
    "table{border-collapse:collapse}th,td{padding:.3em .8em;border-bottom:1px solid #8884;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}th{position:sticky;top:0;background:Canvas}"
)


def _rows(value: Any) -> tuple[list[str], list[list[Any]]] | None:
    """Return header and rows of a value that is a table, its cells as they are; ``None`` for any other."""
    if is_frame(value) and not len(value):
        return list(map(key_text, value.columns)), []  # a table all the same, which its rows don't show
    value = unfold(value)
    if isinstance(value, dict):
        names, columns = list(map(key_text, value)), [_unfolded(item) for item in value.values()]
        if columns and all(isinstance(column, list) for column in columns):
            return names, [list(row) for row in itertools.zip_longest(*columns)]
        return ["key", "value"], [list(pair) for pair in zip(names, columns, strict=True)]
    if not isinstance(value, list):
        return None
    rows = [_unfolded(row) for row in value]
    if rows and all(isinstance(row, dict) for row in rows):
        header = list(dict.fromkeys(name for row in rows for name in row))
        return list(map(key_text, header)), [[row.get(name) for name in header] for row in rows]
    return [], [row if isinstance(row, list) else [row] for row in rows]


def _unfolded(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else unfold(value)


def _cell(value: Any) -> str:
    """Write a value as its JSON has it: text without the quotes, and nothing for ``null``."""
    if type(value) is str:
        return value
    text = to_json(value).decode()
    if text == "null":
        return ""
    return orjson.loads(text) if text.startswith('"') else text


def to_csv(value: Any) -> bytes:
    """Write RFC 4180 CSV; a value that is no table is a single cell, and text is taken for CSV already.

    Cells that a spreadsheet would take for a formula (``=…``, ``+…``, ``-…``, ``@…``) are written as they are: to mark
    them would change the data for every other reader. Who opens data of strangers in a spreadsheet imports it as text.
    """
    if isinstance(value, str):
        return value.encode(errors="replace")  # the original sent text under this suffix as it was
    header, rows = _rows(value) or ([], [[value]])
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if header:
        writer.writerow(header)
    writer.writerows([_cell(item) for item in row] for row in rows)
    return text.getvalue().encode(errors="replace")


def to_text(value: Any) -> bytes:
    """Write text as it is, a table in aligned columns, anything else as JSON."""
    if isinstance(value, str):
        return value.encode(errors="replace")
    table = _rows(value)
    if table is None:
        return _cell(value).encode()
    header, rows = table
    lines = [[_cell(item) for item in row] for row in ([header] if header else []) + rows]
    count = max(map(len, lines), default=0)
    widths = [max(len(line[place]) for line in lines if place < len(line)) for place in range(count)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip() for line in lines
    ).encode(errors="replace")


def to_html(value: Any) -> bytes:
    """Write a page with a table, or with the value as text where it is none."""
    table = None if isinstance(value, str) else _rows(value)
    if table is None:
        content = f"<pre>{html.escape(to_text(value).decode())}</pre>"
    else:
        header, rows = table
        head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
        body = "".join(f"<tr>{''.join(map(_html_cell, row))}</tr>" for row in rows)
        content = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<!DOCTYPE html><meta charset=utf-8><style>{_STYLE}</style>{content}".encode(errors="replace")


def _html_cell(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td{' class=n' * number}>{html.escape(_cell(value))}</td>"


def is_frame(value: Any) -> bool:
    """Whether a value is a frame of pandas or polars, without importing either."""
    return any(
        module is not None and isinstance(value, module.DataFrame)
        for module in (sys.modules.get("pandas"), sys.modules.get("polars"))
    )


def to_arrow(frame: Any) -> bytes | memoryview:
    """Write a frame as an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html).

    Raises:
        NotAcceptableError: it takes pyarrow for a frame of pandas, or the frame holds what Arrow has no type for.
    """
    if hasattr(frame, "write_ipc_stream"):
        buffer = io.BytesIO()
        frame.write_ipc_stream(buffer)
        return buffer.getvalue()
    try:
        import pyarrow as pa
    except ImportError:
        raise NotAcceptableError("Arrow needs the package pyarrow; add it to Pips in package.json") from None
    try:
        table = pa.Table.from_pandas(frame)
    except pa.ArrowException as error:
        raise NotAcceptableError(f"the frame has no Arrow form: {error}") from None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())
