"""Cron expressions in Quartz's spelling, as sets of wall-clock times without a zone.

Six or seven fields: seconds, minutes, hours, day of month, month, day of week (1 = Sunday), and optionally the year.
Beside numbers, names, lists, ranges (which may wrap around) and steps there are ``?`` (no condition), ``L``, ``L-3``,
``15W``, ``LW``, ``6L`` (last Friday) and ``6#3`` (third Friday). Source: the CronTrigger tutorial of Quartz 2.
"""

from __future__ import annotations

import calendar
import functools
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta

import msgspec

from coflows_jupyter.errors import ScheduleError

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_SATURDAY = 7
_FRIDAY = 4  # as date.weekday() counts
_MAX_NTH = 5

FIRST_YEAR, LAST_YEAR = 1970, 2099

# Days of one month, given its year and number.
_DayRule = Callable[[int, int], Iterable[int]]


class _Field(msgspec.Struct, frozen=True):
    """One field's name, limits and the names that its numbers have."""

    name: str
    low: int
    high: int
    names: dict[str, int] = {}


_SECONDS = _Field("seconds", 0, 59)
_MINUTES = _Field("minutes", 0, 59)
_HOURS = _Field("hours", 0, 23)
_DAY_OF_MONTH = _Field("day of month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_DAY_OF_WEEK = _Field("day of week", 1, 7, _DAYS)
_YEAR = _Field("year", FIRST_YEAR, LAST_YEAR)

FEWEST_FIELDS, MOST_FIELDS = 6, 7
_UNIX_FIELDS = 5


class Cron:
    """A parsed expression.

    Args:
        text: the expression, e.g. ``0 30 9 ? * MON-FRI``.

    Raises:
        ScheduleError: the text is no such expression.

    Attributes:
        recurs: whether seconds, minutes or hours recur (``*``, ``0/5``) instead of being named: what recurs keeps its
            cadence when clocks are set, what is named happens once a day.
    """

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        fields = self.text.upper().split()
        if len(fields) == _UNIX_FIELDS:
            message = f"{self.text!r} has 5 fields: the first of 6 is for seconds"
            raise ScheduleError(message, hint=f"write {'0 ' + _unix_days(fields)!r}")
        if not FEWEST_FIELDS <= len(fields) <= MOST_FIELDS:
            message = f"{self.text!r} has {len(fields)} fields"
            hint = "write seconds, minutes, hours, day of month, month, day of week and perhaps the year"
            raise ScheduleError(message, hint=hint)
        self._times = [
            _numbers(field, part) for field, part in zip((_SECONDS, _MINUTES, _HOURS), fields[:3], strict=True)
        ]
        self.recurs = any(part[0] == "*" or re.fullmatch(r"\d+/\d+", part) for part in fields[:3])
        self._months = frozenset(_numbers(_MONTH, fields[4]))
        self._years = frozenset(_numbers(_YEAR, fields[6] if len(fields) == MOST_FIELDS else "*"))
        self._day_rules = self._days(fields[3], fields[5])
        self._month = functools.lru_cache(maxsize=32)(self._matching_days)

    def next(self, start: datetime, end: datetime) -> datetime | None:
        """Return the first wall-clock time that matches in ``start <= time < end``; ``None`` when there is none.

        Args:
            start: naive, without microseconds.
            end: naive.
        """
        day, clock = start.date(), start.time()
        while (found := self._next_day(day, end.date())) is not None:
            first = self._next_time(clock if found == start.date() else time.min)
            if first is not None:
                moment = datetime.combine(found, first)
                return moment if moment < end else None
            day = found + timedelta(days=1)
        return None

    def _next_day(self, day: date, last: date) -> date | None:
        year, month = day.year, day.month
        while date(year, month, 1) <= last:
            if month in self._months and year in self._years:
                days = self._month(year, month)
                at = bisect_left(days, day.day if (year, month) == (day.year, day.month) else 1)
                if at < len(days):
                    return date(year, month, days[at])
            year, month = (year, month + 1) if month < _MONTH.high else (year + 1, 1)
        return None

    def _next_time(self, clock: time) -> time | None:
        seconds, minutes, hours = self._times
        hour = bisect_left(hours, clock.hour)
        if hour < len(hours) and hours[hour] == clock.hour:
            minute = bisect_left(minutes, clock.minute)
            if minute < len(minutes) and minutes[minute] == clock.minute:
                second = bisect_left(seconds, clock.second)
                if second < len(seconds):
                    return time(hours[hour], minutes[minute], seconds[second])
                minute += 1
            if minute < len(minutes):
                return time(hours[hour], minutes[minute], seconds[0])
            hour += 1
        return time(hours[hour], minutes[0], seconds[0]) if hour < len(hours) else None

    def _matching_days(self, year: int, month: int) -> list[int]:
        length = calendar.monthrange(year, month)[1]
        days = {day for rule in self._day_rules for day in rule(year, month)}
        return sorted(day for day in days if 1 <= day <= length)

    def _days(self, of_month: str, of_week: str) -> list[_DayRule]:
        """Return the rules of which one must hold."""
        if of_month == of_week == "?":
            raise ScheduleError(f"{self.text!r} has ? for both days", hint="write * instead of one of them")
        if of_week in {"?", "*"}:
            return [_day_of_month("*" if of_month == "?" else part) for part in of_month.split(",")]
        if of_month in {"?", "*"}:
            return [_day_of_week(part) for part in of_week.split(",")]
        message = f"{self.text!r} names a day of month and a day of week, and only one of them may be named"
        raise ScheduleError(message, hint="write ? for one; two expressions are joined by ;")


def _unix_days(fields: list[str]) -> str:
    """Return five fields of Unix with a ``?`` where Quartz wants one."""
    minutes, hours, of_month, month, of_week = fields
    if of_week == "*":
        of_week = "?"
    elif of_month == "*":
        of_month = "?"
    return f"{minutes} {hours} {of_month} {month} {of_week}"


def _wrong(field: _Field, text: str, why: str) -> ScheduleError:
    names = f", or {next(iter(field.names))} to {list(field.names)[-1]}" if field.names else ""
    return ScheduleError(f"{text!r} in the field for {field.name}: {why}", hint=f"{field.low} to {field.high}{names}")


def _number(field: _Field, text: str, whole: str) -> int:
    if text in field.names:
        return field.names[text]
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise _wrong(field, whole, f"{text!r} is no number" if text else "a number is missing")
    if not field.low <= int(text) <= field.high:
        raise _wrong(field, whole, f"{text} is out of range")
    return int(text)


def _numbers(field: _Field, text: str) -> list[int]:
    """Return the numbers that a field names, ascending."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        every = 1
        if slash:
            if not re.fullmatch(r"[0-9]{1,4}", step) or not int(step):
                raise _wrong(field, text, f"{step!r} is no step")
            every = int(step)
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = field.low, field.high
        elif dash:
            low, high = _number(field, first, text), _number(field, last, text)
        else:
            low = _number(field, span, text)
            high = field.high if slash else low
        size = field.high - field.low + 1
        # A range that ends before it begins goes on at the start, as FRI-MON does.
        stop = high if high >= low else high + size
        found.update((value - field.low) % size + field.low for value in range(low, stop + 1, every))
    return sorted(found)


def _day_of_month(text: str) -> _DayRule:
    if rule := re.fullmatch(r"L(?:-([0-9]{1,2}))?(W)?", text):
        before = int(rule[1] or 0)
        if before >= _DAY_OF_MONTH.high:
            raise _wrong(_DAY_OF_MONTH, text, f"no month has {before} days before its last")
        return _nearest_working_day(lambda length: length - before) if rule[2] else _from_last(before)
    if rule := re.fullmatch(r"([0-9]+)W", text):
        wanted = _number(_DAY_OF_MONTH, rule[1], text)
        return _nearest_working_day(lambda length: wanted if wanted <= length else 0)
    days = _numbers(_DAY_OF_MONTH, text)
    return lambda _year, _month: days


def _from_last(before: int) -> _DayRule:
    return lambda year, month: [calendar.monthrange(year, month)[1] - before]


def _nearest_working_day(pick: Callable[[int], int]) -> _DayRule:
    """Return the working day nearest to the day that ``pick`` takes from a month's length, in the same month."""

    def rule(year: int, month: int) -> list[int]:
        length = calendar.monthrange(year, month)[1]
        day = pick(length)
        if day < 1:
            return []
        late = date(year, month, day).weekday() - _FRIDAY
        if late == 1:  # Saturday
            return [day - 1 if day > 1 else day + 2]
        if late > 1:
            return [day + 1 if day < length else day - 2]
        return [day]

    return rule


def _day_of_week(text: str) -> _DayRule:
    if text == "L":
        text = "7"
    if rule := re.fullmatch(r"(\w+?)L", text):
        last = _number(_DAY_OF_WEEK, rule[1], text)
        return lambda year, month: _weekdays(year, month, [last])[-1:]
    if "#" in text:
        day, _, nth = text.partition("#")
        wanted = _number(_DAY_OF_WEEK, day, text)
        if not re.fullmatch(r"[1-5]", nth):
            raise _wrong(_DAY_OF_WEEK, text, f"after # stands 1 to {_MAX_NTH}")
        return lambda year, month: _weekdays(year, month, [wanted])[int(nth) - 1 : int(nth)]
    days = _numbers(_DAY_OF_WEEK, text)
    return lambda year, month: _weekdays(year, month, days)


def _weekdays(year: int, month: int, wanted: list[int]) -> list[int]:
    """Return the days of a month that fall on one of the weekdays, ascending; 1 is Sunday."""
    first, length = calendar.monthrange(year, month)
    return [day for day in range(1, length + 1) if (first + day) % _SATURDAY + 1 in wanted]
