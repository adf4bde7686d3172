"""Requests per second of ``Add(x, y)`` beside its peers in one run: ``python -m bench.http``.

Each server's own process is held to core 0; wrk and, in process mode, the host use core 1.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.common import WID, coflows, free_port, get, median_ratio, server, table, workflow, wrk

TORNADO = """
import asyncio, json, sys, uvloop
from tornado.web import Application, RequestHandler

class Add(RequestHandler):
    def get(self):
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(int(self.get_query_argument("x")) + int(self.get_query_argument("y"))))

async def main():
    Application([("/add", Add)]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()

uvloop.run(main())
"""

FASTAPI = """
import sys, uvicorn
from fastapi import FastAPI

app = FastAPI()

@app.get("/add")
def add(x: int, y: int) -> int:
    return x + y

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
"""

GATEWAY = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": "# GET /add\nimport json\nargs = json.loads(REQUEST)['args']\n"
            "print(int(args['x'][0]) + int(args['y'][0]))",
        }
    ],
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def ours(stack: ExitStack, folder: Path, mode: str) -> Callable[[], float]:
    """Start our server in ``mode``; return what measures it."""
    config, key = workflow(folder / mode, Mode=mode)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    process = stack.enter_context(server(coflows(config, port), f"{base}/coflows/api/ready"))
    headers = {"x-api-key": key}
    status = json.loads(get(f"{base}/coflows/api/workflows/{WID}", headers))
    for host in status["hosts"]:
        if host["pid"] and host["pid"] != process.pid:
            for thread in Path(f"/proc/{host['pid']}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {1})
    return lambda: wrk(f"{base}/flow/query/{WID}/q/Add?x=1&y=2", headers=headers)


def peer(stack: ExitStack, script: str) -> Callable[[], float]:
    """Start a peer from its source; return what measures it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/add?x=1&y=2"
    stack.enter_context(server([sys.executable, "-c", script, str(port)], url))
    return lambda: wrk(url)


def gateway(stack: ExitStack, folder: Path, python: str) -> Callable[[], float]:
    """Start Kernel Gateway in notebook-http mode; return what measures it."""
    notebook = folder / "gateway.ipynb"
    notebook.write_text(json.dumps(GATEWAY))
    port = free_port()
    url = f"http://127.0.0.1:{port}/add?x=1&y=2"
    command = [python, "-m", "kernel_gateway", "--KernelGatewayApp.api=kernel_gateway.notebook_http"]
    command += [f"--KernelGatewayApp.seed_uri={notebook}", f"--KernelGatewayApp.port={port}"]
    stack.enter_context(server(command, url, core=None))
    return lambda: wrk(url)


def main() -> None:
    """Run all servers side by side and measure them in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gateway", help="a Python that has jupyter_kernel_gateway")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        measures = {
            "embedded": ours(stack, folder, "embedded"),
            "process": ours(stack, folder, "process"),
            "bare Tornado handler": peer(stack, TORNADO),
            "FastAPI def, uvicorn": peer(stack, FASTAPI),
        }
        if options.gateway:
            measures["Kernel Gateway notebook-http"] = gateway(stack, folder, options.gateway)
        rates: dict[str, list[float]] = {name: [] for name in measures}
        for _ in range(options.rounds):
            for name, measure in measures.items():
                rates[name].append(measure())
    rows = [(name, f"{statistics.median(found):8.0f} requests/s") for name, found in rates.items()]
    tornado, fastapi = rates["bare Tornado handler"], rates["FastAPI def, uvicorn"]
    rows += [
        ("embedded / bare Tornado", f"{median_ratio(rates['embedded'], tornado):.2f}   (wanted 0.70)"),
        ("process / FastAPI", f"{median_ratio(rates['process'], fastapi):.2f}   (wanted 1.0)"),
    ]
    if options.gateway:
        slow = rates["Kernel Gateway notebook-http"]
        rows += [
            (f"{m} / Kernel Gateway", f"{median_ratio(rates[m], slow):.0f}   (wanted 20)")
            for m in ("embedded", "process")
        ]
    table(f"Add(x, y) over HTTP with key and validation, 16 connections, median of {options.rounds} rounds", rows)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error}\n{error.stderr}") from None
