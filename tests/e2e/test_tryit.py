"""The try-it page in a real browser: with a key that is typed, with Lab's session, below a base URL."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import RunningServer, Server
from tests.e2e.lab import SHOTS, login_url

pytestmark = pytest.mark.browser

PUBLIC = '''

### <api name="Hello"><permissions><group id="Public" permission="view"/></permissions></api>
def Hello(name: str = "you") -> str:
    """Greet.

    >>> Hello("me")
    'hello me'
    """
    return f"hello {name}"
'''
CHART = '''

def Chart():
    """Draw a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 3, 2])
    return figure
'''
# The browser's own word for an answer of 401, which is where the page begins without a key.
REFUSED = "the server responded with a status of 401"

OpenPage = Callable[[], Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Return a function that opens an empty page in a profile of its own; what it tells as an error fails the test."""
    pages: list[Page] = []
    errors: list[str] = []

    def open_() -> Page:
        page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        pages.append(page)
        return page

    yield open_
    for page in pages:
        page.context.close()
    assert [error for error in errors if REFUSED not in error] == []


def workflow_id(sample: Path) -> str:
    """Return the ID of the sample Workflow."""
    found: str = json.loads((sample / "package.json").read_text())["ID"]
    return found


def operation(page: Page, method: str, path: str) -> Locator:
    """Return the form of one method of a function, opened."""
    found = page.locator(f".opblock-{method}").filter(has=page.locator(f'[data-path="{path}"]'))
    found.locator(".opblock-summary-control").click()
    return found


def use_key(page: Page, key: str) -> None:
    """Type a key where the page asks for it."""
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Use it").click()


def execute(form: Locator) -> Locator:
    """Send the form and return the answer that is shown."""
    form.get_by_role("button", name="Execute").click()
    answer = form.locator(".live-responses-table tbody tr").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    return answer


def test_a_typed_key_shows_and_calls_more(sample: Path, running_server: RunningServer, open_page: OpenPage) -> None:
    """Who is unknown sees what is public; a typed key shows the rest, calls it, and is stored nowhere."""
    with (sample / "Queries" / "pyapi.py").open("a") as file:
        file.write(PUBLIC)
    server = running_server(sample / "coflows_config.json")
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}flow/docs/{workflow_id(sample)}")
    expect(page.locator(".opblock")).to_have_count(2)  # GET and POST of Hello

    use_key(page, server.key)
    form = operation(page, "get", "/pyapi/Add")
    form.get_by_placeholder("x").fill("2")
    form.get_by_placeholder("y").fill("40")
    expect(execute(form)).to_contain_text("42")
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "try-it.png", full_page=True)

    assert {url for url in asked if not url.startswith((server.url, "data:"))} == set()
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def test_a_key_is_all_that_is_needed(sample: Path, running_server: RunningServer, open_page: OpenPage) -> None:
    """Where nothing is public the page asks for a key; a wrong one opens nothing; a picture shows as a picture."""
    with (sample / "Queries" / "pyapi.py").open("a") as file:
        file.write(CHART)
    server = running_server(sample / "coflows_config.json")
    page = open_page()
    page.goto(f"{server.url}flow/docs/{workflow_id(sample)}")
    expect(page.locator("output")).to_contain_text("Enter a key")
    use_key(page, "0" * 32)
    expect(page.locator("output")).to_contain_text("opens nothing")
    use_key(page, server.key)
    form = operation(page, "get", "/pyapi/Chart")
    expect(page.locator("output")).to_be_empty()
    expect(page).to_have_title("Portfolio")
    form.get_by_label("Media Type").first.select_option("image/png")
    picture = execute(form).locator("img")
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    assert picture.evaluate("async image => (await image.decode(), image.naturalWidth)") > 100
    assert server.key not in page.content()
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "try-it-picture.png", full_page=True)
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def test_a_session_of_lab_is_enough_below_a_base_url(
    sample: Path, free_port: int, isolated_environ: dict[str, str], open_page: OpenPage
) -> None:
    """The user of Lab posts without a key: the page sends what Jupyter asks for against forged requests."""
    jupyter_coflows = (sys.executable, "-c", "from coflows_jupyter.app import main; main()")
    options = ("--ServerApp.base_url=/deep/er/", "--allow-root")
    server = Server(sample / "coflows_config.json", free_port, isolated_environ, options, jupyter_coflows)
    server.wait_until("deep/er/coflows/api/ready", 200)
    page = open_page()
    page.goto(login_url(server))
    page.goto(re.sub(r"/login.*", f"/flow/docs/{workflow_id(sample)}/pyapi", login_url(server)))
    form = operation(page, "post", "/Add")
    form.locator("textarea").fill('{"x": 2, "y": 40}')
    expect(execute(form)).to_contain_text("42")
    server.stop()
