"""CoFlows as an extension of Jupyter Server: the lifecycle, and the one place that wires everything.

It runs in a launch of ours (the server is a ``CoFlowsServer``, and ours to configure) or as a guest in a person's own
Lab, where it adds its routes and changes nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from jupyter_server.auth.authorizer import AllowAllAuthorizer
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from prometheus_client import REGISTRY
from traitlets import Bool, Unicode
from traitlets.config import Config as Traits

from coflows_jupyter import __version__
from coflows_jupyter.access.directory import Directory, open_directory
from coflows_jupyter.access.jupyter import CoFlowsAuthorizer, CoFlowsIdentityProvider
from coflows_jupyter.access.keys import KeyRing
from coflows_jupyter.access.secrets import with_key
from coflows_jupyter.config import Config, load_config
from coflows_jupyter.deploy.certificates.status import plain
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.server import banner, logs, runfile
from coflows_jupyter.server.application import CoFlowsServer, is_loopback
from coflows_jupyter.server.deployments import Deployments
from coflows_jupyter.server.following import Following
from coflows_jupyter.server.metrics import WorkflowCollector
from coflows_jupyter.server.routes import handlers
from coflows_jupyter.server.services import Services
from coflows_jupyter.server.tls import Tls
from coflows_jupyter.status import EngineEvent

_CLOSE_SECONDS = 3.5
_DRAIN_SECONDS = 2.0
_PATIENCE_SECONDS = 3.0
_KERNEL = "coflows"
_KERNEL_STOP_SECONDS = 2.0
# Keys of ours that Jupyter's own list of what to leave out of its access log lacks.
_SECRET_PARAMETERS = ["uid", "Key", "Secret"]


class CoFlowsApp(ExtensionApp):
    """CoFlows: a folder of functions becomes Web APIs, inside Jupyter."""

    name = "coflows_jupyter"
    version = __version__
    serverapp_class = CoFlowsServer
    load_other_extensions = True
    extension_url = "/lab"

    coflows_config = Unicode(
        "", help="Path of coflows_config.json; by default it is looked for as `coflows server` does."
    ).tag(config=True)
    json_logs = Bool(False, help="Whether to log one JSON document per line.").tag(config=True)

    services: Services
    config_or_none: Config | None = None

    # -- link: the last moment before Jupyter makes its identity provider ----------------------------------------------

    def _link_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        super()._link_jupyter_server_extension(serverapp)
        logs.join(serverapp.log, cast("int | str", serverapp.log_level))
        if self.json_logs:
            for handler in serverapp.log.handlers:
                handler.setFormatter(logs.JsonFormatter())
        serverapp.extra_log_scrub_param_keys = [*serverapp.extra_log_scrub_param_keys, *_SECRET_PARAMETERS]
        if isinstance(serverapp, CoFlowsServer):
            self.config_or_none = serverapp.workflow_config
            self._configure(serverapp, serverapp.workflow_config)
            root = Path(serverapp.root_dir) if serverapp.lab else None
            self.services = Services(
                serverapp.keys,
                serverapp.directory,
                root=root,
                doorkeeper=serverapp.doorkeeper,
                keeper=serverapp.tls.keeper if serverapp.tls else None,
            )
            if not serverapp.tls and not serverapp.certfile:
                self.services.unencrypted = plain(serverapp.workflow_config)
            serverapp.open_workflows = lambda: {e.id: e.name for e in self.services.workflows if e.id}
        else:
            self._visit(serverapp)
        if self.config_or_none is not None:
            self.services.origins = frozenset(self.config_or_none.server.cors)
        if self.services.keys.weakness and self.config_or_none is not None:
            self.log.warning(
                "%s. A random key takes its place for this run; `coflows key rotate` writes a new one.",
                self.services.keys.weakness,
            )

    def _configure(self, server: CoFlowsServer, config: Config) -> None:
        """Apply the Workflow's configuration where the operator chose nothing else."""
        # traitlets files `--port` under the lowest class, `--ServerApp.port` under that one.
        chosen = {name: value for section in server.section_names() for name, value in server.config[section].items()}
        settings: dict[str, Any] = {
            "ip": config.bind,
            "port": config.port,
            "root_dir": str(_folder(config)),
            "default_url": "/lab" if server.lab else "/",
            "allow_unauthenticated_access": False,
            "local_hostnames": ["localhost", config.server.host],
            # A server in a container runs as root, and so does whoever tries this in one.
            "allow_root": True,
            # A login shell would put back its own PATH, and `coflows` would not be found.
            "terminado_settings": {"shell_command": [os.environ.get("SHELL", "sh")]},
        }
        if config.names_port or config.encrypts:
            # Whoever names a port has told others; another one would not be found.
            settings["port_retries"] = 0
        if config.server.behind_proxy:
            settings["trust_xheaders"] = True
        for name, value in settings.items():
            if name not in chosen:
                setattr(server, name, value)
        if config.encrypts and "certfile" not in chosen:
            server.tls = Tls(config)
        # Jupyter would put the key into the page that it opens; see _say_where.
        server.wants_browser = bool(chosen.get("open_browser", True)) and server.lab
        server.no_browser_open_file = True
        server.update_config(
            Traits(
                CoFlowsServer={"open_browser": False},
                KernelManager={"shutdown_wait_time": _KERNEL_STOP_SECONDS},
            )
        )
        self.default_url = server.default_url
        self._install_identity_provider(server)

    def _install_identity_provider(self, server: CoFlowsServer) -> None:
        """Let the SecretKey open Lab, unless the operator or JupyterHub has arranged for something else."""
        configured = server.config
        own_secret = any(
            configured[section].get(name)
            for section, name in (
                ("IdentityProvider", "token"),
                ("PasswordIdentityProvider", "token"),
                ("PasswordIdentityProvider", "hashed_password"),
                *((section, name) for section in server.section_names() for name in ("token", "password")),
            )
        )
        if server.identity_provider_class is PasswordIdentityProvider and not own_secret:
            server.identity_provider_class = CoFlowsIdentityProvider
            if server.authorizer_class is AllowAllAuthorizer:
                server.authorizer_class = CoFlowsAuthorizer
        else:
            self.log.info("Lab is opened as Jupyter is configured; the SecretKey opens CoFlows' own routes only.")

    def _visit(self, serverapp: ServerApp) -> None:
        """Be a guest: find a Workflow, or have a reason why there is none."""
        root = Path(serverapp.root_dir)
        idle, key, directory = "", "", Directory()
        try:
            self.config_or_none = with_key(load_config(self.coflows_config or None, cwd=root))
            key = self.config_or_none.server.secret_key.get_secret_value()
            directory = open_directory(self.config_or_none)
        except CoflowsError as error:
            idle = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
            self.log.info("CoFlows is idle: %s", idle)
        keys = KeyRing(key, loopback=is_loopback(serverapp.ip))
        self.services = Services(keys, directory, root=root, idle=idle)

    # -- load ----------------------------------------------------------------------------------------------------------

    def initialize_settings(self) -> None:
        """Connect to Jupyter's event bus."""
        assert self.serverapp is not None
        assert self.serverapp.event_logger is not None
        self.services.events.connect(self.serverapp.event_logger)
        self.services.workflows.opening = self.config_or_none is not None
        if isinstance(self.serverapp, CoFlowsServer) and self.serverapp.lab:
            _prefer_own_kernel(self.serverapp)
        self._collector = WorkflowCollector(self.services)
        REGISTRY.register(self._collector)
        self._started: asyncio.Task[None] | None = None
        self._following: Following | None = None
        self._stopping = False
        self._environ: dict[str, str | None] = {}

    def initialize_handlers(self) -> None:
        """Add the route table."""
        alone = isinstance(self.serverapp, CoFlowsServer) and not self.serverapp.lab
        self.handlers.extend(handlers(self.services, alone=alone))

    # -- start ---------------------------------------------------------------------------------------------------------

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Open the Workflow in the background: Jupyter serves meanwhile, and ``ready`` says how far we are."""
        if self._stopping or self.config_or_none is None:
            return
        config = self.config_or_none
        url = local_url(serverapp)
        runfile.write(runfile.RunFile(url, self.services.keys.secret, str(config.file or ""), os.getpid()))
        self._set_environ(url)
        if isinstance(serverapp, CoFlowsServer):
            self._say_how_safe(serverapp)
        early = serverapp.early_host if isinstance(serverapp, CoFlowsServer) else None
        shown = url
        if isinstance(serverapp, CoFlowsServer):
            shown = serverapp.public_url if serverapp.tls else url
            self._say_where(serverapp, shown)
        self.services.deployments = deployments = Deployments(self.services, config)
        self._following = following = Following(deployments, self.services)
        engine = None
        if config.empty:
            self.services.idle = "nothing is deployed on this server yet"
        else:
            engine = deployments.make_engine(config.workflow, watch=None, early=early)
            self.services.open(engine)
            self._say_when_it_serves(engine, shown)
        self._started = asyncio.get_running_loop().create_task(self._open(engine, following))

    async def _open(self, engine: Engine | None, following: Following) -> None:
        building = asyncio.get_running_loop().create_task(following.open(engine))
        try:
            # Reading the database would slow the first build down; but that may take minutes, to install Pips.
            await asyncio.wait([building], timeout=_PATIENCE_SECONDS)
            await self.services.directory.start()
            await building
        finally:
            building.cancel()

    def _set_environ(self, url: str) -> None:
        """Let kernels and terminals find this server, and terminals the ``coflows`` command."""
        own = str(Path(sys.executable).parent)
        path = os.environ.get("PATH", "")
        values = {
            "COFLOWS_URL": url,
            "COFLOWS_KEY": self.services.keys.session,
            "PATH": path if own in path.split(os.pathsep) else f"{own}{os.pathsep}{path}",
        }
        self._environ = {name: os.environ.get(name) for name in values}
        os.environ.update(values)

    def _say_how_safe(self, server: CoFlowsServer) -> None:
        if server.tls is not None:
            server.tls.keeper.changed = self.services.announce
            server.tls.start(server)
        say_it = self.log.info if is_loopback(server.ip) or server.tls else self.log.warning
        say_it("%s", self.services.certificate.sentence)

    def _say_where(self, server: CoFlowsServer, url: str) -> None:
        provider = server.identity_provider
        if not server.lab or not isinstance(provider, CoFlowsIdentityProvider):
            say(f"CoFlows is at {url}")
            return
        target = server.default_url
        say(f"JupyterLab is at {login_url(url, provider, target)}\n  (opens once and for ten minutes)")
        if server.wants_browser:
            threading.Thread(target=webbrowser.open, args=[login_url(url, provider, target)], daemon=True).start()

    def _say_when_it_serves(self, engine: Engine, url: str) -> None:
        def listen(event: EngineEvent) -> None:
            if event.state in {"serving", "failed"} and event.kind == "state":
                unsubscribe()
                call = banner.curl(url, engine)
                if call:
                    say(f"{engine.name} answers:\n  {call}")

        unsubscribe = engine.subscribe(listen)

    def current_activity(self) -> Mapping[str, int] | None:
        """Return the calls in flight by host, so that Jupyter does not stop as idle during one."""
        busy = {
            f"{engine.name} {host.name}": host.in_flight
            for engine in self.services.workflows
            for host in engine.status().hosts
            if host.in_flight
        }
        return busy or None

    # -- stop ----------------------------------------------------------------------------------------------------------

    async def stop_extension(self) -> None:
        """End all that was started. It may not raise and not take long: Jupyter would leave the process behind."""
        self._stopping = True
        runfile.remove(os.getpid())
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                self.services.events.close_all()
                if self._following is not None:
                    await self._following.close()
                await self.services.workflows.close(_DRAIN_SECONDS)
                if self.services.deployments is not None:
                    await self.services.deployments.close()
                await self.services.directory.close()
                if isinstance(self.serverapp, CoFlowsServer) and self.serverapp.tls is not None:
                    await self.serverapp.tls.close()
                if self._started is not None:
                    self._started.cancel()
                    await asyncio.wait([self._started])
            REGISTRY.unregister(self._collector)
        except Exception:
            self.log.exception("CoFlows did not stop in order")
        for name, value in self._environ.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _folder(config: Config) -> Path:
    """Return the Workflow's folder; a server that begins empty may have to make it."""
    if config.empty:
        config.workflow.parent.mkdir(parents=True, exist_ok=True)
    return config.workflow.parent


