"""M sets in a notebook: the server's, live, as a table that can be written into, and as a plot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.mset.m import M
from coflows_jupyter.mset.model import Author
from coflows_jupyter.mset.place import Place, settle
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.notebook.mstore import RemoteMStore


class NotebookM(M):
    """An M set with what a notebook can show."""

    def _repr_html_(self) -> str:
        import html

        return f"<b>{html.escape(self.id)}</b>: {len(self)} entries"

    def widget(self, **conditions: Any) -> Any:
        """Return a table that changes as the set does, and changes the set as you type into it.

        Args:
            conditions: which entries, as in ``where``; the latest 500 of them are shown.

        Raises:
            ConfigError: anywidget is not installed.
        """
        try:
            from anywidget import AnyWidget
        except ImportError as error:
            message = f"a table needs anywidget: {error}"
            raise ConfigError(message, hint="pip install 'coflows_jupyter[lab]'") from None
        from coflows_jupyter.notebook.table import make_widget

        return make_widget(AnyWidget, self, conditions)

    def plot(self, *args: Any, **options: Any) -> Any:
        """Plot the set as ``pandas.DataFrame.plot`` does, with its arguments."""
        return self.to_frame().plot(*args, **options)


def settle_notebook(client: Callable[[], Client]) -> None:
    """Let ``M.Base`` in this process be the sets of a server.

    Args:
        client: of the server; asked for when the first set is used.
    """
    # What may be done is for the server to say, and who does it, it knows from the key.
    settle(Place(lambda: RemoteMStore(client()), lambda _: AccessType.WRITE, Author, NotebookM))
