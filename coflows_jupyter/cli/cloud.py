"""``coflows cloud …``: the server of the ``Cloud`` section of coflows_config.json."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.deploy.bundle import Bundle
    from coflows_jupyter.deploy.cloud import Remote
    from coflows_jupyter.deploy.progress import Reporter
    from coflows_jupyter.deploy.revisions import Revision

T = TypeVar("T")

_LONG = 12


class Target(NamedTuple):
    """What is deployed, and where to."""

    config: Config
    workflow: str
    remote: Remote

    @property
    def folder(self) -> str:
        """The name of the Workflow's folder."""
        return self.config.workflow.parent.name


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    cloud = typer.Typer(help="The server of the Cloud section: build, deploy and query there.")
    cloud.command()(build)
    cloud.command()(deploy)
    # A negative number is an argument, not an option.
    cloud.command(context_settings={"ignore_unknown_options": True})(query)
    cloud.command()(log)
    cloud.command()(restart)
    cloud.command()(remove)
    cloud.command()(status)
    cloud.command()(rollback)
    app.add_typer(cloud, name="cloud")


def build(context: typer.Context) -> None:
    """Send the source there and build it; what serves there stays."""
    current = session(context)
    with _target(current) as target:
        _run(current, lambda tell: target.remote.build(*_packed(target, tell), target.folder, tell))
    current.output.document({"ok": True})
    current.output.say("Success!!!")


def deploy(context: typer.Context) -> None:
    """Send the source there and let it serve, if all of it builds; else nothing changes."""
    current = session(context)
    with _target(current) as target:
        revision = _run(current, lambda tell: target.remote.deploy(*_packed(target, tell), target.folder, tell))
    _say(current, revision)


def query(
    context: typer.Context,
    query_id: Annotated[str, typer.Argument(metavar="QUERY", help="ID of the Query.")],
    function: Annotated[
        str, typer.Argument(help="A function of it, perhaps with a format: F.csv; without one, all are listed.")
    ] = "",
    arguments: Annotated[list[str] | None, typer.Argument(help="In order; -- goes before any like --json.")] = None,
) -> None:
    """Send the source there and call a function of it; what serves there stays."""
    from coflows_jupyter.deploy.wish import Answered, Wish

    current = session(context)
    accept = "application/json" if current.output.json else ""
    wish = Wish(query_id, function, tuple(arguments or ()), accept)
    with _target(current) as target:
        answer = _run(current, lambda tell: target.remote.query(*_packed(target, tell), target.folder, wish, tell))
    if isinstance(answer, Answered):
        _show(current, answer, raw="." in function)
    else:
        current.output.document(answer)
        if not current.output.json:
            current.output.write("\n".join(f"{name}({', '.join(p)})" for name, p in answer.functions.items()))


def log(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,  # noqa: FBT002
    tail: Annotated[int, typer.Option(help="How many lines to begin with.", min=0)] = 100,
) -> None:
    """Show what the Workflow did and printed there lately."""
    from datetime import datetime

    current = session(context)
    lines = []
    with _target(current) as target:
        for event in target.remote.log(target.workflow, follow=follow and not current.output.json, tail=tail):
            at = datetime.fromtimestamp(event.time).astimezone().isoformat(sep=" ", timespec="seconds")[:19]
            lines.append({"time": event.time, "step": event.step, "text": event.text})
            if not current.output.json:
                current.output.write(f"{at} {event.step}: {event.text}")
    current.output.document({"lines": lines})


def restart(context: typer.Context) -> None:
    """Let new processes take over there; calls that go on end in those before."""
    current = session(context)
    with _target(current) as target:
        _run(current, lambda tell: target.remote.restart(target.workflow, tell))
    current.output.document({"ok": True})
    current.output.say("Restarted")


def remove(context: typer.Context) -> None:
    """Let the Workflow serve there no more; `coflows cloud rollback` brings it back."""
    current = session(context)
    with _target(current) as target:
        target.remote.remove(target.workflow)
    current.output.document({"ok": True})
    current.output.say("Removed")


def status(context: typer.Context) -> None:
    """Show what serves there, and what did."""
    from coflows_jupyter.cli.render import show_table

    current = session(context)
    with _target(current) as target:
        found = target.remote.status(target.workflow)
    current.output.document(found)
    if current.output.json:
        return
    workflow = found["workflow"]
    serving = f"revision {found['revision']}" if found["revision"] else "what its own folder holds"
    state = f"{workflow['name']}: {workflow['state']}, {serving}" if workflow else "nothing serves"
    current.output.write(state)
    rows = [_row(revision, found["revision"]) for revision in found["revisions"]]
    if rows:
        show_table(current.output.stdout, rows)


def rollback(
    context: typer.Context,
    revision: Annotated[int, typer.Argument(min=0, help="Its number, else the one that served before.")] = 0,
) -> None:
    """Let an earlier revision serve again, as a new one."""
    current = session(context)
    with _target(current) as target:
        done = _run(current, lambda tell: target.remote.rollback(target.workflow, revision, tell))
    _say(current, done)


# ----------------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _target(current: Session) -> Iterator[Target]:
    from coflows_jupyter.config import load_config
    from coflows_jupyter.deploy.cloud import Remote
    from coflows_jupyter.workflow.listing import update_package

    config = load_config(current.config)
    package = update_package(config.workflow)
    remote = Remote.of(config.cloud)
    with contextlib.closing(remote):
        assert config.cloud is not None
        current.output.note(f"Cloud Host: {config.cloud.address}\nCloud SSL: {str(config.cloud.ssl).lower()}")
        yield Target(config, package.id, remote)


def _packed(target: Target, tell: Reporter) -> tuple[str, Bundle]:
    """Return the Workflow's ID, and its bundle."""
    from coflows_jupyter.deploy.bundle import pack

    with tell.step("pack", "Packing"):
        bundle = pack(target.config.workflow, target.config)
        if bundle.left_out:
            tell.log(f"stays here: {', '.join(bundle.left_out)}")
        return target.workflow, bundle


def _run(current: Session, work: Callable[[Reporter], T]) -> T:
    from coflows_jupyter.cli.progress import shown
    from coflows_jupyter.deploy.progress import Reporter

    with Reporter(shown(current.output)).operation() as tell:
        return work(tell)


def _say(current: Session, revision: Revision) -> None:
    current.output.document(revision)
    current.output.say(f"Revision {revision.number} serves")


def _show(current: Session, answer: Any, *, raw: bool) -> None:
    import asyncio
    import base64

    from coflows_jupyter.cli.render import show
    from coflows_jupyter.host.protocol import Result

    body = answer.text.encode() or base64.b64decode(answer.base64)
    asyncio.run(show(current.output, Result(answer.status, answer.content_type, body), raw=raw))


def _row(revision: dict[str, Any], serving: int) -> dict[str, Any]:
    return {
        "": "→" if revision["number"] == serving else "",
        "revision": revision["number"],
        "state": revision["state"],
        "created": revision["created"][:19].replace("T", " "),
        "by": revision["by"],
        "digest": revision["digest"][:_LONG],
        "reason": revision.get("reason", ""),
    }
