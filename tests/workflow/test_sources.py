"""Reading the sources that package.json names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.errors import Diagnostic, PackageError
from coflows_jupyter.workflow.package import read_package
from coflows_jupyter.workflow.sources import SourceUnit, read_sources


def read(folder: Path, content: dict[str, Any]) -> tuple[tuple[SourceUnit, ...], tuple[Diagnostic, ...]]:
    """Write package.json and read its sources."""
    (folder / "package.json").write_text(json.dumps({"ID": "w", **content}, indent=1))
    return read_sources(read_package(folder / "package.json"))


def test_placeholders_are_replaced_and_files_are_not(tmp_path: Path) -> None:
    """``$WID$`` is replaced everywhere, ``$ID$`` in agents; the user's files keep their bytes."""
    for name in ("base.py", "query.py", "agent.py"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf# $WID$ $ID$\r\n")
    units, found = read(
        tmp_path,
        {
            "Agents": [{"Name": "agent.py", "Content": "agent.py"}],
            "Queries": [{"Name": "Query", "Content": "/app/mnt/query.py", "ID": "q"}],
            "Base": [{"Name": "base.py", "Content": "mnt/base.py"}],
        },
    )
    assert found == ()
    assert units == (
        SourceUnit("base", "base.py", str(tmp_path / "base.py"), "python", "# w $ID$\r\n"),
        SourceUnit("query", "q", str(tmp_path / "query.py"), "python", "# w $ID$\r\n"),
        SourceUnit("agent", "agent.py", str(tmp_path / "agent.py"), "python", "# w w-agent\r\n", "pkg"),
    )
    assert (tmp_path / "base.py").read_bytes() == b"\xef\xbb\xbf# $WID$ $ID$\r\n"


def test_literal_source(tmp_path: Path) -> None:
    """Content with a line break is the source itself, in the language of the entry's name."""
    entries = [{"Name": "lit.cs", "Content": "class A\n{}"}, {"Name": "plain", "Content": "x = 1\n"}]
    units, found = read(tmp_path, {"Queries": entries})
    assert found == ()
    assert [(u.name, u.language, u.text) for u in units] == [
        ("lit.cs", "csharp", "class A\n{}"),
        ("plain", "python", "x = 1\n"),
    ]


def test_data_beside_code_is_no_source(tmp_path: Path) -> None:
    """A listed file in no language of ours is neither a unit nor a mistake."""
    (tmp_path / "data.csv").touch()
    assert read(tmp_path, {"Base": [{"Name": "data.csv", "Content": "data.csv"}]}) == ((), ())


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    """A missing source is an error at its Content, with the file that was probably meant; the others are read."""
    (tmp_path / "Queries").mkdir()
    (tmp_path / "Queries" / "pricing.py").touch()
    entries = [{"Content": "Queries/pricng.py"}, {"Content": "Queries/zzz"}, {"Content": "Queries/pricing.py"}]
    units, found = read(tmp_path, {"Queries": entries})
    assert [u.name for u in units] == ["pricing.py"]
    assert [(d.line, d.column, d.code, d.hint) for d in found] == [
        (5, 15, "no-file", "did you mean Queries/pricing.py?"),
        (8, 15, "no-file", "restore the file or remove the entry"),
    ]
    assert found[0].file == str(tmp_path / "package.json")


def test_undecodable_source(tmp_path: Path) -> None:
    """A source that isn't UTF-8 is an error at its own line."""
    (tmp_path / "a.py").write_bytes("x = 1\ny = 'é'\n".encode("latin-1"))
    _, (error,) = read(tmp_path, {"Base": [{"Content": "a.py"}]})
    assert (error.file, error.line, error.code) == (str(tmp_path / "a.py"), 2, "encoding")


@pytest.mark.parametrize(
    "content", ["../x.py", "Base/../../x.py", "/etc/passwd", "link/x.py", "loop", "a\0b", "mnt/../../x"]
)
@pytest.mark.parametrize("key", ["Base", "Queries", "Agents", "Files", "Bins"])
def test_paths_cannot_leave_the_folder(tmp_path: Path, key: str, content: str) -> None:
    """Neither dots, nor absolute paths, nor links lead out of the Workflow's folder."""
    folder = tmp_path / "workflow"
    folder.mkdir()
    (tmp_path / "x.py").touch()
    (folder / "link").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / ".." / "loop2")
    with pytest.raises(PackageError) as caught:
        read(folder, {key: [{"Name": "x", "Content": content}]})
    (error,) = caught.value.diagnostics
    assert (error.code, error.line, error.column) == ("outside", 6, 15)
    assert f"{key}[0].Content" in error.message
    assert error.hint


def test_hosts_load_no_pydantic() -> None:
    """Host processes import SourceUnit: it must not bring the models of the config files along."""
    code = "import sys, coflows_jupyter.workflow.sources; print({'pydantic', 'pydantic_core'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
