"""Takes secrets out of text that is kept or shown: logs as they are printed, errors and tracebacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

MASK = "***"
# What is shorter is a part of ordinary words and numbers: masking it would hide everything else and itself nothing.
SHORTEST = 4

_NOTHING = re.compile(r"(?!)")


class Masker:
    """Replaces secrets by ``MASK``, as they are and as ``repr`` and JSON spell them.

    Args:
        values: secrets that are known from the beginning.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._texts: frozenset[str] = frozenset()
        self._pattern = _NOTHING
        self.add(values)

    def __bool__(self) -> bool:
        """Whether there is anything to mask."""
        return bool(self._texts)

    def add(self, values: Iterable[str]) -> None:
        """Mask these, too, from now on; those shorter than ``SHORTEST`` are left alone."""
        texts = {text for value in values for text in _spellings(value) if len(text) >= SHORTEST} - self._texts
        if texts:
            self._texts |= texts
            # Of two secrets that begin alike the longer one is meant, where it fits.
            self._pattern = re.compile("|".join(map(re.escape, sorted(self._texts, key=len, reverse=True))))

    def mask(self, text: str) -> str:
        """Return ``text`` without secrets."""
        return self._pattern.sub(MASK, text)

    def cut(self, text: str) -> int:
        """Return from where on ``text`` may be the beginning of a secret, its length when nothing of it is."""
        longest = max(map(len, self._texts), default=1)
        initials = {secret[0] for secret in self._texts}
        places = (at for at in range(max(0, len(text) - longest + 1), len(text)) if text[at] in initials)
        at = next((at for at in places if any(s.startswith(text[at:]) for s in self._texts)), len(text))
        # A secret that is there already, and whose end may begin another one, is decided together with that.
        return next((found.start() for found in self._pattern.finditer(text) if found.start() < at < found.end()), at)


class MaskedText:
    """Masks a text that comes in pieces, as if it came in one.

    Args:
        masker: what to mask; it may learn more meanwhile.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take a piece and return what can be passed on; the beginning of what may become a secret is held back."""
        text = self._held + piece
        at = self._masker.cut(text)
        self._held = text[at:]
        return self._masker.mask(text[:at])

    def end(self) -> str:
        """Return what was held back."""
        held, self._held = self._held, ""
        return self._masker.mask(held)


def texts(value: Any) -> Iterator[str]:
    """Give the texts of a secret argument: its own, or those in a container, ``SecretStr`` and its like opened."""
    reveal = getattr(value, "get_secret_value", None)
    if reveal is not None:
        yield from texts(reveal())
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Sequence | set | frozenset):
        for inner in value:
            yield from texts(inner)
    elif hasattr(value, "__dict__"):
        yield from texts(vars(value))


def _spellings(text: str) -> Iterator[str]:
    yield text
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    # A key of several lines may be printed line by line.
    yield from (line for line in text.splitlines() if len(line) > SHORTEST)
