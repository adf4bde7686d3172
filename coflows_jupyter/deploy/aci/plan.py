"""What a deployment will do, and why it may not: read from the files alone, and from what Azure said.

Nothing here asks anybody or changes anything.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from coflows_jupyter.access.keys import weakness
from coflows_jupyter.azure import AzureContainerInstance
from coflows_jupyter.config import Config
from coflows_jupyter.database.location import Location, locate
from coflows_jupyter.deploy.aci.auth import read_auth
from coflows_jupyter.deploy.aci.facts import NOT_ASKED, Facts, Quota
from coflows_jupyter.deploy.aci.limits import Objection, Wanted, objections, remarks
from coflows_jupyter.deploy.aci.regions import find, nearest
from coflows_jupyter.deploy.image import DEFAULT_IMAGE
from coflows_jupyter.errors import ConfigError, Diagnostic
from coflows_jupyter.workflow.package import Package

SECTION = "AzureContainerInstance"
HTTPS_PORT = 443
DEFAULT_CORES, DEFAULT_MEMORY = 1.0, 2.0
HOURS_A_MONTH = 730

_GIB = 1024**3
_LABEL = re.compile(r"[a-z][a-z0-9-]{3,61}[a-z0-9]")
_SHORTEST_LABEL = 5
_GROUP_LENGTH = 86
_LOOPBACK = re.compile(r"(?:tcp:)?(?:localhost|127\.[0-9.]+|::1|\(local\)|\.|/.*)(?:[,:\\].*)?", re.IGNORECASE)


class Options(msgspec.Struct, frozen=True):
    """What is taken on oneself.

    Args:
        force: to ask Azure for what it is known not to have.
        accept_data_loss: to keep the database in the container, which ends with it.
    """

    force: bool = False
    accept_data_loss: bool = False


CAREFUL = Options()


class Plan(msgspec.Struct, frozen=True):
    """A deployment as it will be; it holds no secret.

    Args:
        workflow: ID of the Workflow, which is also the tag that says that something is ours.
        name: its name.
        group: the resource group.
        container: the container group, and the container in it.
        region: Azure's name of the region.
        image: what runs.
        cores: CPU cores.
        memory: gigabytes.
        gpu: kind of GPU, empty for none.
        gpus: how many.
        host: the container's name in the internet.
        ports: the ports that it has there, that of https last.
        certificate: how it comes to be reached by https, step by step.
        stored: what is kept where.
        costs: what is paid for.
        checked: what Azure was asked and said, or why it was not.
        findings: errors, which keep it from being done, and warnings.
    """

    workflow: str
    name: str
    group: str
    container: str
    region: str
    image: str
    cores: float
    memory: float
    gpu: str
    gpus: int
    host: str
    ports: tuple[int, ...]
    certificate: tuple[str, ...]
    stored: dict[str, str]
    costs: tuple[str, ...]
    checked: str
    findings: tuple[Diagnostic, ...] = ()

    @property
    def refusals(self) -> tuple[Diagnostic, ...]:
        """Why it can't be done."""
        return tuple(found for found in self.findings if found.severity == "error")

    @property
    def url(self) -> str:
        """Where the container is reached."""
        port = self.ports[-1]
        return f"https://{self.host}" + (f":{port}" if port != HTTPS_PORT else "")

    def check(self) -> None:
        """Go on, or not.

        Raises:
            ConfigError: it can't be done; ``diagnostics`` has all reasons.
        """
        if self.refusals:
            count = len(self.refusals)
            raise ConfigError(f"the plan has {count} mistake{'s' * (count > 1)}: nothing was changed", self.findings)


def section(config: Config) -> AzureContainerInstance:
    """Return the section of a configuration.

    Raises:
        ConfigError: it has none.
    """
    found = config.azure_container_instance
    if found is None:
        name = config.file or "the configuration"
        hint = f'write "{SECTION}": {{"AuthFile": "mnt/Files/my.azureauth", "Dns": "my-workflow", "Region": "UKSouth"}}'
        raise ConfigError(f"{name} has no section {SECTION}", hint=hint)
    return found


