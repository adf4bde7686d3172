"""Real containers without a service, a registry or a network of their own: what `make image` needs, as root on Debian.

Podman's storage, its settings and a base image from Debian's archive live in a folder that is kept, because making the
base takes a minute.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.conftest import ROOT

PROGRAMS = ("podman", "buildah", "runc", "debootstrap")
BASE = "localhost/debian:bookworm-slim"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def settings(folder: Path) -> dict[str, str]:
    """Return the environment in which Podman and Buildah keep to this folder, and run where little is allowed.

    Args:
        folder: where everything is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    storage = ["[storage]", 'driver = "overlay"', f'graphroot = "{folder}/images"', f'runroot = "{folder}/run"']
    (folder / "storage.conf").write_text("\n".join(storage))
    containers = [
        "[engine]",
        'runtime = "runc"',
        'cgroup_manager = "cgroupfs"',
        'events_logger = "file"',
        "[containers]",
        # More than this computer allows may not be asked for.
        'default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]',
        'netns = "host"',
    ]
    (folder / "containers.conf").write_text("\n".join(containers))
    (folder / "registries.conf").write_text(
        '[[registry]]\nprefix = "127.0.0.1"\nlocation = "127.0.0.1"\ninsecure = true'
    )
    return os.environ | {
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
        "BUILDAH_ISOLATION": "chroot",
    }


def make_base(folder: Path, environ: dict[str, str]) -> None:
    """Make ``BASE`` if it isn't there: Debian as its archive has it, which also trusts whom this computer trusts."""
    if subprocess.run(["podman", "image", "exists", BASE], env=environ, check=False).returncode == 0:
        return
    tree = folder / "base"
    shutil.rmtree(tree, ignore_errors=True)
    run(["debootstrap", "--variant=minbase", "bookworm", str(tree)], environ)
    trusted = tree / "usr/local/share/ca-certificates"
    trusted.mkdir(parents=True, exist_ok=True)
    shutil.copy(_CERTIFICATES, trusted / "this-computer.crt")
    container = run(["buildah", "from", "scratch"], environ).strip()
    run(["buildah", "add", "--quiet", container, str(tree), "/"], environ)
    run(["buildah", "config", "--cmd", "bash", container], environ)
    run(["buildah", "commit", "--quiet", "--rm", container, BASE], environ)
    shutil.rmtree(tree)


def make_dotnet(root: str, environ: dict[str, str]) -> str:
    """Make an image of the .NET SDK in a folder of this computer; return its name."""
    name = "localhost/dotnet:test"
    container = run(["buildah", "from", "--pull-never", BASE], environ).strip()
    run(["buildah", "add", "--quiet", container, root, "/usr/share/dotnet"], environ)
    run(["buildah", "commit", "--quiet", "--rm", container, name], environ)
    return name


def run(command: list[str], environ: dict[str, str]) -> str:
    """Run a program to its end and return what it printed."""
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
