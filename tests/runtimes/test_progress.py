"""Progress: what user code says of itself, by a function of ours or by tqdm as it is."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

from tqdm import tqdm
from tqdm.auto import tqdm as auto

from coflows_jupyter import progress
from coflows_jupyter.access.permissions import Caller
from coflows_jupyter.runtimes import progress as module
from coflows_jupyter.runtimes.context import CallContext, enter
from coflows_jupyter.runtimes.progress import Latest

Told = list[tuple[float, float, str]]


def in_call(work: Callable[[], object]) -> tuple[Told, str]:
    """Do work as a call does; return what it told of its progress, and what it printed."""
    import contextvars

    told: Told = []
    printed: list[str] = []
    context = contextvars.Context()
    caller = Caller("me", "Me", "local", "cli")
    about = "run", caller, "q", "f", time.monotonic()
    context.run(enter, CallContext(*about, lambda _s, text: printed.append(text), lambda *p: told.append(p)))
    module.install()
    context.run(work)
    return told, "".join(printed)


def test_progress_belongs_to_the_call() -> None:
    """Inside of a call it is told, outside nothing happens."""
    progress(1, 2, "nowhere")
    assert in_call(lambda: progress(1, 2, "half"))[0] == [(1.0, 2.0, "half")]
    assert in_call(lambda: progress(3))[0] == [(3.0, 0.0, "")]


def test_a_bar_of_tqdm_is_progress_and_no_text() -> None:
    """Both ways to import it; the end is told, and nothing of the bar is in the log."""
    for bar in (tqdm, auto):
        told, printed = in_call(lambda bar=bar: list(bar(range(5), desc="pricing", mininterval=0)))  # type: ignore[misc]
        assert told[-1] == (5.0, 5.0, "pricing")
        assert printed == ""


def test_only_the_outer_bar_is_told() -> None:
    """Loops inside of loops don't make the progress jump."""

    def work() -> None:
        for _ in tqdm(range(3), desc="outer", mininterval=0):
            list(tqdm(range(10), desc="inner", mininterval=0))

    assert {text for _, _, text in in_call(work)[0]} == {"outer"}


def test_a_second_bar_follows_the_first() -> None:
    """When a bar is done the next one is told."""

    def work() -> None:
        list(tqdm(range(2), desc="first", mininterval=0))
        list(tqdm(range(2), desc="second", mininterval=0))

    assert [text for _, _, text in in_call(work)[0]][-1] == "second"


def test_a_bar_for_a_file_and_one_outside_stay_as_they_are() -> None:
    """Who names a file wants the bar there; outside of calls tqdm is tqdm."""
    inside, outside = io.StringIO(), io.StringIO()
    told, _ = in_call(lambda: list(tqdm(range(2), file=inside)))
    assert told == []
    list(tqdm(range(2), file=outside))
    assert "2/2" in inside.getvalue()
    assert "2/2" in outside.getvalue()


def test_the_latest_counts() -> None:
    """However often user code reports, only the latest is passed on."""
    told: Told = []
    latest = Latest(lambda *p: told.append(p))
    for number in range(1000):
        latest._latest = (number, 1000, "")
    latest.flush()
    latest.flush()
    assert told == [(999, 1000, "")]
