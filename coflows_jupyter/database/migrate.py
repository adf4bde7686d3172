"""Brings a database's schema up to date."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, inspect, select
from sqlalchemy.schema import MetaData

from coflows_jupyter.database.current import VERSION_TABLE
from coflows_jupyter.errors import ConfigError


def migrate(
    connection: Connection, label: str, begin: Callable[[Connection], None] | None = None, target: str = "head"
) -> None:
    """Apply what is missing, inside the caller's transaction.

    Args:
        connection: to the database.
        label: what to call it in a sentence.
        begin: makes other programs wait that want to do the same, until the transaction ends.
        target: the version to stop at.

    Raises:
        ConfigError: a newer version of this program made the schema.
    """
    script = _script()
    head = script.get_current_head() if target == "head" else target
    if version(connection) == head:
        return
    if begin is not None:
        begin(connection)
    if version(connection) == head:
        return
    refuse_newer(connection, label)

    def upgrade(revision: Any, _context: Any) -> Sequence[Any]:
        return script._upgrade_revs(target, revision)  # noqa: SLF001 - as alembic's own commands do

    with EnvironmentContext(Config(), script, fn=upgrade) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()


def write_sql(dialect: str, begin_at: str | None = None) -> str:
    """Return the statements of all migrations, for those who may not let a program change their schema.

    Args:
        dialect: ``sqlite``, ``postgresql`` or ``mssql``.
        begin_at: the version that the database has, ``None`` for an empty one.
    """
    script = _script()
    output = io.StringIO()

    def upgrade(_revision: Any, _context: Any) -> Sequence[Any]:
        return script._upgrade_revs("head", begin_at)  # type: ignore[arg-type]  # noqa: SLF001 - as in migrate

    options = {"deprecate_large_types": True} if dialect == "mssql" else {}
    with EnvironmentContext(Config(), script, fn=upgrade, as_sql=True, starting_rev=begin_at) as environment:
        environment.configure(
            dialect_name=dialect, dialect_opts=options, version_table=VERSION_TABLE, output_buffer=output
        )
        with environment.begin_transaction():
            environment.run_migrations()
    return output.getvalue()


def refuse_newer(connection: Connection, label: str) -> None:
    """Check that this program understands the schema.

    Raises:
        ConfigError: a newer version of this program made it.
    """
    found = version(connection)
    if found not in {None, *versions()}:
        message = f"the database {label} belongs to a newer version of coflows_jupyter (its schema is {found})"
        raise ConfigError(message, hint="install that version, or name another database in Database.Connection")


def versions() -> list[str]:
    """Return the versions of the schema, the oldest first."""
    return [revision.revision for revision in _script().walk_revisions()][::-1]


def version(connection: Connection) -> str | None:
    """Return the version of the schema, ``None`` when there is none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    table = Table(VERSION_TABLE, MetaData(), autoload_with=connection)
    found: str | None = connection.execute(select(table.c.version_num)).scalar()
    return found


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return ScriptDirectory.from_config(config)
