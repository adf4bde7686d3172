"""Secrets of Workflows: encrypted in the database, with a key that is not in it.

AES-256-GCM (NIST SP 800-38D). A secret's Workflow and name are authenticated with it, so that a row that somebody
copies to another place can't be read there.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr

from coflows_jupyter.access import journal
from coflows_jupyter.access.records import Actor, SecretInfo, now
from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import locate
from coflows_jupyter.errors import ArgumentsError, ConfigError, FieldError, NotFoundError
from coflows_jupyter.values import SECRET_REFERENCE
from coflows_jupyter.workflow.package import read_package

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

KEY_VARIABLE = "COFLOWS_SECRETS_KEY_FILE"
SHORTEST, LONGEST = 4, 64 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_NONCE_BYTES = 12
_KEY_BYTES = 32
_OTHERS = 0o077


def key_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the key is that encrypts secrets: in the user's own folder, or where a variable says."""
    import platformdirs

    chosen = environ.get(KEY_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("coflows", appauthor=False)) / "secrets.key"


class Box:
    """Encrypts and decrypts.

    Args:
        file: the key; it is made when the first secret is.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or key_file()

    def seal(self, workflow: str, name: str, text: str) -> str:
        """Return ``text`` as the database keeps it.

        Raises:
            ConfigError: the key can't be read or made.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._key(make=True)).encrypt(nonce, text.encode(), _about(workflow, name))
        return base64.b64encode(nonce + sealed).decode()

    def open(self, workflow: str, name: str, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            ConfigError: the key can't be read, or is another one.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        raw = base64.b64decode(sealed)
        try:
            text = AESGCM(self._key()).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _about(workflow, name))
        except InvalidTag:
            message = f"the secret {name} was encrypted with another key than the one in {self._file}"
            raise ConfigError(message, hint=f"bring that key back, or set the secret anew: {_how(name)}") from None
        return text.decode()

    def _key(self, *, make: bool = False) -> bytes:
        try:
            if make and not self._file.exists():
                self._make()
            mode = self._file.stat().st_mode
            key = base64.b64decode(self._file.read_bytes())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it holds no key"
            hint = f"bring it back from where the secrets were set, or name another with {KEY_VARIABLE}"
            raise ConfigError(f"the key of the secrets, {self._file}, can't be read: {reason}", hint=hint) from None
        if os.name == "posix" and mode & _OTHERS:
            raise ConfigError(f"others can read {self._file}, the key of the secrets", hint=f"chmod 600 {self._file}")
        if len(key) != _KEY_BYTES:
            raise ConfigError(f"{self._file} holds no key of secrets")
        return key

    def _make(self) -> None:
        """Make the key; of several processes that do, one wins."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mine = self._file.with_name(f"{self._file.name}.{secrets.token_hex(4)}")
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)))
        try:
            os.link(mine, self._file)
        except FileExistsError:
            pass
        finally:
            mine.unlink()


def _about(workflow: str, name: str) -> bytes:
    return f"{workflow}\0{name}".encode()


def _how(name: str) -> str:
    return f"coflows secret set {name}"


# -- in the database ---------------------------------------------------------------------------------------------------


def list_secrets(connection: Connection, workflow: str) -> list[SecretInfo]:
    """Return the names of a Workflow's secrets."""
    from sqlalchemy import select

    from coflows_jupyter.access.tables import secrets as table

    columns = table.c.name, table.c.changed, table.c.changed_by
    statement = select(*columns).where(table.c.workflow == workflow).order_by(table.c.name)
    return [SecretInfo(**row) for row in connection.execute(statement).mappings()]


def set_secret(connection: Connection, actor: Actor, box: Box, workflow: str, name: str, text: str) -> None:
    """Keep a secret, instead of the one of that name.

    Raises:
        ArgumentsError: the name or the text can't be one.
        ConfigError: the key can't be read or made.
    """
    from sqlalchemy import delete, insert

    from coflows_jupyter.access.tables import secrets as table

    if not _NAME.fullmatch(name):
        hint = "write letters, digits and _, a letter first"
        raise ArgumentsError(f"{name!r} can't be the name of a secret; {hint}", [FieldError("name", hint, name)])
    if not SHORTEST <= len(text) <= LONGEST:
        raise ArgumentsError(f"a secret has {SHORTEST} to {LONGEST} characters; a shorter one can't be masked")
    sealed = box.seal(workflow, name, text)
    connection.execute(delete(table).where(table.c.workflow == workflow, table.c.name == name))
    values = {"workflow": workflow, "name": name, "value": sealed, "changed": now(), "changed_by": actor.id}
    connection.execute(insert(table).values(**values))
    journal.record(connection, actor, "secret.set", f"{workflow}/{name}")


