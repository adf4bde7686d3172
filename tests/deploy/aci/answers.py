"""What Azure says of a container group: all but its secrets, and what happened to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

EVENTS = (
    ("Pulling", 'pulling image "{image}"'),
    ("Pulled", 'Successfully pulled image "{image}"'),
    ("Created", "Created container"),
    ("Started", "Started container"),
)
TIME = "2026-11-25T04:00:0{second}Z"

Body = dict[str, Any]


def without_secrets(sent: Body) -> Body:
    """Return what Azure says of a group: what is secret never comes back."""
    kept = copy.deepcopy(sent)
    for container in kept["properties"]["containers"]:
        for variable in container["properties"].get("environmentVariables", []):
            variable.pop("secureValue", None)
    for volume in kept["properties"].get("volumes", []):
        if "secret" in volume:
            volume["secret"] = {}
        volume.get("azureFile", {}).pop("storageAccountKey", None)
    for credential in kept["properties"].get("imageRegistryCredentials", []):
        credential.pop("password", None)
    return kept


def events_of(image: str, count: int, failure: tuple[str, str] | None) -> list[Body]:
    """Return the first events of an image, and one that says why it failed."""
    told = [("Normal", name, text.format(image=image)) for name, text in EVENTS[:count]]
    if failure:
        told.append(("Warning", "Failed", failure[1]))
    return list(_dated(told))


def _dated(told: list[tuple[str, str, str]]) -> Iterator[Body]:
    for second, (kind, name, text) in enumerate(told):
        time = TIME.format(second=second)
        yield {"count": 1, "firstTimestamp": time, "lastTimestamp": time, "name": name, "message": text, "type": kind}
