"""``coflows agents …``: what runs on its own, and why it did or did not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

import typer

from coflows_jupyter.cli.runs import server_of, where
from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coflows_jupyter.agents.store import AgentStore
    from coflows_jupyter.config import Config
    from coflows_jupyter.notebook.client import Client
    from coflows_jupyter.runtimes.agent import AgentEntry

T = TypeVar("T")

AgentId = Annotated[str, typer.Argument(metavar="AGENT", help="ID or name, as `coflows agents list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    agents = typer.Typer(help="What runs on its own: on a schedule, when an M set changes, or when a message arrives.")
    agents.command(name="list")(list_agents)
    agents.command()(start)
    agents.command()(pause)
    agents.command()(stop)
    agents.command()(run)
    agents.command()(send)
    agents.command()(runs)
    agents.command()(explain)
    agents.command()(backfill)
    agents.command()(cancel)
    agents.command()(schedule)
    app.add_typer(agents, name="agents")


def list_agents(context: typer.Context) -> None:
    """List Agents: whether they are started, when they run next, how their last run ended."""
    current = session(context)
    found = _ask(current, "GET", "/agents")["agents"]
    current.output.document({"agents": found})
    if current.output.json:
        return
    rows = [
        {
            "agent": agent["id"],
            "is": agent["mode"],
            "schedule": agent["words"] or (agent["listens"] and f"listens to {agent['listens']}"),
            "next": next(iter(agent["upcoming"]), ""),
            "last": agent["last"]["state"] if agent["last"] else "",
            "reason": agent["last"]["reason"] if agent["last"] else "",
        }
        for agent in found
    ]
    _table(current, rows, "no Agents: a file of Agents/ declares one")
    for agent in found:
        if agent["drift"]:
            current.output.write(f"{agent['id']}: {agent['drift']}")


def start(context: typer.Context, agent: AgentId) -> None:
    """Start an Agent; it stays so when the server restarts."""
    _switch(session(context), agent, "start")


def pause(context: typer.Context, agent: AgentId) -> None:
    """Pause an Agent: its ticks are skipped, and the history says so."""
    _switch(session(context), agent, "pause")


def stop(context: typer.Context, agent: AgentId) -> None:
    """Stop an Agent: it has no ticks until it is started again."""
    _switch(session(context), agent, "stop")


def _switch(current: Session, agent: str, action: str) -> None:
    mode = {"start": "started", "pause": "paused", "stop": "stopped"}[action]
    config, client = where(current)
    if client is not None:
        client.ask("POST", _path(client, f"/agents/{quote(agent, safe='')}/{action}"))
    else:
        why = "by the command line"
        _at_rest(
            config,
            lambda store, c, now: store.set_mode(c, _known(store, c, agent).id, mode, why, now),  # type: ignore[arg-type]
        )
    current.output.document({"agent": agent, "mode": mode})
    current.output.say(f"{agent} is {mode}")


def run(
    context: typer.Context,
    agent: AgentId,
    kind: Annotated[str, typer.Option("--type", help="Second argument of the job.")] = "All",
) -> None:
    """Run an Agent's job now, after runs that go on."""
    _show(session(context), _ask(session(context), "POST", f"/agents/{quote(agent, safe='')}/run", {"type": kind}))


def send(context: typer.Context, agent: AgentId, text: Annotated[str, typer.Argument(help="The message.")]) -> None:
    """Give an Agent a message, and print what its body answers."""
    import msgspec

    current = session(context)
    value = _ask(current, "POST", f"/agents/{quote(agent, safe='')}/send", {"data": text})
    current.output.document(value)
    if not current.output.json:
        current.output.write(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def runs(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="[AGENT]", help="Only of this Agent, by ID or name.")] = "",
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 20,
) -> None:
    """List runs of Agents, the latest first: every tick with what became of it and why."""
    current = session(context)
    config, client = where(current)
    if client is not None:
        query = urlencode({"limit": limit} | ({"agent": agent} if agent else {}))
        found = client.ask("GET", _path(client, f"/agent-runs?{query}"))["runs"]
    else:
        found = _at_rest(config, lambda store, c, _now: _history(store, c, agent, limit))
    _show(current, {"runs": found})


def _history(store: AgentStore, connection: Connection, agent: str, limit: int) -> list[dict[str, Any]]:
    from coflows_jupyter.agents.model import public

    wanted = _known(store, connection, agent).id if agent else ""
    return [public(run) for run in store.runs(connection, wanted, limit=limit)]


