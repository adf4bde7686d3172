"""Long calls and the history in the sidebar, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import RunningServer
from tests.e2e.lab import Lab, OpenLab, wait_until, write_settings
from tests.e2e.test_sidebar import faint_texts

pytestmark = pytest.mark.browser

# Twenty seconds at least; the test says by a file when the bar is to move.
PRICE = '''\
import time
from pathlib import Path

from coflows_jupyter import progress


def Price(book: str, steps: int = 20) -> str:
    """Price a book."""
    for step in range(steps):
        progress(step + 1, steps, f"pricing {book}")
        print(f"step {step + 1} of {book}", flush=True)
        time.sleep(1)
        while step == 4 and not Path("go").exists():
            time.sleep(0.01)
    return "priced"


def Quick(x: int) -> int:
    return x + 1


def Wrong(x: int) -> float:
    return 1 / x
'''


def open_runs(lab: Lab) -> Locator:
    """Open the Runs section; return it."""
    lab.panel.get_by_role("heading", name="Runs").click()
    section = lab.panel.get_by_role("list", name="Runs")
    expect(section).to_be_visible()
    return section


def bar(place: Locator) -> float:
    """How far a bar is, 0 to 1."""
    return float(place.get_by_role("progressbar", name="Progress").get_attribute("value") or 0)


def test_a_long_call_from_start_to_history(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """A call of twenty seconds moves its bar, is cancelled, is found in Runs, and runs again from there."""
    (sample / "Queries" / "pyapi.py").write_text(PRICE)
    lab = open_lab(running_server(sample / "coflows_config.json"))
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = lab.open_panel()
    lab.function("Price").click()
    lab.field("book").fill("rates")
    lab.button("Run").click()
    detail = panel.locator(".jp-Coflows-detail")
    expect(detail.get_by_text("pricing rates")).to_be_visible()
    before = bar(detail)
    expect(detail.get_by_text("5 / 20 · pricing rates")).to_be_visible()
    assert 0 < before < bar(detail) == 0.25
    expect(detail.get_by_role("log")).to_contain_text("step 5 of rates")
    lab.screenshot("long-call")

    runs = open_runs(lab)
    row = runs.get_by_role("listitem").first
    expect(row).to_contain_text("running")
    expect(row.get_by_role("progressbar")).to_be_visible()
    lab.screenshot("runs-running")
    (sample / "go").touch()
    wait_until(lambda: bar(row) > 0.25)

    lab.button("Cancel").click()
    expect(panel.get_by_text("The call was cancelled.")).to_be_visible()
    expect(row.locator("[data-outcome=cancelled]")).to_be_visible()
    row.get_by_role("button", name="pyapi.Price").click()
    expect(row.get_by_role("log")).to_contain_text("step 5 of rates")
    expect(row).to_contain_text("cancelled (499)")
    expect(row).to_contain_text("you · sidebar")
    lab.screenshot("runs-cancelled")

    row.get_by_role("button", name="Copy as").click()
    lab.page.get_by_role("menuitem", name="notebook cell").click()
    expect(lab.page.get_by_text("Copied as notebook cell").first).to_be_visible()
    run = lab.server.http.get("coflows/api/runs?outcome=cancelled").json()["runs"][0]
    assert run["door"] == "sidebar"
    assert lab.page.evaluate("navigator.clipboard.readText()") == (
        f"%load_ext coflows_jupyter\n# Run {run['id']} of {run['started']}, Build {run['build']}\n"
        'query.pyapi.Price(book="rates", steps=20)'
    )

    row.get_by_role("button", name="Run again").click()
    expect(runs.get_by_role("listitem")).to_have_count(2)
    again = runs.get_by_role("listitem").first
    expect(again.get_by_role("log")).to_contain_text("step 1 of rates")
    again.get_by_role("button", name="Cancel pyapi.Price").click()
    expect(runs.locator(".jp-Coflows-sign[data-outcome=cancelled]")).to_have_count(2)


def test_history_is_found_and_opened(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """Calls of others appear by themselves; filters, keys, the kept result, and what there is to copy."""
    (sample / "Queries" / "pyapi.py").write_text(PRICE)
    server = running_server(sample / "coflows_config.json")
    workflow = server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    lab = open_lab(server)
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = lab.open_panel()
    for x in range(60):
        server.http.get(f"flow/query/{workflow}/pyapi/Quick?x={x}")
    lab.page.keyboard.press("Control+Shift+C")
    lab.page.keyboard.type("Show Runs")
    lab.page.keyboard.press("Enter")
    rows = panel.get_by_role("list", name="Runs").get_by_role("listitem")
    expect(rows).to_have_count(50)
    server.http.get(f"flow/query/{workflow}/pyapi/Wrong?x=0")
    expect(rows.first).to_contain_text("pyapi.Wrong")
    lab.button("Show older runs").click()
    expect(rows).to_have_count(61)

    rows.first.get_by_role("button").focus()
    for key in ("ArrowDown", "ArrowUp", "Enter"):
        lab.page.keyboard.press(key)
    expect(rows.first.get_by_role("button").first).to_have_attribute("aria-expanded", "true")
    expect(rows.first).to_contain_text("division by zero")
    panel.get_by_label("Outcome").select_option("failed")
    expect(rows).to_have_count(1)
    panel.get_by_label("Outcome").select_option("")
    panel.get_by_label("Filter runs").fill("x=42")
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button").click()
    rows.first.get_by_role("button", name="Copy as").click()
    lab.page.get_by_role("menuitem", name="curl").click()
    expect(lab.page.get_by_text("Copied as curl").first).to_be_visible()
    assert lab.page.evaluate("navigator.clipboard.readText()") == (
        "curl -H \"x-api-key: $(coflows key show)\" -H 'Content-Type: application/json' "
        f"-d '{{\"x\":42}}' '{server.url}flow/query/{workflow}/pyapi/Quick'"
    )
    lab.screenshot("runs-history")
    rows.first.get_by_role("button", name="Run again").click()
    panel.get_by_label("Filter runs").fill("")
    rows.first.get_by_role("button", name="Open result").click()
    expect(lab.page.locator("#jp-main-dock-panel .jp-Coflows-text")).to_have_text("43")


def test_nothing_is_asked_while_the_section_is_closed(
    sample: Path, running_server: RunningServer, open_lab: OpenLab
) -> None:
    """A closed section costs the server nothing; opened again, it knows what happened."""
    server = running_server(sample / "coflows_config.json")
    workflow = server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    lab = open_lab(server)
    panel = lab.open_panel()
    lab.function("total").click()
    lab.button("Run").click()
    expect(panel.locator(".jp-Coflows-text")).to_be_visible()
    runs = open_runs(lab)
    expect(runs.get_by_role("listitem")).to_have_count(1)
    panel.get_by_role("heading", name="Runs").click()
    expect(runs).to_be_hidden()
    asked = sum("api/runs" in url for url in lab.urls)
    with server.http.stream("GET", "coflows/api/events") as events:
        server.http.get(f"flow/query/{workflow}/pyapi/Add?x=1&y=2")
        assert any(line == "event: runs" for line in events.iter_lines())
    # The page has had its event when it shows what was sent after it.
    (sample / "Queries" / "pyapi.py").write_text("def Added() -> int:\n    return 1\n")
    expect(lab.function("Added")).to_be_visible()
    assert sum("api/runs" in url for url in lab.urls) == asked
    open_runs(lab)
    expect(runs.get_by_role("listitem")).to_have_count(2)


def test_the_page_of_the_api(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """The link opens the try-it page, and the copied URL is an OpenAPI document."""
    server = running_server(sample / "coflows_config.json")
    lab = open_lab(server)
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = lab.open_panel()
    with lab.page.context.expect_page() as opened:
        panel.get_by_role("link", name="Open the page").click()
    expect(opened.value.get_by_text("/pyapi/Add").first).to_be_visible()
    lab.page.bring_to_front()
    lab.button("Copy OpenAPI URL").click()
    expect(lab.page.get_by_text("Copied as URL").first).to_be_visible()
    url = lab.page.evaluate("navigator.clipboard.readText()")
    assert "operationId: pyapi.Add_post" in server.http.get(url).text


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_themes(
    theme: str, sample: Path, isolated_environ: dict[str, str], running_server: RunningServer, open_lab: OpenLab
) -> None:
    """Every text of the Runs section stands out in light and in dark: going on, failed, succeeded, with details."""
    (sample / "Queries" / "pyapi.py").write_text(PRICE)
    write_settings(Path(isolated_environ["JUPYTERLAB_SETTINGS_DIR"]), theme=theme)
    server = running_server(sample / "coflows_config.json")
    call = f"flow/query/{server.http.get('coflows/api/workflows').json()['workflows'][0]['id']}/pyapi/"
    lab = open_lab(server)
    lab.open_panel()
    server.http.get(call + "Quick?x=1")
    server.http.get(call + "Wrong?x=0")
    server.http.get(call + "Price?book=rates", headers={"Prefer": "respond-async"})
    runs = open_runs(lab)
    expect(runs.get_by_role("progressbar")).to_be_visible()
    runs.get_by_role("button", name="pyapi.Wrong").click()
    expect(runs.get_by_text("division by zero").first).to_be_visible()
    lab.screenshot("runs-" + theme.lower().replace(" ", "-"))
    assert not faint_texts(lab.panel)
