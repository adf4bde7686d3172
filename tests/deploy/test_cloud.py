"""A cloud without containers: real servers on the loopback address that the command line deploys to."""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import json
import shutil
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from coflows_jupyter.cli import run
from coflows_jupyter.config import load_config
from coflows_jupyter.deploy.bundle import pack
from coflows_jupyter.deploy.cloud import Remote
from coflows_jupyter.deploy.progress import Reporter
from coflows_jupyter.errors import ConflictError
from tests.conftest import Server
from tests.deploy.test_unpack import crafted
from tests.server.conftest import make_environ, pick_port

KEY = "9c1d8a2b7e6f4a5083b2c1d0e9f8a7b6"
WID = "7c1f4a52-0b7e-4a57-8a75-2f0c5c1f9d10"

QUERY = '''
from Base.answers import ANSWER


def Version() -> int:
    """Say which version this is."""
    return ANSWER


def Shout(text: str) -> str:
    print("shouting")
    return text.upper()


def Where() -> str:
    return open("mnt/Files/note.txt").read()


### <api name="Nobody"><permissions><group id="$WID$" permission="denied"/></permissions></api>
def Nobody() -> int:
    return 0
'''
AGENT = """
from coflows_jupyter import Agent


def hear(message: str) -> str:
    with open({path!r}, "a") as file:
        file.write(message + "\\n")
    return message


first = Agent("first", schedule="{schedule}", job=lambda timestamp, kind: None, body=hear)
"""
YEARS_OFF = "0 0 4 1 1 ? 2040"


class Laptop:
    """A Workflow on somebody's computer, and the `coflows` command there.

    Args:
        folder: where it is.
        port: of the server that its `Cloud` names.
        wid: the Workflow's ID.
    """

    def __init__(self, folder: Path, port: int, wid: str = WID) -> None:
        self.folder = folder / "mnt"
        self.mark = folder / "messages.txt"
        files = {"Base/answers.py": "ANSWER = 1\n", "Queries/api.py": QUERY, "Files/note.txt": "noted"}
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True)
            (self.folder / name).write_text(text)
        queries = [{"Name": "api.py", "Content": "Queries/api.py", "ID": "api"}]
        self.write("package.json", json.dumps({"ID": wid, "Name": "Sample", "Queries": queries}))
        cloud = {"Host": f"127.0.0.1:{port}", "SecretKey": KEY, "SSL": False}
        self.config = self.folder / "coflows_config.json"
        self.config.write_text(
            json.dumps({"Workflow": "package.json", "Server": {"SecretKey": "x" * 32}, "Cloud": cloud})
        )

    def write(self, name: str, text: str) -> None:
        """Write a file of the Workflow."""
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text)

    def answers(self, number: int) -> Self:
        """Let `Version` return a number."""
        self.write("Base/answers.py", f"ANSWER = {number}\n")
        return self

    def coflows(self, *words: str, code: int = 0) -> str:
        """Run the command and return what it printed."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            got = run(["--config", str(self.config), *words])
        assert got == code, out.getvalue() + err.getvalue()
        return out.getvalue() if "--json" in words else err.getvalue() + out.getvalue()

    def cloud(self, *words: str) -> dict[str, Any]:
        """Run `coflows cloud … --json`."""
        document: dict[str, Any] = json.loads(self.coflows("cloud", *words, "--json"))
        return document


class Cloud:
    """A server that begins empty.

    Args:
        folder: where it is.
        database: the section of its configuration; a file of its own by default.
    """

    def __init__(self, folder: Path, database: dict[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir()
        self.environ = make_environ(folder / "home") | {"coflows_empty": "true"}
        self.port = pick_port()
        self.database = folder / "coflows.db"
        section = database or {"Type": "sqlite", "Connection": str(self.database)}
        config = {"Workflow": "mnt/package.json", "Server": {"SecretKey": KEY}, "Watch": "off", "Database": section}
        (folder / "coflows_config.json").write_text(json.dumps(config))
        self.start()

    def start(self) -> None:
        """Start it."""
        self.server = Server(self.folder / "coflows_config.json", self.port, self.environ)
        self.server.wait_until("coflows/api/health", 200)

    def lose_disk(self) -> None:
        """Start it anew with nothing of before but the database."""
        self.server.stop()
        shutil.rmtree(self.folder / "home")
        shutil.rmtree(self.folder / "mnt", ignore_errors=True)
        (self.folder / "home").mkdir()
        self.start()

    def version(self, wid: str = WID) -> int | str:
        """Return what `Version` does, or the error."""
        answer = self.server.http.get(f"flow/query/{wid}/api/Version")
        value: int | str = answer.json() if answer.is_success else answer.json()["detail"]
        return value

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, self.server.log.read_text()
            time.sleep(0.05)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Return the server of most of these tests; each deploys a Workflow of its own."""
    found = Cloud(tmp_path_factory.mktemp("cloud") / "server")
    yield found
    found.server.stop()


