"""What the browser tests do in JupyterLab, said once: open it as a user does, and find things in the sidebar."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect

from tests.conftest import ROOT, Server

SHOTS = ROOT / "test-results"
LOAD_MS = 60_000
SLOW_MS = 20_000  # a Build on a busy computer

expect.set_options(timeout=SLOW_MS)


class Lab:
    """A browser page that shows a server's Lab, signed in by the link that the server printed.

    Args:
        browser: where the page is opened, in a profile of its own.
        server: whose Lab.
        like: a page that is signed in, for the link opens only once.
    """

    def __init__(self, browser: Browser, server: Server, like: Lab | None = None) -> None:
        self.server = server
        self.errors: list[str] = []
        self.urls: list[str] = []
        state = like.page.context.storage_state() if like else None
        self.page: Page = browser.new_context(viewport={"width": 1280, "height": 900}, storage_state=state).new_page()
        self.page.on("pageerror", self._keep_error)
        self.page.on("console", self._keep_message)
        self.page.on("request", lambda request: self.urls.append(request.url))
        self.page.on("websocket", lambda socket: self.urls.append(socket.url))
        self.page.goto(server.url + "lab" if like else login_url(server), timeout=LOAD_MS)
        self.wait_for_start()

    def _keep_error(self, error: Error) -> None:
        self.errors.append(str(error))

    def _keep_message(self, message: ConsoleMessage) -> None:
        if "coflows-jupyter" in message.text and message.type == "error":
            self.errors.append(message.text)

    def wait_for_start(self) -> None:
        """Wait until Lab stands, with its launcher."""
        self.page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=LOAD_MS)
        self.page.locator(".jp-Launcher").wait_for(timeout=LOAD_MS)

    @property
    def panel(self) -> Locator:
        """The sidebar."""
        return self.page.locator("#coflows-panel")

    def open_panel(self) -> Locator:
        """Show the sidebar by a click on its tab."""
        self.page.get_by_role("tab", name="CoFlows").click()
        expect(self.panel).to_be_visible()
        return self.panel

    def function(self, name: str) -> Locator:
        """A function in the tree."""
        return self.panel.get_by_role("treeitem", name=re.compile(rf"^{name}\("))

    def field(self, name: str) -> Locator:
        """An input of the form."""
        return self.panel.locator(f"#coflows-argument_{name}")

    def button(self, name: str) -> Locator:
        """A button of the sidebar."""
        return self.panel.get_by_role("button", name=name, exact=True)

    def replace_text(self, text: str) -> None:
        """Put other text into the editor that has the focus."""
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def screenshot(self, name: str) -> None:
        """Keep a picture for people to look at."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def close(self) -> None:
        """Close the page; what it told as an error fails the test."""
        self.page.context.close()
        assert not self.errors


OpenLab = Callable[..., Lab]


def wait_until(holds: Callable[[], bool]) -> None:
    """Ask until something holds; fail when it does not in time."""
    deadline = time.monotonic() + SLOW_MS / 1000
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {holds}"
        time.sleep(0.02)


def login_url(server: Server) -> str:
    """Return the one-time link that the server printed."""
    found = re.search(r"https?://\S+/login\?code=\S+", server.log.read_text())
    assert found, server.log.read_text()
    return found[0]


def write_settings(folder: Path, **theme: str) -> None:
    """Answer Lab's question about news, let completion take its time, and choose a theme."""
    settings: dict[str, dict[str, object]] = {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "apputils-extension/themes": {**theme},
        "completer-extension/manager": {"providerTimeout": 15000},
    }
    for name, values in settings.items():
        file = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
