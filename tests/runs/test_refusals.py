"""Which refused calls get a row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.runs.refusals import Allowance, Refusals


@given(st.lists(st.floats(0, 20), max_size=60))
def test_never_more_than_allowed(pauses: list[float]) -> None:
    """In any span of time, no more pass than the burst and one for each interval that went by."""
    now = [0.0]
    allowance = Allowance(5, 2.0, lambda: now[0])
    passed: list[float] = []
    for pause in pauses:
        now[0] += pause
        if allowance.take():
            passed.append(now[0])
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= 5 + (passed[last] - passed[first]) / 2.0 + 1e-6


def test_room_comes_back() -> None:
    """After a burst one more passes per interval, and after a rest the whole burst."""
    now = [0.0]
    allowance = Allowance(2, 1.0, lambda: now[0])
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    now[0] = 1.0
    assert [allowance.take() for _ in range(2)] == [True, False]
    now[0] = 10.0
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_strangers_do_not_use_up_the_room_of_others() -> None:
    """A flood of calls without a key leaves few rows, and those of people still get theirs."""
    refusals = Refusals()
    assert sum(refusals.keeps(known=False) for _ in range(1000)) == 20
    assert refusals.keeps(known=True)
