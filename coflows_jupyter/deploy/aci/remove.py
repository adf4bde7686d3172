"""Takes a deployment away: what carries our tag, and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from coflows_jupyter.deploy.aci.client import Clients
from coflows_jupyter.deploy.aci.group import OWNER_TAG
from coflows_jupyter.deploy.aci.status import check_owner, look
from coflows_jupyter.errors import DeployError, NotFoundError

if TYPE_CHECKING:
    from coflows_jupyter.deploy.aci.plan import Plan
    from coflows_jupyter.deploy.progress import Reporter

SECONDS = 900.0


def remove(clients: Clients, plan: Plan, reporter: Reporter, seconds: float = SECONDS, poll: float = 1.0) -> bool:
    """Take the container away, and its resource group if nothing else is in it.

    Args:
        clients: Azure.
        plan: what was deployed.
        reporter: told what goes on, and asked whether to go on.
        seconds: how long to wait for each.
        poll: seconds between two looks.

    Returns:
        Whether there was anything.

    Raises:
        ConflictError: something of that name is not ours.
        DeployError: it took too long.
        CancelledError: it is to stop.
        CoflowsError: Azure did not answer, or refused.
    """
    was_there = False
    with reporter.step("container", f"Container {plan.container}"):
        found = look(clients, plan)
        if found is None:
            reporter.result("there is none")
        else:
            check_owner(found.owner, f"the container {plan.container}", plan)
            groups: Any = clients.containers.container_groups
            with clients.translated(f"remove the container {plan.container}"):
                poller = groups.begin_delete(plan.group, plan.container, polling_interval=poll)
            _wait(clients, poller, f"the container {plan.container}", reporter, seconds, poll)
            was_there = True
            reporter.result("removed")
    with reporter.step("group", f"Resource group {plan.group}"):
        text = _remove_group(clients, plan, reporter, seconds, poll)
        was_there |= text == "removed"
        reporter.result(text)
    return was_there


def _remove_group(clients: Clients, plan: Plan, reporter: Reporter, seconds: float, poll: float) -> str:
    resources: Any = clients.resources
    try:
        with clients.translated(f"look into the resource group {plan.group}"):
            group = resources.resource_groups.get(plan.group)
            others = [item.name for item in resources.resources.list_by_resource_group(plan.group)]
    except NotFoundError:
        return "there is none"
    if (group.tags or {}).get(OWNER_TAG, "").lower() != plan.workflow.lower():
        return "it is not ours and stays"
    # What was deleted a moment ago may still be listed.
    others = [name for name in others if name != plan.container]
    if others:
        return f"it stays: {', '.join(sorted(others))} is in it too"
    with clients.translated(f"remove the resource group {plan.group}"):
        poller = resources.resource_groups.begin_delete(plan.group, polling_interval=poll)
    _wait(clients, poller, f"the resource group {plan.group}", reporter, seconds, poll)
    return "removed"


def _wait(clients: Clients, poller: Any, what: str, reporter: Reporter, seconds: float, poll: float) -> None:
    end = time.monotonic() + seconds
    while not poller.done():
        if time.monotonic() > end:
            raise DeployError(
                f"Azure did not remove {what} within {seconds:g} seconds", hint="coflows aci remove again"
            )
        reporter.wait(poll)
    with clients.translated(f"remove {what}"):
        poller.result()
