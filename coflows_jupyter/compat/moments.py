"""``System.DateTime`` and ``System.TimeSpan``: Python's own, with the original's names on them."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from coflows_jupyter.compat.surface import Named, Static, unknown

_TICK = 10  # per microsecond
_STANDARD = {
    "": "MM/dd/yyyy HH:mm:ss",
    "d": "MM/dd/yyyy",
    "G": "MM/dd/yyyy HH:mm:ss",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffff",
}
_TOKEN = re.compile(r"'([^']*)'|\\(.)|(y+|M+|d+|H+|h+|m+|s+|f+|t+)|(.)", re.DOTALL)
_TOKENS: dict[str, Callable[[dt.datetime], str]] = {
    "yyyy": lambda t: f"{t.year:04}",
    "yy": lambda t: f"{t.year % 100:02}",
    "MMMM": lambda t: calendar.month_name[t.month],
    "MMM": lambda t: calendar.month_abbr[t.month],
    "MM": lambda t: f"{t.month:02}",
    "M": lambda t: f"{t.month}",
    "dddd": lambda t: calendar.day_name[t.weekday()],
    "ddd": lambda t: calendar.day_abbr[t.weekday()],
    "dd": lambda t: f"{t.day:02}",
    "d": lambda t: f"{t.day}",
    "HH": lambda t: f"{t.hour:02}",
    "H": lambda t: f"{t.hour}",
    "hh": lambda t: f"{(t.hour + 11) % 12 + 1:02}",
    "h": lambda t: f"{(t.hour + 11) % 12 + 1}",
    "mm": lambda t: f"{t.minute:02}",
    "m": lambda t: f"{t.minute}",
    "ss": lambda t: f"{t.second:02}",
    "s": lambda t: f"{t.second}",
    "tt": lambda t: "AM" if t.hour < 12 else "PM",  # noqa: PLR2004 - noon
    **{"f" * digits: lambda t, digits=digits: f"{t.microsecond:06}0"[:digits] for digits in range(1, 8)},  # type: ignore[misc]
}


def _span(span: dt.timedelta) -> TimeSpan:
    return TimeSpan(span.days, 0, 0, span.seconds, span.microseconds / 1000)


def _moment(moment: dt.datetime) -> DateTime:
    when = moment.hour, moment.minute, moment.second
    return DateTime(moment.year, moment.month, moment.day, *when, microsecond=moment.microsecond)


class TimeSpan(dt.timedelta, metaclass=Named):
    """A duration: of ticks of 100 ns, of hours, minutes and seconds, or of days and those, with milliseconds last."""

    _instead: ClassVar[Mapping[str, str]] = {}

    def __new__(cls, *parts: float) -> Self:
        """Make a duration of one, three, four or five numbers."""
        match parts:
            case (ticks,):
                return super().__new__(cls, microseconds=ticks / _TICK)
            case (_, _, _):
                days, hours, minutes, seconds, ms = 0.0, *parts, 0.0
            case (_, _, _, _):
                days, hours, minutes, seconds, ms = *parts, 0.0
            case (_, _, _, _, _):
                days, hours, minutes, seconds, ms = parts
            case _:
                raise TypeError("TimeSpan takes ticks, or [days,] hours, minutes, seconds [, milliseconds]")
        return super().__new__(cls, days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=ms)

    def __getattr__(self, name: str) -> Any:
        raise unknown("TimeSpan", name, dir(self), {})

    def __reduce__(self) -> Any:
        return _span, (dt.timedelta(self.days, self.seconds, self.microseconds),)

    Zero = Static(lambda: TimeSpan(0))

    @staticmethod
    def FromDays(value: float) -> TimeSpan:
        return _span(dt.timedelta(days=value))

    @staticmethod
    def FromHours(value: float) -> TimeSpan:
        return _span(dt.timedelta(hours=value))

    @staticmethod
    def FromMinutes(value: float) -> TimeSpan:
        return _span(dt.timedelta(minutes=value))

    @staticmethod
    def FromSeconds(value: float) -> TimeSpan:
        return _span(dt.timedelta(seconds=value))

    @staticmethod
    def FromMilliseconds(value: float) -> TimeSpan:
        return _span(dt.timedelta(milliseconds=value))

    def _part(self, unit: int, modulus: int) -> int:
        """Return how many whole units of so many microseconds there are, of those that make the next larger one."""
        count = abs(self._microseconds) // unit % modulus
        return -count if self._microseconds < 0 else count

    @property
    def _microseconds(self) -> int:
        return self // dt.timedelta(microseconds=1)

    Days = property(lambda self: self._part(86_400_000_000, 10**9))
    Hours = property(lambda self: self._part(3_600_000_000, 24))
    Minutes = property(lambda self: self._part(60_000_000, 60))
    Seconds = property(lambda self: self._part(1_000_000, 60))
    Milliseconds = property(lambda self: self._part(1000, 1000))
    Ticks = property(lambda self: self._microseconds * _TICK)
    TotalDays = property(lambda self: self / dt.timedelta(days=1))
    TotalHours = property(lambda self: self / dt.timedelta(hours=1))
    TotalMinutes = property(lambda self: self / dt.timedelta(minutes=1))
    TotalSeconds = property(lambda self: self.total_seconds())
    TotalMilliseconds = property(lambda self: self / dt.timedelta(milliseconds=1))


class DateTime(dt.datetime, metaclass=Named):
    """A moment without a zone, UTC where it comes from a clock, as in the original's containers."""

    _instead: ClassVar[Mapping[str, str]] = {}

    def __new__(cls, year: int, month: int, day: int, *time: Any, **more: Any) -> Self:
        """Make a moment; the number after the seconds is of milliseconds."""
        if len(time) == 4 and not more and isinstance(time[3], int):  # noqa: PLR2004 - hour, minute, second and this
            time = (*time[:3], time[3] * 1000)
        return super().__new__(cls, year, month, day, *time, **more)

    def __getattr__(self, name: str) -> Any:
        raise unknown("DateTime", name, dir(self), {})

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _moment, (dt.datetime(*self.timetuple()[:6], self.microsecond),)  # noqa: DTZ001 - has none

    Now = UtcNow = Static(lambda: _moment(dt.datetime.now(dt.UTC)))
    Today = Static(lambda: DateTime.Now.Date)
    MinValue = Static(lambda: _moment(dt.datetime.min))  # noqa: DTZ901 - the original's
    MaxValue = Static(lambda: _moment(dt.datetime.max))  # noqa: DTZ901 - likewise

    @classmethod
    def strptime(cls, date_string: str, format: str, /) -> Self:
        """Read a moment as Python does, whose last number is of microseconds."""
        return cls.fromisoformat(dt.datetime.strptime(date_string, format).isoformat())  # noqa: DTZ007 - as given

    @staticmethod
    def Parse(text: str) -> DateTime:
        """Read a moment in ISO 8601 or as ``MM/dd/yyyy`` with or without a time, moved to UTC where it names a zone."""
        try:
            found = dt.datetime.fromisoformat(text.strip())
        except ValueError:
            found = _invariant(text.strip())
        return _moment(found.astimezone(dt.UTC) if found.tzinfo else found)

    Year = property(lambda self: self.year)
    Month = property(lambda self: self.month)
    Day = property(lambda self: self.day)
    Hour = property(lambda self: self.hour)
    Minute = property(lambda self: self.minute)
    Second = property(lambda self: self.second)
    Millisecond = property(lambda self: self.microsecond // 1000)
    DayOfWeek = property(lambda self: self.isoweekday() % 7)
    DayOfYear = property(lambda self: self.timetuple().tm_yday)
    TimeOfDay = property(lambda self: _span(self - self.Date))
    Ticks = property(lambda self: (self - dt.datetime.min) // dt.timedelta(microseconds=1) * _TICK)  # noqa: DTZ901

    @property
    def Date(self) -> DateTime:
        return DateTime(self.year, self.month, self.day)

    def AddMilliseconds(self, value: float) -> DateTime:
        return _moment(self + dt.timedelta(milliseconds=value))

    def AddSeconds(self, value: float) -> DateTime:
        return _moment(self + dt.timedelta(seconds=value))

    def AddMinutes(self, value: float) -> DateTime:
        return _moment(self + dt.timedelta(minutes=value))

    def AddHours(self, value: float) -> DateTime:
        return _moment(self + dt.timedelta(hours=value))

    def AddDays(self, value: float) -> DateTime:
        return _moment(self + dt.timedelta(days=value))

    def AddMonths(self, value: int) -> DateTime:
        """Return the same day so many months later, or the last of that month."""
        months = self.year * 12 + self.month - 1 + value
        year, month = months // 12, months % 12 + 1
        return _moment(self.replace(year, month, min(self.day, calendar.monthrange(year, month)[1])))

    def AddYears(self, value: int) -> DateTime:
        return self.AddMonths(12 * value)

    def ToString(self, form: str = "") -> str:
        """Return the moment as text: a custom format such as ``yyyy-MM-dd``, or ``d``, ``G``, ``o``, ``s``, ``u``."""
        return "".join(self._write(*found.groups()) for found in _TOKEN.finditer(_STANDARD.get(form, form)))

    def _write(self, quoted: str | None, escaped: str | None, token: str | None, other: str | None) -> str:
        if token is None:
            return quoted or escaped or other or ""
        if token not in _TOKENS:
            raise ValueError(f"DateTime.ToString does not know {token!r} in a format")
        return _TOKENS[token](self)


def _invariant(text: str) -> dt.datetime:
    for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y"):
        try:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007 - has none
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no moment that DateTime.Parse can read")
