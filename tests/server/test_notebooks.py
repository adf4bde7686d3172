"""Notebooks as jobs, over HTTP: what they take, when they run, and where their copies are."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

from tests.conftest import RunningServer
from tests.e2e.lab import wait_until
from tests.workflow.test_notebooks import write_notebook


def test_a_notebook_from_form_to_copy(sample: Path, running_server: RunningServer) -> None:
    """The form knows the parameters; mistakes are about a field; a Build puts it to work; the copy is Lab's, too."""
    write_notebook(sample / "Files" / "my report.ipynb", ("x = 1", "parameters"), ("print('x is', x)", ""))
    server = running_server(sample / "coflows_config.json")
    base = f"coflows/api/workflows/{server.http.get('coflows/api/workflows').json()['workflows'][0]['id']}"
    path = "Files/my report.ipynb"
    asked = server.http.get(f"{base}/notebook-jobs", params={"path": path}).json()
    assert asked == {"parameters": [{"name": "x", "value": "1"}], "jobs": []}

    def refused(**job: object) -> list[str]:
        answer = server.http.post(f"{base}/notebook-jobs", json={"path": path, "id": "report"} | job)
        assert answer.status_code == 422, answer.text
        return [error["field"] for error in answer.json()["errors"]]

    assert refused(schedule="now and then") == ["schedule"]
    assert refused(id="") == ["id"]
    assert refused(path="Queries/pyapi.py") == ["id"]

    job = {"id": "report", "schedule": "0 0 9 ? * *", "parameters": {"x": 42}}
    assert server.http.post(f"{base}/notebook-jobs", json=job | {"path": path}).json() == job
    assert server.http.post(f"{base}/build").json()["ok"]
    agent = next(a for a in server.http.get(f"{base}/agents").json()["agents"] if a["notebook"])
    assert (agent["id"], agent["notebook"], agent["parameters"]) == ("report", path, {"x": 42})

    (run,) = server.http.post(f"{base}/agents/report/run", json={}).json()["runs"]
    copy = f"{base}/agent-runs/{run['run_id']}/notebook"
    wait_until(lambda: server.http.get(copy).status_code == 200)
    wait_until(lambda: server.http.get(f"{base}/agent-runs?agent=report").json()["runs"][0]["state"] == "succeeded")
    answer = server.http.get(copy)
    assert unquote(answer.headers["Content-Location"]) == f"Runs/my report-{run['run_id']}.ipynb"
    assert json.loads(answer.content)["cells"][2]["outputs"][0]["text"] == ["x is 42\n"]
    assert server.http.get(f"{base}/agent-runs/none/notebook").status_code == 404

    gone = server.http.delete(f"{base}/notebook-jobs", params={"path": path, "id": "report"})
    assert gone.status_code == 204
    assert "report.ipynb" not in json.dumps(json.loads((sample / "package.json").read_text())["Agents"])
    assert server.http.post(f"{base}/build").json()["ok"]
    assert not any(agent["notebook"] for agent in server.http.get(f"{base}/agents").json()["agents"])
