"""M sets in a notebook."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.mset.model import Author
from coflows_jupyter.mset.place import Place, open_database
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.notebook.mstore import RemoteMStore
from coflows_jupyter.notebook.sets import NotebookM
from tests.conftest import Server
from tests.mset.conftest import serve
from tests.notebook.conftest import Notebook


def wait_for(what: Any) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_kernel_has_the_servers_sets(notebook: Notebook, server: Server) -> None:
    """``M`` is there, what it adds is on the server, and what others add is in it."""
    assert notebook.run("entry = M.Base('prices').add({'name': 'a', 'price': 2}); len(M.Base('prices'))") == "1"
    listed = server.http.get("coflows/api/m/prices").json()["entries"]
    assert [entry["value"] for entry in listed] == [{"name": "a", "price": 2}]
    server.http.post("coflows/api/m/prices", json={"name": "b", "price": 3}).raise_for_status()
    assert notebook.run("M.Base('prices')[lambda v: v['price'] > 2]") == "[{'name': 'b', 'price': 3}]"
    assert notebook.run("M.Base('prices').history(entry)[0].actor") == "'root'"
    assert notebook.run("from coflows_jupyter import M as same; same is M") == "True"
    assert notebook.run("type(M.Base('prices').plot(y='price')).__name__") == "'Axes'"
    assert "no operator" in notebook.attempt("M.Base('prices').where(price__gtt=1)")[1]


@pytest.fixture
def pair(tmp_path: Path) -> Any:
    """Return a set as a notebook has it, and the same as the server's own process has it."""
    with serve(tmp_path) as server:
        remote, local = RemoteMStore(Client(server)), open_database(tmp_path / "m.db")
        yield tuple(
            NotebookM(Place(lambda store=store: store, lambda _: AccessType.WRITE, Author), "prices")  # type: ignore[misc]
            for store in (remote, local)
        )
        remote.close()
        local.close()


def rows_of(widget: Any) -> list[tuple[str | None, ...]]:
    """Return the cells that a table shows, without the entries' IDs."""
    return [tuple(cells) for _, cells in widget.state["rows"]]


def test_table_follows_and_writes(pair: tuple[NotebookM, NotebookM]) -> None:
    """It shows what others write, and writes what is typed, unless somebody else changed the same cell."""
    m, other = pair
    other["a"] = {"price": 1, "name": "007", "big": 12345678901234567890}
    widget = m.widget()
    assert widget.state["columns"] == ["price", "name", "big"]
    assert rows_of(widget) == [("1", "007", "12345678901234567890")]
    other["b"] = {"price": 2}
    wait_for(lambda: rows_of(widget)[1:] == [("2", None, None)])
    assert widget.state["caption"] == "prices: 2 entries"

    def type_into(column: str, before: str, text: str) -> str:
        widget.table.receive({"op": "edit", "entry": "a", "column": column, "before": before, "text": text})
        return str(widget.state["problem"])

    assert type_into("price", "1", "5") == ""
    assert type_into("name", "007", "8") == ""
    assert other["a"] == {"price": 5, "name": "8", "big": 12345678901234567890}, "text stays text, digits stay"
    other["a"] = {"price": 6, "name": "8", "big": 1}
    wait_for(lambda: rows_of(widget)[0] == ("6", "8", "1"))
    assert "changed price of a" in type_into("price", "5", "7")
    assert type_into("big", "1", "") == ""
    assert other["a"] == {"price": 6, "name": "8"}, "a field that is emptied goes"
    assert type_into("tags", "", '["red"]') == ""
    assert other["a"]["tags"] == ["red"]

    widget.table.receive({"op": "remove", "entry": "b"})
    widget.table.receive({"op": "add", "text": "7"})
    assert widget.state["problem"] == ""
    assert list(other)[1:] == [7]
    widget.table.receive({"op": "add", "text": "7"})
    assert "equal value" in widget.state["problem"]
    widget.table.receive({"op": "add", "text": "null"})
    assert "None" in widget.state["problem"]
    widget.close()


def test_table_shows_what_meets_conditions(pair: tuple[NotebookM, NotebookM]) -> None:
    """Only these, and at most the latest 500."""
    m, other = pair
    other.add_many({"n": n} for n in range(600))
    assert rows_of(m.widget(n__lt=2)) == [("0",), ("1",)]
    everything = m.widget()
    assert len(rows_of(everything)) == 500
    assert rows_of(everything)[-1] == ("599",)
    assert everything.state["caption"] == "prices: 600 entries, the latest 500"


def test_table_shows_the_latest_when_the_server_is_back(tmp_path: Path) -> None:
    """A change that could not be read when it was told of is shown later."""
    with serve(tmp_path) as server:
        store = RemoteMStore(Client(server))
        m = NotebookM(Place(lambda: store, lambda _: AccessType.WRITE, Author), "prices")
        widget = m.widget()
    widget.table.stop()
    local = open_database(tmp_path / "m.db")
    NotebookM(Place(lambda: local, lambda _: AccessType.WRITE, Author), "prices").add(2)
    local.close()
    widget.table.changed()
    with serve(tmp_path, int(server.url.rsplit(":", 1)[1].strip("/"))):
        wait_for(lambda: rows_of(widget) == [("2",)])


def test_a_reader_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    """What was written while the server was away arrives when it is back."""
    with serve(tmp_path) as server:
        store = RemoteMStore(Client(server))
        m = NotebookM(Place(lambda: store, lambda _: AccessType.WRITE, Author), "prices")
        heard: list[Any] = []
        stop = m.subscribe(lambda change: heard.append(change.value))
        m.add(1)
        wait_for(lambda: heard == [1])
    local = open_database(tmp_path / "m.db")
    NotebookM(Place(lambda: local, lambda _: AccessType.WRITE, Author), "prices").add(2)
    local.close()
    with serve(tmp_path, int(server.url.rsplit(":", 1)[1].strip("/"))):
        wait_for(lambda: heard == [1, 2])
        stop()
