"""`coflows test` and the plugin's fixtures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Coflows

GOOD = """
import pytest


def test_values(query):
    assert query.tools.Add(1) == 3
    assert query.tools.Add(x=1, y=1) == 2
    assert query.tools.Rows()[1] == {"name": "b", "value": None}
    assert list(query.tools.Numbers(3)) == [0, 1, 2]
    assert query.tools.Text() == b"as it is"


def test_errors_are_exceptions(query):
    with pytest.raises(Exception, match="no luck"):
        query.tools.Fail()
    with pytest.raises(Exception, match="x"):
        query.tools.Add("one")


def test_facts(workflow):
    assert (workflow.name, workflow.config.workflow.parent) == ("Flow", workflow.folder)
    assert "Add" in workflow.catalog.queries["tools"].functions


@pytest.mark.skip(reason="later")
def test_later():
    pass
"""


@pytest.fixture
def tested(workflow: Path) -> Path:
    """Return the Workflow's folder, with tests that pass."""
    (workflow / "tests").mkdir()
    (workflow / "tests" / "test_tools.py").write_text(GOOD)
    return workflow


def test_functions_are_called_as_in_a_notebook(coflows: Coflows, tested: Path) -> None:
    """Values are plain Python, errors are exceptions, and the Workflow's facts are there."""
    done = coflows("test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed, 1 skipped" in done.stdout


def test_pips_can_be_imported(coflows: Coflows, workflow: Path, isolated_environ: dict[str, str]) -> None:
    """A test imports the versions that hosts import; a requirement that can't be met is named and nothing runs."""
    isolated_environ["UV_CACHE_DIR"] = str(Path.home() / ".cache" / "uv")
    package = json.loads((workflow / "package.json").read_text())
    (workflow / "tests").mkdir()
    test = "import toolz\n\n\ndef test_version():\n    assert toolz.__version__ == '0.12.0'\n"
    (workflow / "tests" / "test_pips.py").write_text(test)
    (workflow / "package.json").write_text(json.dumps(package | {"Pips": [{"ID": "toolz==0.12.0"}]}))
    done = coflows("test")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    (workflow / "package.json").write_text(json.dumps(package | {"Pips": [{"ID": "toolz==99"}]}))
    done = coflows("test")
    assert done.returncode == 2
    assert "toolz==99 can't be installed" in done.stderr


def test_one_document(coflows: Coflows, tested: Path) -> None:
    """With --json nothing but the report is on stdout; it says what each test did and why."""
    (tested / "tests" / "test_bad.py").write_text("def test_wrong(query):\n    assert query.tools.Loud() == 2\n")
    (tested / "tests" / "test_unreadable.py").write_text("def test_(:\n")
    done = coflows("test", "--json", "--continue-on-collection-errors")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert [report[name] for name in ("ok", "passed", "failed", "error", "skipped")] == [False, 3, 1, 1, 1]
    wrong = next(test for test in report["tests"] if test["outcome"] == "failed")
    assert wrong["id"].endswith("test_bad.py::test_wrong")
    assert "from print" in done.stderr  # what the function printed belongs to its test
    assert [test["message"] for test in report["tests"] if test["outcome"] == "skipped"] == ["Skipped: later"]


def test_selection(coflows: Coflows, tested: Path) -> None:
    """Words that pytest knows choose the tests: -k, a path, a path with a test's name."""
    (tested / "tests" / "test_bad.py").write_text("def test_wrong():\n    assert False\n")
    assert coflows("test").returncode == 1
    assert "1 passed" in coflows("test", "-k", "facts").stdout
    assert coflows("test", "tests/test_tools.py").returncode == 0
    assert "1 passed" in coflows("test", "tests/test_tools.py::test_values").stdout


def test_nothing_to_run(coflows: Coflows, workflow: Path, isolated_environ: dict[str, str]) -> None:
    """No folder, no test that fits, no pytest and no such option are usage errors that say what to do."""
    done = coflows("test")
    assert done.returncode == 2
    assert "def test_add(query)" in done.stderr
    (workflow / "tests").mkdir()
    assert coflows("test").returncode == 2
    assert coflows("test", "--bogus").returncode == 2
    hidden = workflow / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['pytest'] = None\n")
    isolated_environ["PYTHONPATH"] = str(hidden)
    done = coflows("test")
    assert done.returncode == 2
    assert "pip install pytest" in done.stderr


def test_a_workflow_that_does_not_build(coflows: Coflows, tested: Path) -> None:
    """Its tests fail and say at which line it breaks."""
    (tested / "Queries" / "tools.py").write_text("def Add(:\n")
    done = coflows("test", "-k", "values")
    assert done.returncode == 1
    assert "tools.py:1" in done.stdout


def test_what_new_makes_passes(coflows: Coflows, tmp_path: Path) -> None:
    """A new Workflow has a test that passes, and so has the sample."""
    assert coflows("new", "fresh", cwd=tmp_path).returncode == 0
    done = coflows("test", cwd=tmp_path / "fresh")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_sample_passes(coflows: Coflows, sample: Path) -> None:
    """The sample's own tests pass."""
    done = coflows("test", cwd=sample)
    assert done.returncode == 0, done.stdout
