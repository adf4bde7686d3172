"""Bundles that were made to do harm: each is refused, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.deploy.bundle import Bundle, pack
from coflows_jupyter.deploy.manifest import MANIFEST, Content, Limits, Manifest
from coflows_jupyter.deploy.unpack import unpack
from coflows_jupyter.errors import BundleError
from tests.deploy.workflows import workflow

Change = Callable[[zipfile.ZipInfo], object]


def crafted(*members: tuple[str, bytes] | tuple[str, bytes, Change], manifest: bytes | None = None) -> bytes:
    """Return a zip of these members after package.json, with a manifest that is true unless it is given."""
    stream = io.BytesIO()
    everything: list[Any] = [("package.json", b"{}"), *members]
    true = Manifest(1, {name: Content.of(content) for name, content, *_ in everything}).encode()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, *changes in [(MANIFEST, true if manifest is None else manifest), *everything]:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for change in changes:
                change(info)
            archive.writestr(info, content)
    return stream.getvalue()


def refused(data: bytes, folder: Path, limits: Limits = Limits()) -> str:  # noqa: B008 - frozen
    """Return why a bundle is refused; nothing may be left of it."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(BundleError) as caught:
        unpack(data, folder / "new", limits)
    assert sorted(folder.rglob("*")) == before
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "Files/../../x",
        "Files/./x",
        "Files//x",
        "/etc/x",
        "C:/x",
        "C:x",
        "a\\..\\x",
        "\\\\server\\share",
        "Files/x\n",
        "Files/x ",
        "Files/x.",
        "Files/nul",
        "Files/COM1.txt",
        "Files/con .py",
        "Files/x:stream",
        "Files/" + "x" * 240,
        "Files/\x7f",
        "coflows_config.json",
        "Coflows_Config.JSON",
        "quantapp_config.json",
        "COFLOWS-manifest.json",
    ],
)
def test_a_path_that_leads_elsewhere_or_means_more_is_refused(tmp_path: Path, name: str) -> None:
    """Ways out of the folder, devices, streams and names that are the server's own."""
    assert "is not allowed in a bundle" in refused(crafted((name, b"x")), tmp_path)


def test_a_null_character_is_refused(tmp_path: Path) -> None:
    """``zipfile`` would cut the name there, and check another than it writes."""
    data = crafted(("Files/a.py~evil", b"x")).replace(b"Files/a.py~evil", b"Files/a.py\0evil")
    assert "is not allowed in a bundle" in refused(data, tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK, stat.S_IFDIR, stat.S_IFSOCK])
def test_anything_but_a_plain_file_is_refused(tmp_path: Path, kind: int) -> None:
    """Links lead out of the folder; devices and pipes hang who reads them."""

    def change(info: zipfile.ZipInfo) -> None:
        info.create_system, info.external_attr = 3, (kind | 0o644) << 16

    assert "only plain files are" in refused(crafted(("Files/x", b"/etc/passwd", change)), tmp_path)


def test_an_entry_for_a_folder_is_refused(tmp_path: Path) -> None:
    """Folders follow from the files in them."""
    assert "is not allowed in a bundle" in refused(crafted(("Files/", b"")), tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two counts is a matter of taste, so a check could see the other."""
    assert "is twice in the bundle" in refused(crafted(("Files/x", b"1"), ("Files/x", b"2")), tmp_path)


@pytest.mark.parametrize(("one", "two"), [("a", "A"), ("straße", "STRASSE"), ("é", "e\u0301"), ("a", "a/b")])
def test_files_that_are_one_on_some_disk_are_refused(tmp_path: Path, one: str, two: str) -> None:
    """Letters of another size, another spelling of an accent, and a file that is a folder too."""
    assert "some disks take it for another" in refused(crafted((one, b"1"), (two, b"2")), tmp_path)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    """60 MB of zeros are within every other limit and take a few kilobytes to send."""
    assert "looks like a zip bomb" in refused(crafted(("Files/zeros", bytes(60_000_000))), tmp_path)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(packed=100), "has more than 100 bytes"),
        (Limits(file=1000), "it has more than 1000 bytes"),
        (Limits(total=3000), "has more than 3000 bytes when unpacked"),
        (Limits(files=2), "has more than 2 files"),
    ],
)
def test_every_limit_holds(tmp_path: Path, limits: Limits, message: str) -> None:
    """The same bundle is taken with the usual limits."""
    data = crafted(*((f"Files/{n}", n.encode() * 1500) for n in "abc"))
    assert message in refused(data, tmp_path, limits)
    unpack(data, tmp_path / "taken")


def test_many_entries_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """A directory that says it has few entries but has many bytes isn't read at all."""
    data = bytearray(crafted(*((f"Files/{n}", b"") for n in range(400))))
    data[-14:-10] = struct.pack("<2H", 5, 5)
    assert "directory is too large" in refused(bytes(data), tmp_path, Limits(files=10))
    data[-14:-10] = struct.pack("<2H", 400, 400)
    assert "contradicts itself" in refused(bytes(data), tmp_path)


def test_encrypted_and_oddly_compressed_files_are_refused(tmp_path: Path) -> None:
    """What can't be looked at isn't kept; LZMA and bzip2 have ratios that no limit fits."""
    data = bytearray(crafted(("Files/x", b"x")))
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "it is encrypted" in refused(bytes(data), tmp_path)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):

        def change(info: zipfile.ZipInfo, method: int = method) -> None:
            info.compress_type = method

        assert "compressed in a way" in refused(crafted(("Files/x", b"x", change)), tmp_path)


