"""Reading package.json and keeping it up to date."""

from __future__ import annotations

import json
import os
import stat
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.errors import PackageError
from coflows_jupyter.jsonc import parse
from coflows_jupyter.workflow.editing import Editor
from coflows_jupyter.workflow.listing import update_package
from coflows_jupyter.workflow.package import Package, read_package

FULL = {
    "ID": "b2f0",
    "Name": "Sample",
    "Base": [{"Name": "Base/a.py", "Content": "Base/a.py"}],
    "Agents": [{"Name": "agent", "Content": "Agents/agent.py", "Exe": "main"}],
    "Queries": [{"Name": "My Query", "Content": "Queries/q.py", "ID": "q"}],
    "Permissions": [{"ID": "john@doe.com", "Permission": 2}],
    "NuGets": [{"ID": "Newtonsoft.Json", "Version": "13.0.3"}],
    "Pips": [{"ID": "pandas==2.0"}],
    "Jars": [{"Url": "https://example.com/a.jar"}],
    "Bins": None,
    "Files": None,
    "ReadMe": "README.md",
    "Publisher": None,
    "PublishTimestamp": "0001-01-01T00:00:00",
    "AutoDeploy": False,
    "Container": {
        "Type": "x",
        "Request": {"Cpu": "500m", "Mem": "200Mi"},
        "Limit": {"Cpu": "2", "Mem": "50Gi"},
        "VolumeMounts": [{"MountPath": "/data", "Name": "data", "SubPath": ""}],
        "Storage": "1Gi",
    },
}


def write(folder: Path, content: dict[str, Any] | str, *files: str) -> Path:
    """Write a package.json and empty files beside it."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    file = folder / "package.json"
    file.write_bytes((content if isinstance(content, str) else json.dumps(content, indent=2)).encode())
    return file


def test_every_field(tmp_path: Path) -> None:
    """All fields of the original are read, ``Container`` as ``resources``."""
    package = read_package(write(tmp_path, FULL, "README.md"))
    assert (package.id, package.name, package.folder) == ("b2f0", "Sample", tmp_path)
    assert [(e.name, e.content) for e in package.base] == [("Base/a.py", "Base/a.py")]
    assert [(e.name, e.content, e.exe) for e in package.agents] == [("agent", "Agents/agent.py", "main")]
    assert [(e.name, e.content, e.id) for e in package.queries] == [("My Query", "Queries/q.py", "q")]
    assert [(p.id, p.permission) for p in package.permissions] == [("john@doe.com", 2)]
    assert [(n.id, n.version) for n in package.nugets] == [("Newtonsoft.Json", "13.0.3")]
    assert [p.id for p in package.pips] == ["pandas==2.0"]
    assert [j.url for j in package.jars] == ["https://example.com/a.jar"]
    assert (package.bins, package.files, package.read_me, package.publisher) == ((), (), "README.md", "")
    resources = package.resources
    assert (resources.request.cpu, resources.request.mem) == (0.5, 200 * 1024**2)
    assert (resources.limit.cpu, resources.limit.mem, resources.storage) == (2, 50 * 1024**3, 1024**3)
    assert resources.volume_mounts[0].mount_path == "/data"
    assert package.diagnostics == ()


def test_almost_nothing_is_needed(tmp_path: Path) -> None:
    """A name comes from the folder, entries take theirs from the file, ``null`` means nothing."""
    package = read_package(write(tmp_path, {"Base": None, "Queries": [{"Content": "Queries/a.py"}], "Resources": {}}))
    assert (package.id, package.name) == ("", tmp_path.name)
    assert (package.queries[0].name, package.queries[0].id) == ("a.py", "a.py")
    assert package.resources.limit.cpu is None


def test_unknown_fields_are_fine_unless_misspelt(tmp_path: Path) -> None:
    """A field of somebody else's is no mistake; one that looks like ours gets a warning."""
    package = read_package(write(tmp_path, {"scripts": {}, "Querys": [], "Files": [{"Content": "x", "name": "y"}]}))
    assert [(d.severity, d.hint) for d in package.diagnostics] == [
        ("warning", 'did you mean "Queries"?'),
        ("warning", 'write "Name"'),
    ]


# ---------------------------------------------------------------------------------------------- update


