"""The three ways to start, each as a process of its own on a real port."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from jupyter_client.blocking.client import BlockingKernelClient

import coflows_jupyter
from tests.conftest import PUBLISHED_KEY, SERVER_COMMAND, RunningServer, Server, needs
from tests.server.conftest import KEY, WID, make_workflow, pick_port

STOP_SECONDS = 5.0
EXTENSION = Path(coflows_jupyter.__file__).parent / "server" / "jupyter-config" / "coflows_jupyter.json"
Start = Callable[..., subprocess.Popen[bytes]]


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return once ``condition`` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def answers(url: str, status: int, **options: object) -> bool:
    """Whether ``url`` answers ``status``."""
    try:
        return httpx.get(url, timeout=5, trust_env=False, **options).status_code == status  # type: ignore[arg-type]
    except httpx.TransportError:
        return False


def descendants(pid: int) -> set[int]:
    """Return the processes below ``pid`` (Linux)."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def environ_of(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with."""
    try:
        text = Path(f"/proc/{pid}/environ").read_text()
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in text.split("\0") if entry)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the file that processes started by ``start`` write to."""
    return tmp_path / "process.log"


@pytest.fixture
def start(isolated_environ: dict[str, str], log: Path, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a process in the isolated environment; ``tmp_path`` is its working directory."""
    processes = []

    def run(*words: str | Path, cwd: Path = tmp_path, **environ: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            process = subprocess.Popen(
                words,
                cwd=cwd,
                env=isolated_environ | environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def said(log: Path, pattern: str) -> str:
    """Wait until a log matches ``pattern``, and return its first group."""
    wait_for(lambda: re.search(pattern, log.read_text()) is not None)
    found = re.search(pattern, log.read_text())
    assert found
    return found[1]


def check_lab(url: str, login_url: str, key: str) -> httpx.Client:
    """Log in by a printed URL and check that Lab's page works and holds no key."""
    browser = httpx.Client(base_url=url, timeout=30, trust_env=False, follow_redirects=True)
    page = browser.get(login_url)
    assert page.status_code == 200
    assert page.url.path.endswith("/lab")
    assert key not in page.text
    page_config = re.search(r'id="jupyter-config-data"[^>]*>\s*(\{.*?\})\s*</script>', page.text, re.DOTALL)
    assert page_config is not None
    assert json.loads(page_config[1])["token"] == ""
    assert key not in browser.get("no/such/page").text
    assert browser.get("api/contents").status_code == 200
    assert httpx.get(login_url, trust_env=False).status_code == 401
    return browser


def test_coflows_server(running_server: RunningServer, sample: Path, isolated_environ: dict[str, str]) -> None:
    """`coflows server` serves Lab on the sample, and what it prints works: the login URL once, the curl line."""
    needs("curl")
    server = running_server(sample / "coflows_config.json")
    login = said(server.log, r"(http://\S+login\?code=\S+)")
    browser = check_lab(server.url, login, server.key)
    names = {entry["name"] for entry in browser.get("api/contents").json()["content"]}
    assert {"package.json", "Queries", "Files"} <= names
    call = said(server.log, r"(curl -H .*)")
    printed = subprocess.run(
        ["sh", "-c", call], cwd=sample, env=isolated_environ, capture_output=True, text=True, check=True, timeout=60
    )
    json.loads(printed.stdout)
    assert server.key not in server.log.read_text()
    assert server.stop() == 0


def test_terminal_has_the_command_and_the_server(running_server: RunningServer, sample: Path) -> None:
    """What Lab starts knows where the server is, has a key that opens our routes only, and finds `coflows`."""
    server = running_server(sample / "coflows_config.json", environ={"PATH": "/usr/bin:/bin"})
    token = {"Authorization": f"token {server.key}"}
    server.http.post("api/terminals", headers=token).raise_for_status()
    environs: list[dict[str, str]] = []

    def shell_runs() -> bool:
        environs[:] = [e for e in map(environ_of, descendants(server.process.pid)) if "JUPYTER_SERVER_URL" in e]
        return bool(environs)

    wait_for(shell_runs)
    environ = environs[0]
    assert environ["COFLOWS_URL"] == server.url
    assert shutil.which("coflows", path=environ["PATH"]) == str(Path(sys.executable).with_name("coflows"))
    key = environ["COFLOWS_KEY"]
    assert key != server.key
    me = httpx.get(f"{server.url}coflows/api/me", headers={"x-api-key": key}).json()
    assert (me["source"], me["level"]) == ("key", 2)
    assert httpx.get(f"{server.url}api/kernels", headers={"Authorization": f"token {key}"}).status_code == 403


def test_run_file_is_private_and_temporary(
    running_server: RunningServer, sample: Path, isolated_environ: dict[str, str]
) -> None:
    """The key of the run is in a file for its user only, while the server runs."""
    server = running_server(sample / "coflows_config.json")
    file = Path(isolated_environ["JUPYTER_RUNTIME_DIR"]) / f"coflows-{server.process.pid}.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_bytes())["key"] == server.key
    server.stop()
    assert not file.exists()


def test_published_key_is_no_lab_token(running_server: RunningServer, tmp_path: Path) -> None:
    """With the tutorial's key the run has a random one; the tutorial's opens our routes by header, and never Lab."""
    server = running_server(make_workflow(tmp_path / "flow", PUBLISHED_KEY, jupyter=True))
    token = {"Authorization": f"token {PUBLISHED_KEY}"}
    assert httpx.get(f"{server.url}api/kernels", headers=token).status_code == 403
    assert httpx.post(f"{server.url}api/kernels?token={PUBLISHED_KEY}").status_code == 403
    assert server.http.get("coflows/api/me").json()["source"] == "key"
    assert "coflows key rotate" in server.log.read_text()


def test_new_key_ends_old_sessions(running_server: RunningServer, tmp_path: Path) -> None:
    """A cookie of one key is worth nothing under another, and everything under the same."""
    config = make_workflow(tmp_path / "flow", jupyter=True)
    port = pick_port()

    def session_status(cookies: httpx.Cookies) -> int:
        return httpx.get(f"http://127.0.0.1:{port}/api/contents", cookies=dict(cookies), timeout=30).status_code

    server = running_server(config, port=port)
    with httpx.Client(base_url=server.url, timeout=30) as browser:
        browser.get("login")
        browser.post("login", data={"password": server.key, "_xsrf": browser.cookies["_xsrf"]})
        cookies = browser.cookies
    assert session_status(cookies) == 200
    server.stop()
    server = running_server(config, port=port)
    assert session_status(cookies) == 200
    server.stop()
    config.write_text(config.read_text().replace(KEY, KEY[::-1]))
    running_server(config, port=port)
    assert session_status(cookies) == 403


def test_programs_get_no_session(running_server: RunningServer, tmp_path: Path) -> None:
    """A call of Jupyter's REST API by key leaves no cookie that outlives it."""
    server = running_server(make_workflow(tmp_path / "flow", jupyter=True))
    answer = httpx.get(f"{server.url}api/contents", headers={"Authorization": f"token {KEY}"})
    assert answer.status_code == 200
    assert "username" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "lab"),
        ("GET", "tree"),
        ("GET", "api/contents"),
        ("POST", "api/kernels"),
        ("GET", "api/kernelspecs"),
        ("POST", "api/sessions"),
        ("POST", "api/terminals"),
        ("GET", "terminals/websocket/1"),
        ("GET", "files/package.json"),
        ("GET", "nbconvert/html/Files/x.ipynb"),
        ("POST", "api/shutdown"),
        ("GET", "lab/api/settings"),
    ],
)
def test_without_lab_only_our_routes_exist(weak_server: Server, method: str, path: str) -> None:
    """`"Jupyter": false` serves the API and nothing that could run code or read files, whoever asks."""
    run = json.loads(next(runtime_files(weak_server)).read_bytes())
    for headers in ({}, {"Authorization": f"token {run['key']}"}):
        assert httpx.request(method, weak_server.url + path, headers=headers).status_code in {403, 404, 405}


