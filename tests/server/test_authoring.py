"""What editors ask for, over HTTP: schemas, findings about unsaved texts, new files."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from coflows_jupyter.jsonc import parse
from tests.conftest import RunningServer, Server
from tests.server.conftest import WID

VALIDATE = f"coflows/api/workflows/{WID}/validate"
SAMPLE = Path(__file__).parents[2] / "mnt"
SEED = Path(__file__).parents[1] / "data" / "seed_config.json"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("package.json", SAMPLE / "package.json"),
        ("coflows_config.json", SAMPLE / "coflows_config.json"),
        ("coflows_config.json", SEED),
    ],
)
def test_schemas_fit_real_files(anonymous: httpx.Client, name: str, file: Path) -> None:
    """The schema is valid, describes each key, and takes the files that we take; anybody may have it."""
    schema = anonymous.get(f"coflows/api/schemas/{name}").json()
    Draft202012Validator.check_schema(schema)
    assert not list(Draft202012Validator(schema).iter_errors(parse(file.read_text(), "").value))
    assert list(Draft202012Validator(schema).iter_errors({"ID": 1, "Watch": "sometimes"}))
    assert "document" not in schema["properties"]
    for section in (schema, *schema["$defs"].values()):
        assert all(key["title"] != name for name, key in section["properties"].items() if "title" in key)
    assert anonymous.get("coflows/api/schemas/setup.py").status_code == 404


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("coflows_config.json", '{\n  "Watsh": "on" // a comment\n}', [(2, 3, "unknown-key"), (1, 1, "weak-key")]),
        ("coflows_config.json", '{"Server": {"Port": "x"}}', [(1, 21, "value")]),
        ("coflows_config.json", "{", [(1, 2, "syntax")]),
        ("package.json", '{"ID": "x",\n"Querys": []}', [(2, 1, "unknown-key")]),
        ("package.json", '{"ID": "x", "Base": [{"Content": "Base/none.py"}]}', [(1, 34, "no-file")]),
        ("Queries/main.py", "def (", []),
    ],
)
def test_unsaved_text(server: Server, path: str, text: str, found: list[tuple[int, int, str]]) -> None:
    """A text is checked as its file would be, and the file stays as it is."""
    answer = server.http.post(VALIDATE, json={"path": path, "text": text})
    assert [(d["line"], d["column"], d["code"]) for d in answer.json()["diagnostics"]] == found
    assert all(d["path"] == path for d in answer.json()["diagnostics"])


@pytest.mark.parametrize("path", ["../elsewhere.json", "a\0b"])
def test_paths_outside_of_lab(server: Server, path: str) -> None:
    """What Lab does not show is not there."""
    assert server.http.post(VALIDATE, json={"path": path, "text": ""}).status_code == 404


def test_new_files(sample: Path, running_server: RunningServer) -> None:
    """A new Query is served after a Build, so is a file that was there; what can't be made says why at its field."""
    server = running_server(sample / "coflows_config.json")
    server.wait_until("coflows/api/ready", 200)
    workflow = server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    sources = f"coflows/api/workflows/{workflow}/sources"
    (sample / "lib").mkdir()
    (sample / "lib" / "prices.py").write_text("def latest() -> int:\n    return 42\n")

    made = server.http.post(sources, json={"list": "Queries", "name": "quotes"}).json()
    assert made == {"id": "quotes", "path": "Queries/quotes.py"}
    listed = server.http.post(sources, json={"list": "Queries", "path": "lib/prices.py"}).json()
    assert listed == {"id": "prices", "path": "lib/prices.py"}
    assert server.http.post(f"coflows/api/workflows/{workflow}/build").json()["ok"]
    assert server.http.get(f"flow/query/{workflow}/prices/latest").json() == 42
    queries = server.http.get(f"coflows/api/workflows/{workflow}/queries").json()["queries"]
    assert "quotes" in {query["id"] for query in queries}

    again = server.http.post(sources, json={"list": "Queries", "path": "lib/prices.py"})
    assert again.status_code == 422
    assert again.json()["errors"][0]["message"] == "prices.py is already in Queries"
    bad = server.http.post(sources, json={"list": "Base", "name": "json"})
    assert bad.json()["errors"][0]["field"] == "name"
    assert "hide Python's own module" in bad.json()["detail"]

    fresh = server.http.post("coflows/api/templates/workflow", json={"folder": "fresh", "name": "Fresh"})
    assert fresh.json() == {"path": "fresh"}
    assert (sample / "fresh" / "coflows_config.json").is_file()
    twice = server.http.post("coflows/api/templates/workflow", json={"folder": "fresh"})
    assert twice.json()["errors"][0]["field"] == "folder"
