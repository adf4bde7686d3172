"""``coflows doctor``: what is wrong here, and the command that mends it."""

from __future__ import annotations

from typing import Annotated

import typer

from coflows_jupyter.cli.session import session
from coflows_jupyter.errors import FAILED

_MARKS = {
    "info": ("ok", typer.colors.GREEN),
    "warning": ("warning", typer.colors.YELLOW),
    "error": ("error", typer.colors.RED),
}


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    app.command()(doctor)


def doctor(
    context: typer.Context,
    config: Annotated[str | None, typer.Argument(help="The configuration, else the one in this folder.")] = None,
    *,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended without harm.")] = False,
) -> int:
    """Look for what keeps the Workflow from running here."""
    from coflows_jupyter.doctor.examine import examine, see

    current = session(context)
    output = current.output
    rows = list(examine(see(config or current.config), fix=fix))
    ok = not any(row.severity == "error" and not row.fixed for row in rows)
    output.document({"ok": ok, "findings": rows})
    if not output.json:
        for row in rows:
            mark, colour = ("fixed", typer.colors.GREEN) if row.fixed else _MARKS[row.severity]
            if output.quiet and mark == "ok":
                continue
            output.write(f"{typer.style(f'{mark:8}', fg=colour)} {row.check:12} {row.message}")
            if row.why:
                output.write(f"{'':21} {row.why}")
            if row.command and not row.fixed:
                output.write(f"{'':21} $ {row.command}")
    return 0 if ok else FAILED
