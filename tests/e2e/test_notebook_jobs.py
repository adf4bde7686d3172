"""A notebook is scheduled and its run found by mouse only, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.conftest import RunningServer
from tests.e2e.lab import OpenLab
from tests.e2e.test_agents import open_agents
from tests.e2e.test_sidebar import faint_texts
from tests.workflow.test_notebooks import write_notebook

pytestmark = pytest.mark.browser

KERNEL_MS = 60_000  # until a tick has come and a kernel has run


def test_a_notebook_is_scheduled_and_its_run_found(
    sample: Path, running_server: RunningServer, open_lab: OpenLab
) -> None:
    """From the file browser to the form; from the runs to the executed copy; and away with it again."""
    write_notebook(sample / "Files" / "report.ipynb", ("x = 1\nday = 'today'", "parameters"), ("print('x is', x)", ""))
    lab = open_lab(running_server(sample / "coflows_config.json"))
    files = lab.page.locator(".jp-DirListing-content")
    files.get_by_text("Files", exact=True).dblclick()
    files.get_by_text("report.ipynb").click(button="right")
    lab.page.get_by_role("menuitem", name="Schedule Notebook…").click()
    dialog = lab.page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_have_value("report")
    expect(dialog.get_by_label("day")).to_have_attribute("placeholder", '"today"')
    dialog.get_by_label("x", exact=True).fill("42")
    expect(dialog.locator("time")).to_have_count(5)
    lab.screenshot("notebook-schedule")
    assert not faint_texts(dialog)
    dialog.get_by_label("Quartz text").fill("0/20 * * * * ?")
    dialog.get_by_role("button", name="Schedule", exact=True).click()
    note = lab.page.locator(".Toastify__toast").filter(has_text="report runs on its own")
    expect(note).to_be_visible()
    note.get_by_role("button", name="Show").click()
    entry = json.loads((sample / "package.json").read_text())["Agents"][-1]
    assert entry == {
        "Name": "report",
        "Content": "Files/report.ipynb",
        "ID": "report",
        "Schedule": "0/20 * * * * ?",
        "Parameters": {"x": 42},
    }

    section = lab.panel.get_by_role("list", name="Agents")
    run = section.get_by_role("list", name="Last runs").get_by_role("listitem").filter(has_text="succeeded").first
    expect(run).to_be_visible(timeout=KERNEL_MS)
    section.get_by_role("button", name="Stopped").click()
    expect(section.get_by_role("button", name="report")).to_contain_text("Stopped")
    run.get_by_role("button").first.click()
    expect(run.get_by_role("log")).to_contain_text("x is 42")
    lab.screenshot("notebook-run")
    run.get_by_role("button", name="Open notebook").click()
    expect(lab.page.locator(".jp-NotebookPanel .jp-OutputArea-output")).to_contain_text("x is 42")
    lab.screenshot("notebook-copy")

    lab.button("Schedule…").click()
    expect(dialog.get_by_label("Name")).to_be_disabled()
    expect(dialog.get_by_label("x", exact=True)).to_have_value("42")
    dialog.get_by_role("button", name="Cancel").click()
    lab.button("Unschedule").click()
    expect(lab.button("Unschedule")).to_have_count(0)
    assert "report.ipynb" not in json.dumps(json.loads((sample / "package.json").read_text())["Agents"])


def test_a_failing_cell_is_named(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """Run now works without a schedule; the reason says which cell failed, and the copy has its traceback."""
    write_notebook(sample / "Files" / "report.ipynb", ("y = 0", ""), ("1 / y", ""))
    package = json.loads((sample / "package.json").read_text())
    package["Agents"] = [{"Name": "report", "Content": "Files/report.ipynb", "ID": "report"}]
    (sample / "package.json").write_text(json.dumps(package))
    lab = open_lab(running_server(sample / "coflows_config.json"))
    lab.open_panel()
    section = open_agents(lab)
    section.get_by_role("button", name="report").click()
    lab.button("Run now").click()
    run = section.get_by_role("list", name="Last runs").get_by_role("listitem").first
    expect(run).to_contain_text("cell 2 (1 / y) failed: ZeroDivisionError", timeout=KERNEL_MS)
    run.get_by_role("button").first.click()
    run.get_by_role("button", name="Open notebook").click()
    expect(lab.page.locator(".jp-NotebookPanel .jp-OutputArea").last).to_contain_text("ZeroDivisionError")
    lab.screenshot("notebook-failure")
