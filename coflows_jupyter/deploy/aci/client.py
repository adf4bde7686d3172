"""The clients of Azure, and its errors in words.

Azure's libraries take a second to import, so this module imports them where they are used.
"""

from __future__ import annotations

import contextlib
import json
import logging
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

    from coflows_jupyter.runtimes.masking import Masker

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
_LOG_IN = "run `az login`, or let AuthFile name a file with credentials"
_QUOTA = ("quota", "limitexceeded", "coresexceeded")


class Clients:
    """Azure for one subscription.

    Args:
        auth: who we are.
        masker: takes secrets out of what Azure says.
        retries: how often what may be mended by waiting is tried again.

    Raises:
        ConfigError: Azure's libraries are missing.
    """

    def __init__(self, auth: Auth, masker: Masker, retries: int = RETRIES) -> None:
        try:
            from azure.mgmt.containerinstance import ContainerInstanceManagementClient
            from azure.mgmt.resource.resources import ResourceManagementClient
        except ImportError:
            message = "Azure's libraries are not installed"
            raise ConfigError(message, hint="pip install 'coflows_jupyter[azure]'") from None
        # What they warn of is raised as well, and would be printed here.
        logging.getLogger("azure").addHandler(logging.NullHandler())
        self.masker = masker
        self._named = bool(auth.client)
        self._credential = _credential(auth, retries)
        options: dict[str, Any] = {
            "base_url": auth.manager,
            "credential_scopes": [f"{auth.manager}/.default"],
            **_transport(retries),
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

    @contextlib.contextmanager
    def translated(self, doing: str) -> Iterator[None]:
        """Raise our errors in place of Azure's.

        Args:
            doing: what was tried, after "Azure can't ".
        """
        from azure.core.exceptions import AzureError

        try:
            yield
        except AzureError as error:
            ours = _of_error(error, doing)
            if isinstance(ours, DeniedError) and not self._named:
                ours.hint = _LOG_IN
            ours.message = self.masker.mask(ours.message)
            ours.args = (ours.message,)
            raise ours from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _transport(retries: int) -> dict[str, Any]:
    return {
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retry_total": retries,
        "timeout": RETRY_SECONDS,
    }


def _credential(auth: Auth, retries: int) -> TokenCredential:
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    if not auth.client:
        return DefaultAzureCredential(exclude_interactive_browser_credential=True, **_transport(retries))
    return ClientSecretCredential(
        auth.tenant,
        auth.client,
        auth.secret,
        authority=auth.authority,
        # Only the authorities of Azure's public cloud can be looked up there.
        disable_instance_discovery=auth.authority != AUTHORITY,
        **_transport(retries),
    )


def _of_error(error: Exception, doing: str) -> CoflowsError:
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

    if isinstance(error, ClientAuthenticationError) and not _unreached(error):
        hint = "check the AuthFile: its secret may have ended; az ad sp create-for-rbac --sdk-auth makes a new one"
        return DeniedError(f"Azure does not accept the credentials: {_sentence(error)}", hint=hint)
    if isinstance(error, HttpResponseError) and not _unreached(error):
        return _of_response(error, doing)
    hint = "check the connection, and the URLs in the AuthFile"
    return UnreachableError(f"Azure did not answer: {_sentence(error)}", hint=hint)


def _unreached(error: BaseException | None) -> bool:
    """Whether what let no token come was the network."""
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    while error is not None:
        if isinstance(error, ServiceRequestError | ServiceResponseError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _of_response(error: HttpResponseError, doing: str) -> CoflowsError:
    code, text = details(error)
    said = f"Azure can't {doing}: {text}" + (f" ({code})" if code else "")
    if any(word in code.lower() for word in _QUOTA):
        return DeployError(said, hint="take a smaller container or another region, or ask Azure for a larger quota")
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
