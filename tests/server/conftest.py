"""One real server for all tests of handlers, on a Workflow that has a function for every rule."""

from __future__ import annotations

import json
import os
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import PUBLISHED_KEY, Server

KEY = "3b0c4c2f9d1e4f6a8b7c5d2e1f0a9b8c"
WID = "5f1f7d44-7c0c-4a6b-9a57-2b6a0c6f3c11"

MAIN = '''
### <info version="2.0.0"><title>Main</title></info>
import logging
import time
from collections.abc import Iterator

from pydantic import SecretStr


def Add(x: int, y: int) -> int:
    """Add two numbers."""
    return x + y


def Show(*args: str) -> list[str]:
    return list(args)


def Names(token: str = "", _xsrf: str = "", uid: str = "", no_track_activity: str = "") -> dict[str, str]:
    return {"token": token, "_xsrf": _xsrf, "uid": uid, "no_track_activity": no_track_activity}


### <api name="Hello"><permissions><group id="Public" permission="view"/></permissions></api>
def Hello(name: str = "you") -> str:
    return f"hello {name}"


### <api name="Writers"><permissions><group id="$WID$" permission="write"/></permissions></api>
def Writers() -> int:
    return 2


### <api name="Nobody"><permissions><group id="$WID$" permission="denied"/></permissions></api>
def Nobody() -> int:
    return 0


def Fail() -> None:
    raise ValueError("the secret of " + "the user")


def Table() -> list[dict[str, int]]:
    return [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def Count(n: int = 3) -> Iterator[dict[str, int]]:
    for i in range(n):
        yield {"i": i}


def Forever(path: str) -> Iterator[int]:
    try:
        i = 0
        while True:
            i += 1
            yield i
            time.sleep(0.01)
    finally:
        open(path, "w").close()


def Blocks(path: str) -> Iterator[str]:
    made = 0
    try:
        while True:
            made += 1
            with open(path + ".made", "w") as file:
                file.write(str(made))
            yield "x" * 250_000
    finally:
        open(path + ".closed", "w").close()


def Sleep(seconds: float = 30.0) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
    return "slept"


### <api name="Loop" timeout="0.5s"></api>
def Loop() -> None:
    while True:
        pass


def Big(size: int) -> bytes:
    return b"x" * size


def Text(size: int) -> str:
    return "text " * (size // 5)


def Encoded() -> object:
    from coflows_jupyter import Response

    return Response("x" * 5000, headers={"Content-Encoding": "br"}, content_type="text/plain")


def Length(data: str) -> int:
    return len(data)


def Print(text: str) -> None:
    print(text)


def Steps(path: str, bar: bool) -> None:
    import os

    from tqdm.auto import tqdm

    from coflows_jupyter import progress

    if bar:
        for _ in tqdm(range(4), desc="steps", mininterval=0):
            pass
    else:
        progress(2, 4, "halfway")
    while not os.path.exists(path):
        time.sleep(0.01)


def Touch(path: str, seconds: float) -> None:
    time.sleep(seconds)
    open(path, "w").close()


def Talk(path: str) -> None:
    import os

    print("first")
    while not os.path.exists(path):
        time.sleep(0.01)
    print("second")


def Die() -> None:
    import os

    os._exit(3)


### <api name="Login"><param name="password" secret="true">a password</param></api>
def Login(user: str, password: str) -> str:
    return user


def Token(token: SecretStr) -> int:
    return len(token.get_secret_value())


### <api name="Leak"><param name="password" secret="true"/><param name="pin" secret="true"/></api>
def Leak(user: str, password: str, pin: int = 0) -> None:
    print(user, password[:4], sep=" ", end="", flush=True)
    time.sleep(0.15)
    print(password[4:])
    logging.getLogger("vault").warning("%r", {"password": password})
    raise ValueError(f"{password} is wrong")
'''

BROKEN = """
### <api name="Closed"><permissions><group id="Public" permission="view"></permissions></api>
def Closed() -> int:
    return 1
"""


def make_workflow(folder: Path, key: str = KEY, *, jupyter: bool = False, mode: str = "process") -> Path:
    """Write a Workflow and return its config file."""
    (folder / "Queries").mkdir(parents=True)
    (folder / "Queries" / "main.py").write_text(textwrap.dedent(MAIN))
    (folder / "Queries" / "broken.py").write_text(textwrap.dedent(BROKEN))
    queries = [{"Name": f"{q}.py", "Content": f"Queries/{q}.py", "ID": q} for q in ("main", "broken")]
    (folder / "package.json").write_text(json.dumps({"ID": WID, "Name": "Rules", "Queries": queries}))
    config = {
        "Workflow": "package.json",
        "Jupyter": jupyter,
        "Server": {"Host": "localhost", "SecretKey": key},
        "Host": {"Mode": mode},
        "Watch": "off",
    }
    file = folder / "coflows_config.json"
    file.write_text(json.dumps(config))
    return file


def make_environ(home: Path) -> dict[str, str]:
    """Return an environment in which nothing of the developer's own Jupyter is seen."""
    home.mkdir(parents=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}


def pick_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def start(folder: Path, key: str = KEY, *arguments: str, jupyter: bool = False, mode: str = "process") -> Server:
    """Start a server on a new Workflow and wait until its Build serves."""
    config = make_workflow(folder / "workflow", key, jupyter=jupyter, mode=mode)
    server = Server(config, pick_port(), make_environ(folder / "home"), arguments)
    return server.wait_until("coflows/api/ready", 200)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with Lab and a SecretKey of its own."""
    server = start(tmp_path_factory.mktemp("lab"), jupyter=True)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def weak_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server without Lab whose SecretKey is the published one."""
    server = start(tmp_path_factory.mktemp("weak"), PUBLISHED_KEY)
    yield server
    server.stop()


@pytest.fixture
def anonymous(server: Server) -> Iterator[httpx.Client]:
    """Return a client without a key."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def session_cookies(server: Server) -> dict[str, str]:
    """Return the cookies of one login; whoever logs in too often has to wait."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        client.get("login")
        form = {"password": server.key, "_xsrf": client.cookies["_xsrf"]}
        assert client.post("login", data=form).status_code == 302
        return dict(client.cookies)


@pytest.fixture
def browser(server: Server, session_cookies: dict[str, str]) -> Iterator[httpx.Client]:
    """Return a client that has logged in to Lab as a browser does, and sends its XSRF header."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False, cookies=session_cookies) as client:
        client.headers["X-XSRFToken"] = client.cookies["_xsrf"]
        yield client
