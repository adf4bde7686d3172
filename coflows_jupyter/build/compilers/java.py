"""The builder of the JVM, and the classes that a host calls user code by; both are compiled when they are first needed.

What the builder does is in ``Builder.java``.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from coflows_jupyter.build.artefacts import Artefacts
from coflows_jupyter.build.compilers.builder import Builder
from coflows_jupyter.build.compilers.requests import Reply
from coflows_jupyter.errors import BuildError
from coflows_jupyter.host.launch import environment as without_keys
from coflows_jupyter.runtimes import jdk
from coflows_jupyter.runtimes.jdk import Jdk

_BRIDGE = Path(jdk.__file__).with_name("java")
# Compilers are used in short bursts: what is quick to start and small counts more than the last bit of speed.
_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-Xshare:auto")


def bridge(found: Jdk, artefacts: Artefacts) -> str:
    """Return the folder of our own classes.

    Args:
        found: whose compiler to use.
        artefacts: where they are kept.

    Raises:
        BuildError: they can't be compiled.
    """
    sources = [Path(__file__).with_name("Builder.java"), *sorted(_BRIDGE.glob("*.java"))]
    content = (found, *(path.read_bytes() for path in sources))
    made, _ = artefacts.get(content, lambda output, _: _compile(found, output, sources))
    assert made is not None
    return str(made)


def _compile(found: Jdk, output: Path, sources: list[Path]) -> Reply:
    command = [found.program("javac"), "-nowarn", "-encoding", "UTF-8", "-d", str(output), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, env=without_keys(), check=False)
    if done.returncode:
        raise BuildError(f"the bridge does not compile with {found.home}: {done.stderr.strip()[:500]}")
    return Reply(0, ok=True, findings=())


@cache
def builder(found: Jdk, folder: Path) -> Builder:
    """Return the builder that all Workflows of this process share."""

    def command() -> list[str]:
        return [found.program("java"), *_OPTIONS, "-cp", bridge(found, Artefacts(folder)), "app.coflows.Builder"]

    return Builder("Java", command, without_keys())
