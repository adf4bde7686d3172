"""Asks Azure what a plan has to know: what the region offers, what the subscription may have, and what is there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coflows_jupyter.deploy.aci.auth import read_auth
from coflows_jupyter.deploy.aci.client import Clients
from coflows_jupyter.deploy.aci.facts import Facts, Quota
from coflows_jupyter.deploy.aci.limits import Offer
from coflows_jupyter.deploy.aci.masks import make_masker
from coflows_jupyter.deploy.aci.plan import resource_group, section
from coflows_jupyter.deploy.aci.regions import find
from coflows_jupyter.errors import CoflowsError, ConfigError, DeniedError, NotFoundError

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.workflow.package import Package

# A plan can do without an answer, and nobody wants to wait for it.
_RETRIES = 1
_GROUPS, _CORES = "ContainerGroups", "StandardCores"


def ask(config: Config, package: Package, environ: Mapping[str, str] = os.environ) -> Facts:
    """Ask Azure; whatever keeps it from answering is said in the facts.

    Args:
        config: with the section.
        package: the Workflow.
        environ: where credentials may be named.

    Raises:
        ConfigError: the configuration has no section for it.
    """
    azure = section(config)
    try:
        auth = read_auth(azure.auth_file, environ)
        with Clients(auth, make_masker(config, auth), _RETRIES) as clients:
            return survey(clients, find(azure.region) or azure.region, package.id, azure.dns.lower())
    except ConfigError as error:
        return Facts(unknown=error.message)
    except DeniedError as error:
        # Who may deploy may also look; whom nobody knows can do neither.
        return Facts(denied=error.message)
    except CoflowsError as error:
        return Facts(unknown=error.message)


def survey(clients: Clients, region: str, workflow: str, container: str) -> Facts:
    """Ask Azure.

    Raises:
        CoflowsError: it did not answer, or refused.
    """
    # The models' annotations say of most fields that they are None.
    location: Any = clients.containers.location
    with clients.translated(f"say what {region} offers"):
        rows: list[Any] = list(location.list_capabilities(region))
        usages: dict[str, Any] = {usage.name.value: usage for usage in location.list_usage(region) if usage.name}
    offers = tuple(
        Offer(
            row.capabilities.max_cpu or 0,
            row.capabilities.max_memory_in_gb or 0,
            "" if (row.gpu or "None") == "None" else row.gpu,
            row.capabilities.max_gpu_count or 0,
        )
        for row in rows
        if row.capabilities and (row.os_type, row.ip_address_type) == ("Linux", "Public")
    )
    own = _own_cores(clients, workflow, container)
    return Facts(
        offers=offers or None,
        groups=_quota(usages.get(_GROUPS), "container groups", 0 if own is None else 1),
        cores=_quota(usages.get(_CORES), "cores", own or 0),
        exists=own is not None,
    )


def _own_cores(clients: Clients, workflow: str, container: str) -> float | None:
    """Return how many cores our container has, ``None`` when there is none."""
    try:
        with clients.translated("say what is there"):
            group: Any = clients.containers.container_groups.get(resource_group(workflow), container)
    except NotFoundError:
        return None
    return float(sum(container.resources.requests.cpu for container in group.containers))


def _quota(usage: Any, name: str, own: float) -> Quota | None:
    if usage is None or usage.limit is None:
        return None
    return Quota(name, max((usage.current_value or 0) - own, 0), usage.limit)