def make_plan(
    config: Config,
    package: Package,
    facts: Facts = NOT_ASKED,
    options: Options = CAREFUL,
    environ: Mapping[str, str] = os.environ,
) -> Plan:
    """Say what a deployment will do.

    Args:
        config: with the section; its SecretKey is no reference any more.
        package: the Workflow.
        facts: what Azure said.
        options: what is taken on oneself.
        environ: where credentials may be named.

    Raises:
        ConfigError: the configuration has no section for it, or its database can't be read.
    """
    azure = section(config)
    wanted = _wanted(azure, package)
    label = azure.dns.lower()
    database = locate(config)
    host = f"{label}.{wanted.region}.azurecontainer.io"
    return Plan(
        workflow=package.id,
        name=package.name,
        group=resource_group(package.id),
        container=label,
        region=wanted.region,
        image=azure.image or DEFAULT_IMAGE,
        cores=wanted.cores,
        memory=wanted.memory,
        gpu=wanted.gpu,
        gpus=wanted.gpus,
        host=host,
        ports=_ports(config),
        certificate=tuple(_certificate(config, host)),
        stored=_stored(azure, database),
        costs=tuple(_costs(wanted, azure, database)),
        checked=_checked(facts, wanted.region),
        findings=tuple(_findings(config, package, wanted, facts, options, environ)),
    )


def resource_group(workflow: str) -> str:
    """Return the resource group of a Workflow, called as in the original."""
    return re.sub(r"[^a-z0-9_-]+", "-", workflow.lower())[:_GROUP_LENGTH] + "-rg"


def _wanted(azure: AzureContainerInstance, package: Package) -> Wanted:
    limit, request = package.resources.limit, package.resources.request
    gpus = azure.gpu.cores if azure.gpu.sku else 0
    memory = limit.mem or request.mem
    return Wanted(
        region=find(azure.region) or azure.region,
        cores=azure.cores or limit.cpu or request.cpu or DEFAULT_CORES,
        # Azure counts memory in tenths of a gigabyte.
        memory=azure.mem or (math.ceil(memory * 10 / _GIB) / 10 if memory else DEFAULT_MEMORY),
        gpu=azure.gpu.sku if gpus else "",
        gpus=gpus,
    )


def _ports(config: Config) -> tuple[int, ...]:
    https = config.server.port if config.names_port else HTTPS_PORT
    return (config.server.http_port, https) if config.server.http_port else (https,)


def _certificate(config: Config, host: str) -> Iterator[str]:
    which = "your certificate" if config.certificate else "a certificate that is made here"
    yield f"{which} goes along, and this computer knows the container by it: encrypted from the first byte"
    if not config.issues:
        if not config.certificate:
            yield "browsers warn of it; for one that they trust set Server.Host and Server.LetsEncrypt.Email"
        return
    yield f"let {config.server.host} point to the container: a CNAME record with {host}"
    staging = " (its test service: browsers still warn)" if config.server.lets_encrypt.staging else ""
    yield f"the container asks Let's Encrypt for {config.server.host}{staging} and changes to that without a restart"


def _stored(azure: AzureContainerInstance, database: Location) -> dict[str, str]:
    there = "in the container: lost at each restart" if database.type == "sqlite" else str(database)
    stored = {
        "Workflow": f"sent after the start and kept as a revision in the database, {there}",
        "users, M, runs": there,
        "keys, passwords": "in a secret volume of the container group: in memory, and never shown by Azure",
    }
    if azure.volume:
        stored[azure.volume.folder] = f"in the file share {azure.volume.share} of {azure.volume.account}"
    return stored


def _costs(wanted: Wanted, azure: AzureContainerInstance, database: Location) -> Iterator[str]:
    yield (
        f"{wanted.cores:g} cores and {wanted.memory:g} GB by the second, busy or not: "
        f"{wanted.cores * HOURS_A_MONTH:g} core hours and {wanted.memory * HOURS_A_MONTH:g} GB hours a month"
    )
    if wanted.gpus:
        yield f"{wanted.gpus} {wanted.gpu} by the second"
    yield "what it sends into the internet"
    if database.type != "sqlite":
        yield f"the database {database}, which has a price of its own"
    if azure.volume:
        yield f"the file share {azure.volume.share}, by size and use"


def _checked(facts: Facts, region: str) -> str:
    if reason := facts.unknown or facts.denied:
        return f"not checked with Azure: {reason}"
    plain = [offer for offer in facts.offers or () if not offer.gpu]
    if not plain:
        return f"checked with Azure, which says nothing of sizes in {region}"
    cores, memory = max(offer.cores for offer in plain), max(offer.memory for offer in plain)
    return f"checked with Azure: {region} offers at most {cores:g} cores and {memory:g} GB"


