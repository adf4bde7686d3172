"""Adding a file that is there to package.json."""

from __future__ import annotations

from pathlib import Path

import pytest

from coflows_jupyter.errors import PackageError
from coflows_jupyter.workflow.listing import list_source
from coflows_jupyter.workflow.package import read_package
from coflows_jupyter.workflow.templates import new_workflow


def test_file_is_listed_where_it_is(tmp_path: Path) -> None:
    """The entry names the file by its path, a Query by its stem; the rest of the text stays."""
    package_file = new_workflow(tmp_path / "w") / "package.json"
    (tmp_path / "w" / "lib").mkdir()
    file = tmp_path / "w" / "lib" / "rates.py"
    file.write_text("")
    before = package_file.read_text()
    assert list_source(package_file, "Queries", file) == "rates"
    assert list_source(package_file, "Base", file) == "lib/rates.py"
    package = read_package(package_file)
    assert [(q.id, q.content) for q in package.queries][-1] == ("rates", "lib/rates.py")
    assert package.base[-1].content == "lib/rates.py"
    assert set(before.splitlines()) - set(package_file.read_text().splitlines()) <= {
        line for line in before.splitlines() if "pyapi.py" in line or "library.py" in line
    }


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("Queries/pyapi.py", "already in Queries"),
        ("lib/pyapi.py", "already a Query pyapi"),
        ("Files/start.ipynb", "no source"),
        ("none.py", "no source"),
        ("../outside.py", "outside"),
        ("link.py", "outside"),
    ],
)
def test_what_can_not_be_listed(tmp_path: Path, path: str, why: str) -> None:
    """A file that is no source, elsewhere, also through a link, or there already changes nothing."""
    folder = new_workflow(tmp_path / "w")
    (folder / "lib").mkdir()
    (folder / "lib" / "pyapi.py").write_text("")
    (tmp_path / "outside.py").write_text("")
    (folder / "link.py").symlink_to(tmp_path / "outside.py")
    before = (folder / "package.json").read_bytes()
    file = (folder / path).resolve() if ".." in path else folder / path
    with pytest.raises(PackageError, match=why):
        list_source(folder / "package.json", "Queries", file)
    assert (folder / "package.json").read_bytes() == before
