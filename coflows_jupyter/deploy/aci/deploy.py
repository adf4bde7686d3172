"""From the files of a Workflow to a container that serves it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.deploy.aci.apply import PATIENT, Applying, Patience, Way
from coflows_jupyter.deploy.aci.asking import ask
from coflows_jupyter.deploy.aci.auth import read_auth
from coflows_jupyter.deploy.aci.cargo import load
from coflows_jupyter.deploy.aci.client import Clients
from coflows_jupyter.deploy.aci.masks import make_masker
from coflows_jupyter.deploy.aci.plan import CAREFUL, Options, Plan, make_plan, section
from coflows_jupyter.deploy.bundle import pack

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.deploy.progress import Reporter
    from coflows_jupyter.deploy.revisions import Revision
    from coflows_jupyter.workflow.package import Package


class Deployed(msgspec.Struct, frozen=True):
    """What came of a deployment.

    Args:
        url: what people open.
        container: the address at which the container answers now.
        revision: number of the revision that serves.
    """

    url: str
    container: str
    revision: int


def deploy(
    config: Config,
    package: Package,
    reporter: Reporter,
    options: Options = CAREFUL,
    patience: Patience = PATIENT,
    environ: Mapping[str, str] = os.environ,
) -> Deployed:
    """Make the container, or bring it up to date, and wait until it serves.

    Args:
        config: with the section; its SecretKey is no reference any more.
        package: the Workflow.
        reporter: told what goes on, and asked whether to go on.
        options: what is taken on oneself.
        patience: how long to wait.
        environ: where credentials may be named.

    Raises:
        ConfigError: the plan can't be done; nothing was changed.
        CoflowsError: what is raised by ``Applying``.
    """
    azure = section(config)
    with reporter.step("plan", "The plan"):
        plan = make_plan(config, package, ask(config, package, environ), options, environ)
        plan.check()
        for found in plan.findings:
            reporter.log(str(found))
        reporter.result(plan.checked)
    auth, cargo = read_auth(azure.auth_file, environ), load(config, plan)
    with Clients(auth, make_masker(config, auth, cargo)) as clients:
        applying = Applying(clients, plan, reporter, patience)
        way = applying.make(azure, cargo, config.server.host if config.issues else "")
    revision = send(config, package, way, reporter)
    return Deployed(_url(config, plan), way.url, revision.number)


def send(config: Config, package: Package, way: Way, reporter: Reporter) -> Revision:
    """Let the Workflow serve in a container that answers.

    Args:
        config: the configuration here; its SecretKey, which is the container's too, is no reference any more.
        package: the Workflow.
        way: how to talk to the container.
        reporter: told what goes on, and asked whether to go on.

    Raises:
        BundleError: it can't travel.
        BuildError: it does not build there, and what served goes on serving.
        UnreachableError: the container did not answer.
    """
    from coflows_jupyter.deploy.cloud import Remote

    with reporter.step("pack", "The Workflow"):
        bundle = pack(config.workflow, config)
        if bundle.left_out:
            reporter.log(f"stays here: {', '.join(bundle.left_out)}")
    key = config.server.secret_key.get_secret_value()
    with contextlib.closing(Remote(way.url, key, pin=way.certificate)) as remote:
        return remote.deploy(package.id, bundle, config.workflow.parent.name, reporter)


def _url(config: Config, plan: Plan) -> str:
    """Return what people open: the name of the configuration, once its certificate has been issued for it."""
    if not (config.issues or config.certificate):
        return plan.url
    return plan.url.replace(plan.host, config.server.host, 1)
