"""Schedules: the grammar, the clocks of the world, plain language."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coflows_jupyter.agents.quartz import Cron
from coflows_jupyter.agents.schedule import Schedule, Tick
from coflows_jupyter.errors import ScheduleError


def times(text: str, after: str, count: int) -> list[str]:
    """Return the next instants of a schedule on the clocks of its first entry's zone."""
    schedule = Schedule(text)
    found = schedule.upcoming(datetime.fromisoformat(after), count)
    return [moment.astimezone(schedule.entries[0].zone).strftime("%m-%d %H:%M %z") for moment in found]


def days(expression: str) -> list[int]:
    """Return the days of November 2025, a Saturday to a Sunday, on which an expression matches."""
    cron, found = Cron(expression), []
    moment, end = datetime(2025, 11, 1), datetime(2025, 12, 1)  # noqa: DTZ001 - a clock on the wall
    while (hit := cron.next(moment, end)) is not None:
        found.append(hit.day)
        moment = hit + timedelta(seconds=1)
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("L * ?", [30]),
        ("L-3 * ?", [27]),
        ("LW * ?", [28]),
        ("L-1W * ?", [28]),
        ("15W * ?", [14]),
        ("1W * ?", [3]),
        ("14W * ?", [14]),
        ("31W * ?", []),
        ("10,20 * ?", [10, 20]),
        ("1/10 * ?", [1, 11, 21]),
        ("5-8 * ?", [5, 6, 7, 8]),
        ("5-20/5 * *", [5, 10, 15, 20]),
        ("29-2 * ?", [1, 2, 29, 30]),
        ("LW,1 * ?", [1, 28]),
        ("? * 6L", [28]),
        ("? * FRIL", [28]),
        ("? * 6#3", [21]),
        ("? * MON#5", []),
        ("? * sun#5", [30]),
        ("* * 1", [2, 9, 16, 23, 30]),
        ("? * L", [1, 8, 15, 22, 29]),
        ("? * FRI-SUN", [1, 2, 7, 8, 9, 14, 15, 16, 21, 22, 23, 28, 29, 30]),
        ("? NOV SUN#1", [2]),
        ("? 10-11 2#1 2025", [3]),
        ("? * 2#1 2024,2026-2030", []),
        ("? DEC *", []),
    ],
)
def test_the_day_fields_pick_their_days(fields: str, expected: list[int]) -> None:
    """Every form of the fields for days, months and years matches where Quartz matches."""
    assert days(f"0 0 12 {fields}") == expected


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 30 2 * * ? @ America/New_York", "2026-03-07 12:00+00:00", ["03-08 03:00 -0400", "03-09 02:30 -0400"]),
        ("0 30 1 * * ? @ America/New_York", "2026-10-31 12:00+00:00", ["11-01 01:30 -0400", "11-02 01:30 -0500"]),
        (
            "0 0/30 * * * ? @ America/New_York",
            "2026-11-01 05:00+00:00",
            ["11-01 01:30 -0400", "11-01 01:00 -0500", "11-01 01:30 -0500", "11-01 02:00 -0500"],
        ),
        ("0 0 20 * * ? @ Europe/Paris", "2026-10-24 12:00+00:00", ["10-24 20:00 +0200", "10-25 20:00 +0100"]),
        ("0 0 * * * ? @ Australia/Lord_Howe", "2026-10-03 14:00+00:00", ["10-04 01:00 +1030", "10-04 03:00 +1100"]),
        ("0 0 12 ? * 2", "2026-11-21 00:00+00:00", ["11-23 12:00 +0000", "11-30 12:00 +0000"]),
        ("0 0 2,8 ? * * @ Australia/Sydney", "2026-11-23 20:00+00:00", ["11-24 08:00 +1100", "11-25 02:00 +1100"]),
        ("0 0 0 29 2 ? @ Asia/Tokyo", "2026-01-01 00:00+00:00", ["02-29 00:00 +0900"]),
        ("0 0,30 2,3 * * ? @ Europe/Berlin", "2026-03-28 12:00+00:00", ["03-29 03:00 +0200", "03-29 03:30 +0200"]),
    ],
)
def test_clocks_that_are_set(text: str, after: str, expected: list[str]) -> None:
    """A named time happens once a day, also when it is skipped or shown twice; what recurs keeps its cadence."""
    assert times(text, after, len(expected)) == expected


