"""``coflows new`` and ``coflows add``."""

from __future__ import annotations

import ast
import json
import re
import stat
from pathlib import Path

import pytest

from coflows_jupyter.access.keys import weakness
from coflows_jupyter.config import load_config
from coflows_jupyter.errors import PackageError
from coflows_jupyter.workflow.listing import update_package
from coflows_jupyter.workflow.package import read_package
from coflows_jupyter.workflow.sources import read_sources
from coflows_jupyter.workflow.templates import add_agent, add_base, add_query, new_workflow
from coflows_jupyter.workflow.validate import validate


def test_new_workflow_is_complete(tmp_path: Path) -> None:
    """A new Workflow has no finding at all, and nothing of it has to be listed or written back."""
    folder = new_workflow(tmp_path / "my first")
    assert folder == tmp_path / "my first"
    assert validate(folder, environ={}) == ()
    before = (folder / "package.json").read_bytes()
    package = update_package(folder / "package.json")
    assert (folder / "package.json").read_bytes() == before
    assert package.name == "my-first"
    assert [u.name for u in read_sources(package)[0]] == ["Base/library.py", "pyapi"]
    assert sorted(p.name for p in folder.iterdir()) == [
        ".gitignore",
        "Agents",
        "Base",
        "Files",
        "Queries",
        "coflows_config.json",
        "package.json",
        "tests",
    ]
    notebook = json.loads((folder / "Files" / "start.ipynb").read_text())
    assert notebook["cells"][0]["source"][0] == "# my-first\n"


def test_every_workflow_has_its_own_key_and_id(tmp_path: Path) -> None:
    """The SecretKey is random, good enough to open Lab, and readable by its owner only."""
    one, other = (new_workflow(tmp_path / name) for name in ("a", "b"))
    keys = [load_config(folder, environ={}).server.secret_key.get_secret_value() for folder in (one, other)]
    assert keys[0] != keys[1]
    assert all(re.fullmatch("[0-9a-f]{32,}", key) for key in keys)
    assert not any(weakness(key) for key in keys)
    assert stat.S_IMODE((one / "coflows_config.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((one / "package.json").stat().st_mode) & 0o444
    assert read_package(one / "package.json").id != read_package(other / "package.json").id
    assert "coflows_config.json" in (one / ".gitignore").read_text()


def test_new_never_overwrites(tmp_path: Path) -> None:
    """A folder that holds one of the files is refused and stays as it is; other files don't matter."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "package.json").write_text("{}")
    with pytest.raises(PackageError, match=r"package.json is already there"):
        new_workflow(tmp_path, "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.txt", "package.json"]
    (tmp_path / "package.json").unlink()
    new_workflow(tmp_path, "x")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["1a", "-a", "a-", "a b", "a/b", "é", "a" * 64, "a\n"])
def test_workflow_names(tmp_path: Path, name: str) -> None:
    """A name that a container can't have is refused before anything is written."""
    with pytest.raises(PackageError) as caught:
        new_workflow(tmp_path / "w", name)
    assert caught.value.hint
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("folder", "name"), [("2024 plan", "Workflow-2024-plan"), ("été!", "t"), ("___", "Workflow"), ("a" * 80, "a" * 63)]
)
def test_name_of_folder(tmp_path: Path, folder: str, name: str) -> None:
    """Without a name the Workflow is called as its folder, as far as that goes."""
    assert read_package(new_workflow(tmp_path / folder) / "package.json").name == name


def test_add(tmp_path: Path) -> None:
    """A new Query, Base library or Agent is valid Python, listed, and found under its name."""
    package_file = new_workflow(tmp_path / "w") / "package.json"
    query = add_query(package_file, "pricing")
    base = add_base(package_file, "curves")
    agent = add_agent(package_file, "hourly")
    assert agent == tmp_path / "w/Agents/hourly.py"
    assert (query, base) == (tmp_path / "w/Queries/pricing.py", tmp_path / "w/Base/curves.py")
    package = read_package(package_file)
    assert [(q.id, q.name) for q in package.queries] == [("pyapi", "pyapi.py"), ("pricing", "pricing.py")]
    assert [b.name for b in package.base] == ["Base/library.py", "Base/curves.py"]
    assert update_package(package_file).queries == package.queries
    assert [a.name for a in package.agents] == ["hourly.py"]
    for file in (query, base, agent):
        assert any(isinstance(node, ast.FunctionDef) for node in ast.parse(file.read_text()).body)
    assert "/pricing/" in query.read_text()
    assert validate(tmp_path / "w", environ={}) == ()


@pytest.mark.parametrize("name", ["1a", "a-b", "a b", "class", "../a", "", "pyapi"])
def test_query_names(tmp_path: Path, name: str) -> None:
    """A name that can't be a module, or is taken, is refused with a next step."""
    package_file = new_workflow(tmp_path / "w") / "package.json"
    before = package_file.read_bytes()
    with pytest.raises(PackageError) as caught:
        add_query(package_file, name)
    assert caught.value.hint
    assert package_file.read_bytes() == before


def test_base_name_must_not_hide_a_module(tmp_path: Path) -> None:
    """``Base/json.py`` would be what `import json` finds."""
    with pytest.raises(PackageError, match="hide Python's own module"):
        add_base(new_workflow(tmp_path / "w") / "package.json", "json")


def test_unknown_language(tmp_path: Path) -> None:
    """A language without a template names the one that was probably meant."""
    with pytest.raises(PackageError) as caught:
        add_query(new_workflow(tmp_path / "w") / "package.json", "a", "pyton")
    assert caught.value.hint == "did you mean python?"
