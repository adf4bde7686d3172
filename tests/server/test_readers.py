"""Readers that are slow, and readers that vanish: what they cost, and what becomes of their calls."""

from __future__ import annotations

import contextlib
import re
import socket
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.conftest import Server
from tests.server.conftest import WID
from tests.server.test_queries import wait_for

QUERY = f"flow/query/{WID}/main"
MEGABYTE = 1_000_000
BLOCK = 250_000
# What the way holds: the window of the call, and the buffers of three sockets, some of which grow with their use.
MOST_ON_THE_WAY = 24 * MEGABYTE
MOST_MEMORY = 64 * MEGABYTE


class Reader:
    """A client that takes from the socket only what it is told to."""

    def __init__(self, server: Server, path: str) -> None:
        address = urlsplit(server.url)
        assert address.hostname
        assert address.port
        self._socket = socket.socket()
        self._socket.settimeout(30)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MEGABYTE)  # else it grows as the system likes
        self._socket.connect((address.hostname, address.port))
        request = f"GET /{path} HTTP/1.1\r\nHost: {address.netloc}\r\nx-api-key: {server.key}\r\n\r\n"
        self._socket.sendall(request.encode())
        self.head = self._socket.recv(2000).decode()

    def read(self, size: int) -> None:
        """Take ``size`` bytes."""
        while size > 0:
            taken = self._socket.recv(min(size, 65536))
            assert taken
            size -= len(taken)

    def vanish(self) -> None:
        """Be gone, without a word."""
        self._socket.close()


def memory(server: Server) -> int:
    """Return the bytes that a server and its hosts hold in memory."""
    hosts = server.http.get(f"coflows/api/workflows/{WID}").json()["hosts"]
    pids = [server.process.pid, *(host["pid"] for host in hosts if host["state"] == "serving")]
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(1024 * int(found[1]) for text in texts if (found := re.search(r"VmRSS:\s+(\d+)", text)))


def made(mark: Path) -> int:
    """Return how many bytes the generator has yielded."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return BLOCK * int(mark.with_suffix(".made").read_text())
    return 0


def reached(mark: Path, size: int) -> bool:
    """Say whether the generator has yielded ``size`` bytes."""
    return made(mark) >= size


def work_on(server: Server) -> None:
    """Let the server do something else, in its own time."""
    for _ in range(200):
        assert server.http.get(f"{QUERY}/Add?x=1&y=2").status_code == 200


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_a_slow_reader_slows_the_function(server: Server, tmp_path: Path) -> None:
    """The generator waits for its reader, memory stays bounded, others are answered; then the reader vanishes."""
    mark = tmp_path / "mark"
    before = memory(server)
    reader = Reader(server, f"{QUERY}/Blocks?path={quote(str(mark))}")
    run_id = re.search(r"X-Run-Id: (\S+)", reader.head)
    assert run_id, reader.head
    taken = 0
    for _ in range(3):
        stands_at = -1
        while stands_at != made(mark):  # one that never waits for its reader passes the limit
            stands_at = made(mark)
            work_on(server)
            assert stands_at < taken + MOST_ON_THE_WAY
        assert taken < stands_at
        reader.read(40 * MEGABYTE)
        taken += 40 * MEGABYTE
        wait_for(partial(reached, mark, taken))
    assert memory(server) - before < MOST_MEMORY
    assert server.http.get(f"coflows/api/runs/{run_id[1]}").json()["outcome"] == "running"
    reader.vanish()
    wait_for(mark.with_suffix(".closed").exists)
    wait_for(lambda: server.http.get(f"coflows/api/runs/{run_id[1]}").json()["outcome"] == "cancelled")


def test_a_reader_of_a_large_result_vanishes(server: Server) -> None:
    """What is left of a result that nobody takes is dropped, and its call is over."""

    def in_flight() -> int:
        status = server.http.get(f"coflows/api/workflows/{WID}").json()
        return sum(host["in_flight"] for host in status["hosts"])

    readers = [Reader(server, f"{QUERY}/Big?size={100 * MEGABYTE}") for _ in range(3)]
    assert in_flight() == 3
    for reader in readers:
        reader.vanish()
    wait_for(lambda: in_flight() == 0)
    assert server.http.get(f"{QUERY}/Add?x=1&y=2").json() == 3
