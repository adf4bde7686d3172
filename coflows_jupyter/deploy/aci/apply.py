"""Makes what a plan says: one pass that can be repeated, until the Workflow serves in Azure.

What is there already and as it should be is left as it is, so a second deployment of an unchanged configuration only
sends the Workflow.
"""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from coflows_jupyter.deploy.aci.cargo import Cargo
from coflows_jupyter.deploy.aci.client import Clients
from coflows_jupyter.deploy.aci.group import HEALTH, MARK_TAG, OWNER_TAG, make_group
from coflows_jupyter.deploy.aci.logs import Fresh, new_logs
from coflows_jupyter.deploy.aci.status import Found, check_owner, look
from coflows_jupyter.deploy.pin import fingerprint, only, shown_certificate
from coflows_jupyter.errors import ConflictError, DeployError

if TYPE_CHECKING:
    from azure.mgmt.containerinstance.models import ContainerGroup

    from coflows_jupyter.azure import AzureContainerInstance
    from coflows_jupyter.deploy.aci.plan import Plan
    from coflows_jupyter.deploy.progress import Reporter

_KNOCK_SECONDS = 5.0
_LAST_LINES = 5


class Patience(msgspec.Struct, frozen=True):
    """How long to wait, in seconds.

    Args:
        create: for Azure to make the container.
        busy: for something else that is being done to it to end.
        start: for the server in it to answer.
        poll: between two looks.
        restarts: how often a container may begin anew before it is given up.
    """

    create: float = 1800
    busy: float = 300
    start: float = 900
    poll: float = 1
    restarts: int = 3


PATIENT = Patience()


class Address(NamedTuple):
    """Where the server is reached, and how to know it.

    Args:
        host: the container's name or address.
        name: the name that its certificate will have once that has been issued; empty when none will be.
        port: of https.
        pin: SHA-256 of the certificate that it was given, in hexadecimal digits.
    """

    host: str
    name: str
    port: int
    pin: str


class Way(NamedTuple):
    """How to talk to the server.

    Args:
        url: its address, without a slash at the end.
        certificate: the one that it has to show, as PEM; empty for one that this computer trusts.
    """

    url: str
    certificate: str


