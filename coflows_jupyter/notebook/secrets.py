"""``secret("NAME")`` in a notebook: the server tells it to those who could have it from code that they write."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.runtimes.vault import SecretText


class _Secret(msgspec.Struct):
    text: str


class ServersSecrets:
    """Asks a server for the secrets of its first Workflow.

    Args:
        client: of the server; asked for with every secret.
    """

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    def get(self, name: str) -> str:
        """Return a secret.

        Raises:
            LookupError: there is none, or it may not be told.
        """
        try:
            client = self._client()
            workflow = quote(client.workflows()[0].id, safe="")
            path = f"coflows/api/workflows/{workflow}/secrets/{quote(name, safe='')}"
            answer = client.request("GET", path).read()
        except CoflowsError as error:
            raise LookupError(f"{error.message}{f' ({error.hint})' if error.hint else ''}") from None
        return SecretText(msgspec.json.decode(answer, type=_Secret).text, name)
