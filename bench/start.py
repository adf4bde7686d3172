"""From nothing to ready beside plain JupyterLab, and what importing costs: ``python -m bench.start``."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.common import coflows, free_port, median_ratio, server, table

ROOT = Path(__file__).resolve().parent.parent


def seconds_until(command: list[str], ready: str) -> float:
    """Start a server and return the seconds until ``ready`` answers 200."""
    started = time.perf_counter()
    with server(command, ready, core=None):
        return time.perf_counter() - started


def ours(folder: Path) -> float:
    """Start the sample Workflow in Lab until its Build serves."""
    port = free_port()
    return seconds_until(coflows(folder / "coflows_config.json", port), f"http://127.0.0.1:{port}/coflows/api/ready")


def plain(folder: Path) -> float:
    """Start JupyterLab alone until its page answers."""
    port = free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"]
    command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=bench"]
    command += ["--ServerApp.jpserver_extensions={'coflows_jupyter': False}"]
    return seconds_until(command, f"http://127.0.0.1:{port}/lab?token=bench")


def import_milliseconds() -> float:
    """Return the time that ``import coflows_jupyter`` takes in a fresh interpreter."""
    code = "import time; t = time.perf_counter(); import coflows_jupyter; print((time.perf_counter() - t) * 1e3)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Start both in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "mnt"
        shutil.copytree(ROOT / "mnt", folder)
        times = [(ours(folder), plain(folder)) for _ in range(rounds)]
    here, there = [a for a, _ in times], [b for _, b in times]
    imports = [import_milliseconds() for _ in range(5)]
    table(
        f"start of the sample, median of {rounds} rounds",
        [
            ("coflows server → ready", f"{statistics.median(here):.2f} s"),
            ("plain jupyter lab → first 200", f"{statistics.median(there):.2f} s"),
            ("ratio", f"{median_ratio(here, there):.2f}   (wanted 0.75)"),
            ("import coflows_jupyter", f"{statistics.median(imports):.1f} ms   (wanted 60)"),
        ],
    )


if __name__ == "__main__":
    main()
