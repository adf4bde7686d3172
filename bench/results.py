"""Large results: frames as Arrow beside JSON by FastAPI, and streams: ``python -m bench.results``."""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import time
from pathlib import Path

from bench.common import WID, coflows, free_port, get, server, table, workflow

SOURCE = """
import time
import numpy as np
import pandas as pd

frames = {}

def frame(megabytes: int) -> pd.DataFrame:
    if megabytes not in frames:
        values = np.random.default_rng(1).random((megabytes * 125_000 // 10, 10))
        frames[megabytes] = pd.DataFrame(values, columns=list("abcdefghij"))
    return frames[megabytes]

def ticks(count: int):
    for number in range(count):
        yield {"number": number, "at": time.time()}
        if count < 100:
            time.sleep(0.05)

def flood(megabytes: int):
    for _ in range(megabytes):
        yield "x" * 999_997
"""

FASTAPI = """
import sys, uvicorn
import numpy as np
import pandas as pd
from fastapi import FastAPI

app = FastAPI()
values = np.random.default_rng(1).random((int(sys.argv[2]) * 125_000 // 10, 10))
data = pd.DataFrame(values, columns=list("abcdefghij"))

@app.get("/ready")
def ready() -> bool:
    return True

@app.get("/frame")
def frame():
    return data.to_dict("records")

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
"""

SHARED = 20


def seconds(port: int, path: str, key: str = "") -> tuple[float, int]:
    """Return how long a whole answer takes, and its size in bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    started = time.perf_counter()
    connection.request("GET", path, headers={"x-api-key": key})
    answer = connection.getresponse()
    size = 0
    buffer = bytearray(1 << 20)
    while count := answer.readinto(buffer):
        size += count
    if answer.status != http.client.OK:
        raise SystemExit(f"{path} answered {answer.status}")
    return time.perf_counter() - started, size


def memory(pids: list[int]) -> int:
    """Return the resident memory of processes in bytes (Linux)."""
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return sum(pages) * 4096


def lateness(port: int, path: str, key: str) -> list[float]:
    """Return for each line of a stream the seconds between its making and its arrival."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"x-api-key": key})
    return [time.time() - json.loads(line)["at"] for line in connection.getresponse()]


def main() -> None:
    """Measure ours and FastAPI's."""
    with tempfile.TemporaryDirectory() as folder:
        config, key = workflow(Path(folder) / "flow", SOURCE, Timeout="10m")
        port = free_port()
        base = f"/flow/query/{WID}/q"
        with server(coflows(config, port), f"http://127.0.0.1:{port}/coflows/api/ready", core=None) as process:
            for megabytes in (SHARED, 100):
                seconds(port, f"{base}/frame.arrow?megabytes={megabytes}", key)
            arrow, _ = seconds(port, f"{base}/frame.arrow?megabytes={SHARED}", key)
            large, size = min(seconds(port, f"{base}/frame.arrow?megabytes=100", key) for _ in range(3))
            late = lateness(port, f"{base}/ticks?count=20", key)
            status = json.loads(get(f"http://127.0.0.1:{port}/coflows/api/workflows/{WID}", {"x-api-key": key}))
            pids = [process.pid, *(host["pid"] for host in status["hosts"])]
            before = memory(pids)
            flood, flooded = seconds(port, f"{base}/flood?megabytes=1000", key)
            grown = memory(pids) - before
        port = free_port()
        command = [sys.executable, "-c", FASTAPI, str(port), str(SHARED)]
        with server(command, f"http://127.0.0.1:{port}/ready", core=None):
            as_json, _ = seconds(port, "/frame")
    table(
        "large results",
        [
            (f"{SHARED} MB frame as .arrow", f"{arrow:.3f} s"),
            (
                f"{SHARED} MB frame as JSON by FastAPI",
                f"{as_json:.2f} s, {as_json / arrow:.0f} times as long   (wanted 20)",
            ),
            ("100 MB frame as .arrow", f"{size / 1e6 / large:.0f} MB/s   (wanted 500)"),
            (
                "a line of a stream, from its yield to its reader, slowest of 20",
                f"{max(late) * 1e3:.1f} ms   (wanted 10)",
            ),
            ("1 GB stream", f"{flooded / 1e6 / flood:.0f} MB/s"),
            ("growth of server and hosts meanwhile", f"{grown / 1e6:.0f} MB   (wanted at most 64)"),
        ],
    )


if __name__ == "__main__":
    main()
