"""One call, four doors: every kind of result in every format, with equal bytes at each of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import pyarrow as pa
import pytest

from coflows_jupyter.cli import run
from coflows_jupyter.errors import USAGE, NotAcceptableError
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.server.runfile import RunFile
from tests.conftest import Server
from tests.doors.golden import WID, Row, make_workflow, rows
from tests.server.conftest import make_environ, pick_port

ROWS = rows()


def _open(folder: Path, mode: str) -> Server:
    config = make_workflow(folder / "workflow", mode)
    return Server(config, pick_port(), make_environ(folder / "home")).wait_until("coflows/api/ready", 200)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with Lab whose hosts are processes."""
    server = _open(tmp_path_factory.mktemp("process"), "process")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose host is embedded."""
    server = _open(tmp_path_factory.mktemp("embedded"), "embedded")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def notebook(server: Server) -> Client:
    """Return what a kernel calls with."""
    return Client(RunFile(server.url, server.key, "", 0))


@pytest.fixture(scope="module")
def lab(server: Server) -> Iterator[httpx.Client]:
    """Return a browser that is signed in to Lab, as the sidebar is."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        client.get("login")
        client.post("login", data={"password": server.key, "_xsrf": client.cookies["_xsrf"]})
        client.headers.update({"X-XSRFToken": client.cookies["_xsrf"], "X-Coflows-Door": "sidebar"})
        yield client


def _known(answer: httpx.Response, row: Row) -> bytes:
    """Return the body of an answer that has the row's status and type; of an error nothing."""
    assert answer.status_code == row.status, answer.text
    if answer.is_error:
        return b""
    assert answer.headers["content-type"] == row.content_type
    return answer.content


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_all_doors_give_the_same(
    row: Row,
    server: Server,
    embedded: Server,
    notebook: Client,
    lab: httpx.Client,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """The table says what a result is in a format; HTTP, command, notebook and sidebar have just that."""
    url = f"flow/query/{WID}/golden/{row.name}"
    body = _known(server.http.get(url), row)
    if row.body is not None:
        assert body.decode() == row.body
    assert body or row.status == 406 or row.body == ""
    assert _known(embedded.http.get(url), row) == body
    assert _known(lab.post(url, json={}), row) == body
    if row.status == 406:
        with pytest.raises(NotAcceptableError):
            notebook.call(url, [])
    else:
        answer = notebook._post(url, [], {})
        answer.read()
        assert _known(answer, row) == body
    if row.suffix:  # without one, the command shows a result to people
        code = run(["local", "query", "golden", row.name, "--quiet", "--config", str(embedded.config)])
        assert (code, capfdbinary.readouterr().out) == ((USAGE if row.status == 406 else 0), body)


def test_every_function_is_in_the_table(server: Server) -> None:
    """No kind of result is left out, and the table knows none that is gone."""
    queries = server.http.get(f"coflows/api/workflows/{WID}/queries").json()["queries"]
    assert {function["name"] for function in queries[0]["functions"]} == {row.function for row in ROWS}


def test_others_read_what_we_write(server: Server) -> None:
    """Pyarrow reads the Arrow stream, pandas the CSV, and both find the frame."""
    url = f"flow/query/{WID}/golden/Frame"
    arrow = pa.ipc.open_stream(server.http.get(f"{url}.arrow").content).read_pandas()
    text = io.StringIO(server.http.get(f"{url}.csv").text, newline="")
    pd.testing.assert_frame_equal(arrow, pd.read_csv(text, index_col="day", parse_dates=["day"]), check_freq=False)
