"""Answers that come compressed, and those that don't."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.server import compression
from tests.conftest import Server
from tests.server.conftest import WID

QUERY = f"flow/query/{WID}/main"
WANTED = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}


def raw(server: Server, path: str, headers: dict[str, str], method: str = "GET") -> tuple[httpx.Headers, bytes]:
    """Return an answer's headers and its bytes as they came."""
    with server.http.stream(method, path, headers=headers) as answer:
        assert answer.status_code == 200
        return answer.headers, b"".join(answer.iter_raw())


@pytest.mark.parametrize("size", [4_000, 100_000, 3_000_000])
def test_texts_come_compressed(server: Server, size: int) -> None:
    """Small, large and very large texts are the same behind gzip, and much shorter."""
    headers, body = raw(server, f"{QUERY}/Text?size={size}", WANTED)
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
    assert len(body) < size / 10
    assert headers.get("content-length", str(len(body))) == str(len(body))
    plain, expected = raw(server, f"{QUERY}/Text?size={size}", PLAIN)
    assert gzip.decompress(body) == expected
    assert (plain.get("content-encoding"), plain["vary"]) == (None, "Accept-Encoding")
    assert plain["content-length"] == str(len(expected))


@pytest.mark.parametrize("path", ["Text?size=10", "Big?size=100000", "Count?n=1000", "Encoded"])
def test_others_stay_as_they_are(server: Server, path: str) -> None:
    """Short answers, bytes, streams and what has an encoding already are not touched."""
    headers, body = raw(server, f"{QUERY}/{path}", WANTED)
    assert "vary" not in headers
    assert headers.get("content-encoding") == ("br" if path == "Encoded" else None)
    assert body


def test_head_tells_what_get_does(server: Server) -> None:
    """HEAD has the headers of GET, compressed or not, and no body."""
    for wanted in (WANTED, PLAIN):
        path = "coflows/api/openapi"
        headers, body = raw(server, path, wanted)
        head, nothing = raw(server, path, wanted, "HEAD")
        assert nothing == b""
        for name in ("content-length", "content-encoding", "vary", "content-type"):
            assert head.get(name) == headers.get(name)
        text = gzip.decompress(body) if wanted is WANTED else body
        assert json.loads(text)["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*", True),
        ("*;q=0", False),
        ("deflate, br", False),
    ],
)
def test_accept_encoding(asked: str, expected: bool) -> None:
    """It is used where the client takes it."""
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    assert compression.applies(10_000, asked, headers) is expected
    assert headers["Vary"] == "Accept-Encoding"


@given(st.lists(st.binary()))
def test_pieces(pieces: list[bytes]) -> None:
    """A body compressed piece by piece is the body."""
    packer = compression.Packer()
    packed = b"".join([*map(packer.take, pieces), packer.end()])
    assert gzip.decompress(packed) == b"".join(pieces)
