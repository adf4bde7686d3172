"""Finding .NET among installations that are made up, and saying how to get one."""

from __future__ import annotations

from pathlib import Path

import pytest

from coflows_jupyter.runtimes import dotnet
from coflows_jupyter.runtimes.dotnet import Dotnet, find, install_command


@pytest.fixture(autouse=True)
def no_usual_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look only where the test says."""
    monkeypatch.setattr(dotnet, "_USUAL", ())


def installation(root: Path, *sdks: str, runtimes: tuple[str, ...] = ()) -> Path:
    """Make the folders of an installation, with a runtime for each SDK unless they are given."""
    for sdk in sdks:
        compiler = root / "sdk" / sdk / "Roslyn" / "bincore"
        compiler.mkdir(parents=True)
        (compiler / "csc.dll").touch()
    for runtime in runtimes or [f"{sdk.partition('.')[0]}.0.1" for sdk in sdks]:
        (root / "shared" / "Microsoft.NETCore.App" / runtime).mkdir(parents=True, exist_ok=True)
    program = root / "dotnet"
    program.touch()
    program.chmod(0o755)
    return root


def test_the_variable_comes_before_the_path(tmp_path: Path) -> None:
    """`DOTNET_ROOT` counts more than the program on `PATH`, which may be a link."""
    named, other = installation(tmp_path / "a", "8.0.100"), installation(tmp_path / "b", "9.0.100")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "dotnet").symlink_to(other / "dotnet")
    path = {"PATH": str(tmp_path / "bin")}
    assert find(path | {"DOTNET_ROOT": str(named)}) == Dotnet(str(named), str(named / "sdk" / "8.0.100"), "8.0.1")
    found = find(path | {"DOTNET_ROOT": ""})
    assert isinstance(found, Dotnet)
    assert (found.root, found.major) == (str(other), 9)


@pytest.mark.parametrize(
    ("sdks", "newest"),
    [
        (("8.0.100", "10.0.401", "9.0.300"), "10.0.401"),
        (("10.0.100-rc.1", "10.0.100"), "10.0.100"),
        (("8.0.9", "8.0.10"), "8.0.10"),
        (("6.0.400", "8.0.100"), "8.0.100"),
    ],
)
def test_the_newest_release(tmp_path: Path, sdks: tuple[str, ...], newest: str) -> None:
    """Versions are compared as numbers, and a preview comes after its release."""
    found = find({"DOTNET_ROOT": str(installation(tmp_path / "net", *sdks))})
    assert isinstance(found, Dotnet)
    assert Path(found.sdk).name == newest


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """Nothing, only a runtime, only old ones, and an SDK without its runtime are told from each other."""
    assert find({"PATH": str(tmp_path)}) == "there is no .NET SDK on this computer"
    bare = installation(tmp_path / "bare", runtimes=("8.0.1",))
    assert find({"DOTNET_ROOT": str(bare)}) == f"there is no .NET SDK in {bare}"
    old = installation(tmp_path / "old", "6.0.400")
    assert "6.0.400 in" in str(find({"DOTNET_ROOT": str(old)}))
    assert "too old: version 8 or later" in str(find({"DOTNET_ROOT": str(old)}))
    torn = installation(tmp_path / "torn", "10.0.401", runtimes=("8.0.1",))
    assert "is incomplete" in str(find({"DOTNET_ROOT": str(torn)}))


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=ubuntu\nID_LIKE=debian\n", "apt-get install dotnet-sdk-10.0"),
        ('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', "apt-get install dotnet-sdk-10.0"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf install dotnet-sdk-10.0"),
        ("ID=debian\n", "dotnet-install.sh | bash"),
        ("nothing", "dotnet-install.sh | bash"),
    ],
)
def test_how_to_install(tmp_path: Path, release: str, command: str) -> None:
    """By the system's own package where it has one, else by Microsoft's script, which needs no root."""
    file = tmp_path / "os-release"
    file.write_text(release)
    assert install_command("linux", file).endswith(command)
    assert install_command("darwin", file).startswith("brew ")
