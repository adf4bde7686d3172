"""Secrets in a notebook."""

from __future__ import annotations

from tests.conftest import Server
from tests.notebook.conftest import Notebook


def test_a_notebook_has_its_workflows_secrets(notebook: Notebook, server: Server) -> None:
    """The server tells them to its kernels, and the audit says so; a cell that ends with one does not show it."""
    workflow = server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    server.http.put(f"coflows/api/workflows/{workflow}/secrets/TOKEN", json={"text": "p4ssw0rd"}).raise_for_status()
    assert notebook.run("from coflows_jupyter import secret; secret('TOKEN')") == "<secret TOKEN>"
    assert notebook.run("secret('TOKEN').upper()") == "'P4SSW0RD'"
    entry = server.http.get("coflows/api/audit?limit=1").json()["entries"][0]
    assert (entry["actor"], entry["action"], entry["target"]) == ("root", "secret.tell", f"{workflow}/TOKEN")
    status, said = notebook.attempt("secret('NOT_THERE')")
    assert status == "error"
    assert "there is no secret NOT_THERE; set it with: coflows secret set NOT_THERE" in said
