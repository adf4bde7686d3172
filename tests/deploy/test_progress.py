"""Events of long operations."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.deploy.progress import Channel, Event, Reporter, decode, encode, error_of
from coflows_jupyter.errors import BuildError, CancelledError, Diagnostic, NotFoundError


def told(events: list[Event]) -> list[tuple[str, str, str]]:
    """Return what is the same at every run."""
    return [(event.step, event.state, event.text) for event in events]


def test_an_operation_says_what_it_does() -> None:
    """Steps and the whole begin and end; what belongs to a step names it."""
    events: list[Event] = []
    reporter = Reporter(events.append)
    with reporter.operation("Deploying"):
        with reporter.step("upload", "uploading"):
            reporter.progress("1 of 2", 0.5)
            reporter.log("line")
            reporter.result("sent")
        reporter.result("Deployed", {"revision": 3})
    assert told(events) == [
        ("", "started", "Deploying"),
        ("upload", "started", "uploading"),
        ("upload", "progress", "1 of 2"),
        ("upload", "log", "line"),
        ("upload", "done", "sent"),
        ("", "done", "Deployed"),
    ]
    assert events[2].fraction == 0.5
    assert events[-1].data == {"revision": 3}
    assert [event.last for event in events] == [False] * 5 + [True]


def test_a_failure_crosses_the_wire() -> None:
    """Who reads the last line raises what whoever works raised, places in files included."""
    lines: list[bytes] = []
    reporter = Reporter(lambda event: lines.append(encode(event)))
    place = Diagnostic("/w/Base/a.py", 3, 1, "error", "syntax", "this is no Python")
    with pytest.raises(BuildError), reporter.operation(), reporter.step("build"):
        raise BuildError("it does not build", [place], hint="mend it")
    failed = [decode(line) for line in lines][-2:]
    assert told(failed) == [("build", "failed", "it does not build"), ("", "failed", "it does not build")]
    error = error_of(failed[-1])
    assert isinstance(error, BuildError)
    assert (error.diagnostics, error.hint) == ((place,), "mend it")


def test_an_error_of_ours_tells_nothing_of_the_inside() -> None:
    """What is no CoflowsError may hold secrets: only that something went wrong is said."""
    events: list[Event] = []
    with pytest.raises(ValueError, match="hunter2"), Reporter(events.append).operation():
        raise ValueError("hunter2")
    assert "hunter2" not in encode(events[-1]).decode()
    assert str(error_of(events[-1])) == "Something went wrong"


def test_a_cancelled_operation_ends_at_its_next_step() -> None:
    """Nothing begins after that, and sleeping ends at once."""
    events: list[Event] = []
    reporter = Reporter(events.append)

    def work() -> None:
        with reporter.operation():
            with reporter.step("one"):
                reporter.cancel()
            with reporter.step("two"):
                pass

    with pytest.raises(CancelledError):
        work()
    assert [event.step for event in events if event.state == "started"] == ["", "one"]
    assert isinstance(error_of(events[-1]), CancelledError)
    with pytest.raises(CancelledError):
        reporter.wait(60)


def test_those_who_follow_late_miss_nothing() -> None:
    """Events of another thread come in order, to whoever follows and whenever they began."""
    asyncio.run(follow_early_and_late())


async def follow_early_and_late() -> None:
    """Follow twice what a thread does."""
    channel = Channel()

    def work() -> None:
        with channel.reporter.operation("work"):
            for number in range(50):
                channel.reporter.progress(str(number), number / 50)
        raise NotFoundError("after the end")

    early = asyncio.ensure_future(collect(channel))
    with pytest.raises(NotFoundError):
        await asyncio.to_thread(work)
    assert await early == await collect(channel)
    assert [event.text for event in await early if event.state == "progress"] == [str(n) for n in range(50)]
    assert told(await collect(channel, 51)) == [("", "done", "")]


async def collect(channel: Channel, after: int = 0) -> list[Event]:
    """Return all events."""
    return [event async for event in channel.follow(after)]


@given(st.text(), st.none() | st.floats(0, 1), st.none() | st.dictionaries(st.text(), st.integers()))
def test_an_event_is_one_line(text: str, fraction: float | None, data: object) -> None:
    """Whatever it says, it is one line that reads as what was written."""
    event = Event(1.5, "step", "log", text, fraction, data)
    line = encode(event)
    assert line.count(b"\n") == 1
    assert decode(line) == event
