"""The text editor in a real browser: what it completes and underlines in a Workflow's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import RunningServer
from tests.e2e.lab import Lab, OpenLab, wait_until, write_settings

pytestmark = pytest.mark.browser

BROKEN = "def Add(x: int, y: int) -> int:\n    return [x + y\n"
FIXED = BROKEN.replace("[", "")


def item(lab: Lab, name: str) -> Locator:
    """A file or folder of the file browser."""
    return lab.page.locator(".jp-DirListing-item").filter(has=lab.page.get_by_text(name, exact=True))


def open_file(lab: Lab, *path: str) -> Locator:
    """Open a file by double clicks in the file browser and return its text."""
    if not lab.page.locator("#filebrowser").is_visible():
        lab.page.get_by_role("tab", name="File Browser").click()
    for name in path:
        item(lab, name).dblclick()
    text = lab.page.locator(".jp-Document:not(.lm-mod-hidden) .jp-FileEditor .cm-content")
    expect(text).to_be_visible()
    return text


def squiggles(lab: Lab, severity: str) -> Locator:
    """What is underlined in the editor that is in front."""
    return lab.page.locator(f".jp-Document:not(.lm-mod-hidden) .cm-lintRange-{severity}")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_config_is_completed_and_checked_while_typed(
    sample: Path, running_server: RunningServer, open_lab: OpenLab, isolated_environ: dict[str, str], theme: str
) -> None:
    """A quote offers the keys that are missing and their values; a wrong key is underlined before it is saved."""
    write_settings(Path(isolated_environ["JUPYTERLAB_SETTINGS_DIR"]), theme=theme)
    config = sample / "coflows_config.json"
    before = config.read_text()
    lab = open_lab(running_server(config))
    text = open_file(lab, "coflows_config.json")
    lab.page.keyboard.press("Control+Home")
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.type('\n"')
    completer = lab.page.locator(".jp-Completer:not(.lm-mod-hidden)")
    expect(completer.get_by_text("Watch", exact=True)).to_be_visible()
    expect(completer.get_by_text("Server", exact=True)).to_have_count(0)  # it is there already
    lab.page.keyboard.type("Wat")
    lab.screenshot(f"completion-{theme[11:]}")
    lab.page.keyboard.press("Enter")
    expect(text).to_contain_text('"Watch": "auto"')
    for _ in "auto":
        lab.page.keyboard.press("ArrowLeft")
    lab.page.keyboard.press("Tab")
    completer.get_by_text("off", exact=True).click()
    expect(text).to_contain_text('"Watch": "off"')

    lab.page.keyboard.type(', // a comment\n"Watsh": 1,')
    expect(squiggles(lab, "warning").filter(has_text="Watsh")).to_be_visible()
    squiggles(lab, "warning").filter(has_text="Watsh").hover()
    expect(lab.page.locator(".cm-tooltip-lint")).to_contain_text('did you mean "Watch"?')
    lab.screenshot(f"wrong-key-{theme[11:]}")
    assert config.read_text() == before


def test_broken_source_is_underlined_until_it_is_mended(
    sample: Path, running_server: RunningServer, open_lab: OpenLab
) -> None:
    """What the Build after a save finds is underlined with the panel closed, and is gone after the next one."""
    lab = open_lab(running_server(sample / "coflows_config.json"))
    open_file(lab, "Queries", "pyapi.py").click()
    lab.replace_text(BROKEN)
    lab.page.keyboard.press("Control+S")
    expect(squiggles(lab, "error")).to_have_text("[")
    expect(lab.page.locator(".cm-lint-marker-error")).to_be_visible()
    squiggles(lab, "error").hover()
    expect(lab.page.locator(".cm-tooltip-lint")).to_contain_text("'[' was never closed")
    lab.screenshot("squiggle")
    lab.replace_text(FIXED)
    lab.page.keyboard.press("Control+S")
    expect(squiggles(lab, "error")).to_have_count(0)
    expect(lab.page.locator(".cm-lint-marker-error")).to_have_count(0)
    wait_until(lambda: (sample / "Queries" / "pyapi.py").read_text() == FIXED)
