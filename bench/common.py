"""What the benchmarks share: throw-away Workflows, servers that are waited for, wrk, and plain tables."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

WID = "bench"
ADD = '''
def Add(x: int, y: int) -> int:
    """Add two numbers."""
    return x + y
'''


def workflow(folder: Path, source: str = ADD, **host: object) -> tuple[Path, str]:
    """Write a Workflow with one Query ``q``; return its config file and its SecretKey.

    Args:
        folder: where to; it is made.
        source: the Query's text.
        host: keys of the config's ``Host`` section.
    """
    key = secrets.token_hex(16)
    (folder / "Queries").mkdir(parents=True)
    (folder / "Queries" / "q.py").write_text(source)
    package = {"ID": WID, "Name": "Bench", "Queries": [{"Name": "q", "Content": "Queries/q.py", "ID": "q"}]}
    (folder / "package.json").write_text(json.dumps(package))
    config = folder / "coflows_config.json"
    settings = {
        "Workflow": "package.json",
        "Jupyter": False,
        "Server": {"Host": "localhost", "SecretKey": key},
        "Host": host,
        "Watch": "on",
    }
    config.write_text(json.dumps(settings))
    return config, key


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def get(url: str, headers: Mapping[str, str] = {}) -> bytes:
    """Fetch a URL of a server that the benchmark started."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=60) as answer:
        body: bytes = answer.read()
        return body


@contextlib.contextmanager
def server(
    command: Sequence[str], ready: str, *, core: int | None = 0, environment: Mapping[str, str] = {}
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on one core until the block ends.

    Args:
        command: program and arguments.
        ready: URL that answers 200 when the server is up.
        core: the core it may use; ``None`` for any.
        environment: variables on top of ours.
    """
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as log:
        env = {**os.environ, "HOME": home, "JUPYTER_PLATFORM_DIRS": "0", **environment}
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            if core is not None and hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(process.pid, {core})
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError):
                    get(ready)
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"{command[0]} did not start:\n{log.read().decode()[-3000:]}")
                time.sleep(0.01)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def coflows(config: Path, port: int) -> list[str]:
    """Return the command that serves a Workflow without a browser."""
    return [sys.executable, "-m", "coflows_jupyter", "server", str(config), "--no-browser", "--port", str(port)]


def wrk(url: str, *, seconds: int = 3, connections: int = 16, headers: Mapping[str, str] = {}, core: int = 1) -> float:
    """Return requests per second; anything but 2xx ends the benchmark."""
    if shutil.which("wrk") is None:
        raise SystemExit("this benchmark needs wrk (apt-get install wrk)")
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in report:
        raise SystemExit(f"{url} did not answer every request:\n{report}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", report)
    assert found is not None, report
    return float(found[1])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of the values lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios taken round by round."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def table(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print rows of name and figure."""
    print(f"\n{title}")
    width = max(len(name) for name, _ in rows)
    for name, figure in rows:
        print(f"  {name:<{width}}  {figure}")
