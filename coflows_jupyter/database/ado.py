"""ADO.NET connection texts: ``Keyword=value;…`` with quotes, as SQL Server's and PostgreSQL's .NET drivers read them.

The grammar is the one of ``System.Data.Common.DbConnectionStringBuilder``. No sentence here quotes a value: any part of
the text may be a piece of a password that should have been in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from coflows_jupyter.errors import nearest

_SPACE = re.compile(r"[\s;]*")
_KEYWORD = re.compile(r"((?:[^=;]|==)+)=(?!=)")
_VALUE = re.compile(r"""\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|([^;]*))\s*(?:;|$)""")


def parse(text: str) -> dict[str, str]:
    """Return values by keyword; keywords are in lower case and without spaces, the last one of a kind counts.

    Raises:
        ValueError: the text does not follow the grammar.
    """
    return dict(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    start = 0
    while (start := _SPACE.match(text, start).end()) < len(text):  # type: ignore[union-attr]  # it matches nothing too
        keyword = _KEYWORD.match(text, start)
        if keyword is None:
            raise ValueError(f"{_place(start)} has no '='; {_QUOTES}")
        name = re.sub(r"\s", "", keyword[1]).replace("==", "=").lower()
        value = _VALUE.match(text, keyword.end())
        if value is None or (value[3] is not None and value[3].startswith(('"', "'"))):
            raise ValueError(f"{_place(start)} has a quote without its end; a quote inside of quotes is doubled")
        if value[1] is not None:
            yield name, value[1].replace('""', '"')
        elif value[2] is not None:
            yield name, value[2].replace("''", "'")
        else:
            yield name, value[3].strip()
        start = value.end()


_QUOTES = "a value with ; in it goes into quotes"


def _place(start: int) -> str:
    return f"what begins at character {start + 1}"


def translate(given: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Rename keywords.

    Args:
        given: what ``parse`` returned.
        known: our name for each keyword, ``""`` for those that mean nothing to us.

    Raises:
        ValueError: a keyword is unknown.
    """
    translated: dict[str, str] = {}
    for place, (keyword, value) in enumerate(given.items(), 1):
        name = known.get(keyword)
        if name is None:
            near = nearest(keyword, known)
            # Without one that is alike it may be the rest of a password.
            raise ValueError(f"keyword {place} is unknown; " + (f"did you mean {near}?" if near else _QUOTES))
        if name:
            translated[name] = value
    return translated


_TRUE, _FALSE = frozenset({"true", "yes", "sspi", "1"}), frozenset({"false", "no", "0"})


def truth(keyword: str, value: str) -> bool:
    """Return what a value means.

    Raises:
        ValueError: it is neither true nor false.
    """
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ValueError(f"{keyword} is true or false")
