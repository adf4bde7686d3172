"""``coflows aci …``: Azure Container Instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.deploy.aci.plan import Plan
    from coflows_jupyter.workflow.package import Package

_REFUSED = 2

Force = Annotated[bool, typer.Option("--force", help="Ask Azure even for what it is known not to have.")]
Loss = Annotated[bool, typer.Option("--accept-data-loss", help="Keep the database in the container, which loses it.")]
ConfigFile = Annotated[str | None, typer.Argument(help="The configuration, else the one in this folder.")]


def register(app: typer.Typer) -> None:
    """Add this family to ``app``, and once more under the name that it had in the original."""
    for name, hidden in (("aci", False), ("azure", True)):
        aci = typer.Typer(help="The Workflow in an Azure Container Instance.", hidden=hidden)
        aci.command()(plan)
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
