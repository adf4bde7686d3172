"""``coflows runs …``: the history of calls, and calls that are still being made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.notebook.client import Client
    from coflows_jupyter.runs.model import RunModel

RunId = Annotated[str, typer.Argument(metavar="ID", help="As `coflows runs list` and the header X-Run-Id give it.")]


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    runs = typer.Typer(help="The history of calls, and calls that are being made.")
    runs.command(name="list")(list_runs)
    runs.command()(show)
    runs.command()(log)
    runs.command()(cancel)
    runs.command()(rerun)
    app.add_typer(runs, name="runs")


def list_runs(  # noqa: PLR0913, PLR0917 - an option each
    context: typer.Context,
    query: Annotated[str, typer.Option(help="Only of this Query.", metavar="ID")] = "",
    function: Annotated[str, typer.Option(help="Only of functions of this name.", metavar="NAME")] = "",
    outcome: Annotated[
        str,
        typer.Option(
            help="Only those that are running, succeeded, failed, timed_out, cancelled, crashed, denied, refused, lost."
        ),
    ] = "",
    caller: Annotated[str, typer.Option(help="Only of this caller.", metavar="ID")] = "",
    door: Annotated[str, typer.Option(help="Only through http, cli, notebook or sidebar.")] = "",
    since: Annotated[str, typer.Option(help="Only since then: 2026-11-24T18:00, or 2h ago.", metavar="TIME")] = "",
    text: Annotated[str, typer.Option(help="Only where this is in the arguments, the error or a name.")] = "",
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 20,
) -> None:
    """List runs, the latest first."""
    from coflows_jupyter.errors import ArgumentsError, FieldError
    from coflows_jupyter.runs.model import Filter, moment

    current = session(context)
    try:
        since = since and moment(since)
    except ValueError as error:
        raise ArgumentsError("--since can't be read", [FieldError("--since", str(error))]) from None
    wanted = Filter(
        query=query,
        function=function,
        outcome=outcome,
        caller=caller,
        door=door,
        since=since,
        text=text,
        limit=limit,
    )
    config, client = where(current)
    found = client.runs(wanted) if client else _read(config, lambda store, c: store.select(c, wanted))
    current.output.document({"runs": found})
    if not current.output.json:
        _table(current, found)


def show(context: typer.Context, run: RunId) -> None:
    """Show everything about a run."""
    current = session(context)
    config, client = where(current)
    found = client.run(run) if client else _stored(config, run)[0]
    _describe(current, found)


def log(
    context: typer.Context,
    run: RunId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,  # noqa: FBT002
) -> None:
    """Print what a run printed and logged."""
    current = session(context)
    config, client = where(current)
    if follow and client is not None and not current.output.json:
        _follow(current, client, run)
        return
    text = client.run_log(run) if client else _stored(config, run)[1]
    current.output.document({"log": text})
    if not current.output.json:
        current.output.write(text.removesuffix("\n"))


def _follow(current: Session, client: Client, run: str) -> None:
    for kind, data in client.events(run):
        if kind == "log":
            current.output.stdout.write(data["text"])
            current.output.stdout.flush()
        elif kind == "end":
            current.output.note(": ".join(filter(None, [data["outcome"], data["error"]])))


def cancel(context: typer.Context, run: RunId) -> None:
    """Ask a run to stop."""
    current = session(context)
    _describe(current, server_of(current).cancel(run))


def rerun(context: typer.Context, run: RunId) -> None:
    """Call the function of a run again, with the same arguments."""
    current = session(context)
    value = server_of(current).rerun(run)
    if isinstance(value, Iterator):
        value = list(value)
    if isinstance(value, bytes) and not current.output.json:
        current.output.stdout.flush()
        current.output.stdout.buffer.write(value)
        return
    current.output.document(value)
    if not current.output.json:
        current.output.write(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def where(current: Session) -> tuple[Config, Client | None]:
    """Return the configuration, and a client of the server that runs it, if one does."""
    from coflows_jupyter.config import load_config
    from coflows_jupyter.notebook.client import Client
    from coflows_jupyter.notebook.servers import running_servers

    config = load_config(current.config)
    server = next((s for s in running_servers() if config.file and s.config == str(config.file)), None)
    return config, Client(server, "cli") if server else None


def server_of(current: Session) -> Client:
    """Return a client of the server that runs the Workflow.

    Raises:
        UnreachableError: none does.
    """
    from coflows_jupyter.errors import UnreachableError

    _, client = where(current)
    if client is None:
        raise UnreachableError("no server runs this Workflow", hint="start one with: coflows server")
    return client


def _read(config: Config, work: Any) -> Any:
    """Read the history without a server."""
    from coflows_jupyter.database.connection import Database
    from coflows_jupyter.database.location import locate
    from coflows_jupyter.errors import NotFoundError
    from coflows_jupyter.runs import store

    location = locate(config)
    if location.file and not location.file.exists():
        raise NotFoundError(f"there is no history yet: {location} is made with the first call")
    database = Database(location)
    try:
        database.run(store.bury)
        return database.run(lambda connection: work(store, connection), readonly=True)
    finally:
        database.close()


def _stored(config: Config, run: str) -> tuple[RunModel, str]:
    from coflows_jupyter.errors import NotFoundError

    found: tuple[RunModel, str] | None = _read(config, lambda store, c: store.find(c, run))
    if found is None:
        raise NotFoundError(f"there is no run {run!r}", hint="`coflows runs list` shows the latest")
    return found


def _describe(current: Session, run: RunModel) -> None:
    current.output.document(run)
    if not current.output.json:
        fields = {name: value for name, value in msgspec.to_builtins(run).items() if value not in ("", None, False)}
        fields["arguments"] = msgspec.json.encode(run.arguments).decode()
        width = max(map(len, fields))
        current.output.write("\n".join(f"{name:{width}}  {value}" for name, value in fields.items()))


def _table(current: Session, runs: list[RunModel]) -> None:
    from coflows_jupyter.cli.render import show_table

    rows = [
        {
            "started": run.started[:19].replace("T", " "),
            "run": run.id,
            "function": f"{run.query}.{run.function}",
            "outcome": run.outcome,
            "seconds": round(run.seconds, 3),
            "who": f"{run.caller}@{run.door}",
            "error": run.error,
        }
        for run in runs
    ]
    if rows:
        show_table(current.output.stdout, rows)
    else:
        current.output.say("no runs")
