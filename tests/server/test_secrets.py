"""Secrets in user code: there for functions of their Workflow, and found nowhere else."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import COFLOWS, Server
from tests.server.conftest import KEY, make_environ, pick_port

WID = "0b8ce1c5-1f11-4c37-a7a1-2ad3c2a0b1f5"
NUMBER = 50

SOURCE = """
import hashlib
import logging
import sys
import threading

from coflows_jupyter import permission, secret, user

print("imported with", secret("S0"), file=sys.stderr)
logging.getLogger("mine").warning("imported with %s", secret("S1"))
KEPT = secret("S2")


def Digest(name: str) -> str:
    return hashlib.sha256(secret(name).encode()).hexdigest()


def Print(name: str) -> None:
    text = secret(name)
    print("here:", text, [text], {"a": text})
    for letter in text:
        sys.stdout.write(letter)
    print()
    print(str(text), f"{text!r}", repr(str(text)), repr(text.encode()))


def Log(name: str) -> None:
    logging.getLogger("mine").error("secret %s", secret(name))
    try:
        raise ValueError(secret(name))
    except ValueError:
        logging.getLogger("mine").exception("failed with %s", secret(name))


def Fail(name: str) -> None:
    text = secret(name)
    raise ValueError(f"can't log in with {text}")


def Kept() -> None:
    print(KEPT)
    raise RuntimeError(KEPT)


def Thread(name: str) -> None:
    def work() -> None:
        raise ValueError(secret(name))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


async def Async(name: str) -> None:
    print(secret(name))


def Level(key: str) -> int:
    import QuantApp.Kernel as qak

    same = qak.User.ContextUserBySecret(key).ID == ("root" if qak.User.PermissionContext(key, "any") > -1 else "")
    return qak.Group.FindGroup("Public").PermissionSecret(key) if same else -3


def Missing() -> str:
    return secret("NOT_THERE")


def Who(group: str) -> list[object]:
    found = user()
    return [found.id, found.email, found.first_name, found.last_name, int(permission(group))]
"""


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Return the planted secrets."""
    return {f"S{number}": f"planted-{secrets.token_urlsafe(24)}" for number in range(NUMBER)}


@pytest.fixture(scope="module", params=["process", "embedded"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str]
) -> Iterator[Server]:
    """Return a server whose Workflow has secrets: most were set by the command before it started, some over REST."""
    folder = tmp_path_factory.mktemp(request.param)
    flow = folder / "flow"
    (flow / "Queries").mkdir(parents=True)
    (flow / "Queries" / "q.py").write_text(SOURCE)
    package = {"ID": WID, "Name": "Secrets", "Queries": [{"Name": "q.py", "Content": "Queries/q.py", "ID": "q"}]}
    (flow / "package.json").write_text(json.dumps(package))
    config = {
        "Workflow": "package.json",
        "Server": {"Host": "localhost", "SecretKey": KEY},
        "Host": {"Mode": request.param},
        "Watch": "off",
    }
    file = flow / "coflows_config.json"
    file.write_text(json.dumps(config))
    environ = make_environ(folder / "home")
    for name in ("S0", "S1", "S2"):
        subprocess.run(
            [COFLOWS, "secret", "set", name], cwd=flow, env=environ, input=texts[name], text=True, check=True
        )
    server = Server(file, pick_port(), environ).wait_until("coflows/api/ready", 200)
    for name, text in texts.items():
        put = server.http.put(f"coflows/api/workflows/{WID}/secrets/{name}", json={"text": text})
        assert put.status_code == 204, put.text
    yield server
    server.stop()


def call(server: Server, function: str) -> httpx.Response:
    """Call a function of the Query."""
    return server.http.get(f"flow/query/{WID}/q/{function}")


def test_fifty_planted_secrets_are_found_nowhere(server: Server, texts: dict[str, str]) -> None:
    """Not in answers, runs, logs, errors, the database, run files, the log, command lines and environments."""
    said = []
    functions = ("Digest", "Print", "Log", "Fail", "Thread", "Async")
    for number, name in enumerate(texts):
        for function in (functions[number % len(functions)], "Print", "Fail"):
            answer = call(server, f"{function}?name={name}")
            said.append(answer.text + str(answer.headers))
    said += [call(server, f).text for f in ("Kept", "Missing")]
    said += [server.http.get(f"coflows/api/workflows/{WID}{part}").text for part in ("", "/secrets", "/queries")]
    runs = server.http.get("coflows/api/runs?limit=1000").json()["runs"]
    assert len(runs) >= 3 * NUMBER
    said.append(json.dumps(runs))
    said += [server.http.get(f"coflows/api/runs/{run['id']}/log").text for run in runs]
    assert sum("***" in text for text in said) >= 2 * NUMBER
    said.append(server.http.get("coflows/api/audit").text)
    everything = "\n".join(said).encode()
    folder = server.config.parents[1]
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {".log", ".key"} <= {file.suffix for file in files}
    everything += b"\n".join(file.read_bytes() for file in files)
    everything += b"\n".join(processes(server.process.pid))
    found = [name for name, text in texts.items() if text.encode() in everything]
    assert found == []


