"""The server's side of ``secret("NAME")``: a host asks, and is told the text over its own socket."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from coflows_jupyter.access.keys import weakness
from coflows_jupyter.errors import CoflowsError, NotFoundError
from coflows_jupyter.host.frames import Ask, Body, Request, Tell
from coflows_jupyter.runtimes.vault import OWNER, key_digest

TellSecret = Callable[[str], Awaitable[str]]

log = logging.getLogger(__name__)


async def no_secret(name: str) -> str:
    """Know none."""
    raise NotFoundError(f"there is no secret {name}: nobody keeps any here")


def answering(secrets: TellSecret, secret_key: SecretStr) -> TellSecret:
    """Return what answers all that hosts ask.

    Args:
        secrets: tells the text of a secret by its name.
        secret_key: the SecretKey of the configuration. Whether a key is that one, hosts may know: ``OWNER`` and the
            key's digest is answered by a word for yes, and nothing for no. One that can be guessed is nobody's.
    """

    async def answer(name: str) -> str:
        if not name.startswith(OWNER):
            return await secrets(name)
        key = secret_key.get_secret_value()
        same = hmac.compare_digest(name.encode(), (OWNER + key_digest(key)).encode())
        return "yes" if same and not weakness(key) else ""

    return answer


class Counter:
    """Answers one host's questions.

    Args:
        secrets: tells the text of a secret by its name.
        send: takes a frame and its body for the host.
    """

    def __init__(self, secrets: TellSecret, send: Callable[[Request, Body], None]) -> None:
        self._secrets = secrets
        self._send = send
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, frame: Ask) -> None:
        """Take a question; the answer follows."""
        task = asyncio.get_running_loop().create_task(self._answer(frame))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, frame: Ask) -> None:
        text, problem = "", ""
        try:
            text = await self._secrets(frame.name)
        except CoflowsError as error:
            problem = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
        except Exception:
            log.exception("the secret %s can't be told", frame.name)
            problem = f"the secret {frame.name} can't be read; the server's log says why"
        self._send(Tell(frame.number, problem), text.encode())
