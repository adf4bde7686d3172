"""``coflows local …``: build and call a Workflow in this process, without a server."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar
from urllib.parse import urlencode

import typer

from coflows_jupyter.cli.interrupt import run
from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.cli.output import Output
    from coflows_jupyter.config import Config
    from coflows_jupyter.engine import Engine
    from coflows_jupyter.runs.live import Run
    from coflows_jupyter.status import BuildReport
    from coflows_jupyter.workflows import Workflows

T = TypeVar("T")


class Opened(NamedTuple):
    """A Workflow that was opened and built."""

    engine: Engine
    report: BuildReport


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    local = typer.Typer(help="Build and query on this computer; no server is needed.")
    local.command()(build)
    # A negative number is an argument, not an option.
    local.command(context_settings={"ignore_unknown_options": True})(query)
    app.add_typer(local, name="local")


def build(context: typer.Context) -> int:
    """Build the Workflow and say what is wrong with it."""
    from coflows_jupyter.errors import FAILED

    current = session(context)
    output = current.output
    output.say("Local build")

    async def report(opened: Opened) -> BuildReport:
        return opened.report

    found = _opened(current, report)
    output.document(found)
    output.diagnostics(found.diagnostics)
    if found.ok:
        output.say("Success!!!")
    return 0 if found.ok else FAILED


def query(
    context: typer.Context,
    query_id: Annotated[str, typer.Argument(metavar="QUERY", help="ID of the Query.")],
    function: Annotated[
        str | None, typer.Argument(help="A function of it, perhaps with a format: F.csv; without one, all are listed.")
    ] = None,
    arguments: Annotated[list[str] | None, typer.Argument(help="In order; -- goes before any like --json.")] = None,
) -> None:
    """Call a function of a Query, or list its functions."""
    current = session(context)

    async def work(opened: Opened) -> None:
        if function is None:
            _list(current, opened, query_id)
        else:
            await _call(current, opened, query_id, function, arguments or [])

    _opened(current, work)


def _opened(current: Session, work: Callable[[Opened], Awaitable[T]]) -> T:
    """Open the Workflow in this process, do ``work`` with it and close it."""
    from coflows_jupyter.build.model import working_directory
    from coflows_jupyter.config import load_config

    config = load_config(current.config)
    folder = working_directory(config.workflow.parent)
    with contextlib.chdir(folder if Path(folder).is_dir() else "."), current.output.alone():
        return run(_open(current, config, work))


async def _open(current: Session, config: Config, work: Callable[[Opened], Awaitable[T]]) -> T:
    from coflows_jupyter.engine import Engine
    from coflows_jupyter.errors import PackageError
    from coflows_jupyter.runs.registry import Runs

    output = current.output
    ended: list[Run] = []
    engine = Engine(
        config,
        mode="embedded",
        watch=False,
        on_output=lambda _run, _stream, text: output.pass_on(text),
        runs=Runs(on_progress=lambda _run, done, total, text: output.progress(done, total, text), on_end=ended.append),
    )
    try:
        with output.working("Building"):
            report = await engine.build()
        if engine.package is None:
            raise PackageError("package.json can't be used", report.diagnostics)
        return await work(Opened(engine, report))
    finally:
        await engine.close()
        _record(output, config, ended)


def _record(output: Output, config: Config, ended: list[Run]) -> None:
    """Write the call into the history; what hinders that is no failure of the call."""
    from coflows_jupyter.errors import CoflowsError
    from coflows_jupyter.runs.direct import record

    try:
        record(config, ended)
    except CoflowsError as error:
        output.note(f"the call is not in the history: {error.message}")


def _list(current: Session, opened: Opened, query_id: str) -> None:
    from coflows_jupyter.cli.render import describe, document

    _, entry = _find(opened, lambda workflows: workflows.query(opened.engine.id, query_id))
    if current.output.json:
        current.output.document(document(entry))
        return
    current.output.write("\n\n".join(describe(function) for function in entry.functions.values()))


async def _call(current: Session, opened: Opened, query_id: str, function: str, arguments: list[str]) -> None:
    from coflows_jupyter.access.permissions import AccessType, Caller
    from coflows_jupyter.cli.render import show
    from coflows_jupyter.host.protocol import Call, new_run_id
    from coflows_jupyter.queries.results import split_suffix
    from coflows_jupyter.runtimes.masking import MASK

    output = current.output
    engine = opened.engine
    output.note(f"Local query\nQueryID: {query_id}\nFuncName: {function}")
    name, kind = split_suffix(function)
    _, entry = _find(opened, lambda workflows: workflows.find(engine.id, query_id, name))
    for index, argument in enumerate(arguments):
        secret = any(parameter.secret for parameter in entry.signature.parameters[index : index + 1])
        output.note(f"Parameter[{index}]: {MASK if secret else argument}")
    output.diagnostics((d for d in opened.report.diagnostics if d.severity == "error"), err=True)
    call = Call(
        run_id=new_run_id(),
        query=query_id,
        function=name,
        form="query",
        data=urlencode([(f"p[{index}]", argument) for index, argument in enumerate(arguments)]).encode(),
        accept=kind or ("application/json" if output.json else ""),
        caller=Caller("local", "command line", "local", "cli", AccessType.WRITE),
        timeout=engine.timeout(entry),
    )
    with output.working(f"Running {name}"):
        result = await engine.call(call)
    await show(output, result, raw=bool(kind))


def _find(opened: Opened, look: Callable[[Workflows], T]) -> T:
    """Look something up; where it is missing because it does not build, say that instead."""
    from coflows_jupyter.errors import BuildError, NotFoundError, NotReadyError
    from coflows_jupyter.workflows import Workflows

    workflows = Workflows()
    workflows.add(opened.engine)
    try:
        return look(workflows)
    except (NotFoundError, NotReadyError):
        if opened.report.ok:
            raise
        raise BuildError("the Workflow does not build", opened.report.diagnostics) from None
