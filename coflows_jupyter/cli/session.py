"""What every command knows: the options that go before or after any verb."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import typer

from coflows_jupyter.cli.output import Output

FLAGS = ("--json", "--quiet", "--debug")
CONFIG = "--config"


class Session(NamedTuple):
    """One run of the command.

    Args:
        config: what ``--config`` names, ``None`` when it is not given.
        output: where the command speaks.
    """

    config: str | None
    output: Output


def session(context: typer.Context) -> Session:
    """Return the session of a command that runs in ``context``."""
    found = context.obj
    assert isinstance(found, Session)
    return found


def hoist(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the global options, wherever they stand, from the rest.

    What follows ``--`` belongs to the user's function and is left alone.
    """
    options: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in FLAGS or argument.startswith(f"{CONFIG}="):
            options.append(argument)
        elif argument == CONFIG:
            options += [argument, *itertools.islice(remaining, 1)]
        else:
            rest.append(argument)
    return options, rest
