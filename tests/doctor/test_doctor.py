"""Faults that are seeded one by one: the doctor names each, and the command that mends it."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import coflows_jupyter
from coflows_jupyter.doctor import jupyter
from coflows_jupyter.doctor.examine import CHECKS, Row, examine, see
from coflows_jupyter.doctor.finding import Patient
from coflows_jupyter.runtimes import jdk
from coflows_jupyter.workflow.templates import new_workflow
from tests.cli.conftest import Coflows, coflows
from tests.conftest import PUBLISHED_KEY, RunningServer, secret_key

__all__ = ["coflows"]

DEAD = 2**22 + 1  # more than Linux gives to any process


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated_environ: dict[str, str]) -> Path:
    """Return a new Workflow, in a home of its own."""
    for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, isolated_environ[name])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")  # what the test writes counts more than how .venv was installed
    monkeypatch.setattr(jdk, "_USUAL", ())
    folder = new_workflow(tmp_path / "flow")
    edit(folder, '"Port": 8888', f'"Port": {free_port()}')
    return folder


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def edit(folder: Path, old: str, new: str, file: str = "coflows_config.json") -> None:
    """Replace a text that has to be there."""
    text = (folder / file).read_text()
    assert old in text, text
    (folder / file).write_text(text.replace(old, new))


def write(file: Path, text: str) -> None:
    """Write a file and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def run_file(folder: Path, pid: int) -> Path:
    """Announce a server that does not answer."""
    file = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"coflows-{pid}.json"
    config = str(folder / "coflows_config.json")
    write(file, json.dumps({"url": f"http://127.0.0.1:{free_port()}/", "key": "k", "config": config, "pid": pid}))
    return file


def jupyter_config(path: str, value: object) -> None:
    """Write one of Jupyter's configuration files."""
    write(Path(os.environ["JUPYTER_CONFIG_DIR"]) / path, json.dumps(value))


def installed(folder: Path, *packages: str) -> dict[str, object]:
    """Let Python find these packages, like `name-1.0`, and no other."""
    for package in packages:
        name, version = package.rsplit("-", 1)
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        write(folder / "modules" / f"{package}.dist-info" / "METADATA", text)
    return {"modules": [str(folder / "modules")]}


def add_query(folder: Path, text: str) -> None:
    """Append code to the Query."""
    with (folder / "Queries" / "pyapi.py").open("a") as file:
        file.write(text)


def query_in(folder: Path, suffix: str) -> dict[str, object]:
    """Add a Query in another language, where there is nothing that runs it."""
    (folder / "Queries" / f"fast.{suffix}").write_text("")
    listed = f'"Queries": [{{"Name": "fast.{suffix}", "Content": "Queries/fast.{suffix}", "ID": "fast"}},'
    edit(folder, '"Queries": [', listed, "package.json")
    return {"environ": {"PATH": ""}}


def jar(folder: Path) -> dict[str, object]:
    """Ask for a library for Java, where there is none."""
    edit(folder, '"Jars": []', '"Jars": [{"Url": "https://example.com/a.jar"}]', "package.json")
    return {"environ": {"PATH": ""}}


def no_uv(folder: Path) -> dict[str, object]:
    """Ask for a Pip, where there is nothing that installs it."""
    edit(folder, '"Pips": []', '"Pips": [{"ID": "six"}]', "package.json")
    return installed(folder)


Seed = Callable[[Path], object]

