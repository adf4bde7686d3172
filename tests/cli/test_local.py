"""`coflows local`: build and query without a server, in the words of the original."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Coflows


def break_query(workflow: Path) -> None:
    """Put a syntax error into line 3 of the Query."""
    (workflow / "Queries" / "tools.py").write_text("\n\ndef Add(x, y:\n    return x + y\n")


# -- build -------------------------------------------------------------------------------------------------------------


def test_a_build_that_works_says_so(coflows: Coflows) -> None:
    """The original's words, and 0."""
    done = coflows("local", "build")
    assert (done.returncode, done.stdout) == (0, "Local build\nSuccess!!!\n"), done.stderr


def test_a_build_that_fails_shows_the_log(coflows: Coflows, workflow: Path) -> None:
    """In place of Success!!! come the findings, and the exit code is 1."""
    break_query(workflow)
    done = coflows("local", "build")
    first, second, *_ = done.stdout.splitlines()
    assert (done.returncode, first) == (1, "Local build")
    assert second.startswith("Queries/tools.py:3:")
    assert ": error: " in second
    assert "Success" not in done.stdout


def test_a_build_as_json(coflows: Coflows, workflow: Path) -> None:
    """One document: ok and the findings with their places."""
    document = json.loads(coflows("local", "build", "--json").stdout)
    assert (document["ok"], document["diagnostics"]) == (True, [])
    break_query(workflow)
    done = coflows("local", "build", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"]) == (1, False)
    (found,) = document["diagnostics"]
    assert found["file"] == str(workflow / "Queries" / "tools.py")
    assert (found["line"], found["severity"]) == (3, "error")
    assert {"column", "code", "message"} <= found.keys()


def test_what_user_code_prints_while_it_loads_goes_to_stderr(coflows: Coflows, workflow: Path) -> None:
    """Stdout stays one JSON document even if a module prints at import."""
    with (workflow / "Queries" / "tools.py").open("a") as file:
        file.write("\nprint('loading')\n")
    done = coflows("local", "build", "--json")
    assert json.loads(done.stdout)["ok"] is True
    assert "loading" in done.stderr


def test_a_package_that_cannot_be_used_is_a_matter_of_configuration(coflows: Coflows, workflow: Path) -> None:
    """A broken package.json ends with 2 and still is a build report under --json."""
    (workflow / "package.json").write_text("{")
    done = coflows("local", "build", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"]) == (2, False)
    assert document["diagnostics"][0]["file"].endswith("package.json")


def test_a_configuration_elsewhere(coflows: Coflows, workflow: Path, tmp_path: Path) -> None:
    """--config works before and after the verb, with a file or its folder."""
    config = workflow / "coflows_config.json"
    assert coflows("--config", config, "local", "build", cwd=tmp_path).returncode == 0
    assert coflows("local", "build", "--config", workflow, cwd=tmp_path).returncode == 0
    assert coflows("local", "build", cwd=tmp_path).returncode == 2


# -- query -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "stdout"),
    [
        (["Add", "1", "2"], "3\n"),
        (["Add", "-1", "2"], "1\n"),
        (["Add", "40"], "42\n"),
        (["Say", "a=1&b=2 %41 é"], '"a=1&b=2 %41 é"\n'),
        (["Say", "--nonsense"], '"--nonsense"\n'),
        (["Say", "--", "--json"], '"--json"\n'),
        (["Numbers", "3"], "0\n1\n2\n"),
        (["Text"], "as it is"),
    ],
)
def test_results_go_to_stdout(coflows: Coflows, words: list[str], stdout: str) -> None:
    """Arguments arrive as written and in order, and only the result is on stdout."""
    done = coflows("local", "query", "tools", *words)
    assert (done.returncode, done.stdout) == (0, stdout), done.stderr


def test_the_call_is_told_beside_the_result(coflows: Coflows) -> None:
    """The original's words are on stderr, and not at all with --quiet."""
    said = coflows("local", "query", "tools", "Add", "1", "2").stderr
    assert said.splitlines() == ["Local query", "QueryID: tools", "FuncName: Add", "Parameter[0]: 1", "Parameter[1]: 2"]
    assert coflows("local", "query", "tools", "Add", "1", "2", "--quiet").stderr == ""


def test_tables_are_shown_as_tables(coflows: Coflows) -> None:
    """Records become rows; what looks like markup is text."""
    lines = [line.split() for line in coflows("local", "query", "tools", "Rows").stdout.splitlines() if line.strip()]
    assert lines[0] == ["name", "value"]
    assert ["[b]a[/b]", "1.5"] in lines
    assert ["b"] in lines


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["Add", "1", "2"], 3),
        (["Rows"], [{"name": "[b]a[/b]", "value": 1.5}, {"name": "b", "value": None}]),
        (["Loud"], 1),
        (["Numbers", "3"], [0, 1, 2]),
    ],
)
def test_json_results_are_one_document(coflows: Coflows, words: list[str], value: object) -> None:
    """With --json stdout is the result and nothing else, whatever the function prints."""
    done = coflows("local", "query", "tools", *words, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, value), done.stderr


def test_what_is_no_json_is_refused_as_json(coflows: Coflows) -> None:
    """Bytes have no JSON form; the document says so."""
    done = coflows("local", "query", "tools", "Text", "--json")
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (2, False)