@functools.cache
def set_clocks() -> list[tuple[str, datetime]]:
    """Return every setting of clocks from 2020 to 2030, in every zone that has one, and their zones."""
    found = []
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        day = datetime(2020, 1, 1, tzinfo=UTC)
        while day.year <= 2030:
            following = day + timedelta(days=1)
            if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
                found.append((name, day))
            day = following
    return found


@functools.cache
def is_plain(zone: ZoneInfo) -> bool:
    """Whether clocks show midnight on every day around which the tests look, and are set by whole hours."""
    midnights = [datetime(2020, 1, 1, tzinfo=zone) + timedelta(days=day) for day in range(12 * 366)]
    shown = {midnight.astimezone(UTC).astimezone(zone).hour for midnight in midnights}
    return shown == {0} and len({str(midnight.utcoffset())[-5:] for midnight in midnights}) == 1


near_a_setting = st.builds(
    lambda index, hours: (set_clocks()[index % len(set_clocks())], timedelta(hours=hours)),
    st.integers(0, 10**6),
    st.integers(-30, 30),
)


@given(near_a_setting, st.integers(0, 23), st.integers(0, 59))
def test_a_named_time_happens_once_a_day(place: tuple[tuple[str, datetime], timedelta], hour: int, minute: int) -> None:
    """Around every setting of clocks, a daily time is due when the zone's clock first shows it or passes it."""
    (name, near), offset = place
    zone = ZoneInfo(name)
    expected = []
    for days_later in range(3):
        day = (near + offset).date() + timedelta(days=days_later)
        wanted = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a clock on the wall
        moment = wanted.replace(tzinfo=UTC) - timedelta(hours=16)
        while moment.astimezone(zone).replace(tzinfo=None) < wanted:
            moment += timedelta(minutes=1)
        expected.append(moment)
    before = expected[0] - timedelta(seconds=1)
    assert Schedule(f"0 {minute} {hour} * * ? @ {name}").upcoming(before, 3) == expected


@settings(max_examples=300)
@given(
    near_a_setting,
    st.sampled_from(["*", "*/5", "*/30", "0", "7", "0,30", "15-45/10"]),
    st.sampled_from(["*", "*/2", "*/6", "1", "2", "3", "0,12", "1-3", "23"]),
    st.sampled_from(["*", "1", "1-7", "28,29", "L", "LW"]),
    st.sampled_from(["*", "3", "3,10,11", "4-9"]),
)
def test_it_agrees_with_cronsim(
    place: tuple[tuple[str, datetime], timedelta], minute: str, hour: str, day: str, month: str
) -> None:
    """On what both can say, the next ten instants near any setting of clocks are those of an independent library."""
    (name, near), offset = place
    zone, start = ZoneInfo(name), near + offset
    cron = Cron(f"0 {minute} {hour} {day} {month} ?")
    # Elsewhere the other library loses the hour after the setting.
    assume(is_plain(zone) or not cron.recurs)
    expected: list[datetime] = []
    for moment in CronSim(f"{minute} {hour} {day} {month} *", start.astimezone(zone)):
        at = moment.astimezone(UTC)
        # It names the end of a gap once for every time that the gap swallowed.
        if at > start and (not expected or at > expected[-1]):
            expected.append(at)
        if len(expected) == 10:
            break
    assume(len(expected) == 10)
    assert Schedule(f"{cron.text} @ {name}").upcoming(start, 10) == expected


