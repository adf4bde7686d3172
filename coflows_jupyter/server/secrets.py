"""Secrets of a Workflow, in the native REST API: names are listed, texts set, and told to programs with Write."""

from __future__ import annotations

import msgspec

from coflows_jupyter.access import journal
from coflows_jupyter.access.secrets import list_secrets, remove_secret, set_secret
from coflows_jupyter.errors import DeniedError
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.models import SecretList, SecretWish
from coflows_jupyter.server.people import check_unlimited


class SecretsHandler(BaseHandler):
    """``GET /coflows/api/workflows/WID/secrets``."""

    async def get(self, workflow: str) -> None:
        """List names."""
        engine = self.services.engine(workflow)
        found = await engine.secrets.do(lambda c: list_secrets(c, engine.id), readonly=True)
        self.write_json(msgspec.json.encode(SecretList(found)))


class SecretHandler(BaseHandler):
    """``/coflows/api/workflows/WID/secrets/NAME``."""

    async def get(self, workflow: str, name: str) -> None:
        """Tell the text to a program whose caller could have it from code that they write; the audit says so."""
        engine = self.services.engine(workflow)
        text = await engine.secrets.get(engine.id, name)
        check_unlimited(self)
        if self.presented != "header":
            # A script that gets into a page of ours must not get further than that page.
            raise DeniedError("secrets are told to programs, which send a key in a header, and not to browsers")
        await engine.secrets.do(lambda c: journal.record(c, self.actor, "secret.tell", f"{engine.id}/{name}"))
        self.write_json(msgspec.json.encode(SecretWish(text)))

    async def put(self, workflow: str, name: str) -> None:
        """Set a secret; functions that ask for it are told from now on."""
        engine, wish = self.services.engine(workflow), self.read_json(SecretWish)
        box = engine.secrets.box
        await engine.secrets.do(lambda c: set_secret(c, self.actor, box, engine.id, name, wish.text))
        self.set_status(204)

    async def delete(self, workflow: str, name: str) -> None:
        """Delete a secret."""
        engine = self.services.engine(workflow)
        await engine.secrets.do(lambda c: remove_secret(c, self.actor, engine.id, name))
        self.set_status(204)
