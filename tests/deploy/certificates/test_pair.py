"""Certificates with their keys, as files and as texts."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest

from coflows_jupyter.deploy.certificates.pair import About, about, make_context, read_files, self_signed
from coflows_jupyter.errors import ConfigError


@pytest.mark.parametrize("host", ["app.example.com", "127.0.0.1", "[::1]"])
def test_self_signed(host: str) -> None:
    """It is for its host, lasts as long as was said, and a client that knows it and checks the name is content."""
    pair = self_signed(host, days=3)
    found = about(pair.chain)
    assert found.own
    assert found.ends - time.time() == pytest.approx(3 * 86400, abs=60)
    assert _greets(make_context(pair), pair.chain, host.strip("[]"))


def _greets(server: ssl.SSLContext, root: str, host: str) -> bool:
    """Whether a client that trusts ``root`` gets along with ``server``, without a network."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cadata=root).wrap_bio(down, up, server_hostname=host)
    serving = server.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (client, serving):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.version() in {"TLSv1.2", "TLSv1.3"}


def test_texts_hide_keys() -> None:
    """A pair that is printed by mistake shows nothing."""
    pair = self_signed("localhost")
    assert "PRIVATE" not in repr(pair)


@pytest.mark.parametrize(
    ("days", "left"),
    [(90, 30), (6, 3)],
)
def test_renewal(days: int, left: int) -> None:
    """It is renewed with a third of its life left, a short one with a half."""
    life = days * 86400.0
    assert About("1", "CA", 0.0, life, own=False).renewal == life - left * 86400


def test_files_that_are_no_pair(tmp_path: Path) -> None:
    """Each mistake is said, and no key is in what is said."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    with pytest.raises(ConfigError, match="No such file"):
        read_files((chain, key))
    pair = self_signed("localhost")
    chain.write_text("nothing")
    with pytest.raises(ConfigError, match="holds no certificate"):
        read_files((chain, key))
    chain.write_text(pair.chain)
    key.write_text(self_signed("localhost").key)
    with pytest.raises(ConfigError, match="do not belong together"):
        read_files((chain, key))
    key.write_text(pair.key.replace("A", "B"))
    with pytest.raises(ConfigError) as caught:
        read_files((chain, key))
    assert "PRIVATE" not in str(caught.value)
    key.write_text(pair.key)
    assert read_files((chain, key))[0] == about(pair.chain)
