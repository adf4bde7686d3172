"""The tables of result types in the guide, made of the tables that the encoders go by.

``python -m coflows_jupyter.queries.reference docs/queries.md`` writes them between their two marks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from coflows_jupyter.jsonform import MAPPING
from coflows_jupyter.queries.results import FORMS, MEDIA_TYPES

BEGIN = "<!-- made by python -m coflows_jupyter.queries.reference docs/queries.md -->"
END = "<!-- end of what is made -->"


def tables() -> str:
    """Return the tables as Markdown."""
    suffixes = {kind: f"`.{suffix}`" for suffix, kind in MEDIA_TYPES.items()}
    kinds = [(result, _linked(kinds, suffixes)) for result, kinds in FORMS]
    types = [(", ".join(f"`{_spelled(name)}`" for name in form.types), form.json) for form in MAPPING]
    return "\n\n".join(
        [
            _table(("suffix", "media type"), ((suffix, f"`{kind}`") for kind, suffix in suffixes.items())),
            _table(("result", "comes as, its own form first"), kinds),
            _table(("type", "in JSON"), types),
        ]
    )


def update(text: str) -> str:
    """Return a document with the tables between the marks as they should be.

    Raises:
        ValueError: it has no marks.
    """
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"there is no {BEGIN!r} … {END!r} in it")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{tables()}\n\n{END}", text)


def _spelled(name: str) -> str:
    return name.removeprefix("builtins.")


def _linked(kinds: str, suffixes: dict[str, str]) -> str:
    return ", ".join(suffixes.get(kind, kind) for kind in kinds.split(", "))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> None:
    """Write the tables into the document that the command line names."""
    document = Path(sys.argv[1])
    document.write_text(update(document.read_text()))


if __name__ == "__main__":
    main()