def test_files_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """Overlapping members make a small zip huge without any of them having a striking ratio."""
    data = bytearray(crafted(("Files/a", b"x" * 500), ("Files/b", b"x" * 500)))
    second = data.rindex(b"PK\x01\x02")
    first = data.rindex(b"PK\x01\x02", 0, second)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    assert "shares bytes" in refused(bytes(data), tmp_path)


def test_a_header_that_lies_about_the_size_is_refused(tmp_path: Path) -> None:
    """No more is unpacked than was checked."""
    data = bytearray(crafted(("Files/x", b"x" * 5000)))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<L", 10)
    assert "Files/x" in refused(bytes(data), tmp_path)


def test_wrong_content_is_refused(tmp_path: Path) -> None:
    """A digest, a missing file and one too many: the manifest is the whole truth."""
    right = {"package.json": Content.of(b"{}"), "Files/x": Content.of(b"x")}
    for files, message in (
        (right | {"Files/x": Content.of(b"y")}, "is not what the bundle's manifest says"),
        (right | {"Files/y": Content.of(b"")}, "Files/y is missing from the bundle"),
        ({"package.json": right["package.json"]}, f"Files/x is in the bundle but not in its {MANIFEST}"),
        ({"Files/x": right["Files/x"]}, "package.json is missing"),
    ):
        assert message in refused(crafted(("Files/x", b"x"), manifest=Manifest(1, files).encode()), tmp_path)


@pytest.mark.parametrize(
    "manifest",
    [b"", b"{", b"[]", b'{"format":2,"files":{}}', b'{"format":1,"files":{"package.json":1}}', b"\xff", b"[" * 50_000],
)
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, manifest: bytes) -> None:
    """So is one of another format."""
    assert f"{MANIFEST} can't be read" in refused(crafted(manifest=manifest), tmp_path)


def test_a_manifest_has_one_spelling(tmp_path: Path) -> None:
    """Otherwise one content had many names."""
    text = json.dumps({"format": 1, "files": {"package.json": {"size": 2, "sha256": Content.of(b"{}").sha256}}})
    assert "isn't written as manifests are" in refused(crafted(manifest=text.encode()), tmp_path)


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    """Neither nothing, nor text, nor a zip without a manifest, nor one with bytes behind it."""
    good = crafted()
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("package.json", "{}")
    for data in (b"", b"hello", plain.getvalue(), good + b"x", good[:-1], b"PK\x05\x06" + bytes(18)):
        assert "this is no bundle" in refused(data, tmp_path)


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    """Not even an empty one: what is unpacked is what was sent and nothing else."""
    (tmp_path / "there").mkdir()
    with pytest.raises(FileExistsError):
        unpack(crafted(), tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []


def test_only_its_owner_can_read_what_is_unpacked(tmp_path: Path) -> None:
    """Others on the server have no business in a Workflow."""
    unpack(crafted(("Files/x", b"x")), tmp_path / "new")
    assert [path.stat().st_mode & 0o077 for path in ((tmp_path / "new"), tmp_path / "new/Files/x")] == [0, 0]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A good bundle."""
    return pack(*workflow(tmp_path_factory.mktemp("here"), {"Queries/a.py": "x = 1\n" * 9, "Files/b": "b"}))


@given(st.data())
def test_any_damage_is_refused_or_without_effect(bundle: Bundle, data: st.DataObject) -> None:
    """A bundle with any bytes changed gives a ``BundleError`` or the very same files; never anything else."""
    damaged = bytearray(bundle.data)
    places = st.integers(0, len(damaged) - 1)
    for at, value in data.draw(st.dictionaries(places, st.integers(0, 255), min_size=1, max_size=4)).items():
        damaged[at] = value
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "there"
        try:
            manifest = unpack(bytes(damaged), there)
        except BundleError:
            assert not list(Path(folder).iterdir())
        else:
            assert manifest == bundle.manifest