class Load:
    """Asks a function all the time, from several threads, and counts what is answered."""

    def __init__(self, cloud: Cloud) -> None:
        self.answers: Counter[object] = Counter()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(cloud,)) for _ in range(4)]

    def _ask(self, cloud: Cloud) -> None:
        url = f"{cloud.server.url}flow/query/{WID}/api/Version"
        with httpx.Client(headers={"x-api-key": KEY}, trust_env=False, timeout=30) as http:
            while not self._stop.is_set():
                answer = http.get(url)
                self.answers[answer.text if answer.is_success else answer.status_code] += 1

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_under_load_a_good_deploy_fails_nobody_and_a_bad_one_changes_nothing(cloud: Cloud, tmp_path: Path) -> None:
    """Deploy, deploy again, fail, roll back, restart and remove, while four threads ask all the time."""
    laptop = Laptop(tmp_path, cloud.port)
    assert cloud.server.http.get("coflows/api/ready").status_code == 503
    assert "Revision 1 serves" in laptop.coflows("cloud", "deploy")
    assert cloud.server.http.get("coflows/api/ready").status_code == 200
    assert cloud.server.http.get(f"flow/query/{WID}/api/Where").json() == "noted"
    with Load(cloud) as load:
        assert laptop.answers(2).cloud("deploy")["number"] == 2
        assert cloud.version() == 2
        assert laptop.cloud("deploy")["number"] == 2, "nothing has changed"

        laptop.write("Queries/api.py", QUERY + "\ndef Broken(:\n")
        said = laptop.answers(3).coflows("cloud", "deploy", code=1)
        assert "Queries/api.py:23" in said
        assert str(cloud.folder) not in said
        laptop.write("Queries/api.py", QUERY + "\nimport none_such\n")
        laptop.coflows("cloud", "deploy", code=1)
        laptop.write("Queries/api.py", QUERY)
        package = (laptop.folder / "package.json").read_text()
        laptop.write("Agents/first.py", AGENT.format(path="", schedule="every now and then"))
        assert "every now and then" in laptop.coflows("cloud", "deploy", code=1)
        (laptop.folder / "Agents" / "first.py").unlink()
        laptop.write("package.json", package)
        assert cloud.version() == 2

        assert laptop.cloud("rollback")["reason"] == "back to revision 1"
        assert cloud.version() == 1
        laptop.coflows("cloud", "restart")
        assert cloud.version() == 1
    assert set(load.answers) == {"1", "2"}
    assert load.answers.total() > 200

    status = laptop.cloud("status")
    assert status["revision"] == 6
    assert [(r["number"], r["state"]) for r in status["revisions"]] == [
        (6, "accepted"),
        (5, "failed"),
        (4, "failed"),
        (3, "failed"),
        (2, "accepted"),
        (1, "accepted"),
    ]
    assert "revision 6 serves, by root" in laptop.coflows("cloud", "log")
    laptop.coflows("cloud", "remove")
    assert "there is no Workflow" in str(cloud.version())
    assert laptop.cloud("rollback", "2")["number"] == 8
    assert cloud.version() == 2


def test_a_query_or_a_build_there_changes_nothing(cloud: Cloud, tmp_path: Path) -> None:
    """The source on the laptop is built and called there, with what the caller may, beside what serves."""
    laptop = Laptop(tmp_path, cloud.port, "trial")
    assert laptop.answers(7).coflows("cloud", "query", "api", "Version").endswith("\n7\n")
    assert "no Workflow" in str(cloud.version("trial"))
    assert laptop.answers(8).cloud("deploy")["number"] == 1
    said = laptop.answers(9).coflows("cloud", "query", "api", "Shout", "-1 grüße")
    assert said.endswith('"-1 GRÜSSE"\n')
    assert "shouting" in said
    assert laptop.cloud("query", "api")["functions"]["Shout"] == ["text"]
    assert "may not call Nobody" in laptop.coflows("cloud", "query", "api", "Nobody", code=3)
    assert "did you mean" in laptop.coflows("cloud", "query", "api", "Versoin", code=2)
    assert "Success!!!" in laptop.coflows("cloud", "build")
    laptop.write("Queries/api.py", "import none_such")
    assert "none_such" in laptop.coflows("cloud", "build", code=1)
    assert cloud.version("trial") == 8
    assert laptop.cloud("status")["revision"] == 1
    kept = list((cloud.folder / "home" / ".cache" / "coflows" / "revisions").glob("*/trial/*"))
    assert [place.name.partition("-")[0] for place in kept] == ["1"]


