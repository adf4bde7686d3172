"""The bar of a run that a notebook waits for."""

from __future__ import annotations

from coflows_jupyter.notebook.bar import Bar


def make(done: float, total: float, text: str, seconds: float) -> Bar:
    """Make a bar that was updated after ``seconds``."""
    now = [0.0]
    bar = Bar("Price", lambda: now[0])
    now[0] = seconds
    bar._done, bar._total, bar._text = done, total, text
    return bar


def test_it_says_how_long_it_will_take() -> None:
    """What is left takes as long per unit as what is done did."""
    bar = make(25, 100, "swaps", 30)
    assert bar.remaining == 90
    assert repr(bar) == "Price |" + "█" * 8 + "·" * 22 + "| 25/100, swaps, 0:30 so far, 1:30 left"


def test_without_a_total_nobody_knows() -> None:
    """Neither a share nor a time is made up, and HTML's bar is one that moves to and fro."""
    bar = make(7, 0, "", 3725)
    assert bar.remaining is None
    assert repr(bar) == "Price: 7, 1:02:05 so far"
    assert "value" not in bar._repr_html_()


def test_html_is_text_of_nobody_else() -> None:
    """What the function says is shown, never run."""
    html = make(1, 2, "<script>", 1)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert 'max="2" value="1"' in html


def test_the_end_stays() -> None:
    """An ended bar says how, and no time that is left."""
    bar = make(1, 2, "", 1)
    bar.end("cancelled")
    bar.end("failed")
    assert repr(bar).endswith("1/2, cancelled")
