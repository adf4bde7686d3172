"""Who we are for Azure: the file of a service principal, or whatever ``az login`` and the like left.

Format of the file: what ``az ad sp create-for-rbac --sdk-auth`` (now ``--json-auth``) prints.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from coflows_jupyter.errors import ConfigError

AUTHORITY = "https://login.microsoftonline.com"
MANAGER = "https://management.azure.com"
SUBSCRIPTION_VARIABLE = "AZURE_SUBSCRIPTION_ID"
HOW_TO = (
    "run `az ad sp create-for-rbac --role contributor --scopes /subscriptions/ID --sdk-auth` and save what it prints"
)

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ZERO = "00000000-0000-0000-0000-000000000000"
_DUMMY = re.compile(r"dummy|replace|change.?me|x{3,}|<.*>|\.{3}|…", re.IGNORECASE)


class Auth(msgspec.Struct, frozen=True):
    """The credentials for a subscription; ``repr`` shows no secret.

    Args:
        subscription: its ID.
        manager: URL of Azure's Resource Manager.
        authority: URL that gives tokens.
        tenant: empty for whatever ``DefaultAzureCredential`` finds.
        client: likewise.
        secret: likewise.
    """

    subscription: str
    manager: str = MANAGER
    authority: str = AUTHORITY
    tenant: str = ""
    client: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"<Auth for {self.subscription} as {self.client or 'whoever is logged in'}>"


class _Key(NamedTuple):
    name: str
    field: str
    guid: bool = False


_KEYS = (
    _Key("subscriptionId", "subscription", guid=True),
    _Key("tenantId", "tenant", guid=True),
    _Key("clientId", "client", guid=True),
    _Key("clientSecret", "secret"),
)
_URLS = (
    _Key("activeDirectoryEndpointUrl", "authority"),
    _Key("resourceManagerEndpointUrl", "manager"),
)


def read_auth(file: Path | None, environ: Mapping[str, str] = os.environ) -> Auth:
    """Return the credentials to use.

    Args:
        file: ``AuthFile``, ``None`` when there is none.
        environ: where the subscription is named when there is no file.

    Raises:
        ConfigError: the file is missing, can't be read, or is the example that everybody has; it quotes no value.
    """
    if file is None:
        subscription = environ.get(SUBSCRIPTION_VARIABLE, "")
        if not _GUID.fullmatch(subscription):
            wrong = f"there is no AuthFile, and the environment variable {SUBSCRIPTION_VARIABLE} names no subscription"
            hint = f"export {SUBSCRIPTION_VARIABLE}=$(az account show --query id --output tsv), or {HOW_TO} as AuthFile"
            raise ConfigError(wrong, hint=hint)
        return Auth(subscription)
    values = _load(file)
    found: dict[str, str] = {}
    for key in _KEYS:
        value = values.get(key.name)
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{file}: {key.name} is missing", hint=HOW_TO)
        if value == _ZERO or _DUMMY.search(value):
            raise ConfigError(f"{file} is an example: its {key.name} belongs to nobody", hint=f"{HOW_TO} there")
        if key.guid and not _GUID.fullmatch(value):
            raise ConfigError(f"{file}: {key.name} is no ID like {_ZERO}", hint=HOW_TO)
        found[key.field] = value
    for key in _URLS:
        value = values.get(key.name)
        if not value:
            continue
        if not isinstance(value, str) or not value.lower().startswith("https://"):
            raise ConfigError(f"{file}: {key.name} must begin with https://", hint=HOW_TO)
        found[key.field] = value.rstrip("/")
    return Auth(**found)


def _load(file: Path) -> dict[str, object]:
    try:
        value = msgspec.json.decode(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{file} is missing: there are no credentials for Azure", hint=f"{HOW_TO} there") from None
    except OSError as error:
        raise ConfigError(f"{file} can't be read: {error.strerror}", hint="check its permissions") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(f"{file} is no JSON", hint=HOW_TO) from None
    if not isinstance(value, dict):
        raise ConfigError(f"{file} holds no credentials", hint=HOW_TO)
    return value
