"""Agents in the sidebar, in a real browser: switch, run, watch, explain, and a schedule changed by mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import RunningServer
from tests.e2e.lab import Lab, OpenLab, write_settings
from tests.e2e.test_sidebar import faint_texts

pytestmark = pytest.mark.browser

PRICES = '''\
import time
from pathlib import Path

from coflows_jupyter import Agent, agent


@agent("0 0 9 ? * MON-FRI @ Asia/Tokyo", name="prices")
def refresh(timestamp, kind):
    """Refreshes prices."""
    print("asked the market", flush=True)
    while not Path("go").exists():
        time.sleep(0.01)
    print("stored them", flush=True)


echo = Agent("echo", body=lambda text: {"heard": text})


@agent("0 0 3 1 1 ? 2099", name="broken")
def fail(timestamp):
    raise ValueError("the market is closed")
'''


def open_agents(lab: Lab) -> Locator:
    """Open the Agents section with room around it; return its list."""
    for name in ("Workflow", "Queries"):
        lab.panel.get_by_role("heading", name=name).click()
    lab.panel.get_by_role("heading", name="Agents").click()
    section = lab.panel.get_by_role("list", name="Agents")
    expect(section).to_be_visible()
    return section


def start(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> Lab:
    """Serve the sample with the Agents above, and open Lab with its panel."""
    (sample / "Agents").mkdir(exist_ok=True)
    (sample / "Agents" / "market.py").write_text(PRICES)
    lab = open_lab(running_server(sample / "coflows_config.json"))
    lab.open_panel()
    return lab


def test_an_agent_is_switched_run_and_watched(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """Pause and start show at once; a run started by mouse shows its log as it comes, its end, and why it ran."""
    lab = start(sample, running_server, open_lab)
    section = open_agents(lab)
    row = section.get_by_role("button", name="prices")
    expect(row).to_contain_text("Monday through Friday (Asia/Tokyo)")
    row.click()
    times = section.locator(".jp-Coflows-upcoming time")
    expect(times).to_have_count(5)
    assert "9:00 AM GMT+9" in (times.first.get_attribute("title") or "").replace("\u202f", " ").replace("09:", "9:")

    section.get_by_role("button", name="Paused").click()
    expect(row).to_contain_text("Paused")
    expect(times).to_have_count(0)
    section.get_by_role("button", name="Started").click()
    expect(times).to_have_count(5)

    lab.button("Run now").click()
    run = section.get_by_role("list", name="Last runs").get_by_role("listitem").first
    expect(run).to_contain_text("run now")
    expect(run.locator(".jp-Coflows-sign[data-outcome=running]")).to_be_visible()
    run.get_by_role("button").first.click()
    expect(run.get_by_role("log")).to_contain_text("asked the market")
    lab.screenshot("agents-running")
    (sample / "go").touch()
    expect(run.locator(".jp-Coflows-sign[data-outcome=succeeded]")).to_be_visible()
    expect(run.get_by_role("log")).to_contain_text("stored them")

    run.get_by_role("button", name="Explain").click()
    dialog = lab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("(manual): it succeeded")
    lab.screenshot("agents-explain")
    dialog.get_by_role("button", name="Close").click()
    section.locator("summary", has_text="Explain").click()
    section.get_by_label("Why did it").fill("2026-01-03T12:30")
    lab.button("Ask").click()
    expect(section.get_by_role("status")).to_contain_text("is no time of its schedule")
    lab.screenshot("agents-open")


def test_a_run_is_cancelled_a_message_answered_and_a_failure_told(
    sample: Path, running_server: RunningServer, open_lab: OpenLab
) -> None:
    """Cancel ends a run; an Agent's answer is shown; a failure is told even while the section is closed."""
    lab = start(sample, running_server, open_lab)
    workflow = lab.server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    lab.server.http.post(f"coflows/api/workflows/{workflow}/agents/broken/run", json={})
    note = lab.page.locator(".Toastify__toast").filter(has_text="Agent broken failed: ValueError: the market is closed")
    expect(note).to_be_visible()
    lab.screenshot("agents-failure")
    note.get_by_role("button", name="Open log").click()
    section = lab.panel.get_by_role("list", name="Agents")
    failed = section.get_by_role("list", name="Last runs").get_by_role("listitem")
    expect(failed).to_contain_text("the market is closed")
    expect(failed.get_by_role("button", name="Explain")).to_be_visible()

    section.get_by_role("button", name="echo").click()
    section.locator("summary", has_text="Send message").click()
    section.get_by_label("Message").fill("hello")
    lab.button("Send").click()
    expect(section.get_by_role("region", name="Result").first).to_contain_text("hello")

    section.get_by_role("button", name="prices").click()
    lab.button("Run now").click()
    run = section.get_by_role("list", name="Last runs").get_by_role("listitem").first
    run.get_by_role("button").first.click()
    expect(run.get_by_role("log")).to_contain_text("asked the market")
    run.get_by_role("button", name="Cancel").click()
    expect(run.locator(".jp-Coflows-sign[data-outcome=cancelled]")).to_be_visible()