def update(folder: Path, content: dict[str, Any] | str, *files: str) -> tuple[Package, str]:
    """Write, update, and return the package and the new text."""
    file = write(folder, content, *files)
    package = update_package(file)
    return package, file.read_bytes().decode()


def test_missing_id_is_written_back(tmp_path: Path) -> None:
    """An empty ID becomes a GUID, in its place, and stays the same from then on."""
    package, text = update(tmp_path, '{\n  // who\n  "ID": "",\n  "Name": "x"\n}\n')
    assert str(uuid.UUID(package.id)) == package.id
    assert text == f'{{\n  // who\n  "ID": "{package.id}",\n  "Name": "x"\n}}\n'
    assert update_package(tmp_path / "package.json").id == package.id


@pytest.mark.parametrize("text", ["{}", '{"Name": "x"}', '{\n\t"Name": "x", // why\n}\n', '{"ID": null}'])
def test_id_is_added_anywhere(tmp_path: Path, text: str) -> None:
    """The ID is added to any document, which stays readable."""
    package, written = update(tmp_path, text)
    assert parse(written, "x").value["ID"] == package.id
    assert ("// why" in written) == ("// why" in text)


def test_found_files_are_listed_as_the_original_does(tmp_path: Path) -> None:
    """New files come after the listed ones under the original's names; nothing that tools leave behind is listed."""
    package, text = update(
        tmp_path,
        {"ID": "w", "Queries": [{"Name": "Old", "Content": "mnt/Queries/old.py", "ID": "o", "Extra": 1}], "Zed": [1]},
        *("Base/lib/a.py", "Base/b.cs", "Base/bin/x.cs", "Base/obj/y.cs", "Base/__pycache__/a.pyc", "Base/.DS_Store"),
        *("Queries/old.py", "Queries/new.py", "Queries/.ipynb_checkpoints/z.py", "Queries/c.pyc", "Queries/new.py~"),
        *("Agents/ag.py", "Files/n.ipynb", "Files/sub/d.csv", "Files/.hidden", "Bins/l.dll", "other.py"),
    )
    assert list(json.loads(text)) == ["ID", "Queries", "Zed", "Base", "Agents", "Bins", "Files"]
    assert json.loads(text) == {
        "ID": "w",
        "Queries": [
            {"Name": "Old", "Content": "mnt/Queries/old.py", "ID": "o", "Extra": 1},
            {"Name": "new.py", "Content": "Queries/new.py", "ID": "new.py"},
        ],
        "Zed": [1],
        "Base": [
            {"Name": "b.cs", "Content": "Base/b.cs"},
            {"Name": "Base/lib/a.py", "Content": "Base/lib/a.py"},
        ],
        "Agents": [{"Name": "ag.py", "Content": "Agents/ag.py", "Exe": "pkg"}],
        "Bins": [{"Name": "l.dll", "Content": "Bins/l.dll"}],
        "Files": [{"Name": "n.ipynb", "Content": "Files/n.ipynb"}, {"Name": "sub/d.csv", "Content": "Files/sub/d.csv"}],
    }
    assert [q.id for q in package.queries] == ["o", "new.py"]


def test_entries_are_never_deleted_but_files_are_rebuilt(tmp_path: Path) -> None:
    """A source entry whose file is gone stays, for the user to see; ``Files`` follow what is there."""
    gone = [{"Name": "gone", "Content": "Base/gone.py", "ID": "g"}]
    files = [{"Name": "gone", "Content": "Files/gone"}, {"Name": "Kept", "Content": "Files/kept", "Extra": 1}]
    _, text = update(tmp_path, {"ID": "w", "Base": gone, "Queries": gone, "Files": files}, "Files/kept", "Files/new")
    content = json.loads(text)
    assert content["Base"] == content["Queries"] == gone
    assert content["Files"] == [files[1], {"Name": "new", "Content": "Files/new"}]


def test_up_to_date_file_is_not_touched(tmp_path: Path) -> None:
    """When there is nothing to change neither the bytes nor the time of the file change."""
    file = write(tmp_path, {"ID": "w", "Base": [{"Name": "a", "Content": "Base/a.py"}]}, "Base/a.py")
    os.utime(file, ns=(1, 1))
    inode = file.stat().st_ino
    update_package(file)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (1, inode)


