"""``System``: the names of .NET that Python code of the original uses, as what Python has for them."""

from __future__ import annotations

import decimal
import math
import os
import platform
import re
import sys
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from coflows_jupyter.compat.moments import DateTime, TimeSpan
from coflows_jupyter.compat.surface import Delegate, Named, Static, Surface

__all__ = [
    "Action",
    "Boolean",
    "Byte",
    "Console",
    "DateTime",
    "Decimal",
    "Double",
    "Environment",
    "Exception",
    "Func",
    "Guid",
    "Int16",
    "Int32",
    "Int64",
    "Object",
    "Predicate",
    "Single",
    "String",
    "TimeSpan",
]

INSTEAD: Mapping[str, str] = {
    "Collections": "use Python's list and dict",
    "Convert": "use int(), float(), str()",
    "IO": "use Python's open() and pathlib",
    "Linq": "use Python's comprehensions",
    "Math": "use Python's math",
    "Net": "use httpx or urllib",
    "Random": "use Python's random",
    "Threading": "use Python's threading",
}

Object = object
Exception = Exception  # noqa: A001, PLW0127 - the original's name, and Python's is what it means


class _Value(Named):
    """The type of values that are Python's own."""

    python: type

    def __instancecheck__(cls, value: object) -> bool:  # noqa: N805 - a metaclass
        """Whether it is a value of the Python type that stands for this one."""
        return isinstance(value, cls.python)


class Boolean(Surface, metaclass=_Value):
    """``bool``."""

    python = bool

    def __new__(cls, value: object = False) -> Any:  # noqa: FBT002
        """Return a Python value."""
        return bool(value)

    @staticmethod
    def Parse(text: str) -> bool:
        """Read ``True`` or ``False``, in any case."""
        try:
            return {"true": True, "false": False}[text.strip().lower()]
        except KeyError:
            raise ValueError(f"{text!r} is no Boolean") from None


class Int32(Surface, metaclass=_Value):
    """``int`` of 32 bits."""

    python = int
    MinValue: ClassVar[int] = -(2**31)
    MaxValue: ClassVar[int] = 2**31 - 1

    def __new__(cls, value: Any = 0) -> Any:
        """Return a Python value."""
        number = int(value)
        if not cls.MinValue <= number <= cls.MaxValue:
            raise OverflowError(f"{number} does not fit into System.{cls.__name__}")
        return number

    @classmethod
    def Parse(cls, text: str) -> Any:
        """Read a number."""
        return cls(text)


class Byte(Int32):
    """``int`` of 8 bits."""

    MinValue = 0
    MaxValue = 2**8 - 1


class Int16(Int32):
    """``int`` of 16 bits."""

    MinValue = -(2**15)
    MaxValue = 2**15 - 1


class Int64(Int32):
    """``int`` of 64 bits."""

    MinValue = -(2**63)
    MaxValue = 2**63 - 1


class Double(Surface, metaclass=_Value):
    """``float``."""

    python = float
    NaN: ClassVar[float] = math.nan
    PositiveInfinity: ClassVar[float] = math.inf
    NegativeInfinity: ClassVar[float] = -math.inf
    MaxValue: ClassVar[float] = sys.float_info.max
    MinValue: ClassVar[float] = -sys.float_info.max
    IsNaN = staticmethod(math.isnan)
    IsInfinity = staticmethod(math.isinf)
    Parse = staticmethod(float)

    def __new__(cls, value: Any = 0.0) -> Any:
        """Return a Python value."""
        return float(value)


class Single(Double):
    """``float``, too: Python has no shorter one."""


class Decimal(Surface, metaclass=_Value):
    """``decimal.Decimal``."""

    python = decimal.Decimal
    Parse = staticmethod(decimal.Decimal)

    def __new__(cls, value: Any = 0) -> Any:
        """Return a Python value."""
        return decimal.Decimal(value)


class String(Surface, metaclass=_Value):
    """``str``."""

    python = str
    Empty: ClassVar[str] = ""

    def __new__(cls, value: object = "") -> Any:
        """Return a Python value."""
        return str(value)

    @staticmethod
    def IsNullOrEmpty(text: str | None) -> bool:
        return not text

    @staticmethod
    def IsNullOrWhiteSpace(text: str | None) -> bool:
        return not (text or "").strip()

    @staticmethod
    def Join(separator: str, *values: Any) -> str:
        """Join values, or those of the one collection that is given."""
        alone = len(values) == 1 and isinstance(values[0], Iterable) and not isinstance(values[0], str)
        return separator.join(map(_text, values[0] if alone else values))

    @staticmethod
    def Concat(*values: object) -> str:
        return "".join(map(_text, values))

    @staticmethod
    def Format(form: str, *values: object) -> str:
        """Put values into ``{0}``, ``{1}`` and so on; after a colon, moments take a format of theirs."""
        return _PLACE.sub(lambda found: _put(found, values), form)


_PLACE = re.compile(r"\{\{|\}\}|\{(\d+)(?::([^{}]*))?\}|[{}]")


def _put(found: re.Match[str], values: tuple[object, ...]) -> str:
    if found[0] in {"{{", "}}"}:
        return found[0][0]
    if found[1] is None or int(found[1]) >= len(values):
        raise ValueError(f"a format has {found[0]!r}, and {len(values)} values are given")
    value = values[int(found[1])]
    if not found[2]:
        return _text(value)
    if isinstance(value, DateTime):
        return value.ToString(found[2])
    raise ValueError(f"the format {found[2]!r} can't be used for {type(value).__name__}; write an f-string")


def _text(value: object) -> str:
    return "" if value is None else str(value)


class Guid(uuid.UUID, metaclass=Named):
    """``uuid.UUID``."""

    _instead: ClassVar[Mapping[str, str]] = {}
    Empty = Static(lambda: Guid("00000000-0000-0000-0000-000000000000"))

    @classmethod
    def NewGuid(cls) -> Guid:
        """Return a new one."""
        return cls(str(uuid.uuid4()))

    @classmethod
    def Parse(cls, text: str) -> Guid:
        """Read one."""
        return cls(text)

    def ToString(self, form: str = "D") -> str:
        """Return it as text: ``D`` with hyphens, ``N`` without."""
        return self.hex if form.upper() == "N" else str(self)


class Console(Surface):
    """What is written here belongs to the run, like all that its code prints."""

    @staticmethod
    def Write(form: object = "", *values: object) -> None:
        sys.stdout.write(String.Format(str(form), *values) if values else _text(form))

    @staticmethod
    def WriteLine(form: object = "", *values: object) -> None:
        Console.Write(form, *values)
        sys.stdout.write("\n")


class Environment(Surface):
    """About this process; the line ends as in the original's containers."""

    NewLine: ClassVar[str] = "\n"
    MachineName = Static(platform.node)
    CurrentDirectory = Static(os.getcwd)
    ProcessorCount = Static(os.cpu_count)

    @staticmethod
    def GetEnvironmentVariable(name: str) -> str | None:
        return os.environ.get(name)


class Func(Delegate):
    """A function that returns something: ``System.Func[System.Object, System.Boolean](f)``."""


class Action(Delegate):
    """A function that returns nothing."""


class Predicate(Delegate):
    """A function that says yes or no."""
