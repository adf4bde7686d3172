"""A keeper on its own, with a real ACME server and a plain web server that answers its challenges."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from coflows_jupyter.access.secrets import KEY_VARIABLE
from coflows_jupyter.config import Config, load_config
from coflows_jupyter.deploy.certificates.keeper import Keeper
from coflows_jupyter.deploy.certificates.rest import at_rest
from coflows_jupyter.errors import NotFoundError
from tests.pebble import Pebble, pick_ports

HOST = "kept.coflows.test"
PATIENCE_SECONDS = 30.0
LIFE_SECONDS = 8


def make_config(folder: Path, pebble: Pebble, **encrypt: object) -> Config:
    """Return a configuration whose certificates come from pebble."""
    section = {"Email": "john@example.com", "Server": pebble.directory, "CA": str(pebble.ca), **encrypt}
    server = {"Host": HOST, "LetsEncrypt": section, "HttpPort": pebble.http_port}
    file = folder / "coflows_config.json"
    file.write_text(json.dumps({"Database": {"Connection": "own.db"}, "Server": server}))
    return load_config(file)


@contextlib.asynccontextmanager
async def running(config: Config, contexts: list[ssl.SSLContext]) -> AsyncIterator[Keeper]:
    """Run a keeper and what answers challenges for it."""
    keeper = Keeper(config, contexts.append, "a test")
    await asyncio.to_thread(keeper.prepare)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        token = (await reader.readline()).split()[1].decode().rpartition("/")[2]
        text = keeper.answer(token) or ""
        writer.write(f"HTTP/1.0 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", config.server.http_port)
    keeper.start()
    try:
        yield keeper
    finally:
        server.close()
        await keeper.close()


async def until(condition: Callable[[], bool], keeper: Keeper) -> None:
    """Wait until ``condition`` holds."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 - threads and other processes have a part in it
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"it did not happen in time: {keeper.status}")


@pytest.fixture(autouse=True)
def secrets_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the key of secrets in a file of the test."""
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "secrets.key"))
    return tmp_path / "secrets.key"


@pytest.fixture
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """Return a server whose certificates last some seconds."""
    pebble = Pebble(tmp_path_factory.mktemp("hasty"), pick_ports(1)[0], LIFE_SECONDS)
    yield pebble
    pebble.close()


def test_renews_in_time(tmp_path: Path, hasty: Pebble) -> None:
    """The next certificate comes by itself, while the one that is shown is still valid."""

    async def main() -> None:
        contexts: list[ssl.SSLContext] = []
        told: list[str] = []
        async with running(make_config(tmp_path, hasty), contexts) as keeper:
            keeper.changed = lambda: told.append(keeper.status.state)
            await until(lambda: keeper.status.state == "valid", keeper)
            first = keeper.status
            await until(lambda: keeper.status.serial != first.serial, keeper)
            second = keeper.status
            assert second.source == "letsencrypt"
            assert first.begins < second.begins < first.ends
            # The one that was made for the start, and then each that was issued.
            assert len(contexts) == len(set(map(id, contexts))) == 3
        assert told == ["issuing", "valid", "issuing", "valid"]

    asyncio.run(main())


def test_certificate_is_sealed(tmp_path: Path, pebble: Pebble, secrets_key: Path) -> None:
    """The database has no key; without the one of secrets, nobody is asked again unless a person says so."""

    async def issue(force: str = "") -> str:
        async with running(make_config(tmp_path, pebble, Staging=True), []) as keeper:
            if force:
                await until(lambda: keeper.status.state == "failed", keeper)
                assert "can't be opened" in keeper.status.reason
                assert keeper.status.source == "temporary"
                keeper.renew()
            await until(lambda: keeper.status.state == "valid", keeper)
            assert not keeper.trusted  # it says that it is for tests only
            return keeper.status.serial

    issued = pebble.issued
    first = asyncio.run(issue())
    assert asyncio.run(issue()) == first
    assert pebble.issued == issued + 1
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("own.db*"))
    assert b"BEGIN CERTIFICATE" in kept
    assert b"PRIVATE KEY" not in kept
    secrets_key.unlink()
    assert asyncio.run(issue("by hand")) != first
    assert pebble.issued == issued + 2


def test_stops_at_once(tmp_path: Path, pebble: Pebble) -> None:
    """A server that stops while it asks gives its turn back: the next one need not wait."""

    async def main() -> None:
        config = make_config(tmp_path, pebble)
        async with running(config, []) as keeper:
            await until(lambda: keeper.status.state == "issuing", keeper)
        assert at_rest(config).state == "waiting"
        async with running(config, []) as keeper:
            await until(lambda: keeper.status.state == "valid", keeper)
        assert at_rest(config).serial == keeper.status.serial

    asyncio.run(main())


def test_unreachable_authority(tmp_path: Path, pebble: Pebble) -> None:
    """Each failure is kept, so that a server that is restarted again and again does not ask again and again."""

    async def main() -> None:
        config = make_config(tmp_path, pebble, Server="https://127.0.0.1:1/dir")
        async with running(config, []) as keeper:
            await until(lambda: keeper.status.state == "failed", keeper)
            assert "can't be reached" in keeper.status.reason
            first = keeper.status.next_try
        async with running(config, []) as keeper:
            await until(lambda: keeper.status.next_try != "", keeper)
            assert keeper.status.next_try == first
        assert at_rest(config).next_try == first

    asyncio.run(main())


def test_nobody_to_ask(tmp_path: Path) -> None:
    """A server that has no authority can't be told to ask it."""
    file = tmp_path / "coflows_config.json"
    file.write_text('{"Server": {"Host": "localhost"}}')
    keeper = Keeper(load_config(file), lambda _context: None, "a test")
    with pytest.raises(NotFoundError):
        keeper.renew()
