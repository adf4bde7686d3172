"""A call that was started and is not waited for."""

from __future__ import annotations

from typing import Any

from coflows_jupyter.notebook.bar import Bar
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.runs.model import RunModel


class Started:
    """A run on the server; it goes on whatever becomes of this object.

    Args:
        client: of the server.
        run_id: the run.
        name: what to call it beside its bar.
    """

    def __init__(self, client: Client, run_id: str, name: str) -> None:
        self.id = run_id
        self._client = client
        self._name = name

    @property
    def state(self) -> RunModel:
        """What is known of the run now."""
        return self._client.run(self.id)

    @property
    def log(self) -> str:
        """What the run printed and logged so far."""
        return self._client.run_log(self.id)

    def cancel(self) -> None:
        """Ask the run to stop."""
        self._client.cancel(self.id)

    def result(self) -> Any:
        """Wait for the end, with a bar, and return the result; interrupting the wait cancels the run.

        Raises:
            CoflowsError: the call failed, or its result is not kept any longer.
        """
        try:
            with Bar(self._name) as bar:
                for kind, data in self._client.events(self.id):
                    if kind == "progress":
                        bar.update(data["done"], data["total"], data["text"])
                    elif kind == "end":
                        bar.end(f"{data['outcome']} after {data['seconds']:.1f} s")
        except KeyboardInterrupt:
            self.cancel()
            raise
        return self._client.result(self.id)

    def __repr__(self) -> str:
        state = self.state
        return f"{self._name}: {state.outcome}, {state.seconds:.1f} s (run {self.id})"
