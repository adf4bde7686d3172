"""Durations, memory and CPU as the config files spell them.

Memory and CPU follow the Kubernetes quantity format
(https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
Every function raises ``ValueError`` with a whole sentence, ready for a diagnostic.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
_BYTES = (
    {"": Decimal(1), "k": Decimal(1000)}
    | {letter: Decimal(1000) ** power for power, letter in enumerate("MGTPE", 2)}
    | {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
)
_CORES = {"": Decimal(1), "m": Decimal("0.001")}

# At most 15 digits on each side: enough for an exbibyte count, and no text can make the arithmetic slow.
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([A-Za-z]*)")


def parse_duration(value: str | float) -> float:
    """Return the seconds that ``value`` means.

    Args:
        value: a number of seconds, or text like ``"500ms"``, ``"60s"``, ``"2m"``, ``"1h"``, ``"1d"``.

    Raises:
        ValueError: it is neither, or negative.
    """
    return float(_parse(value, _SECONDS, "a duration", '"60s", "500ms", "2m" or a number of seconds'))


def parse_memory(value: str | float) -> int:
    """Return the bytes that ``value`` means, rounded up.

    Args:
        value: a number of bytes, or text like ``"50Gi"``, ``"200Mi"``, ``"1.5G"``.

    Raises:
        ValueError: it is neither, or negative.
    """
    return math.ceil(_parse(value, _BYTES, "an amount of memory", '"200Mi", "2Gi" or a number of bytes'))


def parse_cpu(value: str | float) -> float:
    """Return the CPU cores that ``value`` means.

    Args:
        value: a number of cores, or text like ``"2"``, ``"0.5"``, ``"500m"`` (thousandths).

    Raises:
        ValueError: it is neither, or negative.
    """
    return float(_parse(value, _CORES, "an amount of CPU", '"500m", "0.5" or "2"'))


def _parse(value: str | float, factors: dict[str, Decimal], what: str, examples: str) -> Decimal:
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value.strip())
        if match and match[2] in factors:
            return Decimal(match[1]) * factors[match[2]]
    elif not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return Decimal(str(value))
    raise ValueError(f"{value!r} is not {what}; write {examples}")