def explain(
    context: typer.Context,
    agent: AgentId,
    time: Annotated[str, typer.Argument(help="09:00, 2026-11-24T09:00, or 2h ago.", metavar="TIME")],
) -> None:
    """Say why an Agent did or did not run at a time."""
    from coflows_jupyter.errors import ArgumentsError, FieldError

    current = session(context)
    config, client = where(current)
    if client is not None:
        path = f"/agents/{quote(agent, safe='')}/explain?{urlencode({'at': time})}"
        found = client.ask("GET", _path(client, path))["sentences"]
    else:
        from coflows_jupyter.agents.explain import explain_at

        try:
            found = _at_rest(config, lambda store, c, now: explain_at(store, c, _known(store, c, agent), time, now))
        except ValueError as error:
            raise ArgumentsError(f"TIME: {error}", [FieldError("TIME", str(error), time)]) from None
    current.output.document({"sentences": found})
    if not current.output.json:
        current.output.write("\n".join(found))


def backfill(
    context: typer.Context,
    agent: AgentId,
    start: Annotated[str, typer.Argument(help="After this: 2026-11-20, or 7d ago.", metavar="START")],
    end: Annotated[str, typer.Argument(help="Up to and with this.", metavar="[END]")] = "0s",
) -> None:
    """Run an Agent's job for every tick of a span for which it did not run."""
    body = {"start": start, "end": end}
    _show(session(context), _ask(session(context), "POST", f"/agents/{quote(agent, safe='')}/backfill", body))


def cancel(context: typer.Context, run: Annotated[str, typer.Argument(metavar="RUN")]) -> None:
    """Stop a run of an Agent, wherever it goes on."""
    _show(session(context), _ask(session(context), "POST", f"/agent-runs/{quote(run, safe='')}/cancel"))


def schedule(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="Quartz's six or seven fields, perhaps with a type and a zone.")],
    count: Annotated[int, typer.Option(help="How many instants.", min=1, max=100)] = 5,
) -> None:
    """Say what a schedule means, and when it is due next."""
    from datetime import UTC, datetime

    from coflows_jupyter.agents.model import iso, micros
    from coflows_jupyter.agents.schedule import Schedule

    current = session(context)
    found = Schedule(text)
    upcoming = found.upcoming(datetime.now(UTC), count)
    current.output.document({"words": found.describe(), "upcoming": [iso(micros(moment)) for moment in upcoming]})
    if not current.output.json:
        zone = found.entries[0].zone
        times = [moment.astimezone(zone).isoformat(sep=" ") for moment in upcoming]
        current.output.write("\n".join([found.describe(), *times]))


# -- where Agents are --------------------------------------------------------------------------------------------------


def _ask(current: Session, method: str, path: str, body: object = None) -> Any:
    client = server_of(current)
    return client.ask(method, _path(client, path), body)


def _path(client: Client, path: str) -> str:
    (workflow, *_) = client.workflows()
    return f"coflows/api/workflows/{quote(workflow.id, safe='')}{path}"


def _at_rest(config: Config, work: Callable[[AgentStore, Connection, int], T]) -> T:
    """Do work with a Workflow's Agents while no server runs."""
    from coflows_jupyter.agents.clock import SystemClock
    from coflows_jupyter.agents.scheduler import LEASE_SECONDS, new_owner
    from coflows_jupyter.database.connection import Database
    from coflows_jupyter.database.location import locate
    from coflows_jupyter.workflow.package import read_package

    package = read_package(config.workflow)
    database = Database(locate(config))

    def with_store(connection: Connection) -> T:
        from coflows_jupyter.agents.store import AgentStore

        return work(AgentStore(package.id, new_owner(), LEASE_SECONDS), connection, SystemClock().now())

    try:
        return database.submit(with_store).result()
    finally:
        database.close()


def _known(store: AgentStore, connection: Connection, agent: str) -> AgentEntry:
    """Return what the database remembers of the Agent of this ID, or of the only one of this name."""
    from coflows_jupyter.errors import NotFoundError, nearest
    from coflows_jupyter.runtimes.agent import AgentEntry

    states = store.agents(connection)
    found = [state for state in states if state.agent_id == agent] or [s for s in states if s.name == agent]
    if len(found) != 1:
        names = [state.agent_id for state in states]
        near = nearest(agent, [*names, *(state.name for state in states)])
        hint = f"did you mean {near}?" if near else f"there are: {', '.join(names) or 'none, until a server has run'}"
        raise NotFoundError(f"there is no Agent {agent!r}", hint=hint)
    return AgentEntry(found[0].agent_id, found[0].name, schedule=found[0].schedule)


def _show(current: Session, answer: Mapping[str, Any]) -> None:
    current.output.document(answer)
    if current.output.json:
        return
    rows = [
        {
            "due": run["fire_at"],
            "agent": run["agent_id"],
            "run": run["run_id"],
            "state": run["state"],
            "attempt": run["attempt"],
            "late": "" if run["late_seconds"] is None else f"{run['late_seconds']:.3g} s",
            "cause": run["cause"],
            "reason": run["reason"],
        }
        for run in answer["runs"]
    ]
    _table(current, rows, "no runs")


def _table(current: Session, rows: list[dict[str, Any]], nothing: str) -> None:
    from coflows_jupyter.cli.render import show_table

    if rows:
        show_table(current.output.stdout, rows)
    else:
        current.output.say(nothing)