def runtime_files(server: Server) -> Iterator[Path]:
    """Find the run file of a server."""
    return Path(server.log.parent).rglob(f"coflows-{server.process.pid}.json")


def test_without_lab_calls_work(weak_server: Server) -> None:
    """The API itself is served."""
    answer = weak_server.http.get(f"flow/query/{WID}/main/Add?x=1&y=2")
    assert answer.json() == 3


def test_jupyter_coflows(start: Start, log: Path, tmp_path: Path) -> None:
    """`jupyter coflows CONFIG` is the same server with Jupyter's own options, here another base URL."""
    port = pick_port()
    config = make_workflow(tmp_path / "flow", jupyter=True)
    program = "from coflows_jupyter.app import main; main()"
    options = ["--no-browser", f"--port={port}", "--ServerApp.base_url=/a/b/"]
    process = start(sys.executable, "-c", program, config, *options)
    url = f"http://127.0.0.1:{port}/a/b/"
    wait_for(lambda: answers(url + "coflows/api/ready", 200))
    assert httpx.get(f"{url}flow/query/{WID}/main/Add?x=1&y=2", headers={"x-api-key": KEY}).json() == 3
    check_lab(url, said(log, r"(http://\S+login\?code=\S+)"), KEY)
    process.terminate()
    assert process.wait(STOP_SECONDS) == 0


