"""The image of this program: built, pushed and run by Docker, Podman or Buildah, whichever is there."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter import __version__
from coflows_jupyter.deploy.programs import run
from coflows_jupyter.errors import ArgumentsError, FieldError, NotFoundError
from coflows_jupyter.values import variables

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.deploy.progress import Reporter

DEFAULT_IMAGE = f"coflows/coflows-jupyter:{__version__}"
BUILDERS = ("docker", "podman", "buildah")
RUNNERS = ("docker", "podman")

_FOLDER = "/app/mnt"
_DOCKERFILE = "Dockerfile"
_CHECKOUT = Path(__file__).resolve().parents[2]
_ANSWER_SECONDS = 20.0

# https://github.com/distribution/reference: no scheme, and never what a program would take for an option.
_IMAGE = re.compile(
    r"(?:[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_JDK = re.compile(r"[0-9]{1,3}|")
# What Podman and Buildah print before each step, and BuildKit.
_STEP = re.compile(r"(?:\[(?P<stage>\d+)/(?P<stages>\d+)\] )?STEP (?P<step>\d+)/(?P<steps>\d+): (?P<text>.*)")
_BUILDKIT = re.compile(r"#\d+ \[(?:\S+ +)?(?P<step>\d+)/(?P<steps>\d+)\] (?P<text>.*)")


class Contents(msgspec.Struct, frozen=True):
    """What an image is made of.

    Args:
        base: the image to begin with, empty for that of the Dockerfile.
        jdk: version of Debian's JDK, empty for none.
        dotnet: an image that has .NET's SDK in /usr/share/dotnet, empty for none.
        mssql: whether Microsoft's driver for SQL Server is in it, which has a licence of its own.
    """

    base: str = ""
    jdk: str = ""
    dotnet: str = ""
    mssql: bool = False


class Image(msgspec.Struct, frozen=True):
    """An image that was built: its name, its ID, and by which program."""

    name: str
    id: str
    program: str


def find_program(names: Sequence[str] = BUILDERS) -> str:
    """Return the first of these programs that works here.

    Raises:
        NotFoundError: none does.
    """
    silent = [name for name in names if shutil.which(name)]
    for name in silent:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            # Of Docker the client may be there and the service that does the work not.
            words = ["version", "--format", "{{.Server.Version}}"] if name == "docker" else ["version"]
            done = subprocess.run([name, *words], capture_output=True, timeout=_ANSWER_SECONDS, check=False)
            if done.returncode == 0:
                return name
    if silent:
        raise NotFoundError(f"{' and '.join(silent)} can't work here", hint=f"see what `{silent[0]} version` says")
    raise NotFoundError(f"there is no {' or '.join(names)} here", hint=f"install one of them, like {names[0]}")


def build(name: str, contents: Contents, reporter: Reporter) -> Image:
    """Build the image of this version, from a checkout where this runs from one, else from the released package.

    Args:
        name: what to call it.
        contents: what to put in.
        reporter: told of every line.

    Raises:
        ArgumentsError: a name can't be one.
        NotFoundError: no program is here that builds images.
        DeployError: it can't be built; the last lines of the program's output say why.
        CancelledError: the reporter said so.
    """
    check_name(name)
    arguments = _build_arguments(contents)
    program = find_program()
    with tempfile.TemporaryDirectory() as folder, reporter.step("build", f"Building {name} with {program}"):
        id_file = Path(folder, "id")
        plain = ["--progress=plain"] if program == "docker" else ["--format=docker"]  # OCI's format has no HEALTHCHECK
        command = [program, "build", *plain, f"--iidfile={id_file}", f"--tag={name}"]
        command += [f"--build-arg={key}={value}" for key, value in arguments.items()]
        if (_CHECKOUT / _DOCKERFILE).is_file():
            command.append(str(_CHECKOUT))
        else:
            context = Path(folder, "context")
            context.mkdir()
            command += [f"--file={Path(__file__).with_name(_DOCKERFILE)}", str(context)]
        run(command, reporter, _steps(reporter))
        image = Image(name, id_file.read_text().strip(), program)
        reporter.result(f"Built {name}", image)
    return image


def push(name: str, reporter: Reporter) -> None:
    """Push an image to the registry that its name begins with.

    Args:
        name: the image.
        reporter: told of every line.

    Raises:
        ArgumentsError: it is no name of an image.
        NotFoundError: no program is here that pushes images.
        DeployError: it can't be pushed.
        CancelledError: the reporter said so.
    """
    check_name(name)
    program = find_program()
    with reporter.step("push", f"Pushing {name} with {program}"):
        run([program, "push", name], reporter, hint=f"log in to its registry with `{program} login`")
        reporter.result(f"Pushed {name}")


def check_name(name: str) -> None:
    """Check that a text is the name of an image.

    Raises:
        ArgumentsError: it is none.
    """
    if not _IMAGE.fullmatch(name):
        wrong = FieldError("image", "write it like registry.example.com/team/coflows:1.0", name)
        raise ArgumentsError(f"{name!r} is no name of an image", [wrong])


def run_command(program: str, image: str, config: Config, port: int, environ: Mapping[str, str]) -> list[str]:
    """Return the command that serves a Workflow in a container.

    The folder of the configuration is mounted, the port is published on the address that ``Server.Host`` implies, and
    variables that the configuration refers to are passed on by name, so that no secret is on a command line.

    Args:
        program: one of ``RUNNERS``.
        image: the image to run.
        config: the Workflow's configuration.
        port: where the server listens, inside and outside.
        environ: environment variables.
    """
    terminal = ["--interactive", "--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    names = sorted({name for name in variables(config.document.value) if name in environ})
    where = [f"--env=config_file={_FOLDER}/{config.file.name}"] if config.file else ["--env=coflows_config"]
    return [
        program,
        "run",
        "--rm",
        *terminal,
        f"--publish={config.bind}:{port}:{port}",
        f"--volume={config.folder}:{_FOLDER}",
        *where,
        *(f"--env={name}" for name in names),
        image,
        "coflows",
        "server",
        "--no-browser",
        f"--port={port}",
    ]


def exists(program: str, image: str) -> bool:
    """Tell whether an image is on this computer."""
    done = subprocess.run([program, "image", "inspect", image], capture_output=True, check=False)
    return done.returncode == 0


def _build_arguments(contents: Contents) -> dict[str, str]:
    for name in filter(None, (contents.base, contents.dotnet)):
        check_name(name)
    if not _JDK.fullmatch(contents.jdk):
        wrong = FieldError("jdk", "write the version of a package of Debian, like 17", contents.jdk)
        raise ArgumentsError("this is no version of a JDK", [wrong])
    wanted = {"all": True, "certbot": True, "clr": contents.dotnet, "jvm": contents.jdk, "mssql": contents.mssql}
    extras = ",".join(extra for extra, is_wanted in wanted.items() if is_wanted)
    is_checkout = (_CHECKOUT / _DOCKERFILE).is_file()
    what = f"coflows_jupyter[{extras}]" + (" @ file:///source" if is_checkout else f"=={__version__}")
    arguments = {"COFLOWS": what, "VERSION": __version__, "JDK": contents.jdk}
    if contents.base:
        arguments |= {"BASE": contents.base, "DOTNET": contents.base}
    return arguments | ({"DOTNET": contents.dotnet} if contents.dotnet else {})


def _steps(reporter: Reporter) -> Callable[[str], bool]:
    """Return what makes progress of the lines of a build."""
    furthest = 0.0

    def look(line: str) -> bool:
        nonlocal furthest
        found = _STEP.match(line) or _BUILDKIT.match(line)
        if found is None:
            return False
        parts = found.groupdict()
        share = (int(parts["step"]) - 1) / int(parts["steps"])
        if parts.get("stages"):
            share = (int(parts["stage"]) - 1 + share) / int(parts["stages"])
        # BuildKit works on several stages at a time.
        furthest = max(furthest, share)
        reporter.progress(parts["text"], furthest)
        return True

    return look
