"""What is found of Java on a computer."""

from __future__ import annotations

from pathlib import Path

import pytest

from coflows_jupyter.runtimes import jdk
from coflows_jupyter.runtimes.jdk import Jdk


@pytest.fixture(autouse=True)
def _nothing_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jdk, "_USUAL", ())


def install(home: Path, version: str, *, machine: bool = True, compiler: bool = True) -> Path:
    """Make what looks like an installed Java."""
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text(f'IMPLEMENTOR="Debian"\nJAVA_VERSION="{version}"\n')
    files = ["bin/java"] * True + ["bin/javac"] * compiler + ["lib/server/libjvm.so"] * machine
    for name in files:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        path.chmod(0o755)
    return home


def test_by_java_home(tmp_path: Path) -> None:
    """JAVA_HOME comes first."""
    home = install(tmp_path / "a", "21.0.4")
    other = install(tmp_path / "b", "17.0.1")

    assert jdk.find({"JAVA_HOME": str(home), "PATH": str(other / "bin")}) == Jdk(
        str(home), 21, str(home / "lib/server/libjvm.so")
    )


def test_by_path(tmp_path: Path) -> None:
    """Without it, what PATH leads to, also through links."""
    home = install(tmp_path / "a", "17.0.1")
    links = tmp_path / "bin"
    links.mkdir()
    (links / "java").symlink_to(home / "bin" / "java")
    found = jdk.find({"PATH": str(links)})

    assert isinstance(found, Jdk)
    assert (found.home, found.version) == (str(home), 17)


@pytest.mark.parametrize(
    ("version", "parts", "sentence"),
    [
        ("1.8.0_392", {}, "Java 8 in {} is too old: version 17 or later is needed"),
        ("11.0.2", {}, "Java 11 in {} is too old: version 17 or later is needed"),
        ("17.0.1", {"compiler": False}, "Java 17 in {} is a JRE, which has no compiler: a JDK is needed"),
        ("17.0.1", {"machine": False}, "Java 17 in {} is incomplete: its virtual machine is missing"),
    ],
)
def test_what_is_missing(tmp_path: Path, version: str, parts: dict[str, bool], sentence: str) -> None:
    """What can't be used is named with its reason."""
    home = install(tmp_path / "a", version, **parts)

    assert jdk.find({"JAVA_HOME": str(home), "PATH": ""}) == sentence.format(home)


def test_a_jre_does_not_hide_a_jdk(tmp_path: Path) -> None:
    """A JDK that is found later is used all the same."""
    jre = install(tmp_path / "a", "17.0.1", compiler=False)
    home = install(tmp_path / "b", "17.0.2")
    found = jdk.find({"JAVA_HOME": str(jre), "PATH": str(home / "bin")})

    assert isinstance(found, Jdk)
    assert found.home == str(home)


def test_nothing() -> None:
    """No Java at all is said as such."""
    assert jdk.find({"PATH": ""}) == "there is no JDK on this computer"
