"""What is there of a Workflow in Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.deploy.aci.client import Clients
from coflows_jupyter.deploy.aci.group import MARK_TAG, OWNER_TAG, PIN_TAG
from coflows_jupyter.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from coflows_jupyter.deploy.aci.plan import Plan


class Happening(msgspec.Struct, frozen=True):
    """Something that Azure did with the container.

    Args:
        kind: ``Normal`` or ``Warning``.
        name: short, like ``Pulling``.
        text: a sentence.
        count: how often.
        last: when last, ISO 8601.
    """

    kind: str
    name: str
    text: str
    count: int
    last: str

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.name}: {self.text}{times}"


class Found(msgspec.Struct, frozen=True):
    """A container group as it is.

    Args:
        container: its name.
        region: Azure's name of its region.
        provisioning: what became of the last change: ``Creating``, ``Succeeded``, ``Failed``, …
        state: what the container does: ``Running``, ``Waiting``, ``Terminated``, …; empty before there is one.
        detail: why, in Azure's words; may be empty.
        restarts: how often the container began anew.
        image: what runs.
        host: its name in the internet, empty where it has none.
        ip: its address, empty where it has none yet.
        owner: the Workflow whose it is, empty when it is not ours.
        mark: tells one body of the request from another.
        pin: SHA-256 of the certificate that it was given.
        events: what happened.
    """

    container: str
    region: str
    provisioning: str
    state: str
    detail: str
    restarts: int
    image: str
    host: str
    ip: str
    owner: str
    mark: str
    pin: str
    events: tuple[Happening, ...] = ()


def look(clients: Clients, plan: Plan) -> Found | None:
    """Return the container group of a plan, ``None`` when there is none.

    Raises:
        CoflowsError: Azure did not answer, or refused.
    """
    groups: Any = clients.containers.container_groups
    try:
        with clients.translated(f"show {plan.container}"):
            return _found(groups.get(plan.group, plan.container))
    except NotFoundError:
        return None


def owned(clients: Clients, plan: Plan) -> Found:
    """Return the container group of a plan.

    Raises:
        NotFoundError: there is none.
        ConflictError: it is not ours.
        CoflowsError: Azure did not answer, or refused.
    """
    found = look(clients, plan)
    if found is None:
        hint = "coflows aci deploy makes it"
        raise NotFoundError(f"there is no container {plan.container} in {plan.group}", hint=hint)
    check_owner(found.owner, f"the container {plan.container}", plan)
    return found


def check_owner(owner: str, what: str, plan: Plan) -> None:
    """Go on with what is ours only.

    Raises:
        ConflictError: it is not.
    """
    if owner.lower() != plan.workflow.lower():
        whose = f"of the Workflow {owner}" if owner else "not ours"
        hint = f"it lacks the tag {OWNER_TAG}={plan.workflow}: change Dns, or remove it yourself in Azure"
        raise ConflictError(f"{what} is there and {whose}: it is left alone", hint=hint)


def _found(group: Any) -> Found:
    container = group.containers[0] if group.containers else None
    view = container.instance_view if container else None
    state = view.current_state if view else None
    address = group.ip_address
    tags = group.tags or {}
    return Found(
        container=group.name or "",
        region=group.location or "",
        provisioning=group.provisioning_state or "",
        state=(state.state if state else None) or "",
        detail=(state.detail_status if state else None) or "",
        restarts=(view.restart_count if view else None) or 0,
        image=(container.image if container else None) or "",
        host=(address.fqdn if address else None) or "",
        ip=(address.ip if address else None) or "",
        owner=tags.get(OWNER_TAG, ""),
        mark=tags.get(MARK_TAG, ""),
        pin=tags.get(PIN_TAG, ""),
        events=tuple(_happening(event) for event in (view.events if view else None) or []),
    )


def _happening(event: Any) -> Happening:
    last = event.last_timestamp.isoformat() if event.last_timestamp else ""
    return Happening(event.type or "", event.name or "", event.message or "", event.count or 1, last)