def test_several_workflows_are_on_one_server(cloud: Cloud, tmp_path: Path) -> None:
    """Each is deployed, serves and goes by itself."""
    one, two = Laptop(tmp_path / "one", cloud.port, "one"), Laptop(tmp_path / "two", cloud.port, "two")
    one.answers(11).cloud("deploy")
    two.answers(12).cloud("deploy")
    assert (cloud.version("one"), cloud.version("two")) == (11, 12)
    one.cloud("remove")
    assert cloud.version("two") == 12
    assert cloud.server.http.get("coflows/api/cloud").json()["workflows"]["two"] == 1


def test_clients_of_the_original_deploy(cloud: Cloud, tmp_path: Path) -> None:
    """`createworkflow` takes the files in one document, `compileworkflow` only says what is wrong; both by Write."""
    laptop = Laptop(tmp_path, cloud.port, "inline").answers(21)
    laptop.write("Agents/first.py", AGENT.format(path=str(laptop.mark), schedule=YEARS_OFF))
    texts = {"Base": "Base/answers.py", "Agents": "first.py", "Queries": "api.py"}
    package: dict[str, Any] = {"ID": "inline", "Name": "Inline", "ReadMe": "# Inline"}
    for key, name in texts.items():
        content = (laptop.folder / key / Path(name).name).read_text()
        package[key] = [{"Name": name, "Content": content, "ID": Path(name).stem}]
    note = base64.b64encode(b"noted").decode()
    package["Files"] = [{"Name": "note.txt", "Content": note}]
    http = cloud.server.http
    assert http.post("flow/compileworkflow", json=package).json() == {"Result": ""}
    assert "no Workflow" in str(cloud.version("inline"))
    assert http.post("flow/createworkflow", json=package).json() == {"Result": ""}
    assert cloud.version("inline") == 21
    assert http.get("flow/query/inline/api/Where").json() == "noted"

    package["Files"][0]["Content"] = "__content__in__m__"
    package["Base"][0]["Content"] = "ANSWER = 22"
    assert http.post("Flow/CreateWorkflow", json=package).json() == {"Result": ""}
    assert (cloud.version("inline"), http.get("flow/query/inline/api/Where").json()) == (22, "noted")
    package["Base"][0]["Content"] = "ANSWER ="
    assert "Base/answers.py:1" in http.post("flow/createworkflow", json=package).json()["Result"]
    package["Files"][0]["Name"] = "../../x"
    assert http.post("flow/createworkflow", json=package).status_code == 422
    assert cloud.version("inline") == 22

    code = {
        "Name": "more.py",
        "ID": "more",
        "Code": "def Twice(x: int) -> int:\n    return 2 * x\n",
        "WorkflowID": "inline",
    }
    call = {"Name": "Twice", "Parameters": ["21"]}
    made = http.post("flow/createquery", json={"Code": code, "Function": call}).json()
    assert made == {"Result": [{"Item1": "Twice", "Item2": 42, "Item3": None}], "Compilation": ""}
    made = http.post("flow/createquery", json={"Code": code | {"Code": "def Twice(:"}}).json()
    assert "Queries/more.py:1" in made["Compilation"]
    assert http.get("flow/query/inline/more/Twice?x=4").json() == 8
    assert http.post("flow/removequery", json=code).json() == {"Result": "Done"}
    assert http.get("flow/query/inline/more/Twice?x=4").status_code == 404
    assert cloud.version("inline") == 22

    served = {workflow["ID"]: workflow for workflow in http.get("flow/servicedworkflows").json()}
    assert served["inline"]["Files"] == [{"Name": "note.txt"}]
    kept = zipfile.ZipFile(io.BytesIO(http.get("flow/getzipfromworkflow?id=inline").content))
    assert kept.read("Base/answers.py") == b"ANSWER = 22"
    (agent,) = http.get("coflows/api/workflows/inline/agents").json()["agents"]
    url = f"flow/activeagenttoggle?id={agent['id']}"
    assert [http.get(url).json()["Ok"] for _ in range(2)] == [False, True]
    assert httpx.get(cloud.server.url + url, trust_env=False).status_code == 401


HOSTILE = {
    "a path out of the folder": crafted(("../x", b"")),
    "a link": crafted(("x", b"/etc/passwd", lambda info: setattr(info, "external_attr", 0o120777 << 16))),
    "a bomb": crafted(("x", bytes(20_000_000))),
    "a configuration": crafted(("coflows_config.json", b"{}")),
    "no zip": b"not a zip",
    "nothing": b"",
    "of another Workflow": crafted(),
}


