"""`coflows key`: show the key of a server, write a new one."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from coflows_jupyter.config import load_config
from tests.cli.conftest import Coflows

COMMENTED = """{
\t// who may come in
\t"Server": { "Host": "localhost", "SecretKey": "old" /* ours */, },
\t"Jupyter": true
}
"""


def key_of(file: Path) -> str:
    """Return the SecretKey of a configuration."""
    return load_config(file).server.secret_key.get_secret_value()


def test_shows_the_key_of_the_configuration(coflows: Coflows) -> None:
    """Without a server it is the SecretKey."""
    shown = coflows("key", "show")
    assert (shown.returncode, shown.stdout) == (0, "0123456789abcdef" * 4 + "\n")
    assert json.loads(coflows("key", "show", "--json").stdout) == {"key": "0123456789abcdef" * 4}


@pytest.mark.parametrize("lives", [True, False])
def test_shows_the_key_of_the_running_server(
    coflows: Coflows, workflow: Path, isolated_environ: dict[str, str], *, lives: bool
) -> None:
    """A server that lives and serves this configuration wins; the file of one that was killed counts for nothing."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    runtime = Path(isolated_environ["JUPYTER_RUNTIME_DIR"])
    runtime.mkdir(parents=True)
    config = str(workflow / "coflows_config.json")
    run = {"url": "http://127.0.0.1:1/", "key": "random", "config": config, "pid": os.getpid() if lives else ended.pid}
    (runtime / f"coflows-{run['pid']}.json").write_text(json.dumps(run))
    (runtime / "coflows-1.json").write_text('{"half": ')
    assert coflows("key", "show").stdout.strip() == ("random" if lives else "0123456789abcdef" * 4)


def test_rotation_changes_the_key_and_nothing_else(coflows: Coflows, workflow: Path) -> None:
    """Comments, layout, line ends, a byte order mark and the file's mode stay; the new key has 256 bits."""
    file = workflow / "coflows_config.json"
    file.write_bytes(b"\xef\xbb\xbf" + COMMENTED.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    done = coflows("key", "rotate")
    assert done.returncode == 0, done.stderr
    key = key_of(file)
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert key not in done.stdout + done.stderr
    assert file.read_bytes() == b"\xef\xbb\xbf" + COMMENTED.replace("\n", "\r\n").replace('"old"', f'"{key}"').encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "text", ["{}", '{"Server": {}}', '{"Server": {"Port": 1}, "Jupyter": true}', '{"Watch": "on"}']
)
def test_rotation_adds_a_missing_key(coflows: Coflows, workflow: Path, text: str) -> None:
    """A configuration without SecretKey gets one."""
    file = workflow / "coflows_config.json"
    file.write_text(text)
    assert coflows("key", "rotate").returncode == 0
    assert len(key_of(file)) == 64
    assert load_config(file).server.port == (1 if "Port" in text else 8888)


def test_rotation_leaves_a_reference_alone(coflows: Coflows, workflow: Path) -> None:
    """A key that is kept elsewhere is changed there, and the command says where."""
    file = workflow / "coflows_config.json"
    (workflow / "my.key").write_text("secret")
    file.write_text('{"Server": {"SecretKey": "file:my.key"}}')
    before = file.read_bytes()
    done = coflows("key", "rotate")
    assert done.returncode == 2
    assert "file:my.key" in done.stderr
    assert file.read_bytes() == before


def test_rotation_follows_a_link(coflows: Coflows, workflow: Path, tmp_path: Path) -> None:
    """A linked configuration stays a link; its target changes."""
    file, target = workflow / "coflows_config.json", tmp_path / "shared.json"
    file.rename(target)
    file.symlink_to(target)
    assert coflows("key", "rotate").returncode == 0
    assert file.is_symlink()
    assert key_of(target) != "0123456789abcdef" * 4
