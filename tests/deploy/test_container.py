"""The image, built and run for real: `make image`."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import COFLOWS, ROOT, needs
from tests.deploy.containers import BASE, PROGRAMS, make_base, make_dotnet, run, settings

IMAGE = "localhost/coflows:test"
QUERY = "/flow/query/09a96d46-4c97-44d3-bf64-250dc94807d8/"
ADD = QUERY + "pyapi/Add?x=1&y=2"
OWNER = 4321

pytestmark = [
    pytest.mark.skipif(not os.environ.get("COFLOWS_TEST_IMAGE"), reason="builds the image: `make image` does it"),
    pytest.mark.timeout(1500),
]


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """Return the environment of Podman, with the base image made."""
    for program in PROGRAMS:
        needs(program)
    folder = ROOT / ".venv" / "containers"
    found = settings(folder)
    make_base(folder, found)
    return found


def build(name: str, environ: dict[str, str], *options: str) -> str:
    """Build an image as a user does, with its log kept; return its name."""
    log = ROOT / "test-results" / f"{name.rpartition('/')[2].replace(':', '-')}.log"
    log.parent.mkdir(exist_ok=True)
    start = time.monotonic()
    with log.open("w") as file:
        command = [str(COFLOWS), "image", "build", name, "--base", BASE, *options]
        done = subprocess.run(command, env=environ, cwd=ROOT, stdout=file, stderr=file, check=False)
        file.write(f"built in {time.monotonic() - start:.0f} s\n")
    assert done.returncode == 0, log.read_text()[-3000:]
    return name


@pytest.fixture(scope="module")
def image(environ: dict[str, str]) -> str:
    """Build the image; return its name."""
    return build(IMAGE, environ)


@pytest.fixture
def workflow(tmp_path: Path, free_port: int) -> Path:
    """Return the folder of a copy of the sample that belongs to somebody, and whose server has a port of its own."""
    folder = tmp_path / "mine"
    shutil.copytree(ROOT / "mnt", folder, ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
    config = {
        "Workflow": "mnt/package.json",
        "Jupyter": True,
        "Server": {"Host": "localhost", "Port": free_port, "SecretKey": secrets.token_hex(16)},
        "Database": {"Type": "sqlite", "Connection": "mnt/database.db"},
    }
    (folder / "coflows_config.json").write_text(json.dumps(config))
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, OWNER, OWNER)
    return folder


def server_of(folder: Path) -> tuple[int, str]:
    """Return the port and the key of a configuration."""
    server = json.loads((folder / "coflows_config.json").read_text())["Server"]
    return server["Port"], server["SecretKey"]


@contextlib.contextmanager
def running(command: list[str], environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a container, and end it as Ctrl-C does."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, env=environ, cwd=log.parent, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def answer(port: int, key: str, log: Path, path: str = ADD, seconds: float = 90) -> str:
    """Return what a function of the sample says, as soon as the server serves."""
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if client.get("/coflows/api/ready").is_success:
                    return client.get(path, headers={"x-api-key": key}).text
            time.sleep(0.1)
    pytest.fail(f"the container did not serve and said:\n{log.read_text()}")


def test_a_workflow_is_served_as_its_owner(image: str, environ: dict[str, str], workflow: Path, tmp_path: Path) -> None:
    """``coflows server --container`` answers a query as the user whose folder it is, is healthy, and ends in order."""
    port, key = server_of(workflow)
    config = workflow / "coflows_config.json"
    content = json.loads(config.read_text())
    azure = {"Dns": "coflows", "Region": "uksouth", "Image": image}
    config.write_text(json.dumps(content | {"AzureContainerInstance": azure}))
    log = tmp_path / "log"
    with running([str(COFLOWS), "server", str(config), "--container"], environ, log) as process:
        assert answer(port, key, log) == "3"
        container = run(["podman", "ps", "--quiet", "--filter", f"ancestor={image}"], environ).split()[0]
        owners = run(["podman", "top", container, "huser", "args"], environ).splitlines()[1:]
        assert {line.split()[0] for line in owners if "tini" not in line} == {str(OWNER)}, owners
        run(["podman", "healthcheck", "run", container], environ)
        assert key not in "".join(Path(f"/proc/{process.pid}/cmdline").read_text())
        run(["podman", "stop", "--time", "20", container], environ)
        assert process.wait(20) == 0, log.read_text()
    assert (workflow / "database.db").stat().st_uid == OWNER
    assert not run(["podman", "ps", "--all", "--quiet"], environ)


def test_a_container_runs_from_variables_and_secrets_alone(
    image: str, environ: dict[str, str], workflow: Path, tmp_path: Path
) -> None:
    """As in a cloud: the configuration comes from a read-only volume of secrets, and its paths mean /app/mnt."""
    port, key = server_of(workflow)
    secret = tmp_path / "secret"
    secret.mkdir()
    (workflow / "coflows_config.json").rename(secret / "coflows_config.json")
    (secret / "key").write_text(key)
    text = (secret / "coflows_config.json").read_text().replace(json.dumps(key), '"file:/run/coflows/key"')
    (secret / "coflows_config.json").write_text(text)
    command = ["podman", "run", "--rm", f"--volume={secret}:/run/coflows:ro", f"--volume={workflow}:/app/mnt"]
    command += ["--env=config_file=/run/coflows/coflows_config.json", image]
    log = tmp_path / "log"
    with running(command, environ, log):
        assert answer(port, key, log) == "3"
    assert (workflow / "database.db").exists()


def test_no_secret_of_the_checkout_is_in_the_image(image: str, environ: dict[str, str], tmp_path: Path) -> None:
    """Neither the sample's configuration nor a file that was left in the sources is in any layer."""
    tree = tmp_path / "tree"
    tree.mkdir()
    container = run(["podman", "create", image], environ).strip()
    run(["podman", "export", "--output", str(tmp_path / "image.tar"), container], environ)
    run(["podman", "rm", container], environ)
    listed = run(["tar", "--list", "--file", str(tmp_path / "image.tar")], environ).splitlines()
    found = [
        name for name in listed if name.endswith(("coflows_config.json", ".azureauth", ".db", ".env", "secrets.key"))
    ]
    assert not [name for name in found if "skeleton" not in name], found
    assert not [name for name in listed if name.startswith("source/")]


