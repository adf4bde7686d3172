"""Azure's Resource Manager and Entra ID on the loopback address, over TLS, as far as container groups go.

Answers and their order are those that azure-cli recorded of Azure itself (Azure/azure-cli, command module container,
tests/latest/recordings/test_container_create.yaml): PUT answers 201 with Azure-AsyncOperation, whose URL says
InProgress and then Succeeded or Failed, with the events so far; a GET of the group has its instanceView; secrets never
come back.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from coflows_jupyter.deploy.certificates.pair import make_context, self_signed
from tests.deploy.aci.answers import EVENTS, TIME, Body, events_of, without_secrets
from tests.deploy.aci.schema import misfits

TENANT, CLIENT, SUBSCRIPTION = (str(uuid.UUID(int=number)) for number in (0xA1, 0xB2, 0xC3))
SECRET = "Q~emulated.client.secret-8"
GROUP_TYPE = "Microsoft.ContainerInstance/containerGroups"


class Machine(Protocol):
    """What runs in a container group."""

    @property
    def lines(self) -> list[str]:
        """What it printed."""

    @property
    def restarts(self) -> int:
        """How often it began anew."""

    def stop(self) -> None:
        """End it."""


class Trouble(NamedTuple):
    """An answer in place of the right one.

    Args:
        method: of the request.
        path: a pattern that is found in its path.
        status: of the answer.
        code: Azure's name of the error.
        headers: of the answer.
    """

    method: str
    path: str
    status: int
    code: str = "Trouble"
    headers: dict[str, str] = {}  # noqa: RUF012 - a tuple's default, which nobody changes


class Azure:
    """The emulator.

    Args:
        folder: where its certificate is written.

    Attributes:
        url: where it answers.
        certificate: file of the certificate that is to be trusted.
        seen: method, path and status of each request.
        bodies: bodies of container groups as they came.
        groups: resource groups by name in small letters.
        containers: container groups by resource group and name.
        others: names of what else is in resource groups.
        troubles: answers to come in place of the right ones, the first that fits first.
        secret: what opens it.
        polls: how often an operation is InProgress.
        outcome: how operations end: ``Succeeded`` or ``Failed``.
        reason: code and sentence of those that fail.
        boot: starts what runs in a container group.
        offers, usages: what the region says of itself.
    """

    def __init__(self, folder: Path) -> None:
        self.seen: list[tuple[str, str, int]] = []
        self.bodies: list[Body] = []
        self.groups: dict[str, Body] = {}
        self.containers: dict[tuple[str, str], Body] = {}
        self.others: dict[str, list[str]] = {}
        self.troubles: list[Trouble] = []
        self.secret = SECRET
        self.polls = 2
        self.outcome = "Succeeded"
        self.reason = ("DeploymentFailed", "it did not work")
        self.boot: Callable[[Body], Machine] | None = None
        self.machines: dict[tuple[str, str], Machine] = {}
        self.offers = [("None", 4, 16, 0)]
        self.usages = {"ContainerGroups": (1, 100), "StandardCores": (4, 100)}
        self.tokens: set[str] = set()
        self.operations: dict[str, tuple[tuple[str, str], int]] = {}
        self.deleting: dict[str, int] = {}
        pair = self_signed("127.0.0.1")
        self.certificate = folder / "azure.pem"
        self.certificate.write_text(pair.chain)
        self._context: ssl.SSLContext = make_context(pair)
        self._sockets = bind_sockets(0, "127.0.0.1")
        self.url = f"https://127.0.0.1:{self._sockets[0].getsockname()[1]}"
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        server = HTTPServer(Application([(r"/.*", _Handler, {"azure": self})]), ssl_options=self._context)
        server.add_sockets(self._sockets)
        self._started.set()
        await self._end.wait()
        server.stop()
        await server.close_all_connections()

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        for machine in self.machines.values():
            machine.stop()

    def auth_file(self, folder: Path, **changed: str) -> Path:
        """Write the file that ``az ad sp create-for-rbac --sdk-auth`` would."""
        file = folder / "my.azureauth"
        content = {
            "clientId": CLIENT,
            "clientSecret": SECRET,
            "subscriptionId": SUBSCRIPTION,
            "tenantId": TENANT,
            "activeDirectoryEndpointUrl": self.url,
            "resourceManagerEndpointUrl": f"{self.url}/",
        }
        file.write_text(json.dumps(content | changed))
        return file

    def requests(self, method: str, path: str) -> list[int]:
        """Return the answers' statuses of the requests whose path has this pattern in it."""
        return [status for m, p, status in self.seen if m == method and re.search(path, p, re.IGNORECASE)]


Key = tuple[str, str]


