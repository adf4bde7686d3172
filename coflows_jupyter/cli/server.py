"""``coflows server``: Lab and the endpoints of a Workflow."""

from __future__ import annotations

from typing import Annotated

import typer

from coflows_jupyter.cli.session import session


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    app.command()(server)


def server(
    context: typer.Context,
    config: Annotated[str | None, typer.Argument(help="The configuration, else the one in this folder.")] = None,
    *,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port, else Server.Port.")] = None,
    ip: Annotated[str | None, typer.Option(help="Address to listen on, else what Server.Host means.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open Lab in a browser.")] = True,
) -> int:
    """Serve the Workflow until Ctrl-C."""
    from coflows_jupyter.app import serve

    current = session(context)
    code = serve(config or current.config, port=port, ip=ip, browser=browser, debug=current.output.debug)
    current.output.document({"ok": code == 0})
    return code
