"""Durations, memory and CPU."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.units import parse_cpu, parse_duration, parse_memory

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("500ms", 0.5),
        ("2m", 120),
        ("1h", 3600),
        ("1d", 86400),
        (5, 5),
        (0.25, 0.25),
        ("7", 7),
        (" 1.5 s ", 1.5),
    ],
)
def test_duration(text: str | float, seconds: float) -> None:
    """Each unit has its usual meaning; a bare number means seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("50Gi", 50 * 1024**3), ("200Mi", 200 * 1024**2), ("1k", 1000), ("1.5G", 1_500_000_000), (7, 7), ("0.5", 1)],
)
def test_memory(text: str | float, size: int) -> None:
    """Binary and decimal suffixes differ; a part of a byte counts as one."""
    assert parse_memory(text) == size


@pytest.mark.parametrize(("text", "cores"), [("500m", 0.5), ("2", 2), ("0.5", 0.5), (4, 4), (0.1, 0.1)])
def test_cpu(text: str | float, cores: float) -> None:
    """Cores are whole, decimal, or thousandths."""
    assert parse_cpu(text) == cores


@pytest.mark.parametrize("parse", [parse_duration, parse_memory, parse_cpu])
@pytest.mark.parametrize(
    "value", ["", "x", "-1", "1 2", "5 parsecs", "1e99999", -1, True, float("nan"), float("inf"), "٣"]
)
def test_nonsense_is_refused_with_a_sentence(parse: type, value: str | float) -> None:
    """The error repeats the value and says what to write."""
    with pytest.raises(ValueError, match=r"is not an? .*; write ") as caught:
        parse(value)
    assert repr(value) in str(caught.value)


@given(AMOUNTS)
def test_units_are_consistent(amount: object) -> None:
    """An amount in a larger unit is the same amount in the smaller one."""
    assert parse_duration(f"{amount}m") == pytest.approx(60 * parse_duration(f"{amount}s"))
    assert parse_cpu(f"{amount}") == pytest.approx(1000 * parse_cpu(f"{amount}m"))
    assert parse_memory(f"{amount}Ki") <= 1024 * parse_memory(f"{amount}") <= parse_memory(f"{amount}Ki") + 1024


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    """No text raises anything but ValueError."""
    for parse in (parse_duration, parse_memory, parse_cpu):
        try:
            assert parse(text) >= 0
        except ValueError as error:
            assert "write" in str(error)  # noqa: PT017
