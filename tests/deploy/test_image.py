"""What builds and pushes images, and what an image is made of; `make image` does it for real."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from coflows_jupyter.config import load_config, read_config_text
from coflows_jupyter.deploy import image
from coflows_jupyter.deploy.image import Contents
from coflows_jupyter.deploy.progress import Event, Reporter
from coflows_jupyter.errors import ArgumentsError, CancelledError, DeployError, NotFoundError
from tests.conftest import ROOT, RunningServer

BUILDKIT = """
#4 [build 1/3] FROM debian
#5 [build 2/3] RUN pip install
#6 [stage-2 2/5] RUN apt-get
#7 exporting
"""
BUILDAH = """
[1/2] STEP 1/2: FROM debian
[2/2] STEP 1/2: FROM debian
Collecting numpy
[2/2] STEP 2/2: CMD coflows
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is the whole PATH, but for `sh` and what it needs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "sleep", "cat"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, script: str) -> None:
    """Put a program there that answers ``version`` and otherwise does what the script says."""
    text = f'#!/bin/sh\nif [ "$1" = version ]; then exit 0; fi\necho "$@" >>{folder}/calls\n{script}\n'
    (folder / name).write_text(text)
    (folder / name).chmod(stat.S_IRWXU)


def runs(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be collected doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def lines(text: str) -> str:
    """Return a script that writes an ID where it is wanted, and prints these lines."""
    return f'for a; do case $a in --iidfile=*) echo sha256:1 >"${{a#*=}}";; esac; done\ncat <<END\n{text}\nEND'


@pytest.mark.parametrize(
    ("name", "said", "shares"),
    [
        ("docker", BUILDKIT, [0.0, 0.33, 0.33]),
        ("podman", BUILDAH, [0.0, 0.5, 0.75]),
        ("buildah", BUILDAH, [0.0, 0.5, 0.75]),
    ],
)
def test_a_build_tells_how_far_it_is(programs: Path, name: str, said: str, shares: list[float]) -> None:
    """Whichever program is there: its steps become progress that never goes back, other lines are passed on."""
    install(programs, name, lines(said))
    events: list[Event] = []
    built = image.build("team/coflows:1", Contents(jdk="17", mssql=True), Reporter(events.append))
    assert (built.name, built.id, built.program) == ("team/coflows:1", "sha256:1", name)
    progress = [event.fraction for event in events if event.state == "progress"]
    assert progress == pytest.approx(shares, abs=0.01)
    logged = {event.text for event in events if event.state == "log"}
    assert logged & {"#7 exporting", "Collecting numpy"}
    call = (programs / "calls").read_text()
    assert "--tag=team/coflows:1" in call
    assert "--build-arg=JDK=17" in call
    assert "coflows_jupyter[all,certbot,jvm,mssql] @ file:///source" in call


def test_the_end_of_a_failed_build_is_in_the_error(programs: Path) -> None:
    """Also those who see no progress learn why."""
    install(programs, "buildah", "echo one; echo 'no space left on device' >&2; exit 9")
    with pytest.raises(DeployError, match=r"ended with 9:\none\nno space left on device"):
        image.build("coflows", Contents(), Reporter(lambda _: None))


def test_a_build_is_cancelled_with_its_children(programs: Path) -> None:
    """What a program started ends too, at once."""
    install(programs, "podman", "sh -c 'echo $$; exec sleep 1000'")
    children: list[int] = []

    def tell(event: Event) -> None:
        if event.state == "log":
            children.append(int(event.text))
            reporter.cancel()

    reporter = Reporter(tell)
    with pytest.raises(CancelledError):
        image.build("coflows", Contents(), reporter)
    assert not runs(children[0])


def test_a_client_without_its_service_is_passed_over(programs: Path) -> None:
    """Docker's client alone builds nothing; what works is taken, and where nothing does a sentence says so."""
    with pytest.raises(NotFoundError, match="there is no docker or podman or buildah here"):
        image.find_program()
    (programs / "docker").write_text("#!/bin/sh\nexit 1\n")
    (programs / "docker").chmod(stat.S_IRWXU)
    with pytest.raises(NotFoundError, match="docker can't work here"):
        image.find_program()
    install(programs, "buildah", "")
    assert image.find_program() == "buildah"
    with pytest.raises(NotFoundError):
        image.find_program(image.RUNNERS)


def test_names_of_images_are_taken() -> None:
    """With a registry, its port, a tag and a digest."""
    for name in (
        "coflows",
        "coflows:1.0_a",
        "localhost/a/b",
        "127.0.0.1:5000/team/co-flows:X",
        f"r.io/x@sha256:{64 * 'a'}",
    ):
        image.check_name(name)


@pytest.mark.parametrize("name", ["", "-x", "--privileged", "x:-y", "x/", "Team/coflows", "https://x/y", "a b", "a;b"])
def test_what_is_no_name_of_an_image_is_refused(name: str) -> None:
    """It would be taken for an option, or for something else than an image."""
    with pytest.raises(ArgumentsError):
        image.check_name(name)


def test_a_container_gets_secrets_by_name_only(tmp_path: Path) -> None:
    """The folder is mounted, the port is open to this computer alone, and no secret is on the command line."""
    config = tmp_path / "coflows_config.json"
    config.write_text('{"Server": {"Host": "localhost", "SecretKey": "${FLOW_KEY}"}}')
    environ = {"FLOW_KEY": "very-secret-key-of-the-flow", "OTHER": "x"}
    loaded = load_config(config, environ=environ)
    command = image.run_command("podman", "coflows", loaded, 9000, environ)
    assert "very-secret" not in " ".join(command)
    assert {"--env=FLOW_KEY", "--env=config_file=/app/mnt/coflows_config.json"} <= set(command)
    assert {f"--volume={tmp_path}:/app/mnt", "--publish=127.0.0.1:9000:9000"} <= set(command)
    assert "--env=OTHER" not in command


def test_the_dockerfile_is_clean() -> None:
    """hadolint, with all its rules, has nothing to say that isn't answered in a comment."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_wheel_brings_the_dockerfile() -> None:
    """An installed program builds the same image, of the released package."""
    assert '"Dockerfile" = "coflows_jupyter/deploy/Dockerfile"' in (ROOT / "pyproject.toml").read_text()


def test_compose_has_a_configuration_without_a_mistake(tmp_path: Path) -> None:
    """Its texts are the container's configuration and connection; every secret comes from outside."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    contents = {name: entry["content"] for name, entry in compose["configs"].items()}
    connection = re.sub(r"\$\{DATABASE_PASSWORD:\?[^}]*\}", "pass", contents["connection"])
    (tmp_path / "connection").write_text(connection)
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef")
    text = contents["coflows_config"].replace("/run/coflows/connection", str(tmp_path / "connection"))
    text = text.replace("/run/secrets/key", str(tmp_path / "key"))
    config = read_config_text(text, None, tmp_path, {})
    assert not config.diagnostics
    assert config.database.connection.get_secret_value() == "postgresql://coflows:pass@database/coflows"
    files = {entry["source"]: entry["target"] for entry in compose["services"]["coflows"]["configs"]}
    assert contents["coflows_config"].count(files["connection"]) == 1
    assert set(compose["secrets"]) == {"key", "password"}


def test_the_probe_knows_whether_a_server_lives(
    running_server: RunningServer, sample: Path, isolated_environ: dict[str, str]
) -> None:
    """The image's HEALTHCHECK is fine while the server answers, and says what is wrong when none does."""

    def probe() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "coflows_jupyter.server.probe"]
        return subprocess.run(command, env=isolated_environ, capture_output=True, text=True, check=False)

    server = running_server(sample / "coflows_config.json", ready=False)
    assert probe().returncode == 0
    server.stop()
    done = probe()
    assert (done.returncode, done.stderr) == (1, "no server runs here\n")