def remove_secret(connection: Connection, actor: Actor, workflow: str, name: str) -> None:
    """Delete a secret.

    Raises:
        NotFoundError: there is none of that name.
    """
    from sqlalchemy import delete

    from coflows_jupyter.access.tables import secrets as table

    gone = connection.execute(delete(table).where(table.c.workflow == workflow, table.c.name == name))
    if not gone.rowcount:
        raise NotFoundError(f"there is no secret {name!r}", hint="`coflows secret list` shows those that are")
    journal.record(connection, actor, "secret.remove", f"{workflow}/{name}")


def read_secret(connection: Connection, box: Box, workflow: str, name: str) -> str:
    """Return a secret's text.

    Raises:
        NotFoundError: there is none of that name.
        ConfigError: it can't be decrypted.
    """
    from sqlalchemy import select

    from coflows_jupyter.access.tables import secrets as table

    statement = select(table.c.value).where(table.c.workflow == workflow, table.c.name == name)
    sealed = connection.execute(statement).scalar()
    if sealed is None:
        raise NotFoundError(f"there is no secret {name}; set it with: {_how(name)}")
    return box.open(workflow, name, sealed)


def reveal(config: Config, value: SecretStr) -> str:
    """Return a text of the configuration with its secrets in place of their names; not on an event loop.

    Raises:
        ConfigError: a secret is not there or can't be read.
    """
    text = value.get_secret_value()
    names = SECRET_REFERENCE.findall(text)
    if not names:
        return text
    workflow = read_package(config.workflow).id
    database = Database(locate(config))
    try:
        found = database.run(lambda c: {name: read_secret(c, Box(), workflow, name) for name in names}, readonly=True)
    except NotFoundError as error:
        place = config.file or "coflows_config"
        raise ConfigError(f"{place} refers to ${{secret:…}}, but {error.message}", hint=error.hint) from None
    finally:
        database.close()
    return SECRET_REFERENCE.sub(lambda match: found[match[1]], text)


def with_key(config: Config) -> Config:
    """Return the configuration with its SecretKey in place of the secret's name that may stand for it.

    Raises:
        ConfigError: see ``reveal``.
    """
    if not SECRET_REFERENCE.search(config.server.secret_key.get_secret_value()):
        return config
    key = SecretStr(reveal(config, config.server.secret_key))
    return config.model_copy(update={"server": config.server.model_copy(update={"secret_key": key})})


class Secrets:
    """Tells the hosts of Workflows their secrets.

    Args:
        database: where they are; opened when the first one is asked for.
        problem: why there is no database.
    """

    def __init__(self, database: Database | None, problem: ConfigError | None = None) -> None:
        self._database = database
        self._problem = problem
        self.box = Box()

    async def get(self, workflow: str, name: str) -> str:
        """Return a secret of a Workflow.

        Raises:
            NotFoundError: it has none of that name.
            ConfigError: it can't be read.
        """
        return await self.do(lambda connection: read_secret(connection, self.box, workflow, name), readonly=True)

    async def do(self, work: Callable[[Connection], T], *, readonly: bool = False) -> T:
        """Do ``work`` in a transaction.

        Raises:
            CoflowsError: what ``work`` raises, or why there is no database.
        """
        if self._database is None:
            raise self._problem or ConfigError("there is no database that secrets could be in")
        return await asyncio.wrap_future(self._database.submit(work, readonly=readonly))

    def close(self) -> None:
        """Let go of the database."""
        if self._database is not None:
            self._database.close()


def open_secrets(config: Config) -> Secrets:
    """Make what tells secrets from the database of a configuration."""
    try:
        return Secrets(Database(locate(config)))
    except ConfigError as error:
        return Secrets(None, error)