def processes(group: int) -> Iterator[bytes]:
    """Give the command lines and environments of a server and its hosts."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == group or int(folder.name) == group:
                yield (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue


def test_functions_have_them(server: Server, texts: dict[str, str]) -> None:
    """As a text that libraries can use, and in its new form as soon as it was replaced."""
    import hashlib

    assert call(server, "Digest?name=S7").json() == hashlib.sha256(texts["S7"].encode()).hexdigest()
    replaced = "another text than before"
    server.http.put(f"coflows/api/workflows/{WID}/secrets/ROTATED", json={"text": "the text before"})
    assert call(server, "Digest?name=ROTATED").json() == hashlib.sha256(b"the text before").hexdigest()
    server.http.put(f"coflows/api/workflows/{WID}/secrets/ROTATED", json={"text": replaced})
    assert call(server, "Digest?name=ROTATED").json() == hashlib.sha256(replaced.encode()).hexdigest()
    assert server.http.delete(f"coflows/api/workflows/{WID}/secrets/ROTATED").status_code == 204
    assert "coflows secret set ROTATED" in call(server, "Digest?name=ROTATED").json()["detail"]


def test_they_are_told_to_programs_with_write_only(server: Server, texts: dict[str, str]) -> None:
    """With a key in a header that is not limited: not by an address, not for Read, not for a key that ends."""
    path = f"coflows/api/workflows/{WID}/secrets/S7"
    assert server.http.get(path).json() == {"text": texts["S7"]}
    bare = httpx.Client(base_url=server.url, trust_env=False)
    assert bare.get(path).status_code == 401
    assert bare.get(f"{path}?_cokey={KEY}").status_code == 403
    server.http.post("coflows/api/users", json={"id": "ann"}).raise_for_status()
    for level, expires, status in ((1, "", 403), (2, "", 200), (2, "1h", 403)):
        server.http.put(f"coflows/api/groups/{WID}/members/ann", json={"level": level}).raise_for_status()
        key = server.http.post("coflows/api/keys", json={"user": "ann", "expires": expires}).json()["key"]
        assert bare.get(path, headers={"x-api-key": key}).status_code == status
    told = [e["actor"] for e in server.http.get("coflows/api/audit").json()["entries"] if e["action"] == "secret.tell"]
    assert told == ["ann", "root"], "what was refused is told to nobody"


def test_the_log_of_a_call_says_that_something_was_there(server: Server) -> None:
    """Masked, not missing: whoever looks for a mistake sees where the secret went."""
    answer = call(server, "Print?name=S3")
    log = server.http.get(f"coflows/api/runs/{answer.headers['x-run-id']}/log").text
    lines = log.splitlines()
    assert lines[0] == "here: *** [<secret S3>] {'a': <secret S3>}"
    assert lines[1] == "***"
    assert lines[2] == "*** <secret S3> '***' b'***'"


def test_code_of_the_original_recognises_the_secret_key(server: Server) -> None:
    """A host asks whether a key is the SecretKey, and never learns it; nothing else is asked for that way."""
    levels = [server.http.post(f"flow/query/{WID}/q/Level", json={"key": key}).json() for key in (KEY, KEY[:-1], "ü")]
    assert levels == [2, -1, -1]
    assert "can't be the name of a secret" in call(server, "Digest?name=owner:x").json()["detail"]


def test_a_secret_that_is_not_there_is_said(server: Server) -> None:
    """With the command that sets it."""
    answer = call(server, "Missing")
    assert answer.status_code == 500
    assert "there is no secret NOT_THERE; set it with: coflows secret set NOT_THERE" in answer.json()["detail"]


def test_user_code_knows_who_calls(server: Server) -> None:
    """Who it is, and what they may in any group."""
    assert call(server, f"Who?group={WID}").json() == ["root", "", "", "", 2]
    api = server.http
    api.post("coflows/api/users", json={"id": "john@doe.com", "first_name": "John", "last_name": "Doe"})
    api.put(f"coflows/api/groups/{WID}/members/john@doe.com", json={"level": 1})
    key = api.post("coflows/api/keys", json={"user": "john@doe.com"}).json()["key"]
    for group, level in ((WID, 1), ("Public", 0), ("elsewhere", -1)):
        answer = httpx.get(
            f"{server.url}flow/query/{WID}/q/Who?group={group}", headers={"x-api-key": key}, trust_env=False
        )
        assert answer.json() == ["john@doe.com", "john@doe.com", "John", "Doe", level]
