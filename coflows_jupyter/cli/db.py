"""``coflows db …``: the database of a Workflow, whether a server runs or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.database.dump import Manifest
    from coflows_jupyter.database.location import Location


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    db = typer.Typer(help="The database: its state, its schema, backups.")
    db.command()(status)
    db.command()(migrate)
    db.command()(backup)
    db.command()(restore)
    db.command(name="import")(import_original)
    app.add_typer(db, name="db")


def status(context: typer.Context) -> None:
    """Say where the database is, whether its schema fits, and what is in it."""
    from coflows_jupyter.database.status import look

    current = session(context)
    found = look(_location(current))
    current.output.document(found)
    current.output.say(f"{found.name} {found.database}: {found.sentence}")
    for table, rows in found.rows.items():
        current.output.say(f"{rows:>12,}  {table}")
    if found.original:
        current.output.say(f"It also holds tables of the original ({', '.join(found.original)}), which are left alone.")


def migrate(
    context: typer.Context,
    sql: Annotated[  # noqa: FBT002 - Typer's way
        bool, typer.Option("--sql", help="Print the statements instead, for who may change the schema.")
    ] = False,
) -> None:
    """Bring the schema up to date; a server does that by itself when it starts."""
    from coflows_jupyter.database.connection import Database
    from coflows_jupyter.database.migrate import version, write_sql
    from coflows_jupyter.database.status import look

    current = session(context)
    location = _location(current)
    if sql:
        dialect = {"postgres": "postgresql"}.get(location.type, location.type)
        current.output.write(write_sql(dialect, look(location).schema or None))
        return
    database = Database(location)
    try:
        schema = database.run(version)
    finally:
        database.close()
    current.output.document({"database": str(location), "schema": schema})
    current.output.say(f"{location} has schema {schema}")


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The backup to write, for example coflows-backup.zip.")],
) -> None:
    """Write everything into one file; the database may be in use meanwhile."""
    from coflows_jupyter.database.dump import back_up

    current = session(context)
    location = _location(current)
    with current.output.working(f"backing up {location}"):
        manifest = back_up(location, file)
    _say(current, f"wrote {file}", manifest)


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A backup, of a database of any type.")],
    replace: Annotated[  # noqa: FBT002 - Typer's way
        bool, typer.Option("--replace", help="Delete what the database holds.")
    ] = False,
) -> None:
    """Put a backup into the database that the configuration names, which nobody may use meanwhile."""
    from coflows_jupyter.database.dump import restore as put_back

    current = session(context)
    location = _location(current)
    with current.output.working(f"restoring {location}"):
        manifest = put_back(location, file, replace=replace)
    _say(current, f"restored {location} as it was at {manifest.taken}", manifest)


def import_original(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(help="The SQLite file of an original CoFlows, or the .json that configures one."),
    ],
) -> None:
    """Take over people, groups and M sets of the original; what is here already stays, and what is there, too."""
    from coflows_jupyter.config import load_config
    from coflows_jupyter.database.location import Location, locate
    from coflows_jupyter.mset.adoption import adopt

    current = session(context)
    source = locate(load_config(file)) if file.suffix.lower() == ".json" else Location.at(file)
    with current.output.working(f"importing {file}"):
        result = adopt(_location(current), source)
    current.output.document(result)
    current.output.say(
        f"{result.users} users, {result.groups} groups, {result.members} members; {result.entries:,} entries in "
        f"{result.sets} M sets ({result.known:,} were there already, {result.own:,} were the original's own records)"
    )
    for sentence in result.left:
        current.output.note(f"left out: {sentence}")


def _say(current: Session, sentence: str, manifest: Manifest) -> None:
    current.output.document(manifest)
    current.output.say(f"{sentence}: {sum(manifest.tables.values()):,} rows, schema {manifest.schema}")


def _location(current: Session) -> Location:
    from coflows_jupyter.config import load_config
    from coflows_jupyter.database.location import locate

    return locate(load_config(current.config))
