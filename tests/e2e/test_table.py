"""An M set as a table in a notebook, in real browsers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import RunningServer
from tests.e2e.lab import Lab, OpenLab, wait_until, write_settings
from tests.e2e.test_msets import PRICES, fill, open_set, put
from tests.e2e.test_sidebar import faint_texts
from tests.workflow.test_notebooks import write_notebook

pytestmark = pytest.mark.browser

KERNEL_MS = 60_000  # until a kernel has started


def write_table(folder: Path, *more: str) -> None:
    """Write a notebook that shows a table, and further cells."""
    cells = ('M.Base("prices").widget()', *more)
    file = write_notebook(folder / "table.ipynb", *((cell, "") for cell in cells))
    kernel = {"name": "coflows", "display_name": "CoFlows", "language": "python"}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"metadata": {"kernelspec": kernel}}))


def open_table(lab: Lab) -> Locator:
    """Open the notebook and run its first cell; return the table."""
    lab.page.locator(".jp-DirListing-content").get_by_text("table.ipynb").dblclick()
    run_first_cell(lab)
    table = lab.page.locator(".coflows-table")
    expect(table).to_be_visible(timeout=KERNEL_MS)
    return table


def run_first_cell(lab: Lab) -> None:
    """Run the first cell as soon as there is a kernel."""
    # Before that, Lab would ask which kernel it should be.
    expect(lab.page.get_by_role("button", name="CoFlows | Idle")).to_be_visible(timeout=KERNEL_MS)
    lab.page.locator(".jp-Notebook .jp-Cell").first.locator(".cm-content").click()
    lab.page.keyboard.press("Shift+Enter")


def type_into(cell: Locator, text: str, key: str = "Enter") -> None:
    """Put other text into a cell, by keys."""
    cell.click()
    cell.page.keyboard.press("Control+A")
    cell.page.keyboard.type(text)
    cell.page.keyboard.press(key)


def test_two_browsers_and_a_notebook(sample: Path, running_server: RunningServer, open_lab: OpenLab) -> None:
    """The table, the sidebar of another browser and a notebook's code see what any of them changes."""
    write_table(sample, 'm = M.Base("prices")\nm["plum"] = {"name": "plum", "price": 3, "fresh": True}')
    config = sample / "coflows_config.json"
    server = running_server(config)
    fill(server)
    lab = open_lab(server)
    other = open_lab(server, like=lab)
    there = open_set(other)
    table = open_table(lab)
    rows = table.locator("tbody tr")
    expect(rows).to_have_text(["apple1true", "pear2.5false"])

    lab.page.keyboard.press("Shift+Enter")
    expect(rows).to_have_text(["apple1true", "pear2.5false", "plum3true"])
    expect(there).to_have_count(3)
    put(server, "apple", name="apple", price=4, fresh=True)
    expect(rows.first).to_have_text("apple4true")

    type_into(rows.nth(1).locator("td").nth(1), "12345678901234567890")
    expect(there.nth(1)).to_contain_text("pearpear1234567890")
    expect(rows.nth(1)).to_have_text("pear12345678901234567890false")
    assert '"price":12345678901234567890' in server.http.get(f"{PRICES}/pear").text
    table.get_by_label("A value to add").fill('{"name": "fig", "price": 0.5}')
    table.get_by_label("A value to add").press("Enter")
    expect(there.last).to_contain_text("fig0.5")
    expect(rows.last).to_have_text("fig0.5")
    lab.screenshot("table-light")
    assert not faint_texts(table)
    rows.nth(2).get_by_role("button").click()
    expect(there).to_have_count(3)
    expect(rows).to_have_count(3)
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == 3, "no key was a command of Lab's, but Shift+Enter"

    server.stop()
    server = running_server(config, port=int(server.url.rsplit(":", 1)[1].strip("/")))
    put(server, "kiwi", name="kiwi", price=5, fresh=True)
    expect(there.last).to_contain_text("kiwi5")
    lab.page.reload()  # the kernel has gone with its server
    run_first_cell(lab)
    expect(rows).to_have_count(4)
    expect(rows.nth(3)).to_have_text("kiwi5true")


def test_what_is_being_typed_stays(
    sample: Path, isolated_environ: dict[str, str], running_server: RunningServer, open_lab: OpenLab
) -> None:
    """Others change, add and remove while somebody types; who was slower on a cell is told and overwrites nothing."""
    write_settings(Path(isolated_environ["JUPYTERLAB_SETTINGS_DIR"]), theme="JupyterLab Dark")
    write_table(sample)
    server = running_server(sample / "coflows_config.json")
    fill(server)
    lab = open_lab(server)
    table = open_table(lab)
    rows = table.locator("tbody tr")
    price = rows.nth(1).locator("td").nth(1)
    price.click()
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.type("9")
    server.http.delete(f"{PRICES}/apple").raise_for_status()
    put(server, "plum", name="plum", price=3, fresh=True)
    expect(rows).to_have_text(["pear9false", "plum3true"])
    lab.page.keyboard.type("0")
    lab.page.keyboard.press("Enter")
    wait_until(lambda: server.http.get(f"{PRICES}/pear").json()["price"] == 90)

    expect(rows.first).to_have_text("pear90false")
    name = rows.first.locator("td").first
    name.click()
    lab.page.keyboard.type("x")
    put(server, "pear", name="quince", price=1, fresh=False)
    expect(rows.first.locator("td").nth(1)).to_have_text("1")
    lab.page.keyboard.press("Enter")
    expect(table.get_by_role("alert")).to_contain_text("somebody else changed name of pear")
    expect(rows.first).to_have_text("quince1false")
    lab.screenshot("table-dark")
    assert not faint_texts(table)
    type_into(name, "nothing", "Escape")
    expect(name).to_have_text("quince")
    assert server.http.get(f"{PRICES}/pear").json()["name"] == "quince"
