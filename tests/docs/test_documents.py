"""What the documents tell a reader to type is typed, in order, and has to work.

A document is followed from top to bottom in one shell, in a copy of the project's folder:

* ``bash`` blocks run; each has to succeed;
* ``text`` blocks say what the block before printed, among other things;
* ``console`` blocks are for reading, but ``make run`` and ``coflows server`` in them start a server;
* ``python file=PATH`` blocks are saved, other ``python`` blocks run as notebook cells;
* ``jsonc`` blocks are configurations without a mistake.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from coflows_jupyter.config import load_config
from coflows_jupyter.runtimes import dotnet, jdk
from tests.conftest import ROOT, RunningServer, Server, needs

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "mnt" / "README.md"]
DOCUMENTED_PORT = "localhost:8888"
SERVER_COMMAND = re.compile(r"^\$ (?:make run|coflows server(?! -)(?: (?P<config>[^#\s]+))?)", re.MULTILINE)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


def name(document: Path) -> str:
    """Return a document's path in the project, which names its test."""
    return str(document.relative_to(ROOT))


def blocks(document: Path) -> list[Token]:
    """Return the fenced blocks of a document."""
    return [token for token in MarkdownIt().parse(document.read_text()) if token.type == "fence"]


FOLLOWED = [d for d in DOCUMENTS if any(b.info.startswith(("bash", "python")) for b in blocks(d))]


class Shell:
    """One bash that runs block after block and keeps its folder and variables."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            ["bash", "-eo", "pipefail"],
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, commands: str, place: str) -> str:
        """Run `commands` and return what they print; fail when one of them does."""
        assert self._process.stdin
        assert self._process.stdout
        end = secrets.token_hex()
        self._process.stdin.write(f'{{\n{commands}\n}} </dev/null\necho\necho "{end}$PWD"\n')
        self._process.stdin.flush()
        output = ""
        for line in self._process.stdout:
            if line.startswith(end):
                self.folder = Path(line.removeprefix(end).strip())
                return output
            output += line
        pytest.fail(f"{place} does not work:\n{output}")

    def close(self) -> None:
        """End the shell."""
        self._process.kill()
        self._process.communicate()


class Reader:
    """Someone who does what a document says."""

    def __init__(self, folder: Path, environ: dict[str, str], running_server: RunningServer) -> None:
        self.shell = Shell(folder, environ)
        self._running_server = running_server
        self._server: Server | None = None
        self._output = ""

    def follow(self, block: Token, place: str) -> None:
        """Do what one block says."""
        language, _, argument = block.info.partition(" ")
        if language == "bash":
            self._output = self.shell.run(self._at_server(block.content), place)
        elif language == "text":
            missing = [line for line in block.content.splitlines() if line not in self._output]
            assert not missing, f"{place} is not among what the block before printed:\n{self._output}"
        elif language == "console":
            self._start(block.content)
        elif argument.startswith("file="):
            (self.shell.folder / argument.removeprefix("file=")).write_text(block.content)
        elif language == "python":
            self._output = self._run_cell(block.content, place)
        elif language == "jsonc":
            _check_config(block.content, self.shell.folder / "documented.json")

    def _at_server(self, text: str) -> str:
        if DOCUMENTED_PORT in text:
            assert self._server, "no block before this one starts a server"
            text = text.replace(DOCUMENTED_PORT, httpx.URL(self._server.url).netloc.decode())
        return text

    def _start(self, text: str) -> None:
        command = SERVER_COMMAND.search(text)
        if command and not self._server:
            default = "mnt/coflows_config.json" if "make run" in command[0] else "coflows_config.json"
            self._server = self._running_server(self.shell.folder / (command["config"] or default))

    def _run_cell(self, text: str, place: str) -> str:
        assert self._server, "no block before this one starts a server"
        cell = self.shell.folder / "cell.ipy"
        cell.write_text(text)
        environ = f"COFLOWS_URL={self._server.url} COFLOWS_KEY={self._server.key}"
        output = self.shell.run(f"{environ} {sys.executable} -m IPython --ext=coflows_jupyter {cell}", place)
        cell.unlink()
        return output


def _check_config(text: str, file: Path) -> None:
    file.write_text(text)
    config = load_config(file, environ={"COFLOWS_SECRET": secrets.token_hex()})
    assert not config.diagnostics
    file.unlink()


@pytest.fixture
def reader(
    tmp_path: Path, sample: Path, isolated_environ: dict[str, str], running_server: RunningServer
) -> Iterator[Reader]:
    """Return a reader in a folder that looks like the project's."""
    needs("bash")
    needs("curl")
    project = tmp_path / "project"
    project.mkdir()
    sample.rename(project / "mnt")
    (project / ".venv").symlink_to(sys.prefix)
    reader = Reader(project, isolated_environ, running_server)
    yield reader
    reader.shell.close()


@pytest.mark.parametrize("document", FOLLOWED, ids=name)
def test_what_a_document_says_works(document: Path, reader: Reader) -> None:
    """Every block does what the text around it promises."""
    needed = {"dotnet.md": dotnet.here, "java.md": jdk.here}.get(document.name)
    if needed is not None and isinstance(found := needed(), str):
        pytest.skip(found)
    for block in blocks(document):
        assert block.map
        reader.follow(block, f"{name(document)}:{block.map[0] + 1}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link to a file of the project names one that exists."""
    missing = [
        link for link in LINK.findall(CODE.sub("", document.read_text())) if not (document.parent / link).exists()
    ]
    assert not missing
