"""How soon a table in a notebook shows what others write, in a real browser: ``python -m bench.widget``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.common import free_port, percentile, table, workflow
from tests.conftest import Server
from tests.e2e.conftest import ARGUMENTS
from tests.e2e.lab import Lab
from tests.e2e.test_table import open_table, write_table

# Keeps for each number the moment at which the frame with it was painted, in milliseconds of the machine's clock.
WATCH = """
table => {
    window.seen = {};
    new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
        const number = table.querySelector('tbody td').textContent;
        window.seen[number] ??= performance.timeOrigin + performance.now();
    }))).observe(table, { subtree: true, childList: true, characterData: true });
}
"""


def main() -> None:
    """Write to the set over HTTP, as another program does, and ask the browser when it has painted that."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=200)
    parser.add_argument("--entries", type=int, default=100, help="size of the set")
    arguments = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        config, _ = workflow(Path(home) / "flow")
        config.write_text(json.dumps(json.loads(config.read_text()) | {"Jupyter": True}))
        write_table(config.parent)
        server = Server(config, free_port(), os.environ | {"HOME": home}).wait_until("coflows/api/ready", 200)
        try:
            waits = measure(Lab(browser, server), arguments.writes, arguments.entries)
        finally:
            server.stop()
            browser.close()
    rows = [(f"p{share:g}", f"{percentile(waits, share / 100):6.1f} ms") for share in (50, 95, 99)]
    table(f"a write until the table shows it, {arguments.entries} entries (wanted: p95 of 150 ms)", rows)


def measure(lab: Lab, writes: int, entries: int) -> list[float]:
    """Return for each write the milliseconds from before its request until it was painted."""
    changes = [{"op": "put", "entry": f"{n:04}", "value": {"n": -n}} for n in range(entries)]
    lab.server.http.patch("coflows/api/m/prices", json={"changes": changes}).raise_for_status()
    open_table(lab).evaluate(WATCH)
    sent = {}
    for number in range(1, writes + 1):
        sent[str(number)] = time.time() * 1e3
        lab.server.http.put("coflows/api/m/prices/0000", json={"n": number}).raise_for_status()
        lab.page.wait_for_function("number => number in window.seen", arg=str(number), polling=100)
    seen: dict[str, float] = lab.page.evaluate("window.seen")
    return [seen[number] - moment for number, moment in sent.items()]


if __name__ == "__main__":
    main()
