"""Global options may stand anywhere on the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.cli.session import FLAGS, hoist


@pytest.mark.parametrize(
    ("line", "options", "rest"),
    [
        ("local build", [], ["local", "build"]),
        ("--json local build", ["--json"], ["local", "build"]),
        ("local build --json --debug", ["--json", "--debug"], ["local", "build"]),
        ("local --config a.json build", ["--config", "a.json"], ["local", "build"]),
        ("local build --config=a.json --quiet", ["--config=a.json", "--quiet"], ["local", "build"]),
        ("local query q F -1 -- --json", [], ["local", "query", "q", "F", "-1", "--", "--json"]),
        ("local build --config", ["--config"], ["local", "build"]),
    ],
)
def test_options_before_and_after_the_verb(line: str, options: list[str], rest: list[str]) -> None:
    """They come first for the parser; what follows `--` stays where it is."""
    assert hoist(line.split()) == (options, rest)


@given(st.lists(st.sampled_from([*FLAGS, "--", "local", "-1", "x=1", "", "--port"])))
def test_nothing_is_lost_or_reordered(arguments: list[str]) -> None:
    """Splitting keeps every word, in its order, on one of the two sides."""
    options, rest = hoist(arguments)
    assert sorted(options + rest) == sorted(arguments)
    assert options == [a for i, a in enumerate(arguments) if a in FLAGS and "--" not in arguments[:i]]
