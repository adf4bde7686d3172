"""`coflows secret`: set, listed and removed; never shown, never on a command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Coflows

SECRET = """
from coflows_jupyter import secret


def Use() -> int:
    print(secret("TOKEN"))
    return len(secret("TOKEN"))
"""


def test_set_used_listed_removed(coflows: Coflows, workflow: Path) -> None:
    """A function has it without a server too, and what it prints of it is masked."""
    (workflow / "Queries" / "tools.py").write_text(SECRET)
    assert coflows("secret", "set", "TOKEN", given="a text of mine\n").returncode == 0
    used = coflows("local", "query", "tools", "Use", "--json")
    assert json.loads(used.stdout) == 14
    assert "***" in used.stderr
    listed = coflows("secret", "list")
    assert "TOKEN" in listed.stdout
    assert [s["name"] for s in json.loads(coflows("secret", "list", "--json").stdout)["secrets"]] == ["TOKEN"]
    assert "a text of mine" not in used.stderr + listed.stdout + coflows("audit").stdout
    assert coflows("secret", "remove", "TOKEN").returncode == 0
    assert coflows("secret", "remove", "TOKEN").returncode == 2
    assert "coflows secret set TOKEN" in coflows("local", "query", "tools", "Use").stderr


def test_its_text_is_no_argument(coflows: Coflows) -> None:
    """Everybody who lists processes could read it there."""
    refused = coflows("secret", "set", "TOKEN", "text")
    assert refused.returncode == 2


def test_the_servers_key_can_be_a_secret(coflows: Coflows, workflow: Path) -> None:
    """The configuration names it, and is worth nothing to who reads it."""
    key = "0123456789abcdef" * 4
    assert coflows("secret", "set", "SERVER", given=key).returncode == 0
    (workflow / "coflows_config.json").write_text(
        json.dumps({"Workflow": "package.json", "Server": {"SecretKey": "${secret:SERVER}"}})
    )
    assert coflows("key", "show").stdout.strip() == key
    assert "weak-key" not in coflows("validate", "--json").stdout
    coflows("secret", "remove", "SERVER")
    refused = coflows("key", "show")
    assert refused.returncode == 2
    assert "coflows secret set SERVER" in refused.stderr