# -- findings ----------------------------------------------------------------------------------------------------------


def _findings(
    config: Config, package: Package, wanted: Wanted, facts: Facts, options: Options, environ: Mapping[str, str]
) -> Iterator[Diagnostic]:
    found = [*_mistakes(config, package, facts, options, environ), *objections(wanted, facts.offers)]
    found += _quotas(wanted, facts)
    for objection in found:
        forced = options.force and objection.forcible
        yield _report(config, objection, "warning" if forced else "error")
    for objection in [*remarks(wanted, facts.offers), *_warnings(config, options)]:
        yield _report(config, objection, "warning")


def _report(config: Config, objection: Objection, severity: Any) -> Diagnostic:
    path = objection.key if objection.key[:1] in {("Server",), ("Database",)} else (SECTION, *objection.key)
    place = config.document.place(path)
    name = ".".join(path)
    message = objection.message if objection.message.startswith(name) else f"{name}: {objection.message}"
    return config.document.report(place, severity, objection.code, message, objection.hint)


def _mistakes(
    config: Config, package: Package, facts: Facts, options: Options, environ: Mapping[str, str]
) -> Iterator[Objection]:
    azure = section(config)
    if not package.id:
        yield Objection("no-id", (), "the Workflow has no ID", "run `coflows local build`, which writes one", False)
    if not find(azure.region):
        names = ", ".join(nearest(azure.region))
        hint = f"did you mean {names}? `az account list-locations -o table` lists all"
        yield Objection("region", ("Region",), f"Azure has no region {azure.region}", hint)
    if not _LABEL.fullmatch(azure.dns.lower()) or "--" in azure.dns:
        fitting = re.sub(r"[^a-z0-9]+", "-", azure.dns.lower()).strip("-0123456789")[:58] or "my-workflow"
        message = "this can't be a name in the internet: 5 to 63 letters, digits and single hyphens, a letter first"
        yield Objection(
            "dns",
            ("Dns",),
            message,
            f'write for example "{fitting if len(fitting) >= _SHORTEST_LABEL else fitting + "-flow"}"',
            False,
        )
    try:
        read_auth(azure.auth_file, environ)
    except ConfigError as error:
        yield Objection("credentials", ("AuthFile",), error.message, error.hint, False)
    if facts.denied:
        yield Objection("credentials", ("AuthFile",), facts.denied, "check the credentials and their role", False)
    if weak := weakness(config.server.secret_key.get_secret_value()):
        yield Objection("weak-key", ("Server", "SecretKey"), weak, "run `coflows key rotate`", False)
    yield from _database(config, options)


def _database(config: Config, options: Options) -> Iterator[Objection]:
    database = locate(config)
    key = ("Database", "Connection")
    if database.type == "sqlite" and not options.accept_data_loss:
        message = "a SQLite file lives in the container: all users, M sets and revisions are lost at each restart"
        hint = "use PostgreSQL or SQL Server (a file share is not safe for SQLite), or add --accept-data-loss"
        yield Objection("data-loss", key, message, hint, False)
    server = database.parameters.get("host") or database.parameters.get("Server", "")
    if database.type != "sqlite" and _LOOPBACK.fullmatch(server):
        message = "the database is on this computer, where the container can't reach it"
        yield Objection("local-database", key, message, "use a database that is reached over the internet")


def _quotas(wanted: Wanted, facts: Facts) -> Iterator[Objection]:
    asked: list[tuple[Quota | None, float]] = [(facts.groups, 1), (facts.cores, wanted.cores)]
    for quota, more in asked:
        if quota and quota.used + more > quota.limit:
            message = f"the subscription has {quota.used:g} of {quota.limit:g} {quota.name} in {wanted.region} already"
            hint = "remove what is not needed, take another region, or ask Azure for a larger quota"
            yield Objection("quota", ("Region",), message, hint)


def _warnings(config: Config, options: Options) -> Iterator[Objection]:
    if options.accept_data_loss and locate(config).type == "sqlite":
        message = "all users, M sets and revisions are lost at each restart of the container, as you accept"
        yield Objection("data-loss", ("Database", "Connection"), message, "PostgreSQL and SQL Server keep them")