class _Handler(RequestHandler):
    def initialize(self, azure: Azure) -> None:
        self._azure = azure

    def log_exception(self, *args: Any) -> None:
        super().log_exception(*args)
        self._azure.troubles.append(Trouble("", "", 500))

    def _answer(self, status: int, body: Body | None = None, **headers: str) -> None:
        self._azure.seen.append((str(self.request.method), self.request.path, status))
        self.set_status(status)
        for name, value in headers.items():
            self.set_header(name.replace("_", "-"), value)
        if body is not None:
            self.set_header("Content-Type", "application/json; charset=utf-8")
            self.write(json.dumps(body))
        self.finish()

    def _refuse(self, status: int, code: str, message: str, **headers: str) -> None:
        self._answer(status, {"error": {"code": code, "message": message}}, **headers)

    def _handle(self) -> None:
        path, method = self.request.path, str(self.request.method)
        for trouble in self._azure.troubles:
            if trouble.method == method and re.search(trouble.path, path, re.IGNORECASE):
                self._azure.troubles.remove(trouble)
                headers = {name.replace("-", "_"): value for name, value in trouble.headers.items()}
                self._refuse(trouble.status, trouble.code, f"{trouble.code} was asked for", **headers)
                return
        if match := re.fullmatch(r"/([^/]+)(/v2\.0/\.well-known/openid-configuration|/oauth2/v2\.0/token)", path):
            self._entra(match[1], match[2].endswith("token"))
            return
        if self.request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._azure.tokens:
            self._refuse(401, "AuthenticationFailed", "Authentication failed.")
            return
        if not self.get_query_argument("api-version", ""):
            self._refuse(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
            return
        for pattern, handle in _ROUTES:
            if match := re.fullmatch(rf"/subscriptions/{SUBSCRIPTION}{pattern}", path, re.IGNORECASE):
                handle(self, method, *match.groups())
                return
        self._refuse(404, "InvalidResourceType", f"{path} is nothing here")

    get = put = post = delete = head = _handle

    # -- Entra ID ------------------------------------------------------------------------------------------------------

    def _entra(self, tenant: str, wants_token: bool) -> None:
        base = f"{self._azure.url}/{tenant}"
        if not wants_token:
            endpoint = f"{base}/oauth2/v2.0"
            found = {"issuer": f"{base}/v2.0", "authorization_endpoint": f"{endpoint}/authorize"}
            self._answer(200, {**found, "token_endpoint": f"{endpoint}/token"})
            return
        given = {name: self.get_body_argument(name, "") for name in ("client_id", "client_secret", "scope")}
        if tenant != TENANT:
            self._answer(400, {"error": "invalid_request", "error_description": f"AADSTS90002: no tenant {tenant}"})
        elif (given["client_id"], given["client_secret"]) != (CLIENT, self._azure.secret):
            text = "AADSTS7000215: Invalid client secret provided."
            self._answer(401, {"error": "invalid_client", "error_description": text})
        elif f"{self._azure.url}/.default" not in given["scope"].split():
            self._answer(400, {"error": "invalid_scope", "error_description": "AADSTS70011: another resource"})
        else:
            token = uuid.uuid4().hex
            self._azure.tokens.add(token)
            self._answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    # -- resource groups -----------------------------------------------------------------------------------------------

    def _resource_group(self, method: str, name: str) -> None:
        groups, key = self._azure.groups, name.lower()
        if method == "PUT":
            body = json.loads(self.request.body)
            created = key not in groups
            groups[key] = {
                "id": self.request.path,
                "name": name,
                "properties": {"provisioningState": "Succeeded"},
                **body,
            }
            self._answer(201 if created else 200, groups[key])
        elif key not in groups:
            self._refuse(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
        elif method == "HEAD":
            self._answer(204)
        elif method == "DELETE":
            self._azure.deleting[key] = self._azure.polls
            self._answer(202, Location=self._url(f"operationresults/{key}"), Retry_After="0")
        else:
            self._answer(200, groups[key])

    def _deleted(self, _: str, key: str) -> None:
        self._azure.deleting[key] -= 1
        if self._azure.deleting[key] > 0:
            self._answer(202, Location=self._url(f"operationresults/{key}"), Retry_After="0")
            return
        self._azure.groups.pop(key, None)
        for container in [c for c in self._azure.containers if c[0] == key]:
            self._end(container)
        self._answer(200)

    def _resources(self, _: str, group: str) -> None:
        key = group.lower()
        names = [name for owner, name in self._azure.containers if owner == key] + self._azure.others.get(key, [])
        self._answer(200, {"value": [{"id": f"{group}/{name}", "name": name} for name in names]})

    # -- container groups ----------------------------------------------------------------------------------------------

    def _group(self, method: str, group: str, name: str) -> None:
        key = (group.lower(), name.lower())
        if key[0] not in self._azure.groups:
            self._refuse(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
        elif method == "PUT":
            self._put(key, name)
        elif key not in self._azure.containers:
            if method == "DELETE":
                self._answer(204)
            else:
                self._refuse(404, "ResourceNotFound", f"The Resource '{GROUP_TYPE}/{name}' was not found.")
        elif method == "DELETE":
            body = self._azure.containers[key]
            self._end(key)
            self._answer(200, body)
        else:
            self._answer(200, self._shown(key))

    def _put(self, key: Key, name: str) -> None:
        azure, sent = self._azure, json.loads(self.request.body)
        if wrong := misfits(sent):
            azure.bodies.append(sent)
            self._refuse(400, "InvalidRequestContent", "; ".join(wrong))
            return
        there = azure.containers.get(key)
        if there and there["location"] != sent["location"]:
            self._refuse(409, "InvalidResourceLocation", f"it is in {there['location']}")
            return
        azure.bodies.append(copy.deepcopy(sent))
        kept = without_secrets(sent)
        kept["properties"]["ipAddress"] |= {"ip": "127.0.0.1", "fqdn": "localhost"}
        kept["properties"] |= {"provisioningState": "Pending", "instanceView": {"events": [], "state": "Pending"}}
        azure.containers[key] = {"id": self.request.path, "name": name, "type": GROUP_TYPE, **kept}
        if machine := azure.machines.pop(key, None):
            machine.stop()
        operation = str(uuid.uuid4())
        azure.operations[operation] = (key, 0)
        place = f"providers/Microsoft.ContainerInstance/locations/{sent['location']}/operations/{operation}"
        self._answer(200 if there else 201, azure.containers[key], Azure_AsyncOperation=self._url(place))

    def _operation(self, _: str, __: str, operation: str) -> None:
        azure = self._azure
        key, polls = azure.operations[operation]
        azure.operations[operation] = (key, polls + 1)
        group = azure.containers[key]
        properties = group["properties"]
        done = polls >= azure.polls
        status = azure.outcome if done else "InProgress"
        properties["provisioningState"] = status if done else "Creating"
        count = 0 if azure.outcome == "Failed" else len(EVENTS) if done else polls
        for container in properties["containers"]:
            events = events_of(
                container["properties"]["image"], count, azure.reason if azure.outcome == "Failed" else None
            )
            running = done and azure.outcome == "Succeeded"
            container["properties"]["instanceView"] = {
                "restartCount": 0,
                "currentState": {"state": "Running" if running else "Waiting", "detailStatus": ""},
                "events": events,
            }
        if done and azure.outcome == "Succeeded" and azure.boot and key not in azure.machines:
            azure.machines[key] = azure.boot(azure.bodies[-1])
        answer: Body = {"id": group["id"], "status": status, "startTime": TIME.format(second=0)}
        if status == "Failed":
            answer["error"] = {"code": azure.reason[0], "message": azure.reason[1]}
        self._answer(200, answer)

    def _shown(self, key: Key) -> Body:
        group = self._azure.containers[key]
        if machine := self._azure.machines.get(key):
            group["properties"]["containers"][0]["properties"]["instanceView"]["restartCount"] = machine.restarts
        return group

    def _end(self, key: Key) -> None:
        self._azure.containers.pop(key, None)
        if machine := self._azure.machines.pop(key, None):
            machine.stop()

    def _logs(self, _: str, group: str, name: str) -> None:
        machine = self._azure.machines.get((group.lower(), name.lower()))
        lines = list(machine.lines) if machine else []
        if tail := int(self.get_query_argument("tail", "0")):
            lines = lines[-tail:]
        if self.get_query_argument("timestamps", "").lower() == "true":
            lines = [f"2026-11-25T04:{n // 60:02}:{n % 60:02}.000000000Z {line}" for n, line in enumerate(lines)]
        self._answer(200, {"content": "".join(f"{line}\n" for line in lines)})

    # -- regions -------------------------------------------------------------------------------------------------------

    def _capabilities(self, _: str, region: str) -> None:
        rows = [
            {
                "resourceType": "containerGroups",
                "osType": system,
                "location": region,
                "ipAddressType": "Public",
                "gpu": gpu,
                "capabilities": {"maxMemoryInGB": memory, "maxCpu": cores, "maxGpuCount": count},
            }
            for gpu, cores, memory, count in self._azure.offers
            for system in ("Linux", "Windows")
        ]
        self._answer(200, {"value": rows})

    def _usages(self, _: str, __: str) -> None:
        usages = [
            {"unit": "Count", "currentValue": used, "limit": limit, "name": {"value": name, "localizedValue": name}}
            for name, (used, limit) in self._azure.usages.items()
        ]
        self._answer(200, {"value": usages})

    def _url(self, path: str) -> str:
        return f"{self._azure.url}/subscriptions/{SUBSCRIPTION}/{path}?api-version=2018-06-01"


_LOCATION = r"/providers/Microsoft\.ContainerInstance/locations/([^/]+)"
_CONTAINER_GROUP = r"/resourceGroups/([^/]+)/providers/Microsoft\.ContainerInstance/containerGroups/([^/]+)"
_ROUTES: list[tuple[str, Callable[..., None]]] = [
    (r"/resourceGroups/([^/]+)", _Handler._resource_group),
    (r"/resourceGroups/([^/]+)/resources", _Handler._resources),
    (r"/operationresults/([^/]+)", _Handler._deleted),
    (_CONTAINER_GROUP, _Handler._group),
    (rf"{_CONTAINER_GROUP}/containers/[^/]+/logs", _Handler._logs),
    (rf"{_LOCATION}/operations/([^/]+)", _Handler._operation),
    (rf"{_LOCATION}/capabilities", _Handler._capabilities),
    (rf"{_LOCATION}/usages", _Handler._usages),
]
