"""The scripts of the original tutorial, run with its own configuration, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, RunningServer

SEED_CONFIG = ROOT / "tests" / "data" / "seed_config.json"
WORKFLOW = "09a96d46-4c97-44d3-bf64-250dc94807d8"
SCRIPTS = [
    "azure_deploy",
    "azure_remove",
    "build",
    "cloud_deploy",
    "cloud_log",
    "cloud_remove",
    "cloud_restart",
    "query",
    "query_custom",
    "query_customg",
    "server",
]


@pytest.fixture
def seed(sample: Path) -> Path:
    """Return the folder of the sample Workflow with the tutorial's configuration in place of its own."""
    shutil.copy(SEED_CONFIG, sample / "coflows_config.json")
    return sample


def run(folder: Path, environ: dict[str, str], script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the Workflow's bin/ from outside of its folder."""
    command: list[str | Path] = [folder / "bin" / f"{script}.sh", *arguments]
    return subprocess.run(command, cwd=folder.parent, env=environ, capture_output=True, text=True, check=False)


def test_build(seed: Path, isolated_environ: dict[str, str]) -> None:
    """`build.sh local` ends with the original's word for a good build."""
    done = run(seed, isolated_environ, "build", "local")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Success!!!"


def test_query(seed: Path, isolated_environ: dict[str, str]) -> None:
    """`query.sh local` prints what the function returns."""
    done = run(seed, isolated_environ, "query", "local", "pyapi", "Add", "1", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "3"


@pytest.mark.parametrize("script", ["query_custom", "query_customg"])
def test_query_with_another_config(seed: Path, isolated_environ: dict[str, str], script: str) -> None:
    """The custom scripts take the config first, relative to the Workflow's folder."""
    (seed / "coflows_config.json").rename(seed / "custom.json")
    done = run(seed, isolated_environ, script, "custom.json", "local", "pyapi", "Add", "20", "22")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "42"


def test_server(seed: Path, running_server: RunningServer) -> None:
    """`server.sh CONFIG` serves the Workflow; the tutorial's published key opens it on loopback as a header."""
    server = running_server(seed / "coflows_config.json", command=[seed / "bin" / "server.sh"])
    answer = server.http.get(f"flow/query/{WORKFLOW}/pyapi/Add", params={"x": 1, "y": 2})
    assert answer.json() == 3
    assert server.stop() == 0


def test_coflows_is_found_in_the_project(seed: Path, isolated_environ: dict[str, str]) -> None:
    """Without `coflows` on PATH the scripts take the one in .venv of the Workflow's or its parent folder."""
    there = seed.parent / ".venv" / "bin" / "coflows"
    there.parent.mkdir(parents=True)
    there.write_text('#!/bin/sh\necho "$PWD" "$@"\n')
    there.chmod(0o755)
    done = run(seed, isolated_environ | {"PATH": "/usr/bin:/bin"}, "build", "local", "a config.json")
    assert done.stdout == f"{seed} --config a config.json local build\n"


def test_coflows_is_missing(seed: Path, isolated_environ: dict[str, str]) -> None:
    """Without any `coflows` one line says how to get it."""
    done = run(seed, isolated_environ | {"PATH": "/usr/bin:/bin"}, "server")
    assert done.returncode == 2
    assert "pip install" in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_script_has_its_windows_form() -> None:
    """bin/ and bin/bat hold the same names, those of the tutorial among them."""
    scripts = ROOT / "mnt" / "bin"
    unix = sorted(path.stem for path in scripts.glob("*.sh"))
    assert unix == sorted(path.stem for path in scripts.glob("bat/*.bat"))
    assert set(SCRIPTS) == set(unix) - {"coflows"}
