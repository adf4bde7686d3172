"""The table of what every kind of result is in every format: ``tests/data/golden.jsonl``, a row a line.

``python -m tests.doors.golden`` writes it anew, by an embedded host; read the difference before it is committed.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.config import load_config
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.queries.results import ARROW, BYTES, MEDIA_TYPES, split_suffix

DATA = Path(__file__).parents[1] / "data"
TABLE = DATA / "golden.jsonl"
WID = "7e1d5c0a-6b1f-4c35-8f0e-2d4b9a8c7e61"
KEY = "7a1c9e3f5b7d2a4c6e8f0b1d3c5a7e9f"
# What libraries draw and pack changes with their versions; of these the doors are compared with each other.
_DRAWN = {"Chart", "Plotly", "Altair"}
# These need a program beside the library, a browser.
_ELSEWHERE = {("Plotly", "png"), ("Plotly", "svg")}


class Row(NamedTuple):
    """What one function is in one format.

    Args:
        function: its name.
        suffix: the format; empty for the value's own.
        status: HTTP status, 406 where there is no such form.
        content_type: media type, empty with 406.
        body: the text; ``None`` where only the doors are compared with each other.
    """

    function: str
    suffix: str
    status: int
    content_type: str
    body: str | None

    @property
    def name(self) -> str:
        """The function's name with the suffix, as addresses and commands have it."""
        return f"{self.function}.{self.suffix}" if self.suffix else self.function


def rows() -> list[Row]:
    """Read the table."""
    return [Row(*json.loads(line)) for line in TABLE.read_text().splitlines()]


def make_workflow(folder: Path, mode: str = "process") -> Path:
    """Write the Workflow that has one function for each kind of result; return its config file."""
    (folder / "Queries").mkdir(parents=True)
    (folder / "Queries" / "golden.py").write_text((DATA / "golden.py").read_text())
    (folder / "Queries" / "report.csv").write_text("a,b\n1,2\n")
    query = {"Name": "golden.py", "Content": "Queries/golden.py", "ID": "golden"}
    (folder / "package.json").write_text(json.dumps({"ID": WID, "Name": "Golden", "Queries": [query]}))
    config = {
        "Workflow": "package.json",
        "Jupyter": mode == "process",
        "Server": {"SecretKey": KEY},
        "Host": {"Mode": mode},
        "Watch": "off",
    }
    file = folder / "coflows_config.json"
    file.write_text(json.dumps(config))
    return file


async def _make_row(engine: Engine, function: str, suffix: str) -> Row:
    _, accept = split_suffix(f"x.{suffix}") if suffix else ("", "")
    caller = Caller("root", "root", "local", "cli", AccessType.WRITE)
    try:
        result = await engine.call(Call(new_run_id(), "golden", function, "json", b"", accept, caller, 60))
    except NotAcceptableError:
        return Row(function, suffix, 406, "", None)
    body = result.body if isinstance(result.body, bytes) else b"".join([chunk async for chunk in result.body])
    known = function not in _DRAWN and result.content_type not in {ARROW, BYTES}
    return Row(function, suffix, result.status, result.content_type, body.decode() if known else None)


async def _make(config: Path) -> list[Row]:
    engine = Engine(load_config(config), mode="embedded", watch=False)
    assert (await engine.build()).ok

    def asked() -> Iterator[tuple[str, str]]:
        for function in engine.catalog.queries["golden"].functions:
            yield from ((function, suffix) for suffix in ("", *MEDIA_TYPES))

    try:
        return [await _make_row(engine, *pair) for pair in asked() if pair not in _ELSEWHERE]
    finally:
        await engine.close()


def main() -> None:
    """Write the table."""
    with tempfile.TemporaryDirectory() as folder:
        made = asyncio.run(_make(make_workflow(Path(folder) / "golden", "embedded")))
    TABLE.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made))


if __name__ == "__main__":
    main()
