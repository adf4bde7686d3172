"""Workflows whose files are in the lists of their package."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.deploy.inline import KEPT, unfold
from coflows_jupyter.errors import BundleError

NAMES = st.text("abcXYZ09_-é", min_size=1, max_size=20)


@given(st.dictionaries(NAMES, st.text()), st.dictionaries(NAMES, st.binary()))
def test_files_come_out_as_they_went_in(texts: dict[str, str], data: dict[str, bytes]) -> None:
    """Sources and other files are found at the paths that package.json then has."""
    package = {
        "ID": "w",
        "Queries": [{"Name": f"{name}.py", "Content": text} for name, text in texts.items()],
        "Files": [{"Name": name, "Content": base64.b64encode(content).decode()} for name, content in data.items()],
    }
    files = unfold(package, lambda _path: b"")
    written = json.loads(files.pop("package.json"))
    assert files == {f"Queries/{n}.py": t.encode() for n, t in texts.items()} | {
        f"Files/{n}": c for n, c in data.items()
    }
    assert {entry["Content"] for key in ("Queries", "Files") for entry in written[key]} == set(files)


def test_what_the_server_has_is_asked_for() -> None:
    """The original's marker stands for what is stored."""
    package = {"Base": [{"Name": "Base/a.py", "Content": KEPT}], "ReadMe": "# Hello"}
    files = unfold(package, lambda path: path.encode())
    assert files["Base/a.py"] == b"Base/a.py"
    assert json.loads(files["package.json"])["ReadMe"] == "README.md"
    assert files["README.md"] == b"# Hello"


@pytest.mark.parametrize(
    "package",
    [
        {"Files": [{"Name": "../x", "Content": ""}]},
        {"Base": [{"Name": "/etc/x", "Content": ""}]},
        {"Queries": [{"Content": "text"}]},
        {"Files": [{"Name": "x", "Content": "no Base64"}]},
        {"Files": "x"},
        {"Files": ["x"]},
    ],
)
def test_what_cannot_be_meant_is_refused(package: dict[str, object]) -> None:
    """Names that lead elsewhere, and what is no content."""
    with pytest.raises(BundleError):
        unfold(package, lambda _path: b"")
