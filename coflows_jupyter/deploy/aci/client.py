"""The clients of Azure, and its errors in words.

Azure's libraries take a second to import, so this module imports them where they are used.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from coflows_jupyter.deploy.aci.auth import AUTHORITY, Auth
from coflows_jupyter.errors import (
    CoflowsError,
    ConfigError,
    ConflictError,
    DeniedError,
    DeployError,
    NotFoundError,
    UnreachableError,
)

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.mgmt.containerinstance import ContainerInstanceManagementClient
    from azure.mgmt.resource.resources import ResourceManagementClient

CONNECT_SECONDS, READ_SECONDS, RETRIES = 10, 60, 4
# What retries wait for at most altogether, whatever Azure asks for.
RETRY_SECONDS = 120.0

_BY_STATUS: dict[int, tuple[type[CoflowsError], str]] = {
    401: (DeniedError, "check the AuthFile"),
    403: (
        DeniedError,
        "give the service principal the role Contributor: az role assignment create --role Contributor",
    ),
    404: (NotFoundError, ""),
    409: (ConflictError, "something else is being done to it: try again in a minute"),
    429: (UnreachableError, "these are too many requests for Azure: try again in some minutes"),
}
_QUOTA = ("quota", "limitexceeded", "coresexceeded")


class Clients:
    """Azure for one subscription.

    Args:
        auth: who we are.

    Raises:
        ConfigError: Azure's libraries are missing.
    """

    def __init__(self, auth: Auth) -> None:
        try:
            from azure.mgmt.containerinstance import ContainerInstanceManagementClient
            from azure.mgmt.resource.resources import ResourceManagementClient
        except ImportError:
            message = "Azure's libraries are not installed"
            raise ConfigError(message, hint="pip install 'coflows_jupyter[azure]'") from None
        self.auth = auth
        self._credential = _credential(auth)
        options: dict[str, Any] = {
            "base_url": auth.manager,
            "credential_scopes": [f"{auth.manager}/.default"],
            **_TRANSPORT,
        }
        self.containers: ContainerInstanceManagementClient = ContainerInstanceManagementClient(
            self._credential, auth.subscription, **options
        )
        self.resources: ResourceManagementClient = ResourceManagementClient(
            self._credential, auth.subscription, **options
        )

    def close(self) -> None:
        """Close the connections."""
        self.containers.close()
        self.resources.close()
        close = getattr(self._credential, "close", None)
        if close:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_TRANSPORT: dict[str, Any] = {
    "connection_timeout": CONNECT_SECONDS,
    "read_timeout": READ_SECONDS,
    "retry_total": RETRIES,
    "retry_backoff_max": RETRY_SECONDS / RETRIES,
    "timeout": RETRY_SECONDS,
}


def _credential(auth: Auth) -> TokenCredential:
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    if not auth.client:
        return DefaultAzureCredential(exclude_interactive_browser_credential=True, **_TRANSPORT)
    return ClientSecretCredential(
        auth.tenant,
        auth.client,
        auth.secret,
        authority=auth.authority,
        # Only the authorities of Azure's public cloud can be looked up there.
        disable_instance_discovery=auth.authority != AUTHORITY,
        **_TRANSPORT,
    )


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise our errors in place of Azure's.

    Args:
        doing: what was tried, after "Azure can't ".
    """
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as error:
        hint = "check the AuthFile: its secret may have ended; az ad sp create-for-rbac --sdk-auth makes a new one"
        raise DeniedError(f"Azure does not accept the credentials: {_sentence(error)}", hint=hint) from None
    except HttpResponseError as error:
        raise _of_response(error, doing) from None
    except AzureError as error:
        hint = "check the connection, and resourceManagerEndpointUrl in the AuthFile"
        raise UnreachableError(f"Azure did not answer: {_sentence(error)}", hint=hint) from None


def _of_response(error: HttpResponseError, doing: str) -> CoflowsError:
    code, text = details(error)
    said = f"Azure can't {doing}: {text}" + (f" ({code})" if code else "")
    kind, hint = _BY_STATUS.get(error.status_code or 0, (DeployError, ""))
    return kind(said, hint=hint)


def details(error: HttpResponseError) -> tuple[str, str]:
    """Return Azure's code and sentence of an error."""
    found = getattr(error, "error", None)
    code, text = getattr(found, "code", None), getattr(found, "message", None)
    if not code and error.response is not None:
        with contextlib.suppress(Exception):
            inner = json.loads(error.response.text())["error"]
            code, text = inner.get("code"), inner.get("message")
    return str(code or ""), _shorten(str(text or error.message or error.reason or "it says nothing more"))


def _sentence(error: Exception) -> str:
    return _shorten(str(getattr(error, "message", None) or error))


def _shorten(text: str) -> str:
    """Keep the first line: what follows are trace IDs and whole documents."""
    return text.strip().splitlines()[0][:300] if text.strip() else "it says nothing more"
