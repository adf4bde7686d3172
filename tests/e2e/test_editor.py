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
    expect(lab.page.locator(".jp-Coflows-status")).to_contain_text("CoFlows: serving")
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


def test_new_query_from_the_launcher(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """A card asks for a name, says what is wrong with it, and leaves a Query that is open and served."""
    server = running_server(sample / "coflows_config.json")
    lab = open_lab(server)
    expect(lab.page.locator(".jp-Coflows-status")).to_contain_text("CoFlows: serving")
    lab.page.locator(".jp-LauncherCard", has_text="New Query").click()
    lab.page.get_by_role("textbox", name="Name", exact=True).fill("pyapi")
    lab.page.keyboard.press("Enter")
    expect(lab.page.locator(".jp-Coflows-dialogError")).to_contain_text("already in Queries")
    lab.screenshot("new-query")
    lab.page.get_by_role("textbox", name="Name", exact=True).fill("weather")
    lab.page.keyboard.press("Enter")
    expect(lab.page.locator(".jp-FileEditor .cm-content")).to_contain_text("def")
    assert (sample / "Queries" / "weather.py").is_file()
    lab.open_panel()
    expect(lab.panel.get_by_role("treeitem", name="weather")).to_be_visible()


def test_new_workflow_from_the_menu(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """The menu's form makes a folder that the file browser shows."""
    lab = open_lab(running_server(sample / "coflows_config.json"))
    lab.page.get_by_role("menuitem", name="CoFlows", exact=True).click()
    lab.screenshot("menu")
    lab.page.get_by_role("menuitem", name="New Workflow").click()
    lab.page.get_by_role("textbox", name="Folder", exact=True).fill("second")
    lab.page.keyboard.press("Enter")
    expect(item(lab, "coflows_config.json")).to_be_visible()
    expect(lab.page.get_by_text("coflows server second/coflows_config.json")).to_be_visible()
    assert (sample / "second" / "Queries" / "pyapi.py").is_file()


def test_file_is_added_as_query_and_run_at_the_cursor(
    sample: Path, running_server: RunningServer, open_lab: OpenLab
) -> None:
    """A file of any folder becomes a Query by its menu; a shortcut saves, builds and calls what the cursor is in."""
    (sample / "lib").mkdir()
    source = "def latest() -> int:\n    return 41\n\n\ndef older(days: int) -> int:\n    return days\n"
    (sample / "lib" / "prices.py").write_text(source)
    lab = open_lab(running_server(sample / "coflows_config.json"))
    expect(lab.page.locator(".jp-Coflows-status")).to_contain_text("CoFlows: serving")
    item(lab, "lib").dblclick()
    item(lab, "prices.py").click(button="right")
    lab.screenshot("file-menu")
    lab.page.get_by_role("menuitem", name="Add as Query").click()
    expect(lab.page.get_by_text("prices is in Queries")).to_be_visible()
    wait_until(lambda: "lib/prices.py" in (sample / "package.json").read_text())

    open_file(lab, "prices.py").click()
    lab.replace_text(source.replace("41", "42"))
    lab.page.keyboard.press("Control+Home")
    lab.page.keyboard.press("Control+Alt+Enter")
    expect(lab.panel.get_by_text("42", exact=True)).to_be_visible()
    assert "return 42" in (sample / "lib" / "prices.py").read_text()
    lab.screenshot("run-at-cursor")

    lab.page.locator(".jp-FileEditor .cm-line").last.click()
    lab.page.locator(".jp-FileEditor .cm-line").last.click(button="right")
    lab.page.get_by_role("menuitem", name="Run Function Under Cursor").click()
    expect(lab.field("days")).to_be_visible()  # it needs an argument