def test_operators_token_is_kept(start: Start, log: Path, tmp_path: Path) -> None:
    """Who configures Jupyter's token has chosen; the SecretKey then opens our routes only."""
    port = pick_port()
    config = make_workflow(tmp_path / "flow", jupyter=True)
    program = "from coflows_jupyter.app import main; main()"
    start(sys.executable, "-c", program, config, "--no-browser", f"--port={port}", "--IdentityProvider.token=mine")
    url = f"http://127.0.0.1:{port}/"
    wait_for(lambda: answers(url + "coflows/api/ready", 200))
    assert httpx.get(f"{url}api/contents", headers={"Authorization": "token mine"}).status_code == 200
    assert httpx.get(f"{url}api/contents", headers={"Authorization": f"token {KEY}"}).status_code == 403
    assert httpx.get(f"{url}coflows/api/me", headers={"x-api-key": KEY}).status_code == 200


def test_logs_for_machines(start: Start, log: Path, tmp_path: Path) -> None:
    """With `json_logs` each record is one JSON document, and an access has its fields."""
    port = pick_port()
    program = "from coflows_jupyter.app import main; main()"
    options = [f"--port={port}", "--CoFlowsApp.json_logs=true"]
    process = start(sys.executable, "-c", program, make_workflow(tmp_path / "flow"), *options)
    url = f"http://127.0.0.1:{port}/"
    wait_for(lambda: answers(url + "coflows/api/ready", 200))
    assert answers(f"{url}flow/query/{WID}/main/Add?x=1&y=2&_cokey=nobodys", 401)
    process.terminate()
    process.wait(STOP_SECONDS)
    records = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    access = next(record for record in records if record["logger"] == "coflows.access" and record["status"] == 401)
    assert (access["level"], access["method"], access["caller"]) == ("warning", "GET", "anonymous")
    assert access["path"] == f"/flow/query/{WID}/main/Add"
    assert "nobodys" not in log.read_text()


@pytest.mark.parametrize("option", ["--port", "--ServerApp.port", "--CoFlowsServer.port"])
def test_jupyters_own_options_go_before_the_config(start: Start, tmp_path: Path, option: str) -> None:
    """Whichever way Jupyter spells an option, what the operator says is what happens."""
    port = pick_port()
    program = "from coflows_jupyter.app import main; main()"
    start(sys.executable, "-c", program, make_workflow(tmp_path / "flow"), f"{option}={port}")
    wait_for(lambda: answers(f"http://127.0.0.1:{port}/coflows/api/health", 200))


