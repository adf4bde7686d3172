"""Logging in as a person, in a real browser: what Read opens, and what Write does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import RunningServer, Server
from tests.e2e.lab import LOAD_MS, SHOTS
from tests.e2e.test_sidebar import faint_texts

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse battery"
READER, WRITER = "reader@example.com", "writer@example.com"


@pytest.fixture
def server(sample: Path, running_server: RunningServer) -> Server:
    """Return a server of the sample with two people who have a password."""
    workflow = json.loads((sample / "package.json").read_text())["ID"]
    server = running_server(sample / "coflows_config.json")
    for user, level in ((READER, 1), (WRITER, 2)):
        about = {"id": user, "first_name": user.partition("@")[0].title(), "password": PASSWORD}
        assert server.http.post("coflows/api/users", json=about).status_code == 201
        put = server.http.put(f"coflows/api/groups/{workflow}/members/{user}", json={"level": level})
        assert put.status_code == 200
    return server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return an empty page in a profile of its own; what it tells as an error fails the test."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    yield page
    page.context.close()
    assert not errors


def log_in(page: Page, server: Server, user: str, password: str = PASSWORD) -> None:
    """Open Lab as somebody does who has its address, and fill in the form that comes instead."""
    page.goto(f"{server.url}lab", timeout=LOAD_MS)
    page.get_by_label("User").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def status_of_contents(page: Page) -> int:
    """Ask for the list of files, the server and not the browser's memory of it."""
    status: int = page.evaluate("fetch('/api/contents', {cache: 'no-store'}).then(r => r.status)")
    return status


def test_read_is_refused_lab_and_may_call(server: Server, page: Page) -> None:
    """The page says why, leads to the try-it page, and a call made there works, by the session alone."""
    log_in(page, server, READER)
    expect(page.get_by_role("alert")).to_contain_text("Lab is for those who have Write")
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "refused.png")
    page.get_by_role("link", name="Functions of").click()
    form = page.locator(".opblock-get").filter(has=page.locator('[data-path="/pyapi/Add"]'))
    form.locator(".opblock-summary-control").click()
    form.get_by_placeholder("x").fill("2")
    form.get_by_placeholder("y").fill("40")
    form.get_by_role("button", name="Execute").click()
    expect(form.locator(".live-responses-table tbody tr").first).to_contain_text("42")

    statuses = page.evaluate(
        """paths => Promise.all(paths.map(path => fetch(path, {redirect: 'manual'}).then(r => r.status)))""",
        ["/api/contents", "/api/kernels", "/api/terminals", "/lab/api/workspaces", "/coflows/api/me"],
    )
    assert statuses == [403, 403, 403, 403, 200]
    page.goto(f"{server.url}lab", timeout=LOAD_MS)
    expect(page.get_by_role("alert")).to_contain_text("Lab is for those who have Write")
    page.get_by_role("link", name="Log out").click()
    page.goto(f"{server.url}lab", timeout=LOAD_MS)
    expect(page.get_by_label("User")).to_be_visible()


def test_write_opens_lab_until_it_ends(server: Server, page: Page) -> None:
    """A wrong password is told; the right one opens Lab; when Write ends, so do its open connections."""
    log_in(page, server, WRITER, "wrong password")
    expect(page.get_by_role("alert")).to_have_text("user and password do not fit")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator(".jp-Launcher").wait_for(timeout=LOAD_MS)
    assert status_of_contents(page) == 200
    page.evaluate(
        """() => new Promise((resolve, fail) => {
            const socket = new WebSocket(location.origin.replace('http', 'ws') + '/api/events/subscribe');
            socket.onopen = resolve;
            socket.onerror = fail;
            window.ended = new Promise(done => { socket.onclose = event => done(event.code); });
        })"""
    )
    closed = server.http.patch(f"coflows/api/users/{WRITER}", json={"disabled": True})
    assert closed.status_code == 200
    assert page.evaluate("window.ended") == 1008
    assert status_of_contents(page) == 403


def test_ones_own_account(server: Server, browser: Browser, page: Page) -> None:
    """A person changes name and password in the sidebar; other browsers are logged out, this one goes on."""
    other = browser.new_context().new_page()
    for tab in (page, other):
        log_in(tab, server, WRITER)
        expect(tab.locator("#jupyterlab-splash")).to_have_count(0, timeout=LOAD_MS)
    page.get_by_role("tab", name="CoFlows").click()
    panel = page.locator("#coflows-panel")
    panel.get_by_role("heading", name="People").click()
    you = panel.get_by_role("region", name="You")
    you.get_by_role("button", name="Edit").click()
    expect(you.get_by_label("First name")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Wanda")
    you.get_by_label("Last name").fill("Doe")
    you.get_by_label("Last name").press("Enter")
    expect(you.get_by_role("heading", name="Wanda Doe")).to_be_visible()

    form = you.get_by_role("form", name="Your password")
    form.get_by_label("until now").fill("a wrong password")
    form.get_by_label("New password").fill(NEW_PASSWORD)
    form.get_by_label("again").fill(NEW_PASSWORD + "x")
    form.get_by_label("again").press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("differ")
    form.get_by_label("again").fill(NEW_PASSWORD)
    form.get_by_label("again").press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("do not fit")
    page.screenshot(path=SHOTS / "people-account.png")
    assert not faint_texts(you)
    form.get_by_label("until now").fill(PASSWORD)
    page.wait_for_timeout(1000)  # which a wrong password costs
    form.get_by_role("button", name="Change the password").click()
    expect(form.get_by_label("New password")).to_have_value("")
    assert (status_of_contents(page), status_of_contents(other)) == (200, 403)
    you.get_by_role("button", name="Close").click()
    expect(you.get_by_role("form")).to_have_count(0)
    log_in(other, server, WRITER)
    expect(other.get_by_role("alert")).to_contain_text("do not fit")
    log_in(other, server, WRITER, NEW_PASSWORD)
    expect(other.locator("#jupyterlab-splash")).to_have_count(0, timeout=LOAD_MS)
    other.context.close()