class Applying:
    """One deployment.

    Args:
        clients: Azure.
        plan: a plan that can be done.
        reporter: told what goes on, and asked whether to go on.
        patience: how long to wait.
    """

    def __init__(self, clients: Clients, plan: Plan, reporter: Reporter, patience: Patience = PATIENT) -> None:
        self._clients = clients
        self._plan = plan
        self._tell = reporter
        self._masker = clients.masker
        self._patience = patience
        self._fresh = Fresh()
        self._told: dict[tuple[str, str], int] = {}
        self._state = ""

    def make(self, azure: AzureContainerInstance, cargo: Cargo, name: str) -> Way:
        """Make resource group and container group, or leave them as they are, and wait until the server answers.

        Args:
            azure: the section of the configuration.
            cargo: what the container is given.
            name: the name that its certificate will have once that has been issued; empty when none will be.

        Raises:
            ConflictError: something of that name is not ours, or is in another region.
            DeployError: Azure could not make it, or the server in it never answered.
            CancelledError: it is to stop.
            CoflowsError: Azure did not answer, or refused.
        """
        group = make_group(self._plan, azure, cargo)
        with self._tell.step("group", f"Resource group {self._plan.group}"):
            self._tell.result(self._resource_group())
        with self._tell.step("container", f"Container {self._plan.container} in {self._plan.region}"):
            found = self._container(group)
        with self._tell.step("start", "The server in it"):
            address = Address(found.host or found.ip, name, self._plan.ports[-1], found.pin)
            way = self._answer(found, address)
            self._tell.result(f"it answers at {way.url}")
        return way

    # -- Azure ---------------------------------------------------------------------------------------------------------

    def _resource_group(self) -> str:
        """Make the resource group if there is none; it is ours afterwards."""
        plan = self._plan
        groups: Any = self._clients.resources.resource_groups
        tags = {OWNER_TAG: plan.workflow}
        with self._clients.translated(f"make the resource group {plan.group}"):
            if groups.check_existence(plan.group):
                there = groups.get(plan.group)
                check_owner((there.tags or {}).get(OWNER_TAG, ""), f"the resource group {plan.group}", plan)
                return "it is there already"
            groups.create_or_update(plan.group, {"location": plan.region, "tags": tags})
        return "made"

    def _container(self, group: ContainerGroup) -> Found:
        plan = self._plan
        there = look(self._clients, plan)
        if there is not None:
            check_owner(there.owner, f"the container {plan.container}", plan)
            if there.region.replace(" ", "").lower() != plan.region:
                message = f"the container {plan.container} is in {there.region} and can't move to {plan.region}"
                raise ConflictError(message, hint="coflows aci remove first")
            if _as_wanted(there, group):
                self._tell.result("it is there already, as it should be")
                return there
            self._told = {(event.name, event.text): event.count for event in there.events}
        found = self._put(group)
        self._tell.result(f"Azure started it{' anew' if there else ''}")
        return found

    def _put(self, group: ContainerGroup) -> Found:
        plan, patience = self._plan, self._patience
        groups: Any = self._clients.containers.container_groups
        end = time.monotonic() + patience.create
        poller = self._begin(groups, group)
        while not poller.done():
            if time.monotonic() > end:
                message = f"Azure did not make the container {plan.container} within {patience.create:g} seconds"
                raise DeployError(
                    message, hint="coflows aci status says what it does; coflows aci remove takes it away"
                )
            self._watch(look(self._clients, plan))
            self._tell.wait(patience.poll)
        found = look(self._clients, plan)
        self._watch(found)
        with self._clients.translated(f"make the container {plan.container}"):
            poller.result()
        if found is None or found.provisioning != "Succeeded":
            raise DeployError(f"Azure could not make the container {plan.container}{self._why(found)}")
        return found

    def _begin(self, groups: Any, group: ContainerGroup) -> Any:
        """Ask Azure for the container, again and again while something else is being done to it."""
        end = time.monotonic() + self._patience.busy
        while True:
            try:
                with self._clients.translated(f"make the container {self._plan.container}"):
                    return groups.begin_create_or_update(
                        self._plan.group, self._plan.container, group, polling_interval=self._patience.poll
                    )
            except ConflictError as error:
                if time.monotonic() > end:
                    raise
                self._tell.progress(self._masker.mask(error.message))
                self._tell.wait(self._patience.poll)

    def _watch(self, found: Found | None) -> None:
        """Tell what Azure did since the last look."""
        if found is None:
            return
        for event in found.events:
            if self._told.get((event.name, event.text)) != event.count:
                self._told[event.name, event.text] = event.count
                self._tell.log(self._masker.mask(str(event)), event.kind)
        state = f", the container is {found.state.lower()}" if found.state else ""
        if self._state != f"{found.provisioning}{state}":
            self._state = f"{found.provisioning}{state}"
            self._tell.progress(self._state)

    def _why(self, found: Found | None) -> str:
        """Return what Azure said last that was wrong, as the end of a sentence."""
        warnings = [event for event in found.events if event.kind == "Warning"] if found else []
        detail = f"{warnings[-1]}" if warnings else (found.detail if found else "")
        return f": {self._masker.mask(detail)}" if detail else ""

    # -- the server ----------------------------------------------------------------------------------------------------

    def _answer(self, found: Found, address: Address) -> Way:
        """Wait until the server answers."""
        plan, patience = self._plan, self._patience
        if not address.host:
            raise DeployError(f"the container {plan.container} has neither name nor address in the internet")
        end = time.monotonic() + patience.start
        before, lines = found.restarts, []
        while isinstance(answer := knock(address), str):
            for line in new_logs(self._clients, plan.group, plan.container, self._fresh):
                lines.append(self._masker.mask(line))
                self._tell.log(lines[-1])
            now = look(self._clients, plan)
            self._watch(now)
            said = "".join(f"\n  {line}" for line in lines[-_LAST_LINES:])
            if now and now.restarts - before >= patience.restarts:
                hint = "coflows aci logs shows all that it said"
                raise DeployError(
                    f"the server in {plan.container} ends again and again{self._why(now)}{said}", hint=hint
                )
            if time.monotonic() > end:
                message = f"the server in {plan.container} did not answer within {patience.start:g} seconds: {answer}"
                raise DeployError(f"{message}{said}", hint="coflows aci logs shows all that it said")
            self._tell.wait(patience.poll)
        return answer


def knock(address: Address) -> Way | str:
    """Ask whether a server lives; return how to talk to it, or why it does not answer."""
    import httpx

    try:
        shown = shown_certificate(address.host, address.port, _KNOCK_SECONDS, address.name)
        known = fingerprint(shown) == address.pin
        host = address.host if known or not address.name else address.name
        way = Way(f"https://{host}:{address.port}", shown if known else "")
        context = only(shown) if known else ssl.create_default_context()
        httpx.get(f"{way.url}{HEALTH}", verify=context, timeout=_KNOCK_SECONDS).raise_for_status()
    except (OSError, httpx.HTTPError) as error:
        return str(error) or type(error).__name__
    return way


def _as_wanted(there: Found, group: ContainerGroup) -> bool:
    tags = group.tags or {}
    return (there.provisioning, there.state, there.mark) == ("Succeeded", "Running", tags[MARK_TAG]) and bool(there.pin)
