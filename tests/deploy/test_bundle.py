"""Packing a Workflow: what goes in, what stays, and that the same content gives the same bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coflows_jupyter.deploy.bundle import Bundle, pack
from coflows_jupyter.deploy.manifest import Limits, clash, complaint
from coflows_jupyter.deploy.unpack import unpack
from coflows_jupyter.errors import BundleError
from tests.deploy.workflows import AZURE, workflow

KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n"


def packed(folder: Path, files: Mapping[str, str | bytes], **config: object) -> Bundle:
    """Pack a Workflow with these files."""
    return pack(*workflow(folder, files, **config))


def refusal(folder: Path, files: Mapping[str, str | bytes], limits: Limits = Limits()) -> BundleError:  # noqa: B008
    """Return why a Workflow with these files can't be packed."""
    with pytest.raises(BundleError) as caught:
        pack(*workflow(folder, files), limits)
    return caught.value


def test_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    """Neither place, time, mode nor the order of files on the disk changes a byte; one byte of content does."""
    files: dict[str, str | bytes] = {"Queries/a.py": "1", "Base/b.py": "2", "README.md": "3"}
    first = packed(tmp_path / "one", files)
    package_file, config = workflow(tmp_path / "two", dict(reversed(files.items())))
    (tmp_path / "two" / "README.md").chmod(0o700)
    os.utime(tmp_path / "two" / "README.md", (0, 0))
    second = pack(package_file, config)
    assert (first.data, first.digest) == (second.data, second.digest)
    assert packed(tmp_path / "three", files | {"README.md": "4"}).digest != first.digest


def test_what_is_unpacked_is_what_was_packed_and_packs_alike(tmp_path: Path) -> None:
    """A Workflow that travels twice is still called the same."""
    files: dict[str, str | bytes] = {"Queries/a.py": "1", "Files/Größe 📈.csv": b"\x00\xff", "Files/empty": ""}
    bundle = packed(tmp_path / "here", files)
    manifest = unpack(bundle.data, tmp_path / "there")
    assert manifest == bundle.manifest
    for name, content in files.items():
        expected = content.encode() if isinstance(content, str) else content
        assert (tmp_path / "there" / name).read_bytes() == expected
    assert packed(tmp_path / "there", {}).digest == bundle.digest


def test_nothing_that_opens_other_systems_travels(tmp_path: Path) -> None:
    """Credentials, keys, configurations and databases stay, whatever .coflowsignore says, and are named."""
    secrets: dict[str, str | bytes] = {
        ".env": "A=1",
        "Base/.env.production": "A=1",
        "Files/My.AzureAuth": "{}",
        "Files/azure.txt": "what AuthFile names",
        "Files/service.json": '{"private_key": "x"}',
        "Files/tls/host.pem": KEY,
        "Files/tls/host.key": "",
        "Files/id_rsa": "",
        "dsn": "what a file: reference names",
        "data/store.bin": "the database of the configuration",
        "data/store.bin-wal": "its log",
        "data/old.sqlite3": "",
        "mnt.db": "",
        "quantapp_config.json": "{}",
        "production.json": '{"Server": {"SecretKey" : "x"}}',
    }
    allowed: dict[str, str | bytes] = {
        "Files/tls/ca.pem": "-----BEGIN CERTIFICATE-----",
        "Files/prices.json": "{}",
        "Queries/keys.py": KEY,
    }
    ignore: dict[str, str | bytes] = {".coflowsignore": "".join(f"!{name}\n" for name in secrets)}
    bundle = packed(
        tmp_path,
        secrets | allowed | ignore,
        Database={"Type": "sqlite", "Connection": "data/store.bin"},
        Server={"SecretKey": "file:dsn"},
        AzureContainerInstance=AZURE,
    )
    assert set(bundle.manifest.files) == {*allowed, *ignore, "package.json"}
    assert bundle.left_out == tuple(sorted([*secrets, "coflows_config.json"]))


def test_what_tools_make_anew_stays_without_a_word(tmp_path: Path) -> None:
    """Repositories, environments, caches and executed copies of notebooks aren't packed and aren't worth a line."""
    names = (
        ".git/config",
        ".venv/bin/python",
        "node_modules/x/index.js",
        "Base/__pycache__/a.pyc",
        "Files/.ipynb_checkpoints/a.ipynb",
        ".pytest_cache/x",
        "Runs/a-1.ipynb",
        "Files/.DS_Store",
    )
    bundle = packed(tmp_path, dict.fromkeys(names, "x") | {"Files/Runs/kept.csv": "1"})
    assert set(bundle.manifest.files) == {"package.json", "Files/Runs/kept.csv"}
    assert bundle.left_out == ("coflows_config.json",)