@pytest.mark.parametrize("verb", ["deploy", "build", "query"])
def test_hostile_bundles_are_refused(cloud: Cloud, verb: str) -> None:
    """They are refused with a reason before anything is built, and nothing is left of them."""
    head = b'{"query":"api"}\n' if verb == "query" else b""
    for name, data in HOSTILE.items():
        answer = cloud.server.http.post(f"coflows/api/cloud/hostile/{verb}", content=head + data)
        assert answer.status_code in {422, 500}, name
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert cloud.server.http.get("coflows/api/cloud/hostile").status_code == 404
    assert not list((cloud.folder / "home" / ".cache" / "coflows" / "revisions").glob("*/hostile/*"))


def test_nobody_sends_much_without_a_key(cloud: Cloud) -> None:
    """Who may not is told so before the body; what is too large for a bundle is refused by its length."""
    for key, status in (("", 401), (KEY, 413)):
        connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=20)
        connection.putrequest("POST", "/coflows/api/cloud/w/deploy")
        connection.putheader("Content-Length", str(10**9))
        connection.putheader("x-api-key", key)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_the_client_says_what_is_wrong(cloud: Cloud, tmp_path: Path) -> None:
    """A wrong key, a server that is not there, no key: one sentence each, and the exit code."""
    laptop = Laptop(tmp_path, cloud.port, "client")
    config = laptop.config.read_text()
    laptop.config.write_text(config.replace(KEY, "wrong"))
    said = laptop.coflows("cloud", "deploy", code=3)
    assert "Cloud.SecretKey" in said
    laptop.config.write_text(config.replace(str(cloud.port), str(pick_port())))
    assert "does not answer" in laptop.coflows("cloud", "status", code=3)
    laptop.config.write_text(config.replace(KEY, ""))
    assert "Cloud.SecretKey is empty" in laptop.coflows("cloud", "log", code=2)


def test_one_deploys_at_a_time(cloud: Cloud, tmp_path: Path) -> None:
    """The second is told that the first is at it; and leaving in the middle changes nothing."""
    laptop = Laptop(tmp_path, cloud.port, "alone").answers(1)
    laptop.cloud("deploy")
    go = tmp_path / "go"
    slow = f"import os, time\nwhile not os.path.exists({str(go)!r}):\n    time.sleep(0.01)\n"
    laptop.write("Base/answers.py", f"{slow}ANSWER = 2\n")
    bundle = pack(laptop.folder / "package.json", load_config(laptop.config))
    building, remote = threading.Event(), Remote(cloud.server.url, KEY)

    def deploy(tell: Reporter) -> object:
        return remote.deploy("alone", bundle, "mnt", tell)

    first = Reporter(lambda event: building.set() if event.text == "loading" else None)
    with ThreadPoolExecutor(1) as pool:
        leaving = pool.submit(deploy, first)
        assert building.wait(20)
        with pytest.raises(ConflictError, match="is being deployed"):
            deploy(Reporter(lambda _event: None))
        first.cancel()
        go.touch()
        leaving.exception(20)
    cloud.until(lambda: remote.status("alone")["revisions"][0]["state"] != "building")
    assert cloud.version("alone") in {1, 2}
    remote.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_an_empty_disk_and_the_same_database_bring_it_back(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """Agents get their first message when they are deployed, not when they come back; another server follows."""
    database = None
    if kind == "postgres":
        database = {"Type": "postgres", "Connection": request.getfixturevalue("postgres_url")}
    cloud = Cloud(tmp_path / "server", database)
    laptop = Laptop(tmp_path / "laptop", cloud.port).answers(5)
    laptop.write("Agents/first.py", AGENT.format(path=str(laptop.mark), schedule=YEARS_OFF))
    try:
        laptop.cloud("deploy")
        cloud.until(laptop.mark.exists)
        cloud.lose_disk()
        cloud.until(lambda: cloud.version() == 5)
        said = cloud.server.log.read_text()
        assert " 404 GET" not in said, "callers are asked to wait"
        cloud.server.wait_until("coflows/api/ready", 200)
        section = database or {"Type": "sqlite", "Connection": str(cloud.database)}
        other = Cloud(tmp_path / "other", section)
        try:
            other.until(lambda: other.version() == 5)
            laptop.answers(6).cloud("deploy")
            other.until(lambda: other.version() == 6)
            laptop.cloud("remove")
            other.until(lambda: other.version() != 6)
        finally:
            other.server.stop()
        assert laptop.mark.read_text().count("Initial Execution") == 2
    finally:
        cloud.server.stop()