# check, what seeds the fault, what the message has, what the command has; a seed returns what the patient differs in
FAULTS: dict[str, tuple[str, Seed, str, str]] = {
    "no config": ("files", lambda w: (w / "coflows_config.json").unlink(), "no coflows_config.json", "coflows new DIR"),
    "unknown key": ("files", lambda w: edit(w, '"Server"', '"Sever"'), "Sever", "at line"),
    "no package": ("files", lambda w: (w / "package.json").unlink(), "package.json", "edit "),
    "syntax": ("files", lambda w: add_query(w, "def (:\n"), "pyapi.py", "pyapi.py at line"),
    "no id": ("files", lambda w: edit(w, '"ID"', '"Id_"', "package.json"), "no ID", "coflows local build"),
    "published key": (
        "key",
        lambda w: edit(w, secret_key(w / "coflows_config.json"), PUBLISHED_KEY),
        "publishes",
        "coflows key rotate",
    ),
    "short key": ("key", lambda w: edit(w, secret_key(w / "coflows_config.json"), "abc"), "guessed", "key rotate"),
    "open to others": (
        "permissions",
        lambda w: (w / "coflows_config.json").chmod(0o644),
        "open to others",
        "chmod 600",
    ),
    "/app/mnt": ("paths", lambda w: add_query(w, "\n_P = '/app/mnt/Files/a.csv'\n"), "/app/mnt/Files/a.csv", "ln -s"),
    "mnt": ("paths", lambda w: add_query(w, "\n_P = 'mnt/Files/a.csv'\n"), "uses mnt/Files/a.csv", "ln -s ."),
    "dead server": ("run files", lambda w: run_file(w, DEAD), "left over", "rm "),
    "stuck server": ("hosts", lambda w: run_file(w, os.getpid()), "does not answer", f"kill {os.getpid()}"),
    "dead installer": ("leftovers", lambda w: write(w / f".coflows.lock.{DEAD}", ""), "left over", "rm "),
    "damaged database": ("database", lambda w: write(w / "database.db", "no" * 999), "damaged", "mv "),
    "database is a folder": ("database", lambda w: (w / "database.db").mkdir(), "is a folder", "edit "),
    "no folder": (
        "database",
        lambda w: edit(w, "mnt/database.db", "data/base.db"),
        "data does not exist",
        "mkdir -p",
    ),
    "other database": ("database", lambda w: edit(w, '"sqlite"', '"mssql"'), "can't be read", "edit "),
    "cache": ("disk", lambda w: write(w.parent / "cache", ""), "can't be written", "ls -ld"),
    "disk": ("disk", lambda _: {"free": lambda _: 2**20}, "1 MiB are free", "uv cache clean"),
    "little room": ("disk", lambda _: {"free": lambda _: 2**29}, "512 MiB are free", "uv cache clean"),
    "no Java": ("java", jar, "there is no JDK on this computer", "install openjdk-17-jdk-headless"),
    "no compiler": ("dotnet", lambda w: query_in(w, "cs"), "there is no .NET SDK", "dotnet"),
    "no uv": (
        "pips",
        no_uv,
        "uv is not installed",
        "pip install uv",
    ),
    "no lab": ("lab", lambda w: installed(w, "msgspec-1.0"), "JupyterLab is not installed", "'jupyterlab>=4.6'"),
    "old lab": ("lab", lambda w: installed(w, "jupyterlab-3.0"), "3.0 is older than 4.6", "'jupyterlab>=4.6'"),
    "old package": ("python", lambda w: installed(w, "pydantic-1.9"), "pydantic 1.9 is older", "'pydantic>=2.9'"),
    "no package of ours": ("python", lambda w: installed(w, "pydantic-3"), "orjson is not installed", "'orjson>=3.10'"),
    "extension": (
        "extension",
        lambda _: jupyter_config(
            "jupyter_server_config.d/a.json", {"ServerApp": {"jpserver_extensions": {"coflows_jupyter": False}}}
        ),
        "disabled",
        "server extension enable",
    ),
    "sidebar": (
        "sidebar",
        lambda _: jupyter_config("labconfig/page_config.json", {"disabledExtensions": {"coflows-jupyter:panel": True}}),
        "disabled",
        "labextension enable",
    ),
}


def found(patient: Patient, check: str, *, fix: bool = False) -> list[Row]:
    """Return what one check complains about."""
    return [row for row in examine(patient, fix=fix) if row.check == check and row.severity != "info"]


@pytest.mark.parametrize(("check", "seed", "message", "command"), FAULTS.values(), ids=FAULTS)
def test_a_seeded_fault_is_found(workflow: Path, check: str, seed: Seed, message: str, command: str) -> None:
    """It is not there before, it is afterwards, with a reason and what to type."""
    ignored = {"extension"} & {check}  # whether the developer's own Jupyter has it registered
    assert ignored or not found(see(workflow), check)
    changes = seed(workflow)
    rows = found(replace(see(workflow), **(changes if isinstance(changes, dict) else {})), check)
    row = next((row for row in rows if message in row.message), None)
    assert row, rows
    assert command in row.command
    assert row.why or check == "files"


