"""``coflows secret …``: what functions of a Workflow need and nobody else may see."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from coflows_jupyter.cli.people import OPERATOR, do, read, show_rows
from coflows_jupyter.cli.session import session

SecretName = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits and _.")]


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    secret = typer.Typer(help="What functions of the Workflow need and nobody else may see.")
    secret.command(name="set")(set_text)
    secret.command(name="list")(list_names)
    secret.command()(remove)
    app.add_typer(secret, name="secret")


def set_text(context: typer.Context, name: SecretName) -> None:
    """Keep a secret; its text is asked for, or read from standard input.

    Functions have it by `from coflows_jupyter import secret; secret("NAME")`, the configuration as ${secret:NAME}.
    """
    from coflows_jupyter.access.secrets import Box, set_secret

    current = session(context)
    workflow = read(current).id
    text = typer.prompt(name, hide_input=True) if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    do(current, lambda c: set_secret(c, OPERATOR, Box(), workflow, name, text))
    current.output.document({"name": name})
    current.output.say(f"{name} is set; functions that ask for it are told from now on")


def list_names(context: typer.Context) -> None:
    """List the names of secrets; their texts can't be shown."""
    from coflows_jupyter.access.secrets import list_secrets

    current = session(context)
    workflow = read(current).id
    found = do(current, lambda c: list_secrets(c, workflow))
    current.output.document({"secrets": found})
    rows = [{"secret": s.name, "set": s.changed[:19].replace("T", " "), "by": s.changed_by} for s in found]
    show_rows(current, rows, "no secrets")


def remove(context: typer.Context, name: SecretName) -> None:
    """Delete a secret."""
    from coflows_jupyter.access.secrets import remove_secret

    current = session(context)
    workflow = read(current).id
    do(current, lambda c: remove_secret(c, OPERATOR, workflow, name))
    current.output.document({"name": name})
    current.output.say(f"{name} is deleted")
