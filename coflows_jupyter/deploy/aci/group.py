"""The body of the request that makes a container group, with the models of Azure's own library.

API: Microsoft.ContainerInstance/containerGroups, version 2023-05-01. The library checks nothing, so what goes into it
has to be right: names are those of a plan that can be done.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.deploy.aci.cargo import CERTIFICATE, CERTIFICATE_KEY, FOLDER, SECRET_KEY, Cargo
from coflows_jupyter.deploy.pin import fingerprint

if TYPE_CHECKING:
    from azure.mgmt.containerinstance.models import ContainerGroup, ContainerProbe, ImageRegistryCredential

    from coflows_jupyter.azure import AzureContainerInstance, Registry
    from coflows_jupyter.deploy.aci.plan import Plan

OWNER_TAG = "coflows-jupyter"
"""Tag of all that is ours; its value is the Workflow's ID."""

MARK_TAG = "coflows-jupyter-mark"
"""Tells one body from another. It is made with the SecretKey, so that it gives nothing away."""

PIN_TAG = "coflows-jupyter-certificate"
"""SHA-256 of the certificate that the container was given, in hexadecimal digits."""

SECRETS_VOLUME, SHARE_VOLUME = "coflows-secrets", "coflows-share"
HEALTH = "/coflows/api/health"

_FIRST_PROBE_SECONDS, _PROBE_SECONDS, _PROBE_TIMEOUT_SECONDS = 10, 10, 5
_LIVE_AFTER_SECONDS, _DEAD_AFTER = 120, 6


def make_group(plan: Plan, azure: AzureContainerInstance, cargo: Cargo) -> ContainerGroup:
    """Return the body.

    Args:
        plan: a plan that can be done.
        azure: the section of the configuration.
        cargo: what the container is given.
    """
    from azure.mgmt.containerinstance import models as m

    request = m.ResourceRequests(cpu=plan.cores, memory_in_gb=plan.memory)
    if plan.gpus:
        request.gpu = m.GpuResource(count=plan.gpus, sku=plan.gpu)
    variables = [m.EnvironmentVariable(name=name, value=value) for name, value in cargo.variables.items()]
    secret = {name: base64.b64encode(text.encode()).decode() for name, text in cargo.volume.items()}
    volumes = [m.Volume(name=SECRETS_VOLUME, secret=secret)]
    mounts = [m.VolumeMount(name=SECRETS_VOLUME, mount_path=FOLDER, read_only=True)]
    if share := azure.volume:
        key = share.key.get_secret_value()
        file = m.AzureFileVolume(
            share_name=share.share, storage_account_name=share.account, storage_account_key=key, read_only=False
        )
        volumes.append(m.Volume(name=SHARE_VOLUME, azure_file=file))
        mounts.append(m.VolumeMount(name=SHARE_VOLUME, mount_path=mount_path(share.folder), read_only=False))
    container = m.Container(
        name=plan.container,
        image=plan.image,
        resources=m.ResourceRequirements(requests=request),
        ports=[m.ContainerPort(protocol="TCP", port=port) for port in plan.ports],
        environment_variables=[*variables, m.EnvironmentVariable(name="coflows_config", secure_value=cargo.config)],
        volume_mounts=mounts,
        # Both ask whether the process lives: a Workflow can only be sent to a container that traffic reaches.
        readiness_probe=_probe(plan, _FIRST_PROBE_SECONDS),
        liveness_probe=_probe(plan, _LIVE_AFTER_SECONDS),
    )
    identity = azure.registry.identity if azure.registry else ""
    group = m.ContainerGroup(
        location=plan.region,
        os_type="Linux",
        restart_policy="Always",
        sku="Standard",
        containers=[container],
        volumes=volumes,
        ip_address=m.IpAddress(
            type="Public",
            dns_name_label=plan.container,
            ports=[m.Port(protocol="TCP", port=port) for port in plan.ports],
        ),
        image_registry_credentials=[_credential(azure.registry, plan.image)] if azure.registry else None,
        identity=m.ContainerGroupIdentity(
            type="UserAssigned", user_assigned_identities={identity: m.UserAssignedIdentities()}
        )
        if identity
        else None,
    )
    key = cargo.files[SECRET_KEY]
    group.tags = {
        OWNER_TAG: plan.workflow,
        MARK_TAG: _mark(dict(group.serialize()), key),
        PIN_TAG: fingerprint(cargo.certificate[0]),
    }
    return group


def mount_path(folder: str) -> str:
    """Return where a container sees a folder of the Workflow, which it has below ``/app/mnt``."""
    return folder if folder.startswith("/") else f"/app/mnt/{re.sub(r'^(?:./)?mnt/', '', folder)}"


def _probe(plan: Plan, delay: int) -> ContainerProbe:
    from azure.mgmt.containerinstance import models as m

    return m.ContainerProbe(
        http_get=m.ContainerHttpGet(path=HEALTH, port=plan.ports[-1], scheme="https"),
        initial_delay_seconds=delay,
        period_seconds=_PROBE_SECONDS,
        timeout_seconds=_PROBE_TIMEOUT_SECONDS,
        failure_threshold=_DEAD_AFTER,
    )


def _credential(registry: Registry, image: str) -> ImageRegistryCredential:
    from azure.mgmt.containerinstance import models as m

    server = registry.server or image.partition("/")[0]
    if registry.identity:
        return m.ImageRegistryCredential(server=server, identity=registry.identity)
    password = registry.password.get_secret_value()
    return m.ImageRegistryCredential(server=server, username=registry.user, password=password)


def _mark(body: dict[str, Any], key: str) -> str:
    """Return what tells this body from others. The certificate does not count: a new one is no reason to restart."""
    volumes = [
        {**volume, "secret": {k: v for k, v in volume["secret"].items() if k not in {CERTIFICATE, CERTIFICATE_KEY}}}
        if "secret" in volume
        else volume
        for volume in body["properties"]["volumes"]
    ]
    counted = {**body, "properties": {**body["properties"], "volumes": volumes}}
    return hmac.new(key.encode(), msgspec.json.encode(counted, order="deterministic"), hashlib.sha256).hexdigest()