def test_a_taken_port_has_an_owner(workflow: Path) -> None:
    """Who listens is named, and another port proposed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        edit(workflow, f'"Port": {see(workflow).config.port}', f'"Port": {server.getsockname()[1]}')  # type: ignore[union-attr]  # it has a config
        (row,) = found(see(workflow), "port")
    assert (row.severity, row.command) == ("error", "coflows server --port 0")
    if Path("/proc/net/tcp").exists():
        assert f"process {os.getpid()} (" in row.message


def test_what_is_not_installed(workflow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none of Jupyter's folders has the extension and the sidebar, both are missed."""
    monkeypatch.setattr(jupyter, "jupyter_config_path", list)
    monkeypatch.setattr(jupyter, "jupyter_path", list)
    monkeypatch.setattr(coflows_jupyter, "__file__", str(workflow / "coflows_jupyter" / "__init__.py"))
    (extension,) = found(see(workflow), "extension")
    assert (extension.message, extension.severity) == ("the extension is not registered", "warning")
    assert "server extension enable" in extension.command
    (sidebar,) = found(see(workflow), "sidebar")
    assert (sidebar.message, sidebar.severity) == ("the sidebar is not installed", "error")
    assert "pip install --force-reinstall" in sidebar.command


def test_fix_mends_what_is_safe_and_nothing_else(workflow: Path) -> None:
    """Permissions and leftovers are mended; the key, the database and the sources stay as they are."""
    config = workflow / "coflows_config.json"
    edit(workflow, secret_key(config), PUBLISHED_KEY)
    config.chmod(0o666)
    left = [run_file(workflow, DEAD), workflow / f".coflows.lock.{DEAD}"]
    kept = [run_file(workflow, os.getpid()), workflow / f".coflows.lock.{os.getpid()}", workflow / "database.db"]
    for file in (left[1], *kept[1:]):
        file.write_text("broken")
    fixed = {row.check for row in examine(see(workflow), fix=True) if row.fixed}
    assert fixed == {"permissions", "run files", "leftovers"}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert PUBLISHED_KEY in config.read_text()
    assert [file.exists() for file in (*left, *kept)] == [False, False, True, True, True]
    assert not {row.check for row in examine(see(workflow), fix=True) if row.fixed}


def test_every_check_is_seeded() -> None:
    """A new check comes with a fault."""
    assert {check for check, *_ in FAULTS.values()} | {"port"} == set(CHECKS)


def test_the_command(coflows: Coflows, workflow: Path) -> None:
    """Warnings leave the exit code 0, an error makes it 1; --json is one document; --fix is said."""
    (workflow / "coflows_config.json").chmod(0o644)
    done = coflows("doctor")
    assert done.returncode == 0, done.stdout
    assert f"$ chmod 600 {workflow}/coflows_config.json" in done.stdout
    assert "fixed    permissions" in coflows("doctor", "--fix").stdout
    (workflow / "Queries" / "pyapi.py").write_text("def (:\n")
    done = coflows("doctor", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["ok"] is False
    assert [f["check"] for f in document["findings"] if f["severity"] == "error"] == ["files"]


@pytest.fixture
def crashed(workflow: Path, running_server: RunningServer) -> Path:
    """Return a Workflow whose running server had a host that crashed."""
    add_query(workflow, "\n\ndef Die() -> None:\n    import os\n\n    os._exit(3)\n")
    server = running_server(workflow / "coflows_config.json", environ={"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]})
    workflow_id = json.loads((workflow / "package.json").read_text())["ID"]
    assert server.http.get(f"flow/query/{workflow_id}/pyapi/Die").status_code == 502
    return workflow


def test_crashes_of_a_running_server(crashed: Path) -> None:
    """Hosts that crashed are counted, and the runs that did it are a command away."""
    (row,) = found(see(crashed), "hosts")
    assert "1 host of flow crashed" in row.message
    assert row.command == "coflows runs list --outcome crashed"


def test_a_running_server_that_does_not_build(workflow: Path, running_server: RunningServer) -> None:
    """A server that never had a Build that loads is an error, and the command shows why."""
    (workflow / "package.json").write_text("{")
    server = running_server(workflow / "coflows_config.json", ready=False)
    while not (rows := found(see(workflow), "hosts")):
        assert server.process.poll() is None
    assert [(row.severity, row.command) for row in rows] == [("error", "coflows local build")]
    assert "does not build" in rows[0].message
