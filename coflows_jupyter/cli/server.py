"""``coflows server``: Lab and the endpoints of a Workflow."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from coflows_jupyter.cli.session import Session, session


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
    container: Annotated[
        bool,
        typer.Option("--container", help="Serve it in a container of `coflows image build`."),
    ] = False,
) -> int:
    """Serve the Workflow until Ctrl-C."""
    current = session(context)
    if container:
        return _serve_in_container(current, config, port)
    from coflows_jupyter.app import serve

    code = serve(config or current.config, port=port, ip=ip, browser=browser, debug=current.output.debug)
    current.output.document({"ok": code == 0})
    return code


def _serve_in_container(current: Session, argument: str | None, port: int | None) -> int:
    import os
    import subprocess

    from coflows_jupyter.cli.image import name_of
    from coflows_jupyter.config import load_config
    from coflows_jupyter.deploy import image
    from coflows_jupyter.errors import NotFoundError

    config = load_config(argument or current.config)
    program, name = image.find_program(image.RUNNERS), name_of(config)
    if not image.exists(program, name):
        raise NotFoundError(f"the image {name} is not on this computer", hint="make it with: coflows image build")
    command = image.run_command(program, name, config, config.port if port is None else port, os.environ)
    with subprocess.Popen(command) as process:
        while True:
            # Ctrl-C reaches the container too, which ends in order; that is what to wait for.
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()
