"""What came in, built and perhaps called in a host of its own that ends with it: nothing that serves is touched."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlencode

from coflows_jupyter.access.permissions import Caller, may_call
from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import open_database
from coflows_jupyter.deploy.progress import Reporter
from coflows_jupyter.deploy.wish import Answered, Listed, Wish
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import DeniedError, Diagnostic, NotAcceptableError
from coflows_jupyter.host.calls import OnOutput
from coflows_jupyter.host.protocol import Call, Result, new_run_id
from coflows_jupyter.queries.results import split_suffix
from coflows_jupyter.server.deployments import near, relative
from coflows_jupyter.server.places import Incoming
from coflows_jupyter.workflows import Workflows

MOST_BYTES = 16 * 2**20
"""How large a result may be."""


async def check(config: Config, incoming: Incoming, tell: Reporter) -> tuple[Diagnostic, ...]:
    """Build what came in, Agents included; return what was found.

    Args:
        config: the server's.
        incoming: the bundle; it is used up.
        tell: told what goes on.

    Raises:
        BuildError: it does not build.
    """
    async with _tried(config, incoming, tell, agents=True) as (_, found):
        return found


async def call(config: Config, incoming: Incoming, wish: Wish, caller: Caller, tell: Reporter) -> Answered | Listed:
    """Call a function of what came in.

    Args:
        config: the server's.
        incoming: the bundle; it is used up.
        wish: what to call.
        caller: who calls.
        tell: told what goes on, and what the function prints.

    Raises:
        BuildError: it does not build.
        DeniedError: the caller may not call this function.
        CoflowsError: about the call.
    """
    async with _tried(config, incoming, tell, agents=False) as (engine, _):
        workflows = Workflows()
        workflows.add(engine)
        if not wish.function:
            _, query = workflows.query(engine.id, wish.query)
            names = query.functions.items()
            return Listed({name: tuple(p.name for p in entry.signature.parameters) for name, entry in names})
        name, kind = split_suffix(wish.function)
        _, entry = workflows.find(engine.id, wish.query, name)
        if not may_call(caller, engine.id, wish.query, name, entry.grants, closed=entry.closed):
            raise DeniedError(f"you may not call {name}")
        data = urlencode([(f"p[{index}]", argument) for index, argument in enumerate(wish.arguments)]).encode()
        accept, timeout = kind or wish.accept, engine.timeout(entry)
        with tell.step("call", f"Running {name}"):
            called = Call(new_run_id(), wish.query, name, "query", data, accept, caller, timeout)
            return await collect(await engine.call(called))


@contextlib.asynccontextmanager
async def _tried(
    config: Config, incoming: Incoming, tell: Reporter, *, agents: bool
) -> AsyncIterator[tuple[Engine, tuple[Diagnostic, ...]]]:
    folder = incoming.package_file.parent
    host = config.host.model_copy(update={"workers": 1, "spare": "off"})
    config = config.model_copy(update={"workflow": incoming.package_file, "host": host})
    engine = Engine(
        config,
        mode="process",
        watch=False,
        on_output=_pass_on(tell),
        agents=open_database(config) if agents else None,
    )
    try:
        async with contextlib.AsyncExitStack() as stack:
            with near(folder):
                with tell.step("build", "Building"):
                    candidate = await stack.enter_async_context(engine.candidate(incoming.package_file, tell.progress))
                if not agents:
                    await engine.promote(candidate, "")
            yield engine, relative(candidate.diagnostics, folder)
    finally:
        await engine.close(0)
        incoming.discard()


def _pass_on(tell: Reporter) -> OnOutput:
    def on_output(_run_id: str, stream: str, text: str) -> None:
        for line in text.splitlines():
            tell.log(line, stream)

    return on_output


async def collect(result: Result) -> Answered:
    """Read a result to its end.

    Raises:
        NotAcceptableError: it is too large to be given so.
    """
    body = result.body
    if not isinstance(body, bytes):
        parts, size = [], 0
        async for chunk in body:
            size += len(chunk)
            if size > MOST_BYTES:
                raise NotAcceptableError(f"the result has more than {MOST_BYTES} bytes")
            parts.append(chunk)
        body = b"".join(parts)
    with contextlib.suppress(UnicodeDecodeError):
        return Answered(result.content_type, body.decode(), status=result.status)
    return Answered(result.content_type, base64=base64.b64encode(body).decode(), status=result.status)
