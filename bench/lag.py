"""How long the server's event loop keeps others waiting: ``python -m bench.lag``.

Every answer of ``/coflows/api/health`` passes through the loop, so its time is an upper bound of the loop's lag.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.common import WID, coflows, free_port, percentile, server, table, workflow

SOURCE = """
import time

def burn(seconds: float) -> int:
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        n += 1
    return n

def size(text: str) -> int:
    return len(text)

def big(megabytes: int) -> str:
    return "x" * (megabytes * 1_000_000)
"""

# What keeps the server busy; it runs in a process of its own, so that it costs the measuring one nothing.
WORK = {
    "idle": "time.sleep(3)",
    "8 queries burning CPU": "for _ in range(8): threading.Thread(target=get, args=['burn?seconds=8']).start()",
    "100 MB of arguments": 'post("size", b\'{"text":"\' + b"x" * 100_000_000 + b\'"}\')',
    "100 MB of result": 'get("big?megabytes=100")',
}
PRELUDE = """
import sys, threading, time, urllib.request
base, key = sys.argv[1:]

def post(path, body=None):
    headers = {"x-api-key": key, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(base + path, body, headers), timeout=60) as answer:
        while answer.read(1 << 20):
            pass

get = post
"""


def lag(port: int, key: str, work: str) -> list[float]:
    """Return the seconds of one health check after the other while ``work`` is done."""
    command = [sys.executable, "-c", PRELUDE + work, f"http://127.0.0.1:{port}/flow/query/{WID}/q/", key]
    times = []
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with subprocess.Popen(command) as worker:
        while worker.poll() is None:
            started = time.perf_counter()
            connection.request("GET", "/coflows/api/health")
            connection.getresponse().read()
            times.append(time.perf_counter() - started)
            time.sleep(0.002)
        if worker.returncode:
            raise SystemExit("the work failed")
    return times


def main() -> None:
    """Print the health check's times, idle and under each kind of load."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        config, key = workflow(Path(folder) / "flow", SOURCE)
        port = free_port()
        with server(coflows(config, port), f"http://127.0.0.1:{port}/coflows/api/ready", core=None):
            for name, work in WORK.items():
                times = lag(port, key, work)
                rows.append(
                    (name, f"p50 {percentile(times, 0.5) * 1e3:5.1f} ms   p99 {percentile(times, 0.99) * 1e3:5.1f} ms")
                )
    table("health check, an upper bound of the event loop's lag (wanted: p99 of 30 ms)", rows)


if __name__ == "__main__":
    main()
