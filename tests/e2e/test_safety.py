"""What a browser may not get: the key from Lab's pages, and anything at all from the page of somebody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.conftest import PUBLISHED_KEY, RunningServer, Server, secret_key
from tests.e2e.lab import OpenLab

pytestmark = pytest.mark.browser

MARK = "def mark() -> int:\n    from pathlib import Path\n\n    Path('called').touch()\n    return 1\n"

# All that a page can do with a key that everybody knows, in a browser that is signed in.
ATTACKS = """async ({ server, call, key }) => {
    const token = { Authorization: `token ${key}` };
    const attempts = [
        [`${server}api/kernels`, { method: 'POST', headers: token }],
        [`${server}api/kernels?token=${key}`, { method: 'POST' }],
        [`${server}api/kernels?token=${key}`, { method: 'POST', mode: 'no-cors' }],
        [`${server}api/kernels`, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' }],
        [`${call}?_cokey=${key}`, {}],
        [`${call}?_cokey=${key}`, { mode: 'no-cors', credentials: 'include' }],
        [`${call}?uid=${key}`, { mode: 'no-cors' }],
        [`${call}`, { mode: 'no-cors', credentials: 'include' }],
        [`${call}`, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' }],
        [`${call}`, { headers: { 'x-api-key': key } }],
        [`${call}`, { headers: token }]
    ];
    const read = [];
    for (const [url, init] of attempts) {
        const answer = await fetch(url, init).catch(() => null);
        if (answer?.ok) read.push(`${init.method ?? 'GET'} ${url}`);
    }
    for (const url of [`${call}?_cokey=${key}`, `${server}api/kernels?token=${key}`]) {
        await new Promise(resolve => {
            const image = Object.assign(new Image(), { onload: resolve, onerror: resolve });
            image.src = url;
        });
    }
    const socket = new WebSocket(`${server.replace('http', 'ws')}api/events/subscribe?token=${key}`);
    await new Promise(resolve => {
        socket.onopen = () => resolve(read.push('events'));
        socket.onerror = resolve;
    });
    return read;
}"""


class EmptyPage(BaseHTTPRequestHandler):
    """Answers everything with an empty page."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as inherited)
        """Say nothing."""


@pytest.fixture
def other_site() -> Iterator[str]:
    """Return the address of a site that has nothing to do with the server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()
        thread.join()


@pytest.fixture
def published(sample: Path, running_server: RunningServer) -> Server:
    """Return a server whose config holds the key that the original published; `pyapi.mark` leaves a file behind."""
    config = sample / "coflows_config.json"
    config.write_text(config.read_text().replace(secret_key(config), PUBLISHED_KEY))
    (sample / "Queries" / "pyapi.py").write_text(MARK)
    return running_server(config)


def test_the_page_holds_no_key(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """Neither Lab's source, its config, its storage, its cookies nor any address that it asks for holds the key."""
    server = running_server(sample / "coflows_config.json")
    lab = open_lab(server)
    lab.open_panel()
    lab.function("total").click()
    lab.button("Run").click()
    lab.panel.locator(".jp-Coflows-text").wait_for()
    page = lab.page
    holdings = {
        "document": page.content(),
        "source": page.evaluate("async () => (await fetch(location.href)).text()"),
        "config": page.locator("#jupyter-config-data").inner_text(),
        "storage": page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"),
        "cookies": str(page.context.cookies()),
        "addresses": "\n".join(lab.urls),
    }
    assert page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).token") == ""
    assert not [name for name, text in holdings.items() if server.key in text]


def test_another_site_can_do_nothing_with_the_published_key(
    sample: Path, published: Server, open_lab: OpenLab, other_site: str
) -> None:
    """A page of another origin, in a browser that is signed in, starts no kernel, calls no query and reads nothing."""
    workflow = published.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    call = f"{published.url}flow/query/{workflow}/pyapi/mark"
    lab = open_lab(published)
    foreign = lab.page.context.new_page()
    foreign.goto(other_site)
    read = foreign.evaluate(ATTACKS, {"server": published.url, "call": call, "key": PUBLISHED_KEY})
    assert read == []
    assert not (sample / "called").exists()
    assert lab.page.evaluate("async () => (await (await fetch('/api/kernels')).json()).length") == 0

    answer = httpx.get(call, headers={"x-api-key": PUBLISHED_KEY}, trust_env=False)
    assert answer.status_code == 200, "the same key in a header, from a program on this computer, opens the function"
    assert (sample / "called").exists()
