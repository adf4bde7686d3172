"""What the ledger costs: requests per second with ``Runs: all`` against ``off``: ``python -m bench.runs``."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.common import WID, coflows, free_port, get, median_ratio, server, table, workflow, wrk

SECONDS = 3


def main() -> None:
    """Run both servers side by side and measure them in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls, headers, servers = {}, {}, {}
        for runs in ("all", "off"):
            config, key = workflow(folder / runs, Mode="process")
            config.write_text(json.dumps(json.loads(config.read_text()) | {"Runs": runs}))
            port = free_port()
            base = f"http://127.0.0.1:{port}"
            process = stack.enter_context(server(coflows(config, port), f"{base}/coflows/api/ready"))
            servers[runs] = psutil.Process(process.pid)
            urls[runs], headers[runs] = f"{base}/flow/query/{WID}/q/Add?x=1&y=2", {"x-api-key": key}
            get(f"{base}/coflows/api/runs", headers[runs])
        rates: dict[str, list[float]] = {runs: [] for runs in urls}
        per_second: dict[str, list[float]] = {runs: [] for runs in urls}
        for _ in range(options.rounds):
            for runs, url in urls.items():
                before = servers[runs].cpu_times()
                rates[runs].append(wrk(url, seconds=SECONDS, headers=headers[runs]))
                after = servers[runs].cpu_times()
                used = after.user + after.system - before.user - before.system
                per_second[runs].append(rates[runs][-1] * SECONDS / used)
        kept = sum(file.stat().st_size for file in (folder / "all").glob("coflows.db*"))
    rows = [(f"Runs: {runs}", f"{statistics.median(found):8.0f} requests/s") for runs, found in rates.items()]
    rows.append(("all / off", f"{median_ratio(rates['all'], rates['off']):.2f}   (wanted 0.90)"))
    # What others do on the machine changes how much of it the server gets, and far less what a request costs.
    for runs, found in per_second.items():
        rows.append((f"Runs: {runs}, per second of CPU", f"{statistics.median(found):8.0f} requests"))
    rows.append(("all / off, per second of CPU", f"{median_ratio(per_second['all'], per_second['off']):.2f}"))
    rows.append(("size of the history", f"{kept / 1e6:.0f} MB"))
    table(f"Add(x, y) over HTTP with and without history, median of {options.rounds} rounds", rows)


if __name__ == "__main__":
    main()
