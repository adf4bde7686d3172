"""NuGets of package.json, restored by the real SDK from a folder of real packages; skipped where there is no SDK."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from coflows_jupyter.build.dependencies import nugets
from coflows_jupyter.build.dependencies.lock import LOCK_NAME, write_pips
from coflows_jupyter.build.dependencies.nugets import NO_DOTNET, NuGets, Provided, add_nuget, ready
from coflows_jupyter.build.dependencies.restore import Restore, Source, nuget_config
from coflows_jupyter.config import load_config
from coflows_jupyter.errors import BuildError, NotReadyError, PackageError
from coflows_jupyter.runtimes import dotnet
from coflows_jupyter.runtimes.dotnet import here
from coflows_jupyter.workflow.package import Package, read_package
from tests.conftest import ROOT

FEED = ROOT.parent / "shared" / "dotnet" / "feed"
NOWHERE = Source("https://127.0.0.1:9/v3/index.json")
SQLITE = ("Microsoft.Data.Sqlite", "10.0.15")
JSON = ("Newtonsoft.Json", "13.0.3")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the cache of a user, which has what the tests before have restored."""
    if isinstance(found := here(), str) or not FEED.is_dir():
        pytest.skip(str(found) if isinstance(found, str) else f"needs {FEED}")
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.setenv("NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT", "1")  # else what is unreachable takes seconds
        yield folder / "coflows" / "nugets"


Wants = Callable[..., Package]


@pytest.fixture
def wants(tmp_path: Path) -> Wants:
    """Return a function that writes a package.json with these NuGets, each on a line of its own, and reads it."""

    def write(*packages: tuple[str, str]) -> Package:
        document = {"ID": "wid", "NuGets": [{"ID": name, "Version": version} for name, version in packages]}
        file = tmp_path / "package.json"
        file.write_text(json.dumps(document, indent=1))
        return read_package(file)

    return write


def provide(package: Package, *sources: Source, steps: list[str] | None = None) -> Provided:
    """Restore from the feed."""
    on_step = (steps if steps is not None else []).append
    return NuGets(lambda: list(sources) or [Source(str(FEED))]).provide(package, on_step)


def names(paths: tuple[str, ...]) -> list[str]:
    """Return the names of files."""
    return sorted(Path(path).name for path in paths)


def line_of(package: Package, text: str) -> int:
    """Return the line of package.json that holds a text."""
    lines = package.file.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.fixture
def no_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when something is restored."""
    monkeypatch.setattr(Restore, "run", lambda *_, **__: pytest.fail("dotnet was started"))


def test_with_all_that_it_needs(cache: Path, wants: Wants, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a package needs comes along, machine code for this system too; a second time nothing is started."""
    package, steps = wants(SQLITE), list[str]()
    assert ready(package) is None
    provided = provide(package, steps=steps)
    assert names(provided.packages.references) == names(provided.packages.managed)
    assert names(provided.packages.managed) == [
        "Microsoft.Data.Sqlite.dll",
        "SQLitePCLRaw.batteries_v2.dll",
        "SQLitePCLRaw.core.dll",
        "SQLitePCLRaw.provider.e_sqlite3.dll",
    ]
    assert names(provided.packages.natives) == ["libe_sqlite3.so"]
    assert steps[0] == "restoring NuGets"
    assert "restoring NuGets: SQLitePCLRaw.core 2.1.13" in steps
    lock = (package.folder / LOCK_NAME).read_text()
    assert lock.count(" sha512:") == 6
    assert "# Microsoft.Data.Sqlite 10.0.15 sha512:" in lock
    monkeypatch.setattr(Restore, "run", lambda *_, **__: pytest.fail("dotnet was started"))
    assert provide(package) == ready(package) == provided
    assert not list(cache.glob("restore.*/"))


def test_without_a_network(cache: Path, wants: Wants) -> None:
    """What the lock names is restored again from the cache alone; what is not there is named, at its line."""
    package = wants(SQLITE)
    provided = provide(package)
    shutil.rmtree(cache / "results")
    assert provide(package, NOWHERE) == provided
    core = cache / "packages" / "sqlitepclraw.core"
    core.rename(cache / "aside")
    try:
        assert ready(package) is None
        with pytest.raises(BuildError) as caught:
            provide(package, NOWHERE)
    finally:
        (cache / "aside").rename(core)
    (found,) = caught.value.diagnostics
    assert "SQLitePCLRaw.core 2.1.13 is not in this computer's cache, and Unable to load" in found.message
    assert NOWHERE.url in found.message
    assert (found.file, found.line) == (str(package.file), line_of(package, "NuGets"))
    with pytest.raises(BuildError, match=r"^YamlDotNet is not in this computer's cache, and ") as caught:
        provide(wants(SQLITE, ("YamlDotNet", "16.3.0")), NOWHERE)
    assert caught.value.diagnostics[0].line == line_of(package, "YamlDotNet")


