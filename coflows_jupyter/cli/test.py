"""``coflows test``: the Workflow's own tests."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coflows_jupyter.cli.session import session
from coflows_jupyter.errors import FAILED, USAGE, NotFoundError

if TYPE_CHECKING:
    from coflows_jupyter.config import Config

FOLDER = "tests"
# Those of pytest: tests failed, interrupted, an error of pytest's own, wrong usage, nothing collected.
_EXIT_CODES = {0: 0, 1: FAILED, 2: 130, 3: FAILED, 4: USAGE, 5: USAGE}


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    # What we don't know is pytest's.
    app.command("test", context_settings={"ignore_unknown_options": True})(run_tests)


def run_tests(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH|-k WORD|OPTION OF PYTEST]...", help="Which tests, else all of tests/."),
    ] = None,
) -> int:
    """Run the Workflow's own tests by pytest, with the fixtures `query` and `workflow`."""
    from coflows_jupyter.config import load_config

    current = session(context)
    if importlib.util.find_spec("pytest") is None:
        raise NotFoundError("the tests need pytest", hint=f"{sys.executable} -m pip install pytest")
    config = load_config(current.config)
    folder = config.workflow.parent
    wanted = _select(folder, arguments or [])
    command = [sys.executable, "-m", "pytest", "-p", "coflows_jupyter.pytest_plugin", f"--rootdir={folder}"]
    command += [f"--coflows-config={_named(config)}", *(["-q"] if current.output.quiet else []), *wanted]
    if not current.output.json:
        return _EXIT_CODES.get(subprocess.run(command, check=False).returncode, FAILED)
    with tempfile.TemporaryDirectory() as kept:
        report = Path(kept) / "report.json"
        done = subprocess.run([*command, f"--coflows-report={report}"], stdout=sys.stderr, check=False)
        code = _EXIT_CODES.get(done.returncode, FAILED)
        if not report.is_file():
            raise NotFoundError("pytest could not start", hint="what it said is above")
        current.output.write(report.read_text())
    return code


def _named(config: Config) -> Path:
    return config.file or config.folder


def _select(folder: Path, arguments: list[str]) -> list[str]:
    """Name the Workflow's tests unless the arguments name some themselves."""
    if any(not word.startswith("-") and Path(word.partition("::")[0]).exists() for word in arguments):
        return arguments
    if not (folder / FOLDER).is_dir():
        hint = "write one: tests/test_pyapi.py with `def test_add(query): assert query.pyapi.Add(1, 2) == 3`"
        raise NotFoundError(f"{folder} has no {FOLDER}/", hint=hint)
    return [*arguments, str(folder / FOLDER)]
