"""M sets in the sidebar, in real browsers."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import RunningServer, Server
from tests.e2e.lab import Lab, OpenLab, wait_until, write_settings
from tests.e2e.test_sidebar import faint_texts

pytestmark = pytest.mark.browser

PRICES = "coflows/api/m/prices"


def put(server: Server, entry: str, **value: object) -> None:
    """Put an entry as another program does."""
    server.http.put(f"{PRICES}/{entry}", json=value).raise_for_status()


def fill(server: Server) -> None:
    """Give the set its first entries."""
    put(server, "apple", name="apple", price=1, fresh=True)
    put(server, "pear", name="pear", price=2.5, fresh=False)


def open_set(lab: Lab, name: str = "prices") -> Locator:
    """Open the section and a set; return the table's rows."""
    panel = lab.open_panel()
    for heading in ("Workflow Section", "Queries"):
        panel.get_by_role("heading", name=heading).click()
    panel.get_by_role("heading", name="M sets").click()
    panel.get_by_role("button", name=name).click()
    expect(panel.get_by_text("· live")).to_be_visible()
    return panel.get_by_role("region", name=f"Entries of {name}").locator("tbody tr")


def test_everybody_sees_the_same(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """Two browsers and a program see each other's changes at once, and go on after a restart without losing one."""
    config = sample / "coflows_config.json"
    server = running_server(config)
    fill(server)
    first = open_lab(server)
    labs = first, open_lab(server, like=first)
    tables = [open_set(lab) for lab in labs]
    for rows in tables:
        expect(rows).to_have_count(2)
        expect(rows.first).to_have_text("appleapple1true")

    put(server, "plum", name="plum", price=3, fresh=True)
    put(server, "apple", name="apple", price=4, fresh=True)
    server.http.delete(f"{PRICES}/pear").raise_for_status()
    for rows in tables:
        expect(rows).to_have_text(["appleapple4true", "plumplum3true"])

    lab, other = labs
    lab.button("Add").click()
    form = lab.panel.get_by_role("form", name="New entry")
    expect(form.get_by_label("name", exact=True)).to_be_focused()
    lab.page.keyboard.type("fig")
    form.get_by_label("price", exact=True).fill("0.5")
    form.get_by_label("price", exact=True).press("Enter")
    expect(form).to_have_count(0)
    for rows in tables:
        expect(rows).to_have_count(3)
        expect(rows.last).to_contain_text("fig0.5")
    expect(other.panel.locator(".jp-Coflows-mset").filter(has_text="prices")).to_have_text("prices3")

    other.panel.get_by_role("button", name="plum", exact=True).click()
    edit = other.panel.get_by_role("form", name="Edit plum")
    edit.get_by_label("price", exact=True).fill("30")
    other.screenshot("m-sets-edit")
    edit.get_by_role("button", name="Save").click()
    for rows in tables:
        expect(rows.nth(1)).to_have_text("plumplum30true")
    history = other.panel.get_by_role("list", name="History").get_by_role("listitem")
    expect(history).to_have_count(2)
    expect(history.first).to_contain_text("changed")
    expect(history.first).to_contain_text('{"name":"plum","price":30,"fresh":true}')

    asked = [sum("limit=100" in url for url in lab.urls) for lab in labs]
    server.stop()
    for page in labs:
        expect(page.panel.get_by_text("· connecting…")).to_be_visible()
    server = running_server(config, port=int(server.url.rsplit(":", 1)[1].strip("/")))
    put(server, "kiwi", name="kiwi", price=5, fresh=True)
    server.http.delete(f"{PRICES}/apple").raise_for_status()
    for page, rows in zip(labs, tables, strict=True):
        expect(page.panel.get_by_text("· live")).to_be_visible()
        expect(rows).to_have_count(3)
        expect(rows.first).to_have_text("plumplum30true")
        expect(rows.last).to_have_text("kiwikiwi5true")
    assert [sum("limit=100" in url for url in lab.urls) for lab in labs] == asked, "the stream goes on where it was"


def test_edit_remove_undo(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """What somebody else changed is not overwritten; what was removed comes back; digits are not lost."""
    server = running_server(sample / "coflows_config.json")
    fill(server)
    put(server, "big", number=12345678901234567890)
    lab = open_lab(server)
    rows = open_set(lab)
    panel = lab.panel
    panel.get_by_role("button", name="pear", exact=True).click()
    form = panel.get_by_role("form", name="Edit pear")
    form.get_by_label("price", exact=True).fill("cheap")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("price: cheap is no number")
    form.get_by_label("price", exact=True).fill("2")
    put(server, "pear", name="pear", price=9, fresh=False)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("Somebody changed it in the meantime")
    lab.screenshot("m-sets-conflict")
    assert server.http.get(f"{PRICES}/pear").json()["price"] == 9

    lab.button("Remove").click()
    expect(rows).to_have_count(2)
    lab.page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(3)
    assert server.http.get(f"{PRICES}/pear").json() == {"name": "pear", "price": 9, "fresh": False}

    panel.get_by_role("button", name="big", exact=True).click()
    expect(panel.get_by_role("region", name="Entry big")).to_contain_text("12345678901234567890")
    expect(panel.get_by_role("form", name="Edit big")).to_have_count(0)
    panel.get_by_role("button", name="apple", exact=True).click()
    form = panel.get_by_role("form", name="Edit apple")
    form.get_by_label("Name of a further field").fill("tags")
    form.get_by_label("Name of a further field").press("Enter")
    form.get_by_label("tags").fill('["red"]')
    form.get_by_role("button", name="As JSON").click()
    expect(form.get_by_label("JSON")).to_have_value(
        '{\n  "name": "apple",\n  "price": 1,\n  "fresh": true,\n  "tags": [\n    "red"\n  ]\n}'
    )
    form.get_by_role("button", name="Save").click()
    wait_until(lambda: server.http.get(f"{PRICES}/apple").json().get("tags") == ["red"])


def test_filter_pages_tab_and_copies(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """The server narrows a large set, live; a tab shows the same; what is copied asks for what is shown."""
    server = running_server(sample / "coflows_config.json")
    changes = [{"op": "put", "entry": f"n{n:03}", "value": {"n": n}} for n in range(250)]
    server.http.patch(PRICES, json={"changes": changes}).raise_for_status()
    lab = open_lab(server)
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    rows = open_set(lab)
    panel = lab.panel
    expect(rows).to_have_count(100)
    lab.button("Show more").click()
    expect(rows).to_have_count(200)
    rows.first.get_by_role("button").focus()
    lab.page.keyboard.press("ArrowDown")
    expect(rows.nth(1).get_by_role("button")).to_be_focused()

    panel.get_by_label("Field").fill("n")
    panel.get_by_label("Operator").select_option("gte")
    panel.get_by_label("Value").fill("248")
    panel.get_by_label("Value").press("Enter")
    expect(rows).to_have_text(["n248248", "n249249"])
    put(server, "n000", n=1000)
    put(server, "n249", n=0)
    expect(rows).to_have_text(["n0001000", "n248248"])
    lab.screenshot("m-sets-filter")
    for name, text in (
        (
            "notebook cell",
            '%load_ext coflows_jupyter\nfrom coflows_jupyter import M\n\nM.Base("prices").where(n__gte=248)',
        ),
        ("curl", f'curl -H "x-api-key: $(coflows key show)" \'{server.url}{PRICES}?workflow='),
    ):
        lab.button("Copy as").click()
        lab.page.get_by_role("menuitem", name=name).click()
        expect(lab.page.get_by_text(f"Copied as {name}").first).to_be_visible()
        assert str(lab.page.evaluate("navigator.clipboard.readText()")).startswith(text)

    lab.button("Open prices in a tab").click()
    tab = lab.page.locator("#jp-main-dock-panel").get_by_role("region", name="Entries of prices").locator("tbody tr")
    expect(tab).to_have_count(100)
    put(server, "n001", n=-1)
    expect(tab.nth(1)).to_have_text("n001-1")
    lab.screenshot("m-sets-tab")
    panel.get_by_role("button", name="Remove the condition").click()
    expect(rows).to_have_count(100)


def test_a_new_set(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """A set begins with a name and an entry; nobody has to type JSON for that."""
    server = running_server(sample / "coflows_config.json")
    lab = open_lab(server)
    panel = lab.open_panel()
    lab.page.keyboard.press("Control+Shift+C")
    lab.page.keyboard.type("New M set")
    lab.page.keyboard.press("Enter")
    lab.page.get_by_role("dialog").get_by_role("textbox").fill("my notes/2026")
    lab.page.keyboard.press("Enter")
    form = panel.get_by_role("form", name="New entry")
    form.get_by_label("Name of a further field").fill("count")
    lab.button("Add field").click()
    form.get_by_label("count").fill("3")
    form.get_by_role("button", name="Add the entry").click()
    expect(panel.get_by_role("region", name="Entries of my notes/2026").locator("tbody tr")).to_have_count(1)
    assert {"id": "my notes/2026", "entries": 1} in server.http.get("coflows/api/m").json()["sets"]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_themes(
    theme: str, sample: Path, isolated_environ: dict[str, str], running_server: RunningServer, open_lab: OpenLab
) -> None:
    """Every text of the M sets section stands out in light and in dark: table, conditions, form, history."""
    write_settings(Path(isolated_environ["JUPYTERLAB_SETTINGS_DIR"]), theme=theme)
    server = running_server(sample / "coflows_config.json")
    fill(server)
    lab = open_lab(server)
    rows = open_set(lab)
    lab.panel.get_by_label("Field").fill("price")
    lab.panel.get_by_label("Value").fill("1")
    lab.panel.get_by_label("Value").press("Enter")
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button").click()
    expect(lab.panel.get_by_role("list", name="History").get_by_role("listitem")).to_have_count(1)
    lab.screenshot("m-sets-" + theme.lower().replace(" ", "-"))
    assert not faint_texts(lab.panel)
