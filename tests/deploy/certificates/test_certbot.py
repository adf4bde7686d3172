"""What certbot says, and what it leaves."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.deploy.certificates.certbot import later, reason
from coflows_jupyter.deploy.certificates.pair import Pair
from coflows_jupyter.deploy.certificates.state import State

FAILED = """\
Saving debug log to /tmp/coflows/logs/letsencrypt.log
Requesting a certificate for app.example.com

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Identifier: app.example.com
  Type:   dns
  Detail: DNS problem: NXDOMAIN looking up A for app.example.com

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile …
"""
LIMITED = """\
An unexpected error occurred:
too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, \
retry after 2099-11-25 06:30:00 UTC: see https://letsencrypt.org/docs/rate-limits/
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile …
"""


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (FAILED, "DNS problem: NXDOMAIN looking up A for app.example.com"),
        (LIMITED, "too many certificates (5) already issued"),
        ("", "certbot ended without a reason"),
        ("x" * 900, "x" * 500 + "…"),
    ],
)
def test_reason(output: str, wanted: str) -> None:
    """Of all that certbot says, what the authority says is told, else its last sentence."""
    assert reason(output).startswith(wanted)


def test_later() -> None:
    """An authority that says when to come again is obeyed; what can't be read counts as nothing."""
    assert later(LIMITED) == 4099271400.0
    assert later(FAILED) == 0
    assert later("retry after 2026-99-99 06:30:00 UTC") == 0
    assert later("retry after 2001-01-01 00:00:00 UTC") == pytest.approx(time.time(), abs=5)


@given(st.text())
def test_any_output(output: str) -> None:
    """Whatever certbot says, there is a reason of bearable length."""
    assert 0 < len(reason(output)) <= 501
    assert later(output) >= 0


FILES = {
    "accounts/server/directory/1/private_key.json": json.dumps({"n": "AQAB", "e": "AQAB", "kty": "RSA", "d": "x"}),
    "renewal/coflows.conf": "archive_dir = {folder}/archive/coflows\n",
    **{f"live/coflows/{part}.pem": part for part in ("cert", "chain", "fullchain", "privkey")},
}


def test_state_goes_from_folder_to_folder(tmp_path: Path) -> None:
    """What certbot left in one folder is laid into another as certbot wants it, and only its user reads it."""
    first, second = tmp_path / "first", tmp_path / "second"
    State(FILES).lay(first)
    assert (first / "renewal/coflows.conf").read_text() == f"archive_dir = {first}/archive/coflows\n"
    assert os.readlink(first / "live/coflows/privkey.pem") == "../../archive/coflows/privkey1.pem"  # noqa: PTH115 - the text counts
    found = State.decode(State.collect(first).encode())
    assert found == State(FILES)
    assert found.pair == Pair("fullchain", "privkey")
    found.lay(second)
    assert State.collect(second) == found
    assert all(path.stat().st_mode & 0o077 == 0 for path in second.rglob("*.pem"))
    assert "privkey.pem" in repr(found)
    assert "AQAB" not in repr(found)


def test_thumbprint() -> None:
    """It is the one of the example in RFC 7638, section 3.1, and empty without an account."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok"
        "njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu"
        "6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a"
        "wapJzKnqDKgw"
    )
    key = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    state = State({"accounts/s/1/private_key.json": json.dumps(key)})
    assert state.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert State().thumbprint == ""
