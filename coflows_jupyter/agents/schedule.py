"""When an Agent runs: ``[type|]cron[ @ Zone]``, several joined by ``;``, as instants in UTC.

A named time happens once on each of its days: one that the clocks skip happens when they have been set, one that they
show twice happens the first time. What recurs keeps its cadence instead, in the hours that really pass. That is what
Debian's cron does.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from coflows_jupyter.agents.quartz import LAST_YEAR, Cron
from coflows_jupyter.errors import ScheduleError, nearest

DEFAULT_TYPE = "All"

_SECOND = timedelta(seconds=1)
_END = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)


class Tick(msgspec.Struct, frozen=True, order=True):
    """A moment at which an Agent is due.

    Args:
        at: in UTC, to the second.
        type: second argument of the Agent's job, ``All`` unless the schedule names another.
    """

    at: datetime
    type: str


class Entry:
    """One expression with its type and time zone.

    Args:
        text: ``[type|]cron[ @ Zone]``.

    Raises:
        ScheduleError: the text is none.
    """

    def __init__(self, text: str) -> None:
        head, bar, rest = text.partition("|")
        self.type = head.strip() if bar else DEFAULT_TYPE
        expression, at, zone = (rest if bar else text).partition("@")
        if bar and not self.type:
            raise ScheduleError(f"{text.strip()!r} has nothing before the |", hint="write the type of the job there")
        if at and not zone.strip():
            raise ScheduleError(f"{text.strip()!r} has no time zone after the @", hint="write one, e.g. Europe/Paris")
        self.zone = _zone(zone.strip() or "UTC")
        self.cron = Cron(expression)

    def after(self, moment: datetime) -> datetime | None:
        """Return the first instant after ``moment``, ``None`` when there is none until the year 2100."""
        start = moment.astimezone(UTC).replace(microsecond=0) + _SECOND
        for began, ended, offset, previous in _periods(self.zone, start):
            # The wall times that belong to this period: for what recurs those that its clocks show, for named times
            # those after what the clocks showed before, whether they skipped some or show some again.
            opened = began + (offset if self.cron.recurs else previous)
            low = max(opened, start + offset) if start > began else opened
            wall = self.cron.next(low.replace(tzinfo=None), (ended + offset).replace(tzinfo=None))
            if wall is not None:
                return max(began, wall.replace(tzinfo=UTC) - offset)
        return None


class Schedule:
    """All entries of an Agent's schedule.

    Args:
        text: entries joined by ``;``.

    Raises:
        ScheduleError: one of them is none.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        parts = [part for part in self.text.split(";") if part.strip()]
        if not parts:
            raise ScheduleError("the schedule is empty", hint="write e.g. 0 0/5 * ? * * for every five minutes")
        self.entries = tuple(Entry(part) for part in parts)

    def after(self, moment: datetime) -> tuple[Tick, ...]:
        """Return the ticks of the first instant after ``moment``: one for each type that is due then."""
        due = [(at, entry.type) for entry in self.entries if (at := entry.after(moment)) is not None]
        first = min(due, default=None)
        return () if first is None else tuple(sorted({Tick(at, kind) for at, kind in due if at == first[0]}))

    def between(self, start: datetime, end: datetime) -> Iterator[Tick]:
        """Yield the ticks in ``start < at <= end``, in order."""
        while (ticks := self.after(start)) and ticks[0].at <= end:
            yield from ticks
            start = ticks[0].at

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """Return the next ``count`` instants after ``moment``."""
        found: list[datetime] = []
        while len(found) < count and (ticks := self.after(moment)):
            moment = ticks[0].at
            found.append(moment)
        return found

    def describe(self) -> str:
        """Say in plain language when that is."""
        from cron_descriptor import Options, get_description

        options = Options()
        options.day_of_week_start_index_zero = False
        options.use_24hour_time_format = True
        sentences = []
        for entry in self.entries:
            sentence = get_description(entry.cron.text.upper(), options)
            if entry.zone is not UTC:
                sentence += f" ({entry.zone})"
            sentences.append(sentence if entry.type == DEFAULT_TYPE else f"{entry.type}: {sentence}")
        return "; ".join(sentences)


def _zone(name: str) -> tzinfo:
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, available_timezones())
        raise ScheduleError(f"there is no time zone {name!r}", hint=f"did you mean {near}?" if near else "") from None


def _periods(zone: tzinfo, start: datetime) -> Iterator[tuple[datetime, datetime, timedelta, timedelta]]:
    """Yield the periods in which clocks are not set, from the one that holds ``start``.

    Each is its first instant, its end, its offset from UTC, and the offset before it. A year's first instant begins
    one, too, mostly with the same offset as before.
    """
    if zone is UTC:
        yield datetime.min.replace(tzinfo=UTC), _END, timedelta(0), timedelta(0)
        return
    for year in range(start.year, LAST_YEAR + 1):
        yield from (period for period in _year(zone, year) if period[1] > start)


@functools.lru_cache(maxsize=4096)
def _year(zone: tzinfo, year: int) -> list[tuple[datetime, datetime, timedelta, timedelta]]:
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    settings = _settings(zone, first, last)
    return [
        (began, ended, _offset(zone, began), _offset(zone, began - _SECOND))
        for began, ended in zip([first, *settings], [*settings, last], strict=True)
    ]


def _settings(zone: tzinfo, first: datetime, last: datetime) -> list[datetime]:
    """Return the instants in ``first < t < last`` at which clocks are set; no two are within six hours."""
    found, low = [], first
    while low < last:
        high = min(low + timedelta(hours=6), last)
        if _offset(zone, high) != (before := _offset(zone, low)):
            early, late = low, high
            while late - early > _SECOND:
                middle = (early + (late - early) / 2).replace(microsecond=0)
                early, late = (middle, late) if _offset(zone, middle) == before else (early, middle)
            if late < last:
                found.append(late)
        low = high
    return found


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
