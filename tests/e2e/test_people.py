"""Keys and members in the sidebar, in a real browser."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import RunningServer, Server
from tests.e2e.lab import Lab, OpenLab, wait_until, write_settings
from tests.e2e.test_sidebar import faint_texts

pytestmark = pytest.mark.browser


def workflow_of(server: Server) -> str:
    """Return the ID of the server's Workflow."""
    return str(server.http.get("coflows/api/workflows").json()["workflows"][0]["id"])


def open_people(lab: Lab) -> Locator:
    """Open the People section; return the panel."""
    panel = lab.open_panel()
    panel.get_by_role("heading", name="People").click()
    expect(panel.get_by_role("region", name="You")).to_contain_text("write")
    return panel


def status_with(server: Server, key: str, path: str) -> int:
    """Return what a key opens."""
    return httpx.get(server.url + path, headers={"x-api-key": key}, trust_env=False).status_code


def test_a_key_from_its_making_to_its_end(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """A key for one function is made by the form, shown once, copied, works for that only, is revoked at once."""
    server = running_server(sample / "coflows_config.json")
    lab = open_lab(server)
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = open_people(lab)
    lab.button("New key").click()
    expect(panel.get_by_label("What it is for")).to_be_focused()
    lab.page.keyboard.type("robot")
    lab.button("Limit it").click()
    panel.get_by_label("Kind").select_option(label="Function")
    panel.get_by_label("Which").select_option(label="pyapi.Add")
    panel.get_by_label("Good", exact=True).select_option(label="for 30 days")
    lab.screenshot("people-new-key")
    panel.get_by_label("What it is for").press("Enter")

    lab.button("Copy").click()
    expect(lab.page.get_by_text("Copied as key").first).to_be_visible()
    key = str(lab.page.evaluate("navigator.clipboard.readText()"))
    assert key.startswith("cfk_")
    row = panel.get_by_role("list", name="Keys").get_by_role("listitem").filter(has_text="robot")
    expect(row).to_contain_text("Function pyapi.Add: read")
    expect(row).to_contain_text("never used · until ")
    lab.screenshot("people-made")
    lab.button("Done").click()
    expect(panel.get_by_label("The new key")).to_have_count(0)
    assert key not in lab.page.content()

    call = f"flow/query/{workflow_of(server)}/pyapi/"
    assert status_with(server, key, call + "Add?x=1&y=2") == 200
    assert status_with(server, key, call + "total") == 403
    row.get_by_role("button", name="Revoke robot").click()
    lab.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert status_with(server, key, call + "Add?x=1&y=2") == 200
    row.get_by_role("button", name="Revoke robot").click()
    with lab.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        lab.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    assert status_with(server, key, call + "Add?x=1&y=2") == 401
    expect(row).to_have_count(0)


def test_members_are_added_changed_and_removed(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """Who has Write gives a level by e-mail address, changes it and its end, takes it away; each counts at once."""
    server = running_server(sample / "coflows_config.json")
    workflow = workflow_of(server)
    server.http.post("coflows/api/users", json={"id": "ann@example.com"}).raise_for_status()
    key = server.http.post("coflows/api/keys", json={"user": "ann@example.com"}).json()["key"]
    call = f"flow/query/{workflow}/pyapi/Add?x=1&y=2"
    lab = open_lab(server)
    panel = open_people(lab)
    group = panel.get_by_role("region", name="People of the Workflow")
    before = group.get_by_role("listitem").count()
    group.get_by_role("button", name="Add").click()
    form = group.get_by_role("form", name="Add")
    form.get_by_role("textbox").fill("nobody@example.com")
    form.get_by_role("button", name="Add").click()
    expect(form.get_by_role("alert")).to_contain_text("there is no user 'nobody@example.com'")
    lab.screenshot("people-unknown")
    assert status_with(server, key, call) == 403
    form.get_by_role("textbox").fill("ann@example.com")
    form.get_by_role("textbox").press("Enter")
    row = group.get_by_role("listitem").filter(has_text="ann@example.com")
    expect(row).to_be_visible()
    assert status_with(server, key, call) == 200

    row.get_by_label("Level of ann@example.com").select_option(label="view")
    wait_until(lambda: status_with(server, key, call) == 403)
    row.get_by_label("Level of ann@example.com").select_option(label="write")
    row.get_by_label("End of ann@example.com").first.select_option(label="for a week")
    expect(row.get_by_label("End of ann@example.com: day, in UTC")).not_to_have_value("")
    assert [
        (member["level"], member["expires"] != "")
        for member in server.http.get(f"coflows/api/groups/{workflow}/members").json()["members"]
        if member["user"] == "ann@example.com"
    ] == [(2, True)]
    lab.screenshot("people-members")

    row.get_by_role("button", name="Remove ann@example.com").click()
    lab.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(group.get_by_role("listitem")).to_have_count(before)
    assert status_with(server, key, call) == 403


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_themes(
    theme: str, sample: Path, isolated_environ: dict[str, str], running_server: RunningServer, open_lab: OpenLab
) -> None:
    """Every text of the People section stands out in light and in dark: identity, form, new key, members."""
    write_settings(Path(isolated_environ["JUPYTERLAB_SETTINGS_DIR"]), theme=theme)
    lab = open_lab(running_server(sample / "coflows_config.json"))
    panel = open_people(lab)
    for heading in ("Workflow Section", "Queries"):
        panel.get_by_role("heading", name=heading).click()
    lab.button("New key").click()
    lab.button("Limit it").click()
    lab.button("Make the key").click()
    expect(lab.button("Copy")).to_be_visible()
    lab.button("New key").click()
    lab.button("Limit it").click()
    lab.screenshot("people-" + theme.lower().replace(" ", "-"))
    assert not faint_texts(panel)