def test_coflowsignore_is_written_like_gitignore(tmp_path: Path) -> None:
    """Order, negation, anchors and folders mean what they mean to git."""
    ignore = "# large\n*.csv\n!keep.csv\n/tests/\nFiles/raw/*\n!Files/raw/a.txt\n"
    names = ("a.csv", "Files/keep.csv", "tests/t.py", "Base/tests/t.py", "Files/raw/a.txt", "Files/raw/b.txt")
    bundle = packed(tmp_path, {".coflowsignore": ignore, **dict.fromkeys(names, "x")})
    assert set(bundle.manifest.files) == {
        ".coflowsignore",
        "package.json",
        "Files/keep.csv",
        "Base/tests/t.py",
        "Files/raw/a.txt",
    }


def test_a_line_that_is_no_pattern_is_named(tmp_path: Path) -> None:
    """A mistake in .coflowsignore names its line; nothing is packed that may have been meant."""
    error = refusal(tmp_path, {".coflowsignore": "*.csv\n!\n"})
    assert str(error) == f"{tmp_path / '.coflowsignore'}:2: '!' is no pattern"


def test_the_package_is_called_package_json(tmp_path: Path) -> None:
    """A Workflow whose package.json has another name here arrives with the usual one."""
    package_file, config = workflow(tmp_path)
    renamed = package_file.rename(tmp_path / "other.json")
    assert set(pack(renamed, config).manifest.files) == {"package.json"}
    package_file.write_text("{}")
    with pytest.raises(BundleError, match=r"there are package\.json and other\.json"):
        pack(renamed, config)


def test_a_link_is_refused_unless_it_stays(tmp_path: Path) -> None:
    """What a link leads to may be anything on this computer, so it doesn't travel by accident."""
    package_file, config = workflow(tmp_path / "w")
    (tmp_path / "outside").mkdir()
    (tmp_path / "w" / "Files").symlink_to(tmp_path / "outside")
    with pytest.raises(BundleError, match="Files can't travel: it is a link") as caught:
        pack(package_file, config)
    assert ".coflowsignore" in caught.value.hint
    (tmp_path / "w" / ".coflowsignore").write_text("/Files\n")
    pack(package_file, config)


@pytest.mark.parametrize("name", ["Files/a:b", "Files/aux.txt", "Files/a.", "Files/ü" + 120 * "ü", "Files/a\\b"])
def test_a_name_that_other_systems_refuse_is_refused_here(tmp_path: Path, name: str) -> None:
    """The user learns it before anything is sent."""
    assert f"{name} can't travel: " in str(refusal(tmp_path, {name: ""}))


def test_names_that_differ_in_case_only_are_refused(tmp_path: Path) -> None:
    """On many disks one would overwrite the other."""
    assert "can't travel" in str(refusal(tmp_path, {"Files/A": "", "Files/a": ""}))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(file=100), "has more than"),
        (Limits(total=1000), "too large to travel"),
        (Limits(packed=300), "too large to travel"),
        (Limits(files=3), "too large to travel"),
    ],
)
def test_limits_are_told_with_the_largest_files(tmp_path: Path, limits: Limits, message: str) -> None:
    """Every limit is checked before anything is sent, and the hint says what to do."""
    error = refusal(tmp_path, {f"Files/{n}": n * 300 for n in "abcde"}, limits)
    assert message in str(error)
    assert "Files/a" in str(error)
    assert ".coflowsignore" in error.hint


def test_what_deflates_like_a_bomb_travels_as_it_is(tmp_path: Path) -> None:
    """A file of zeros is no bomb, and isn't taken for one at the other end."""
    bundle = packed(tmp_path / "here", {"Files/zeros.npy": bytes(1_000_000)})
    unpack(bundle.data, tmp_path / "there")
    assert (tmp_path / "there/Files/zeros.npy").stat().st_size == 1_000_000


PATHS = st.lists(st.text(max_size=6), min_size=1, max_size=4).map("/".join).filter(lambda path: not complaint(path))


def stays(path: str, left_out: Collection[str]) -> bool:
    """Say whether a file, or a folder that it is in, is among those that were left out."""
    parts = path.split("/")
    return any("/".join(parts[:end]) in {name.rstrip("/") for name in left_out} for end in range(1, len(parts) + 1))


@example({"ID_RSA/0": b""})
@given(st.dictionaries(PATHS, st.binary(max_size=200), max_size=6).filter(lambda files: not clash(files)))
def test_any_files_survive_the_journey(files: dict[str, bytes]) -> None:
    """Whatever can be packed unpacks to the same bytes under the same names, in both directions."""
    with tempfile.TemporaryDirectory() as folder:
        here, there = Path(folder) / "here", Path(folder) / "there"
        workflow(here)
        for name, content in files.items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_bytes(content)
        bundle = pack(*workflow(here))
        assert unpack(bundle.data, there) == bundle.manifest
        found = {path.relative_to(there).as_posix(): path.read_bytes() for path in there.rglob("*") if path.is_file()}
        assert found.items() >= {item for item in files.items() if not stays(item[0], bundle.left_out)}
        assert pack(*workflow(there)).data == bundle.data