def _prefer_own_kernel(server: CoFlowsServer) -> None:
    """Let new notebooks begin with the Workflow opened, unless the operator chose another kernel."""
    manager, specs = server.kernel_manager, server.kernel_spec_manager
    assert specs is not None
    chosen = any("default_kernel_name" in server.config[section] for section in manager.section_names())
    if not chosen and _KERNEL in specs.find_kernel_specs():
        manager.default_kernel_name = _KERNEL


def local_url(server: ServerApp) -> str:
    """Return the base URL by which programs on this machine reach the server, with a slash at the end."""
    if isinstance(server, CoFlowsServer) and server.tls is not None:
        return server.local_url
    address = "127.0.0.1" if server.ip in {"", "0.0.0.0", "::", "localhost"} else server.ip  # noqa: S104 — what it means, not a bind
    host = f"[{address}]" if ":" in address else address
    return f"{'https' if server.certfile else 'http'}://{host}:{server.port}{server.base_url}"


def login_url(url: str, provider: CoFlowsIdentityProvider, target: str) -> str:
    """Return a URL that logs a browser in once and leads it to ``target``."""
    return f"{url}login?" + urlencode({"code": provider.codes.issue(), "next": target})


def say(text: str) -> None:
    """Tell the person at the terminal, below the log that is there too."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"\n{text}\n")
        sys.stderr.flush()
