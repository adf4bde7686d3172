"""What mybinder.org makes of ``binder/``: read by its own parser, and its steps run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from repo2docker.app import Repo2Docker

from tests.conftest import READY_SECONDS, ROOT

EXTENSION = ROOT / "coflows_jupyter" / "server" / "jupyter-config" / "coflows_jupyter.json"


def test_binder_finds_all_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """repo2docker sees a Python that we support, installs this project with Lab, and runs our step after it."""
    monkeypatch.chdir(ROOT)
    app = Repo2Docker()
    packs = (make(app.base_image) for make in app.buildpacks)
    pack = next(pack for pack in packs if pack.detect())
    assert type(pack).__name__ == "PythonBuildPack"
    assert tuple(map(int, pack.python_version.split("."))) >= (3, 11)
    installs = " ".join(script for _, script in pack.get_assemble_scripts())
    (requirements,) = re.findall(r'install --no-cache-dir -r "([^"]+)"', installs)
    assert (ROOT / requirements).read_text().split() == [".[all]"]
    assert pack.get_post_build_scripts() == ["binder/postBuild"]


def test_lab_opens_on_the_sample(
    sample: Path, free_port: int, isolated_environ: dict[str, str], tmp_path: Path
) -> None:
    """After the step, a Lab that is started as Binder does, with a token of Binder's, serves the sample's Queries."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "binder", checkout / "binder")
    sample.rename(checkout / "mnt")
    environ = {name: value for name, value in isolated_environ.items() if name != "JUPYTER_CONFIG_DIR"}
    subprocess.run(["sh", "binder/postBuild"], cwd=checkout, env=environ, check=True)
    extensions = Path(environ["HOME"], ".jupyter", "jupyter_server_config.d")
    extensions.mkdir()  # what installing the wheel does
    shutil.copy(EXTENSION, extensions)
    options = ["--no-browser", "--allow-root", f"--port={free_port}", "--IdentityProvider.token=binders"]
    log = tmp_path / "log"
    with log.open("wb") as file:
        lab = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=checkout,
            env=environ,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        wid = json.loads((checkout / "mnt" / "package.json").read_text())["ID"]
        with httpx.Client(base_url=f"http://127.0.0.1:{free_port}", trust_env=False) as client:
            deadline = time.monotonic() + READY_SECONDS
            while not _is_ready(client):
                assert time.monotonic() < deadline, log.read_text()
                assert lab.poll() is None, log.read_text()
                time.sleep(0.05)
            add = client.get(f"/flow/query/{wid}/pyapi/Add?x=1&y=2", headers={"Authorization": "token binders"})
            assert add.json() == 3
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(20)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/coflows/api/ready").is_success
    except httpx.TransportError:
        return False
