"""The sample under fire: whatever its OpenAPI document lets a client send, the server has an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.core.result import Ok

from tests.conftest import RunningServer, Server

EXAMPLES = 12
FEWER_PATHS = ("2_000_000", "2_000")


def fire(operation: APIOperation[Any, Any, Any, Any], server: Server, base_url: str) -> tuple[set[int], list[str]]:
    """Send arguments that fit an operation and some that don't; return all statuses and what was a server error."""
    statuses: set[int] = set()
    errors: list[str] = []
    good, bad = (operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        deadline=None,
        database=None,
    )
    @given(st.one_of(good, bad))
    def send(case: Any) -> None:
        answer = case.call(base_url=base_url, headers={"x-api-key": server.key})
        statuses.add(answer.status_code)
        if answer.status_code >= 500:
            errors.append(f"{case.method} {case.path} {case.query} {case.body}: {answer.text}")

    send()
    return statuses, errors


def test_no_server_error(sample: Path, running_server: RunningServer) -> None:
    """Every function, by GET and by POST, answers what fits with a result and what does not with a 4xx."""
    risk = sample / "Queries" / "risk.py"
    risk.write_text(risk.read_text().replace(*FEWER_PATHS))  # slow on purpose, and not what this is about
    server = running_server(sample / "coflows_config.json")
    workflow = server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    document = server.http.get(f"flow/openapi/{workflow}.json").json()
    found = schemathesis.openapi.from_dict(document).get_all_operations()
    operations = [result.ok() for result in found if isinstance(result, Ok)]
    assert len(operations) == 2 * len(document["paths"])
    fired = [fire(operation, server, document["servers"][0]["url"]) for operation in operations]
    assert [error for _, errors in fired for error in errors] == []
    assert {200, 422} <= set().union(*(statuses for statuses, _ in fired))