def test_what_the_function_prints_goes_to_stderr(coflows: Coflows) -> None:
    """Its own output, also through file descriptors and child processes, never mixes with the result."""
    done = coflows("local", "query", "tools", "Loud", "--quiet")
    assert done.stdout == "1\n"
    assert sorted(done.stderr.split("\n")) == ["", "from a child", "from print", "from stderr"]


def test_without_a_function_all_are_listed(coflows: Coflows) -> None:
    """Each with its parameters and what the doc comment says."""
    done = coflows("local", "query", "tools")
    assert done.returncode == 0
    assert "Add(x: int, y: int = 2)" in done.stdout
    assert "first number" in done.stdout
    document = json.loads(coflows("local", "query", "tools", "--json").stdout)
    add = next(f for f in document["functions"] if f["name"] == "Add")
    assert [p["name"] for p in add["parameters"]] == ["x", "y"]


@pytest.mark.parametrize(("words", "near"), [(["tool", "Add"], "tools"), (["tools", "Ad"], "Add"), (["tool"], "tools")])
def test_unknown_names_suggest_the_nearest(coflows: Coflows, words: list[str], near: str) -> None:
    """A slip of the finger costs one more try."""
    done = coflows("local", "query", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(f"did you mean '?{near}'?\\?", done.stderr)


def test_a_query_that_does_not_build_is_not_just_missing(coflows: Coflows, workflow: Path) -> None:
    """The findings are the reason, and the Workflow failed."""
    break_query(workflow)
    done = coflows("local", "query", "tools", "Add", "1", "2")
    assert done.returncode == 1
    assert "Queries/tools.py:3:" in done.stderr


def test_arguments_that_do_not_fit(coflows: Coflows) -> None:
    """One line for each of them."""
    done = coflows("local", "query", "tools", "Add", "one", "two", "--quiet")
    assert (done.returncode, done.stdout) == (2, "")
    assert "x: " in done.stderr
    assert "y: " in done.stderr
    errors = json.loads(coflows("local", "query", "tools", "Add", "one", "2", "--json").stdout)["error"]["fields"]
    assert [(e["field"], e["value"]) for e in errors] == [("x", "one")]


def test_a_function_that_raises(coflows: Coflows) -> None:
    """The traceback is the user's, down from their own function, and the exit code 1."""
    done = coflows("local", "query", "tools", "Fail")
    assert (done.returncode, done.stdout) == (1, "")
    assert "ValueError: no luck" in done.stderr
    assert "Queries/tools.py" in done.stderr
    assert "coflows_jupyter" not in done.stderr


def test_ctrl_c_cancels_the_call(workflow: Path, isolated_environ: dict[str, str]) -> None:
    """The command ends at once, as interrupted."""
    command = [sys.executable, "-m", "coflows_jupyter", "local", "query", "tools", "Sleep", "--quiet"]
    with subprocess.Popen(
        command, cwd=workflow, env=isolated_environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "asleep\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "Traceback" not in said


# Of each kind one: threads are daemons where the thread that starts them is one.
LEAVE = """
import atexit, sys, threading


def Leave() -> int:
    for daemon in (False, True):
        threading.Thread(target=threading.Event().wait, daemon=daemon).start()
    atexit.register(print, "clean-up", file=sys.__stderr__)
    return 1
"""


def test_a_thread_left_behind_does_not_keep_the_command(coflows: Coflows, workflow: Path) -> None:
    """The original's `local query` might never end; ours does."""
    (workflow / "Queries" / "tools.py").write_text(LEAVE)
    done = coflows("local", "query", "tools", "Leave", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "clean-up\n")


def test_a_closed_pipe_ends_quietly(workflow: Path, isolated_environ: dict[str, str]) -> None:
    """`coflows … | head` says nothing when head has enough."""
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "coflows_jupyter", "local", "query", "tools", "Numbers", "200000", "--quiet"]
    with subprocess.Popen(
        command, cwd=workflow, env=isolated_environ, stdout=writer, stderr=subprocess.PIPE
    ) as process:
        os.close(writer)
        os.read(reader, 10)
        os.close(reader)
        _, said = process.communicate(timeout=30)
    assert said == b""


def test_progress_is_a_bar_on_a_terminal(workflow: Path, isolated_environ: dict[str, str]) -> None:
    """What the function says of itself is seen beside the spinner, and not in the result."""
    pty = pytest.importorskip("pty", reason="needs a Unix terminal")
    text = "\n\ndef Steps() -> str:\n    import time\n    from coflows_jupyter import progress\n"
    text += "    progress(3, 4, 'pricing')\n    time.sleep(1)\n    return 'done'\n"
    with (workflow / "Queries" / "tools.py").open("a") as query:
        query.write(text)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "coflows_jupyter", "local", "query", "tools", "Steps"]
    environ = {**isolated_environ, "TERM": "xterm"}
    with subprocess.Popen(command, cwd=workflow, env=environ, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal says that its last writer left
            while piece := os.read(ours, 4096):
                shown += piece
        assert process.stdout is not None
        assert process.stdout.read().strip() == b'"done"'
    os.close(ours)
    assert b"3/4" in shown
    assert b"pricing" in shown
