"""How the command fails: exit codes, one JSON document, no traceback of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import pytest
import typer

from coflows_jupyter import __version__, cli
from coflows_jupyter.cli.output import Output
from coflows_jupyter.errors import (
    ArgumentsError,
    CoflowsError,
    ConfigError,
    DeniedError,
    Diagnostic,
    FieldError,
    FunctionError,
    NotFoundError,
    TimedOutError,
    UnreachableError,
)
from tests.cli.conftest import Coflows


@pytest.mark.parametrize(
    "words", ["nonsense", "local", "local nonsense", "local build --nonsense", "server --port x", "--config", "key"]
)
def test_usage_errors_end_with_2(coflows: Coflows, words: str) -> None:
    """What can't be understood is said in a line, with the help to look at."""
    done = coflows(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_a_misspelt_verb_is_suggested(coflows: Coflows) -> None:
    """The nearest verb is named."""
    assert "Did you mean 'build'" in coflows("local", "biuld").stderr


def test_a_wrong_configuration_ends_with_2(coflows: Coflows, workflow: Path) -> None:
    """Each mistake is shown as compilers do, with the file as one would type it here."""
    (workflow / "coflows_config.json").write_text('{\n  "Server": {"Port": "high"}\n}')
    done = coflows("local", "build")
    assert done.returncode == 2
    assert "coflows_config.json:2:22: error: " in done.stderr
    assert str(workflow) not in done.stderr


def test_json_failures_are_one_document(coflows: Coflows, workflow: Path) -> None:
    """With --json stdout holds the error, stderr nothing."""
    (workflow / "coflows_config.json").write_text("{,}")
    for words in (["local", "build", "--json"], ["--json", "key", "show"], ["nonsense", "--json"]):
        done = coflows(*words)
        assert (done.returncode, done.stderr) == (2, "")
        document = json.loads(done.stdout)
        assert document["ok"] is False
        assert document["error"]["exit_code"] == 2
        assert document["error"]["detail"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("bad config"), 2, ["bad config"]),
        (ConfigError("bad", [Diagnostic("/a/b.json", 1, 2, "error", "key", "no such key")]), 2, ["b.json:1:2: error"]),
        (NotFoundError("no such Query", hint="did you mean X?"), 2, ["no such Query", "did you mean X?"]),
        (ArgumentsError("they do not fit", [FieldError("x", "not a number", "a")]), 2, ["x: not a number (got a)"]),
        (FunctionError("ValueError: no", traceback='  File "q.py", line 1'), 1, ["ValueError: no", 'File "q.py"']),
        (TimedOutError("too long"), 1, ["too long"]),
        (DeniedError("you may not"), 3, ["you may not"]),
        (UnreachableError("nobody answers"), 3, ["nobody answers"]),
        (CoflowsError("odd"), 1, ["odd"]),
        (RuntimeError("a bug of ours"), 1, ["RuntimeError: a bug of ours", "--debug"]),
    ],
)
def test_every_error_has_its_exit_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, said: list[str]
) -> None:
    """The table of exit codes, and what people read."""
    assert Output().error(error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert all(part in captured.err for part in said), captured.err
    assert "Traceback" not in captured.err


def test_our_own_traceback_needs_debug(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours is one line, or all of it when asked for."""

    def fail() -> NoReturn:
        raise RuntimeError("a bug of ours")

    broken = typer.Typer()
    broken.callback()(cli._options)
    broken.command("break")(fail)
    monkeypatch.setattr(cli, "app", broken)
    assert cli.run(["break"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert cli.run(["break", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_help_and_version(coflows: Coflows) -> None:
    """The bare command shows its help; --version prints the version only."""
    assert "local" in coflows().stdout
    assert coflows("--version").stdout.strip() == __version__
