"""Brings a database's schema up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, inspect, select
from sqlalchemy.schema import MetaData

from coflows_jupyter.database.current import VERSION_TABLE
from coflows_jupyter.errors import ConfigError


def migrate(connection: Connection, file: Path) -> None:
    """Apply what is missing, inside the caller's transaction.

    Args:
        connection: to the database.
        file: what to call it in a sentence.

    Raises:
        ConfigError: a newer version of this program made the schema.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    found = _version(connection)
    head = script.get_current_head()
    if found == head:
        return
    if found not in {None, *(revision.revision for revision in script.walk_revisions())}:
        message = f"the database {file} belongs to a newer version of coflows_jupyter (its schema is {found})"
        raise ConfigError(message, hint="install that version, or name another file in Database.Connection")

    def upgrade(revision: Any, _context: Any) -> Sequence[Any]:
        return script._upgrade_revs("head", revision)  # noqa: SLF001 - as alembic's own commands do

    with EnvironmentContext(config, script, fn=upgrade) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    table = Table(VERSION_TABLE, MetaData(), autoload_with=connection)
    found: str | None = connection.execute(select(table.c.version_num)).scalar()
    return found
