"""Starting a server of ours: ``coflows server`` and ``jupyter coflows``.

The third way to run CoFlows, inside a person's own Lab, starts in ``server/extension.py``, which holds the lifecycle
of all three. This module imports nothing heavy at its top: the Workflow's host is started first of all, and loads the
user's libraries while this process imports Jupyter.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coflows_jupyter.errors import CoflowsError, DiagnosticsError, answer
from coflows_jupyter.host.early import EarlyHost

if TYPE_CHECKING:
    from coflows_jupyter.config import Config

_HELP = {"-h", "--help", "--help-all", "--version", "--generate-config"}
_FAILED = 1


def serve(
    config_argument: str | Path | None = None,
    *,
    port: int | None = None,
    ip: str | None = None,
    browser: bool = False,
    debug: bool = False,
) -> int:
    """Serve a Workflow until a signal ends the server.

    Args:
        config_argument: path of the config file or its folder; ``None`` looks for it, see ``load_config``.
        port: where to listen instead of ``Server.Port``.
        ip: address to listen on instead of the one that ``Server.Host`` implies.
        browser: whether to open one.
        debug: whether to log everything.

    Returns:
        The exit code.

    Raises:
        ConfigError: the configuration can't be used.
    """
    arguments = [] if browser else ["--no-browser"]
    if port is not None:
        arguments += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if debug:
        arguments.append("--debug")
    if ip is not None:
        arguments.append(f"--ServerApp.ip={ip}")
    return _launch(config_argument, arguments)


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``jupyter coflows [CONFIG] [options of Jupyter Server]``."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if _HELP & set(arguments):
        from coflows_jupyter.server.extension import CoFlowsApp

        CoFlowsApp.launch_instance(arguments)  # type: ignore[no-untyped-call]
        return
    argument = arguments.pop(0) if arguments and not arguments[0].startswith("-") else None
    try:
        code = _launch(argument, arguments)
    except DiagnosticsError as error:
        for line in error.diagnostics or filter(None, (error.message, error.hint)):
            sys.stderr.write(f"{line}\n")
        code = answer(error).exit_code
    raise SystemExit(code)


def _launch(argument: str | Path | None, arguments: list[str]) -> int:
    early = EarlyHost()
    gc.disable()  # it would only look through modules as they are imported, which takes a tenth of the start
    from coflows_jupyter.access.secrets import with_key
    from coflows_jupyter.config import load_config

    try:
        config = with_key(load_config(argument))
    except BaseException:
        early.close()
        raise
    wanted = _load_early(early, config)
    _hurry()
    from coflows_jupyter.server.application import CoFlowsServer

    server = CoFlowsServer.instance(
        jpserver_extensions={"coflows_jupyter": True}, workflow_config=config, early_host=early if wanted else None
    )
    # Without Lab no other extension has anything to serve, terminals included.
    server.initialize(argv=arguments, find_extensions=config.jupyter)
    if "coflows_jupyter" not in server.web_app.settings:
        server.log.critical("CoFlows could not be loaded; the warnings above say why.")
        return _FAILED
    gc.freeze()
    gc.enable()
    server.start()
    return 0


def _load_early(early: EarlyHost, config: Config) -> bool:
    """Let the host load the Workflow, or end it where there is none to load; the engine says why there isn't."""
    from coflows_jupyter.build.assemble import assemble
    from coflows_jupyter.build.model import part
    from coflows_jupyter.build.prepare import prepared
    from coflows_jupyter.mset.place import database_of

    try:
        if config.host.mode == "process" and not config.empty:
            build = prepared(assemble(config.workflow))
            if build is not None:
                early.load(part(build, "query"), database_of(config))
                return True
    except CoflowsError:
        pass
    early.close()
    return False


def _hurry() -> None:
    """Prepare this process for a fast start and a fast loop; only ever done in a process of our own."""
    if "jsonschema" not in sys.modules:
        # jsonschema would compile the grammar of this package, which takes seconds, for the optional formats `iri` and
        # `iri-reference`. It does without where the package is missing; nothing in Jupyter checks these formats.
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        import uvloop
    except ImportError:
        # There is none for this system.
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