def test_another_version(cache: Path, wants: Wants) -> None:
    """A changed list is resolved anew, and each version is a file of its own; Pips in the lock stay."""
    old = provide(package := wants((JSON[0], "12.0.3")))
    write_pips(package.folder, "x", "six==1.17.0\n")
    new = provide(package := wants(JSON))
    assert old.packages.managed != new.packages.managed
    assert names(new.packages.managed) == ["Newtonsoft.Json.dll"]
    lock = (package.folder / LOCK_NAME).read_text()
    assert "# Newtonsoft.Json 13.0.3 sha512:" in lock
    assert "12.0.3" not in lock
    assert "\nsix==1.17.0\n" in lock


def test_another_content(cache: Path, wants: Wants) -> None:
    """A package that is not what the lock says is refused, at its line; nothing of it is used."""
    provide(package := wants(JSON))
    lock = package.folder / LOCK_NAME
    lock.write_text(lock.read_text().replace("sha512:", "sha512:x"))
    with pytest.raises(BuildError) as caught:
        provide(package)
    (found,) = caught.value.diagnostics
    assert found.message.startswith("Newtonsoft.Json 13.0.3 is not the package that coflows.lock names: its hash is ")
    assert (found.line, found.code) == (line_of(package, "Newtonsoft"), "hash")
    assert str(cache / "packages" / "newtonsoft.json") in found.hint
    assert ready(package) is None


def test_no_such_package(cache: Path, wants: Wants) -> None:
    """NuGet's reason is at the line of the package that it is about, each at its own."""
    package = wants((JSON[0], "99.0"), ("No.Such.Package", "1.0"))
    with pytest.raises(BuildError) as caught:
        provide(package)
    first, second = caught.value.diagnostics
    assert first.message.startswith("Unable to find package Newtonsoft.Json with version (>= 99.0.0)")
    assert first.line == line_of(package, "Newtonsoft")
    assert second.message.startswith("Unable to find package No.Such.Package.")
    assert second.line == line_of(package, "No.Such.Package")
    assert not (package.folder / LOCK_NAME).exists()


@pytest.mark.parametrize(
    ("packages", "reason"),
    [
        ([("two words", "1.0")], "is no name"),
        ([('x"/>', "1.0")], "is no name"),
        ([("Some", '1.0"/><Exec')], "is no version"),
        ([("Some", "$(HOME)")], "is no version"),
        ([("Some", "1.0"), ("some", "2.0")], "some is there twice"),
    ],
)
def test_what_is_no_nuget(
    cache: Path, wants: Wants, no_restore: None, packages: list[tuple[str, str]], reason: str
) -> None:
    """Nothing that means something to MSBuild gets there."""
    with pytest.raises(BuildError, match=reason) as caught:
        provide(wants(*packages))
    assert caught.value.diagnostics[0].line > 1


def test_no_sdk(wants: Wants, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without .NET the list has a finding that says how to install it; without NuGets nobody asks."""
    monkeypatch.setattr(dotnet, "here", lambda: "there is no .NET SDK on this computer")
    assert provide(wants()) == Provided()
    with pytest.raises(BuildError, match=r"there is no \.NET SDK") as caught:
        provide(package := wants(JSON))
    (found,) = caught.value.diagnostics
    assert (found.code, found.line) == (NO_DOTNET, line_of(package, "NuGets"))
    assert "install a .NET SDK" in found.hint


def test_closing_ends_it(cache: Path, wants: Wants) -> None:
    """What is restored when a Workflow is closed does not go on."""
    provider = NuGets(lambda: [Source(str(FEED))])
    with pytest.raises(NotReadyError):
        provider.provide(wants(("NodaTime", "3.3.4")), lambda _: provider.close())


def test_adding_one(cache: Path, wants: Wants) -> None:
    """The newest version is written down; where it can't be had, nothing changes."""
    package = wants()
    config = package.folder / "coflows_config.json"
    config.write_text(json.dumps({"Workflow": "package.json", "NuGet": {"Feeds": [str(FEED)]}}))
    assert add_nuget(load_config(config, environ={}), JSON[0], "") == JSON[1]
    text = package.file.read_text()
    assert json.loads(text)["NuGets"] == [{"ID": JSON[0], "Version": JSON[1]}]
    assert ready(read_package(package.file)) is not None
    with pytest.raises(PackageError, match="already in NuGets"):
        add_nuget(load_config(config, environ={}), "newtonsoft.json", "")
    with pytest.raises(BuildError, match=r"Unable to find package No\.Such"):
        add_nuget(load_config(config, environ={}), "No.Such", "")
    assert package.file.read_text() == text


def test_feeds_of_the_configuration(tmp_path: Path) -> None:
    """A folder is relative to the configuration; a key may come from the environment, and is written to no file."""
    feed = {"Url": "https://feed.example.com/v3/index.json", "User": "me", "Key": "${FEED_KEY}"}
    config = tmp_path / "coflows_config.json"
    config.write_text(json.dumps({"NuGet": {"Feeds": ["packages", feed]}}))
    folder, private = nugets.sources(load_config(config, environ={"FEED_KEY": "secret-text"}))
    assert folder == Source(str(tmp_path / "packages"))
    assert private == Source(feed["Url"], "me", "secret-text")
    text = nuget_config([folder, private])
    assert "secret-text" not in text
    (credentials,) = ET.fromstring(text).findall("packageSourceCredentials/*")  # noqa: S314  (our own text)
    assert credentials.tag.startswith("https_x003A__x002F__x002F_feed")
