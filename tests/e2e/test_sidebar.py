"""The sidebar in a real browser: edit, build, call, by mouse and by keyboard, across a restart of the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import RunningServer
from tests.e2e.lab import OpenLab, wait_until, write_settings

pytestmark = pytest.mark.browser

BROKEN = "def Add(x: int, y: int) -> list[dict[str, int]]:\n    return [{'x': x, 'y': y, 'sum': x + y}\n"
FIXED = BROKEN.replace("y}", "y}]")

# The contrast of every text that the panel shows with what is behind it, as WCAG counts it.
CONTRASTS = """panel => {
    const luminance = ([r, g, b]) => [[r, 0.2126], [g, 0.7152], [b, 0.0722]]
        .map(([v, w]) => [v / 255, w])
        .reduce((sum, [v, w]) => sum + w * (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4), 0);
    const parse = color => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const behind = node => {
        for (let at = node; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color.length === 3 || color[3] > 0.5) return color;
        }
        return [255, 255, 255];
    };
    const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        if (walker.currentNode.data.trim() && parent.checkVisibility() && !parent.closest(':disabled')) {
            const [a, b] = [parse(getComputedStyle(parent).color), behind(parent)].map(luminance);
            found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walker.currentNode.data]);
        }
    }
    return found;
}"""


def faint_texts(panel: Locator) -> list[str]:
    """Return the texts that hardly stand out, with their contrasts."""
    return [f"{text}: {ratio:.2f}" for ratio, text in panel.evaluate(CONTRASTS) if ratio < 4.5]


def test_edit_diagnose_fix_and_run(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """A broken save gives a diagnostic that opens the file at its line; the fix, built and run, gives a table."""
    lab = open_lab(running_server(sample / "coflows_config.json"))
    panel = lab.open_panel()
    expect(panel.get_by_role("status").get_by_text("serving")).to_be_visible()
    expect(panel.get_by_text("plain HTTP, because Server.Host is this computer only")).to_be_visible()

    lab.function("Add").click()
    lab.button("Open the source").click()
    expect(lab.page.locator(".jp-FileEditor .cm-content")).to_be_focused()
    lab.replace_text(BROKEN)
    lab.page.keyboard.press("Control+S")
    finding = panel.locator(".jp-Coflows-finding")
    expect(finding).to_contain_text("pyapi.py:2")
    expect(panel.get_by_text("'[' was never closed")).to_be_visible()
    expect(panel.get_by_text("serving", exact=True)).to_be_visible()  # the Build before goes on
    lab.screenshot("diagnostic")

    lab.page.get_by_role("tab", name="Launcher").click()
    finding.click()
    expect(lab.page.get_by_text("Ln 2, Col 12")).to_be_visible()
    expect(lab.page.locator(".jp-FileEditor .cm-content")).to_be_focused()
    lab.replace_text(FIXED)
    lab.button("Build").click()
    expect(finding).to_have_count(0)
    assert (sample / "Queries" / "pyapi.py").read_text() == FIXED, "Build saves what is open"

    lab.field("x").fill("2")
    lab.field("y").fill("40")
    lab.button("Run").click()
    table = panel.get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(["x", "y", "sum"])
    expect(table.get_by_role("cell")).to_have_text(["2", "40", "42"])
    lab.button("Open the result in a tab").click()
    expect(lab.page.locator("#jp-main-dock-panel").get_by_role("table")).to_be_visible()
    lab.screenshot("table")


def test_wrong_arguments_are_shown_at_their_fields(
    sample: Path, running_server: RunningServer, open_lab: OpenLab
) -> None:
    """What the form lets pass and the server refuses is said at the field; a failing function shows its traceback."""
    source = "def check(value: int | str = 1) -> int:\n    return 1 // len(value)\n"
    (sample / "Queries" / "pyapi.py").write_text(source)
    lab = open_lab(running_server(sample / "coflows_config.json"))
    panel = lab.open_panel()
    lab.function("check").click()
    lab.field("value").fill("[]")
    lab.button("Run").click()
    expect(panel.locator("#coflows-argument_value__error")).to_have_text("should be a whole number or text")
    lab.field("value").fill('""')
    lab.page.keyboard.press("Control+Enter")
    expect(panel.get_by_text("ZeroDivisionError: integer division or modulo by zero", exact=True)).to_be_visible()
    panel.get_by_text("Traceback", exact=True).click()
    expect(panel.get_by_text("return 1 // len(value)")).to_be_visible()
    lab.screenshot("problem")


def test_a_running_call_can_be_cancelled(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """Cancel ends the call in the browser and in the host, and leaves the form ready for the next one."""
    source = (
        "import time\nfrom pathlib import Path\n\n\ndef wait(seconds: float = 100.0) -> str:\n    try:\n"
        "        for _ in range(int(seconds * 100)):\n            time.sleep(0.01)\n"
        "        return 'waited'\n    finally:\n        Path('ended').touch()\n"
    )
    (sample / "Queries" / "pyapi.py").write_text(source)
    lab = open_lab(running_server(sample / "coflows_config.json"))
    panel = lab.open_panel()
    lab.function("wait").click()
    lab.button("Run").click()
    lab.button("Cancel").click()
    expect(panel.get_by_text("The call was cancelled.")).to_be_visible()
    wait_until((sample / "ended").exists)
    lab.field("seconds").fill("0")
    lab.button("Run").click()
    expect(panel.get_by_text("waited", exact=True)).to_be_visible()


def test_everything_by_keyboard(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """The panel is opened, a function found, its form filled and run without a mouse."""
    lab = open_lab(running_server(sample / "coflows_config.json"))
    keyboard = lab.page.keyboard
    keyboard.press("Control+Alt+C")
    expect(lab.panel).to_be_visible()
    expect(lab.function("Add")).to_be_visible()

    focused = lab.panel.locator("[role=treeitem]:focus")
    for _ in range(12):
        if focused.count():
            break
        keyboard.press("Tab")
    keyboard.press("Home")
    while not focused.inner_text().startswith("Add("):
        keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(lab.field("x")).to_be_visible()
    keyboard.press("Tab")  # the source button
    keyboard.press("Tab")
    expect(lab.field("x")).to_be_focused()
    keyboard.type("40")
    keyboard.press("Tab")
    keyboard.type("2")
    lab.screenshot("keyboard")
    keyboard.press("Enter")
    expect(lab.panel.locator(".jp-Coflows-text")).to_have_text("42")


def test_copies_are_calls(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """Copy as curl, command and Python give the call that the form would make, without a key."""
    server = running_server(sample / "coflows_config.json")
    lab = open_lab(server)
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lab.open_panel()
    lab.function("Add").click()
    lab.field("x").fill("1")
    lab.field("y").fill("-2")
    workflow = server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    expected = {
        "curl": "curl -H \"x-api-key: $(coflows key show)\" -H 'Content-Type: application/json' "
        f"-d '{{\"x\":1,\"y\":-2}}' '{server.url}flow/query/{workflow}/pyapi/Add'",
        "coflows command": "coflows local query pyapi Add 1 -2",
        "Python": "%load_ext coflows_jupyter\nquery.pyapi.Add(x=1, y=-2)",
    }
    for name, text in expected.items():
        lab.button("Copy as").click()
        lab.page.get_by_role("menuitem", name=f"Copy as {name}").click()
        expect(lab.page.get_by_text(f"Copied as {name}").first).to_be_visible()
        assert lab.page.evaluate("navigator.clipboard.readText()") == text


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_themes(
    theme: str, sample: Path, isolated_environ: dict[str, str], running_server: RunningServer, open_lab: OpenLab
) -> None:
    """Every text of the panel stands out from what is behind it, in light and in dark."""
    write_settings(Path(isolated_environ["JUPYTERLAB_SETTINGS_DIR"]), theme=theme)
    lab = open_lab(running_server(sample / "coflows_config.json"))
    panel = lab.open_panel()
    lab.function("summary").click()
    lab.button("Run").click()
    expect(panel.get_by_role("table")).to_be_visible()
    lab.screenshot(theme.lower().replace(" ", "-"))
    assert not faint_texts(panel)
    background = panel.locator(".jp-Coflows-pane").first.evaluate("node => getComputedStyle(node).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is theme.endswith("Light")


def test_recovers_from_a_restart(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """While the server is away the panel says so; when it is back, it goes on without a reload or a new login."""
    config = sample / "coflows_config.json"
    server = running_server(config)
    lab = open_lab(server)
    panel = lab.open_panel()
    lab.function("total").click()
    lab.page.evaluate("window.sameDocument = true")

    server.stop()
    expect(panel.get_by_text("Server unreachable, retrying…")).to_be_visible()
    lab.screenshot("unreachable")
    running_server(config, port=int(server.url.rsplit(":", 1)[1].strip("/")))
    expect(panel.get_by_text("Server unreachable, retrying…")).to_have_count(0)
    lab.page.keyboard.press("Escape")  # Lab's own dialog about its kernels

    lab.button("Run").click()
    expect(panel.locator(".jp-Coflows-text")).to_have_text("1313163.8")
    (sample / "Queries" / "pyapi.py").write_text("def Added() -> int:\n    return 1\n")
    expect(lab.function("Added")).to_be_visible()
    assert lab.page.evaluate("window.sameDocument") is True