def test_the_image_is_pushed_to_a_registry(image: str, environ: dict[str, str], tmp_path: Path) -> None:
    """A real registry has it afterwards; one that isn't there is told in a sentence."""
    needs("docker-registry")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    name = f"127.0.0.1:{port}/team/coflows:test"
    run(["podman", "tag", image, name], environ)
    refused = subprocess.run([COFLOWS, "image", "push", name], env=environ, capture_output=True, text=True, check=False)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "podman login" in refused.stderr
    config = tmp_path / "registry.yml"
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "registry")}}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": f"127.0.0.1:{port}"}}))
    with running(["docker-registry", "serve", str(config)], environ, tmp_path / "log"):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        run([str(COFLOWS), "image", "push", name], environ)
        tags = httpx.get(f"http://127.0.0.1:{port}/v2/team/coflows/tags/list", trust_env=False).json()
    run(["podman", "untag", image, name], environ)
    assert tags == {"name": "team/coflows", "tags": ["test"]}


def test_languages_come_along(environ: dict[str, str], workflow: Path, tmp_path: Path) -> None:
    """With .NET from another image and Debian's JDK, the sample's Queries in C# answer, and Java is there."""
    sdk = os.environ.get("DOTNET_ROOT")
    if not sdk:
        pytest.skip("needs a .NET SDK in DOTNET_ROOT")
    name = build(f"{IMAGE}-languages", environ, "--jdk", "17", "--dotnet", make_dotnet(sdk, environ))
    port, key = server_of(workflow)
    log = tmp_path / "log"
    with running(["podman", "run", "--rm", f"--volume={workflow}:/app/mnt", name], environ, log):
        rows = json.loads(answer(port, key, log, QUERY + "options/protection"))
        assert rows[0].keys() >= {"Asset", "Put"}, rows
    assert "17" in run(["podman", "run", "--rm", name, "javac", "-version"], environ)
