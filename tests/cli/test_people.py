"""`coflows user|group|key|audit`: people, in the database of the configuration."""

from __future__ import annotations

import json

from tests.cli.conftest import Coflows


def test_from_an_account_to_a_key(coflows: Coflows) -> None:
    """An account, a level, a limited key, its end; and all of it in the audit, newest first."""
    made = coflows("user", "add", "John@Doe.com", "--first-name", "John")
    assert made.returncode == 0, made.stderr
    assert coflows("group", "create", "Traders", "--name", "The traders").returncode == 0
    said = coflows("group", "set", "Traders", "john@doe.com", "read", "--expires", "90d")
    assert said.stdout.startswith("john@doe.com: read in Traders until 20")
    members = json.loads(coflows("group", "members", "Traders", "--json").stdout)["members"]
    assert [(m["user"], m["level"]) for m in members] == [("john@doe.com", 1)]

    key = coflows("key", "create", "--user", "john@doe.com", "--scope", "query:W/a", "--name", "robot", "--quiet")
    assert key.stdout.startswith("cfk_")
    listed = json.loads(coflows("key", "list", "--json").stdout)["keys"]
    assert [(k["user"], k["name"], k["scopes"]) for k in listed] == [
        ("john@doe.com", "robot", [["query", "W/a", False]])
    ]
    assert key.stdout.strip() not in coflows("key", "list").stdout
    assert coflows("key", "revoke", listed[0]["id"]).returncode == 0
    assert json.loads(coflows("key", "list", "--json").stdout)["keys"][0]["revoked"]

    entries = json.loads(coflows("audit", "--json").stdout)["entries"]
    assert [e["action"] for e in entries] == [
        "key.revoke", "key.create", "member.set", "group.create", "user.create"
    ]  # fmt: skip
    assert {(e["actor"], e["address"]) for e in entries} == {("root", "command line")}
    assert key.stdout.strip() not in json.dumps(entries)


def test_a_password_comes_from_standard_input(coflows: Coflows) -> None:
    """Never from the command line, where everybody who lists processes reads it; a short one is refused."""
    assert coflows("user", "add", "jane", "--password", given="a long enough one\n").returncode == 0
    assert json.loads(coflows("user", "list", "--json").stdout)["users"][0]["has_password"]
    refused = coflows("user", "password", "jane", given="short\n")
    assert refused.returncode == 2
    assert "10 to 1024 characters" in refused.stderr
    assert coflows("user", "password", "jane", "short").returncode == 2


def test_mistakes_are_said(coflows: Coflows) -> None:
    """Who and what is not there, and what to write instead."""
    for words, what in (
        (("group", "set", "Nobody", "john", "read"), "there is no group"),
        (("group", "set", "Public", "john", "read"), "there is no user"),
        (("group", "set", "Public", "john", "own"), "denied, view, read, write"),
        (("key", "create", "--user", "john"), "there is no user"),
        (("key", "create", "--scope", "everything"), "workflow:WID"),
        (("key", "create", "--expires", "soon"), "90d"),
        (("key", "revoke", "0"), "there is no key"),
        (("group", "remove", "Public"), "always is"),
    ):
        done = coflows(*words)
        assert done.returncode == 2, words
        assert what in done.stderr