def test_mistake_in_the_config_ends_the_start(start: Start, log: Path, tmp_path: Path) -> None:
    """`jupyter coflows` names the place of the mistake and ends with 2."""
    config = tmp_path / "coflows_config.json"
    config.write_text('{"Server": {"Port": "many"}}')
    process = start(sys.executable, "-c", "from coflows_jupyter.app import main; main()", config)
    assert process.wait(30) == 2
    assert f"{config}:1:" in log.read_text()


def enable_extension(environ: dict[str, str]) -> None:
    """Do what installing the wheel does."""
    folder = Path(environ["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.d"
    folder.mkdir(parents=True)
    shutil.copy(EXTENSION, folder)


def test_guest_in_a_persons_own_lab(start: Start, log: Path, tmp_path: Path, isolated_environ: dict[str, str]) -> None:
    """In `jupyter lab` their token stays theirs, below any base URL; the SecretKey opens our routes only."""
    enable_extension(isolated_environ)
    config = make_workflow(tmp_path / "flow")
    port = pick_port()
    options = ["--no-browser", f"--port={port}", "--ServerApp.base_url=/me/", "--allow-root"]
    process = start(sys.executable, "-m", "jupyterlab", *options, "--IdentityProvider.token=theirs", cwd=config.parent)
    url = f"http://127.0.0.1:{port}/me/"
    wait_for(lambda: answers(url + "coflows/api/ready", 200))
    add = f"{url}flow/query/{WID}/main/Add?x=1&y=2"
    theirs = {"Authorization": "token theirs"}
    assert httpx.get(add, headers={"x-api-key": KEY}).json() == 3
    assert httpx.get(add, headers=theirs).json() == 3
    assert httpx.get(f"{url}coflows/api/me", headers=theirs).json()["source"] == "lab"
    assert httpx.get(f"{url}api/contents", headers=theirs).status_code == 200
    assert httpx.get(f"{url}api/contents", headers={"Authorization": f"token {KEY}"}).status_code == 403
    assert '"token": "theirs"' in httpx.get(f"{url}lab?token=theirs", follow_redirects=True).text
    process.terminate()
    process.wait(STOP_SECONDS)


def test_guest_without_a_workflow_is_idle(start: Start, tmp_path: Path, isolated_environ: dict[str, str]) -> None:
    """Where there is no configuration, Lab is as it was, and our API says what is missing."""
    enable_extension(isolated_environ)
    port = pick_port()
    options = ["--no-browser", f"--port={port}", "--allow-root", "--IdentityProvider.token=theirs"]
    start(sys.executable, "-m", "jupyterlab", *options)
    url = f"http://127.0.0.1:{port}/"
    wait_for(lambda: answers(url + "coflows/api/health", 200))
    ready = httpx.get(f"{url}coflows/api/ready")
    assert ready.status_code == 503
    assert "coflows_config.json" in ready.json()["reasons"][0]
    theirs = {"Authorization": "token theirs"}
    assert httpx.get(f"{url}coflows/api/workflows", headers=theirs).json() == {"workflows": []}
    assert httpx.get(f"{url}api/contents", headers=theirs).status_code == 200


@pytest.mark.parametrize("state", ["starting", "serving", "busy", "busy kernel", "failed"])
def test_sigterm_ends_everything(running_server: RunningServer, tmp_path: Path, state: str) -> None:
    """In every state SIGTERM leaves no process within five seconds."""
    config = make_workflow(tmp_path / "flow", jupyter=state == "busy kernel")
    if state == "failed":
        (config.parent / "package.json").write_text("{")
    server = running_server(config, ready=state not in {"starting", "failed"})
    if state == "busy":
        with httpx.Client(timeout=1.0) as client, pytest.raises(httpx.ReadTimeout):
            client.get(f"{server.url}flow/query/{WID}/main/Sleep", headers={"x-api-key": KEY})
    if state == "busy kernel":
        run_endless_cell(server)
    below = descendants(server.process.pid)
    began = time.monotonic()
    server.process.terminate()
    server.process.wait(STOP_SECONDS)
    wait_for(lambda: not any(map(lives, below)), STOP_SECONDS - (time.monotonic() - began))


def run_endless_cell(server: Server) -> None:
    """Let a kernel run `while True`, and return once it does."""
    kernel = server.http.post("api/kernels", headers={"Authorization": f"token {server.key}"}).json()["id"]
    connections = server.log.parent.rglob(f"kernel-{kernel}.json")
    mark = server.config.parent / "busy"
    client = BlockingKernelClient(connection_file=str(next(connections)))
    client.load_connection_file()
    client.start_channels()
    try:
        client.execute(f"open({str(mark)!r}, 'w').close()\nwhile True: pass")
        wait_for(mark.exists)
    finally:
        client.stop_channels()


def test_sigterm_at_any_moment_of_the_start(start: Start, tmp_path: Path) -> None:
    """A start that is interrupted, early or late, ends as well."""
    config = make_workflow(tmp_path / "flow", jupyter=True)
    for delay in (0.2, 0.6, 1.0, 1.4, 1.8):
        process = start(*SERVER_COMMAND, config, "--no-browser", "--port", str(pick_port()))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(delay)
        below = descendants(process.pid)
        process.terminate()
        process.wait(STOP_SECONDS)
        wait_for(lambda below=below: not any(map(lives, below)), STOP_SECONDS)  # type: ignore[misc]


@pytest.mark.parametrize("busy", [False, True])
def test_sigkill_leaves_no_orphan(running_server: RunningServer, tmp_path: Path, busy: bool) -> None:
    """Hosts notice within two seconds that their server is gone, also in the middle of a call."""
    server = running_server(make_workflow(tmp_path / "flow"))
    if busy:
        with httpx.Client(timeout=0.5) as client, pytest.raises(httpx.ReadTimeout):
            client.get(f"{server.url}flow/query/{WID}/main/Sleep", headers={"x-api-key": KEY})
    hosts = descendants(server.process.pid)
    assert hosts
    server.process.kill()
    server.process.wait()
    wait_for(lambda: not any(map(lives, hosts)), 2.5)


def test_embedded_mode_stops_with_an_endless_call(running_server: RunningServer, tmp_path: Path) -> None:
    """Even where user code runs inside the server, it can't keep the process alive."""
    server = running_server(make_workflow(tmp_path / "flow", mode="embedded"))
    assert server.http.get(f"flow/query/{WID}/main/Add?x=1&y=2").json() == 3
    with httpx.Client(timeout=1.0) as client, pytest.raises(httpx.ReadTimeout):
        client.get(f"{server.url}flow/query/{WID}/main/Sleep", headers={"x-api-key": KEY})
    server.process.terminate()
    server.process.wait(STOP_SECONDS)


def test_keys_are_in_no_log(running_server: RunningServer, tmp_path: Path) -> None:
    """Neither a key that was sent nor one that was refused is written down, at any level."""
    server = running_server(make_workflow(tmp_path / "flow", jupyter=True), "--debug")
    wrong = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
    for key in (KEY, wrong):
        httpx.get(f"{server.url}flow/query/{WID}/main/Add?x=1&y=2&_cokey={key}")
        httpx.get(f"{server.url}m/getwb?workbook={WID}&id=main&name=Add&uid={key}")
        httpx.get(f"{server.url}lab?token={key}")
        httpx.get(f"{server.url}coflows/api/me", headers={"x-api-key": key})
        httpx.post(f"{server.url}login", data={"password": key})
    server.stop()
    assert KEY not in server.log.read_text()
    assert wrong not in server.log.read_text()