def test_several_entries_are_one_schedule() -> None:
    """Entries keep their own types and zones; one instant gives one tick for each type."""
    schedule = Schedule(
        "open|0 0 9 ? * MON-FRI @ Europe/London; close|0 30 16 ? * MON-FRI @ Europe/London; 0 0 9 * * ?"
    )
    start = datetime(2026, 11, 24, tzinfo=UTC)
    found = list(schedule.between(start, start + timedelta(days=1)))
    assert found == [
        Tick(start.replace(hour=9), "All"),
        Tick(start.replace(hour=9), "open"),
        Tick(start.replace(hour=16, minute=30), "close"),
    ]


def test_a_schedule_may_end() -> None:
    """Nothing is due after the last year that an expression names."""
    assert Schedule("0 0 0 1 1 ? 2026").after(datetime(2026, 6, 1, tzinfo=UTC)) == ()
    assert Schedule("0 0 0 30 2 ?").after(datetime(2026, 6, 1, tzinfo=UTC)) == ()
    assert days("0 0 0 30 2 ?") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the schedule is empty"),
        ("*/5 * * * *", "5 fields"),
        ("0 0 12 * *  * * *", "8 fields"),
        ("0 0 12 ? * ?", "both days"),
        ("0 0 12 1 * MON", "only one of them"),
        ("0 60 * * * ?", "field for minutes: 60 is out of range"),
        ("0 0 0 ? * 0", "field for day of week: 0 is out of range"),
        ("0 0 0 ? FEBR *", "'FEBR' is no number"),
        ("0 0/0 * * * ?", "'0' is no step"),
        ("0 0 0 ? * MON#6", "1 to 5"),
        ("0 0 0 L-31 * ?", "31 days before"),
        ("0 1, * * * ?", "a number is missing"),
        ("0 0 12 * * ? @ Europe/Pariss", "no time zone 'Europe/Pariss'"),
        ("0 0 12 * * ? @", "no time zone after the @"),
        ("|0 0 12 * * ?", "nothing before the |"),
    ],
)
def test_a_wrong_schedule_says_what_is_wrong(text: str, words: str) -> None:
    """The error quotes the part, names its field and says what to write."""
    with pytest.raises(ScheduleError) as caught:
        Schedule(text)
    assert words in caught.value.message
    assert caught.value.hint


def test_five_fields_are_answered_with_six() -> None:
    """The commonest mistake, an expression of Unix, is answered with what to write, and that can be read."""
    with pytest.raises(ScheduleError) as caught:
        Schedule("*/5 * * * MON-FRI")
    assert caught.value.hint == "write '0 */5 * ? * MON-FRI'"
    assert Schedule("0 */5 * ? * MON-FRI").entries


@given(st.text("0123456789*?/,-LW#@|; MONFRI", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes anything but a schedule or a sentence."""
    try:
        schedule = Schedule(text)
    except ScheduleError:
        return
    found = schedule.upcoming(datetime(2026, 11, 24, tzinfo=UTC), 3)
    assert found == sorted(set(found))


def test_plain_language() -> None:
    """A schedule reads as sentences, with type and zone where they matter."""
    assert Schedule("0 0/5 * ? * *").describe() == "Every 5 minutes"
    assert Schedule("0 30 9 ? * MON-FRI @ Europe/Paris").describe() == (
        "At 09:30, Monday through Friday (Europe/Paris)"
    )
    assert Schedule("open|0 0 9 L * ?; 0 0 0 1 1 ?").describe().startswith("open: At 09:00, on the last day")


def test_days_are_those_of_the_zone() -> None:
    """The first of a month begins where the zone says, not where UTC does."""
    (tick,) = Schedule("0 0 0 1 * ? @ Pacific/Auckland").after(datetime(2026, 11, 24, tzinfo=UTC))
    assert tick.at.astimezone(ZoneInfo("Pacific/Auckland")).date() == date(2026, 12, 1)
    assert tick.at == datetime(2026, 11, 30, 11, tzinfo=UTC)