def test_style_of_the_file_is_kept(tmp_path: Path) -> None:
    """Byte order mark, line ends, indentation, comments and one-line entries stay as they are."""
    text = '\ufeff{\r\n\t"ID": "w", // id\r\n\t"Base": [\r\n\t\t{"Content": "Base/a.py"} /* a */\r\n\t]\r\n}'
    _, written = update(tmp_path, text, "Base/a.py", "Base/b.py")
    new = '{"Name": "Base/b.py", "Content": "Base/b.py"}'
    assert written == text.replace('a.py"} /*', f'a.py"}},\r\n\t\t{new} /*')


def test_mode_and_link_are_kept(tmp_path: Path) -> None:
    """Writing keeps the file's mode, goes through a link, and leaves no temporary file."""
    (tmp_path / "real").mkdir()
    real = write(tmp_path / "real", "{}")
    real.chmod(0o640)
    link = tmp_path / "package.json"
    link.symlink_to(real)
    package = update_package(link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert read_package(real).id == package.id
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["package.json", "package.json", "real"]


def test_unwritable_folder_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Workflow in a read-only place still opens, with an ID for this process."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Tests may run as root, whom no mode bit stops.
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    package, text = update(tmp_path, "{}")
    assert text == "{}"
    assert package.id
    assert [(d.severity, d.code) for d in package.diagnostics] == [("warning", "read-only")]


def test_links_that_lead_out_are_not_listed(tmp_path: Path) -> None:
    """A found file that is a link to somewhere else is passed over."""
    (tmp_path / "outside.py").touch()
    folder = tmp_path / "w"
    folder.mkdir()
    file = write(folder, {"ID": "w"}, "Base/a.py")
    (folder / "Base" / "b.py").symlink_to(tmp_path / "outside.py")
    assert [e.content for e in update_package(file).base] == ["Base/a.py"]


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
ITEMS = st.lists(st.dictionaries(NAMES, NAMES, max_size=3), max_size=3)


@given(
    st.dictionaries(st.sampled_from("abcd"), ITEMS | st.none()),
    st.dictionaries(st.sampled_from("abcdef"), ITEMS.filter(bool), min_size=1),
    st.sampled_from([None, 1, 4, "\t"]),
)
def test_edited_document_is_the_edited_value(before: dict[str, Any], more: dict[str, Any], indent: Any) -> None:
    """Appending to lists of the text is appending to lists of the value, in any layout."""
    document = parse(json.dumps(before, indent=indent), "x.json")
    editor = Editor(document)
    for key, items in more.items():
        editor.append(key, items)
    changed = parse(editor.result(), "x.json")
    assert changed.diagnostics == []
    assert changed.value == before | {key: (before.get(key) or []) + items for key, items in more.items()}


FIELDS = st.sampled_from(
    """
    ID Name Base Queries Agents Files Bins Content Exe
    Permissions Permission Pips Container Resources Request Limit Cpu Mem
    Storage ReadMe AutoDeploy x
    """.split()  # noqa: SIM905 - shorter than a list
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just("Base/a.py")


@given(
    st.dictionaries(
        FIELDS,
        st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner), max_leaves=9),
    )
)
def test_any_content_is_updated_or_refused(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    """Whatever the file holds, nothing but PackageError is raised, and an update keeps all keys and needs no second."""
    folder = tmp_path_factory.mktemp("w", numbered=True)
    file = write(folder, json.dumps(content).replace("Infinity", "1e999"), "Base/a.py", "Files/b")
    try:
        package = update_package(file)
    except PackageError as error:
        assert all(d.line and d.hint for d in error.diagnostics)  # noqa: PT017
        return
    assert list(content) == list(package.document.value)[: len(content)]
    before = file.read_bytes()
    assert update_package(file).id == package.id
    assert file.read_bytes() == before


def test_mistakes_leave_the_file_alone(tmp_path: Path) -> None:
    """A package with mistakes is not rewritten."""
    file = write(tmp_path, '{"ID": "", "Base": 3}')
    with pytest.raises(PackageError):
        update_package(file)
    assert file.read_text() == '{"ID": "", "Base": 3}'
