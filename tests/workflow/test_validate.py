"""Checking all files of a Workflow."""

from __future__ import annotations

import sys
from pathlib import Path

from coflows_jupyter.workflow.templates import new_workflow
from coflows_jupyter.workflow.validate import validate

SEED = Path(__file__).parents[1] / "data" / "seed_config.json"


def test_seed_with_its_published_key(tmp_path: Path) -> None:
    """The published key is no mistake but a warning, at its line, that names the command that helps."""
    folder = new_workflow(tmp_path / "w")
    (folder / "coflows_config.json").write_bytes(SEED.read_bytes())
    found = validate(folder, environ={})
    assert [(d.severity, d.code, d.line) for d in found] == [
        ("warning", "missing-comma", 21),
        ("warning", "weak-key", 10),
    ]
    assert found[1].hint == "run `coflows key rotate`"


def test_findings_of_all_files_come_together(tmp_path: Path) -> None:
    """Config, package.json and sources are checked in one go."""
    folder = new_workflow(tmp_path / "w")
    (folder / "coflows_config.json").write_text('{"Watsh": "on"}')
    (folder / "package.json").write_text('{"Base": [{"Content": "Base/librar.py"}],\n"Querys": []}')
    (folder / "Queries/pyapi.py").write_text("def broken(:\n")
    found = validate(folder, environ={})
    assert [(Path(d.file).name, d.severity, d.code) for d in found] == [
        ("coflows_config.json", "warning", "unknown-key"),
        ("coflows_config.json", "warning", "weak-key"),
        ("package.json", "warning", "unknown-key"),
        ("package.json", "warning", "no-id"),
        ("package.json", "error", "no-file"),
    ]
    assert all(d.hint for d in found)


def test_syntax_is_checked_without_running(tmp_path: Path) -> None:
    """A syntax error is found at its line; nothing of the user's runs and nothing of this process changes."""
    folder = new_workflow(tmp_path / "w")
    (folder / "Base/library.py").write_text("raise SystemExit('must not run')\n")
    (folder / "Queries/pyapi.py").write_text("x = 1\ndef broken(:\n")
    before = (list(sys.path), list(sys.meta_path))
    (error,) = validate(folder, environ={})
    assert (error.file, error.line, error.code) == (str(folder / "Queries/pyapi.py"), 2, "syntax")
    assert (sys.path, sys.meta_path) == before


def test_package_mistakes_are_returned(tmp_path: Path) -> None:
    """An unusable config or package.json is a finding, not an exception."""
    folder = new_workflow(tmp_path / "w")
    (folder / "package.json").unlink()
    assert [d.code for d in validate(folder, environ={})] == ["no-package"]
    (folder / "coflows_config.json").write_text("{")
    assert [d.code for d in validate(folder, environ={})] == ["syntax"]