def test_a_schedule_is_changed_by_mouse(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """The form and the text agree and say what they mean; the new schedule is put into the Agent's source."""
    lab = start(sample, running_server, open_lab)
    section = open_agents(lab)
    section.get_by_role("button", name="prices").click()
    lab.button("Schedule…").click()
    dialog = lab.page.get_by_role("dialog")
    expect(dialog.get_by_label("Runs")).to_have_value("weekdays")
    expect(dialog.get_by_label("Time", exact=True)).to_have_value("09:00")
    expect(dialog).to_contain_text("At 09:00, Monday through Friday (Asia/Tokyo)")
    dialog.get_by_label("Quartz text").fill("0 0 9 ? * MONDAYS")
    expect(dialog.get_by_role("alert")).to_be_visible()
    lab.screenshot("schedule-mistake")
    dialog.get_by_label("Runs").select_option("monthly")
    dialog.get_by_label("Day").select_option("L")
    dialog.get_by_label("Time", exact=True).fill("18:30")
    dialog.get_by_label("Time zone").select_option("America/New_York")
    expect(dialog.get_by_label("Quartz text")).to_have_value("0 30 18 L * ? @ America/New_York")
    expect(dialog).to_contain_text("last day of the month")
    expect(dialog.locator("time")).to_have_count(5)
    lab.screenshot("schedule-editor")
    dialog.get_by_role("button", name="Put into the source").click()
    expect(lab.page.get_by_text("Save market.py to use the schedule").first).to_be_visible()
    lab.page.keyboard.press("Control+S")
    expect(section.get_by_role("button", name="prices")).to_contain_text("last day of the month")
    assert '@agent("0 30 18 L * ? @ America/New_York", name="prices")' in (sample / "Agents" / "market.py").read_text()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_every_text_can_be_read(
    theme: str, sample: Path, running_server: RunningServer, open_lab: OpenLab, isolated_environ: dict[str, str]
) -> None:
    """Light or dark, all texts of the section stand out from what is behind them."""
    write_settings(Path(isolated_environ["JUPYTERLAB_SETTINGS_DIR"]), theme=theme)
    (sample / "go").touch()
    lab = start(sample, running_server, open_lab)
    section = open_agents(lab)
    for name, outcome in (("broken", "failed"), ("prices", "succeeded")):
        section.get_by_role("button", name=name).click()
        lab.button("Run now").click()
        run = section.get_by_role("list", name="Last runs").get_by_role("listitem").first
        expect(run.locator(f".jp-Coflows-sign[data-outcome={outcome}]")).to_be_visible()
    section.get_by_role("button", name="Stopped").click()
    expect(section.get_by_role("button", name="prices")).to_contain_text("Stopped")
    run.get_by_role("button").first.click()
    expect(run.get_by_role("log")).to_be_visible()
    lab.screenshot(f"agents-{theme.rsplit(maxsplit=1)[-1].lower()}")
    assert not faint_texts(lab.panel)
    lab.button("Schedule…").click()
    dialog = lab.page.get_by_role("dialog")
    expect(dialog.locator("time")).to_have_count(5)
    lab.screenshot(f"schedule-{theme.rsplit(maxsplit=1)[-1].lower()}")
    assert not faint_texts(dialog)
