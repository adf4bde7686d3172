"""Output of the container.

Azure keeps no place in it, so lines are asked for with their time, and those that are known are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from coflows_jupyter.errors import NotFoundError

if TYPE_CHECKING:
    from coflows_jupyter.deploy.aci.client import Clients


class Fresh:
    """Tells lines that were not seen yet from those that were."""

    def __init__(self) -> None:
        self._last = ""
        self._at_last: set[str] = set()

    def pick(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield what is new, without its time.

        Args:
            lines: each begins with its time, ISO 8601 in UTC, and a blank.
        """
        for line in lines:
            time, _, text = line.partition(" ")
            if time < self._last or line in self._at_last:
                continue
            if time > self._last:
                self._last, self._at_last = time, set()
            self._at_last.add(line)
            yield text


def read_logs(
    clients: Clients, group: str, container: str, tail: int | None = None, *, times: bool = False
) -> list[str]:
    """Return lines of output.

    Args:
        clients: Azure.
        group: the resource group.
        container: the container group, and the container in it.
        tail: how many of the last lines, all that Azure has by default.
        times: whether each begins with its time.

    Raises:
        CoflowsError: Azure did not answer, or refused.
    """
    containers: Any = clients.containers.containers
    with clients.translated(f"show what {container} says"):
        answer = containers.list_logs(group, container, container, tail=tail, timestamps=times)
    return (answer.content or "").splitlines()


def new_logs(clients: Clients, group: str, container: str, fresh: Fresh) -> list[str]:
    """Return the lines of output that were not seen yet; none before there is a container.

    Raises:
        CoflowsError: Azure did not answer, or refused.
    """
    try:
        return list(fresh.pick(read_logs(clients, group, container, times=True)))
    except NotFoundError:
        return []
