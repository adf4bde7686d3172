"""``coflows aci …``: Azure Container Instances."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.deploy.aci.client import Clients
    from coflows_jupyter.deploy.aci.plan import Plan
    from coflows_jupyter.workflow.package import Package

_REFUSED = 2
_FOLLOW_SECONDS = 2.0

Force = Annotated[bool, typer.Option("--force", help="Ask Azure even for what it is known not to have.")]
Loss = Annotated[bool, typer.Option("--accept-data-loss", help="Keep the database in the container, which loses it.")]
ConfigFile = Annotated[str | None, typer.Argument(help="The configuration, else the one in this folder.")]


def register(app: typer.Typer) -> None:
    """Add this family to ``app``, and once more under the name that it had in the original."""
    for name, hidden in (("aci", False), ("azure", True)):
        aci = typer.Typer(help="The Workflow in an Azure Container Instance.", hidden=hidden)
        for command in (plan, deploy, status, logs, remove):
            aci.command()(command)
        app.add_typer(aci, name=name)


def plan(
    context: typer.Context,
    config: ConfigFile = None,
    *,
    force: Force = False,
    accept_data_loss: Loss = False,
) -> int:
    """Say what `coflows aci deploy` would do, and what is in its way; nothing is changed."""
    from coflows_jupyter.deploy.aci.asking import ask
    from coflows_jupyter.deploy.aci.plan import Options, make_plan

    current = session(context)
    loaded, package = _read(current, config)
    options = Options(force=force, accept_data_loss=accept_data_loss)
    with current.output.working("Asking Azure"):
        made = make_plan(loaded, package, ask(loaded, package), options)
    current.output.document(made)
    for line in lines(made):
        current.output.say(line)
    current.output.diagnostics(made.findings, err=True)
    return _REFUSED if made.refusals else 0


def deploy(
    context: typer.Context,
    config: ConfigFile = None,
    *,
    force: Force = False,
    accept_data_loss: Loss = False,
) -> None:
    """Make the container, or bring it up to date, and send the Workflow; again does what is left to do."""
    from coflows_jupyter.cli.progress import shown
    from coflows_jupyter.deploy.aci.deploy import deploy as run
    from coflows_jupyter.deploy.aci.plan import Options
    from coflows_jupyter.deploy.progress import Reporter

    current = session(context)
    loaded, package = _read(current, config)
    options = Options(force=force, accept_data_loss=accept_data_loss)
    reporter = Reporter(shown(current.output))
    with reporter.operation(f"Deploying {package.name}"):
        done = run(loaded, package, reporter, options)
        reporter.result(data=done)
    current.output.document(done)
    current.output.say(f"{package.name} serves at {done.url}")


def status(context: typer.Context, config: ConfigFile = None) -> None:
    """Say what the container does, and what Azure did with it."""
    from coflows_jupyter.deploy.aci.status import owned

    current = session(context)
    with _azure(current, config) as (clients, plan):
        found = owned(clients, plan)
    current.output.document(found)
    state = ", ".join(filter(None, [found.state, found.detail])) or "none yet"
    rows = {
        "address": found.host or found.ip or "none yet",
        "container": f"{found.container} in {plan.group}, {found.region}",
        "last change": found.provisioning,
        "state": state + (f", began anew {found.restarts} times" if found.restarts else ""),
        "image": found.image,
    }
    for name, text in rows.items():
        current.output.say(f"{name:<16} {text}")
    for event in found.events:
        current.output.say(clients.masker.mask(f"{event.last:<16} {event}"))


def logs(
    context: typer.Context,
    config: ConfigFile = None,
    *,
    tail: Annotated[int | None, typer.Option(min=1, help="How many of the last lines, else all.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print what the container printed; Azure keeps the last four megabytes."""
    import time

    from coflows_jupyter.deploy.aci.logs import Fresh, new_logs, read_logs
    from coflows_jupyter.deploy.aci.status import owned

    current = session(context)
    with _azure(current, config) as (clients, plan):
        owned(clients, plan)
        lines = [
            clients.masker.mask(line) for line in read_logs(clients, plan.group, plan.container, tail, times=follow)
        ]
        current.output.document(lines)
        fresh = Fresh()
        for line in fresh.pick(lines) if follow else lines:
            current.output.say(line)
        while follow:
            time.sleep(_FOLLOW_SECONDS)
            for line in new_logs(clients, plan.group, plan.container, fresh):
                current.output.say(clients.masker.mask(line))


def remove(context: typer.Context, config: ConfigFile = None) -> None:
    """Take the container away, and its resource group if nothing else is in it."""
    from coflows_jupyter.cli.progress import shown
    from coflows_jupyter.deploy.aci.remove import remove as run
    from coflows_jupyter.deploy.progress import Reporter

    current = session(context)
    with _azure(current, config) as (clients, plan):
        reporter = Reporter(shown(current.output))
        with reporter.operation(f"Removing {plan.name} from Azure"):
            removed = run(clients, plan, reporter)
            reporter.result(data=removed)
    current.output.document({"removed": removed})
    current.output.say("Removed" if removed else "There was nothing to remove")


@contextlib.contextmanager
def _azure(current: Session, config: str | None) -> Iterator[tuple[Clients, Plan]]:
    """Give what is needed to look at what was deployed."""
    from coflows_jupyter.deploy.aci.auth import read_auth
    from coflows_jupyter.deploy.aci.client import Clients
    from coflows_jupyter.deploy.aci.masks import make_masker
    from coflows_jupyter.deploy.aci.plan import make_plan, section

    loaded, package = _read(current, config)
    auth = read_auth(section(loaded).auth_file)
    with Clients(auth, make_masker(loaded, auth)) as clients:
        yield clients, make_plan(loaded, package)


def _read(current: Session, config: str | None) -> tuple[Config, Package]:
    from coflows_jupyter.access.secrets import with_key
    from coflows_jupyter.config import load_config
    from coflows_jupyter.workflow.package import read_package

    loaded = with_key(load_config(config or current.config))
    return loaded, read_package(loaded.workflow)


def lines(plan: Plan) -> list[str]:
    """Return a plan as people read it."""
    gpu = f", {plan.gpus} {plan.gpu}" if plan.gpus else ""
    ports = " and ".join(map(str, plan.ports))
    rows = [
        ("Workflow", f"{plan.name} ({plan.workflow or 'no ID'})"),
        ("address", plan.url),
        ("container", f"{plan.container} in {plan.group}, {plan.region}, ports {ports}"),
        ("size", f"{plan.cores:g} cores, {plan.memory:g} GB{gpu}"),
        ("image", plan.image),
        *(("https", step) for step in plan.certificate),
        *((what, where) for what, where in plan.stored.items()),
        *(("paid for", what) for what in plan.costs),
        ("limits", plan.checked),
    ]
    shown: list[str] = []
    before = ""
    for name, text in rows:
        shown.append(f"{'' if name == before else name:<16} {text}")
        before = name
    return shown
