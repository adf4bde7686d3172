"""A real Chromium for tests of the sidebar; where there is none, they are skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.conftest import Server
    from tests.e2e.lab import OpenLab

ARGUMENTS = (
    "--no-sandbox",  # root, as in containers, may not have one
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


# Not for the whole session: as long as Playwright runs, no other test can have an event loop in this thread.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return a Chromium that runs for this folder's tests."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium: run `apt-get install chromium` as root, or set CHROMIUM to the path of one")
    api = pytest.importorskip("playwright.sync_api", reason="no Playwright: run `pip install '.[test]'`")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def isolated_environ(isolated_environ: dict[str, str]) -> dict[str, str]:
    """Return the environment of the server: Lab asks no questions."""
    from tests.e2e.lab import write_settings

    settings = Path(isolated_environ["HOME"]) / "settings"
    write_settings(settings)
    return isolated_environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings.with_name("workspaces")),
    }


@pytest.fixture
def open_lab(browser: Browser) -> Iterator[OpenLab]:
    """Return a function that opens a server's Lab in a browser profile of its own."""
    from tests.e2e.lab import Lab

    opened: list[Lab] = []

    def open_(server: Server, like: Lab | None = None) -> Lab:
        opened.append(Lab(browser, server, like))
        return opened[-1]

    yield open_
    for lab in opened:
        lab.close()
