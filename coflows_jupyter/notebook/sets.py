"""M sets in a notebook: the server's, live, as a table that can be written into, and as a plot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.errors import CoflowsError, ConfigError
from coflows_jupyter.mset.m import M
from coflows_jupyter.mset.model import Author, Event
from coflows_jupyter.mset.place import Place, settle
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.notebook.mstore import RemoteMStore

MOST_ROWS = 500
_DRAW_SECONDS = 0.05


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
        return _make_widget(AnyWidget, self, conditions)

    def plot(self, *args: Any, **options: Any) -> Any:
        """Plot the set as ``pandas.DataFrame.plot`` does, with its arguments."""
        return self.to_frame().plot(*args, **options)


class _Table:
    """Keeps a widget's rows what the set's are; changes that come together are drawn together."""

    def __init__(self, m: M, conditions: dict[str, Any], show: Callable[[list[Any], str], None]) -> None:
        self._m = m
        self._conditions = conditions
        self._show = show
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._problem = ""
        self.stop = m.subscribe(self._changed)
        self.draw()

    def _changed(self, _event: Event) -> None:
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(_DRAW_SECONDS, self.draw)
                self._timer.daemon = True
                self._timer.start()

    def draw(self) -> None:
        """Show what is there now."""
        with self._lock:
            self._timer = None
        items = self._m.items(**self._conditions)
        shown = items[-MOST_ROWS:]
        count = f"{len(items)} entries" + (f", the latest {MOST_ROWS}" if len(items) > len(shown) else "")
        problem, self._problem = self._problem, ""
        self._show([[entry, value] for entry, value in shown], f"{self._m.id}: {count}{problem and f'; {problem}'}")

    def receive(self, wish: dict[str, Any]) -> None:
        """Do what somebody typed."""
        try:
            if wish["op"] == "add":
                done = self._m.add(wish["value"]) is not None
            elif wish["op"] == "remove":
                done = self._m.remove_id(wish["entry"])
            else:
                done = self._m.compare_and_set(wish["entry"], wish["expected"], wish["value"])
            self._problem = "" if done else "an equal value is there, or somebody else was faster"
        except CoflowsError as error:
            self._problem = error.message
        self.draw()


def _make_widget(base: Any, m: M, conditions: dict[str, Any]) -> Any:
    import traitlets

    class Table(base):  # type: ignore[misc]  # a class that is there only with anywidget
        _esm = Path(__file__).with_name("table.js")
        rows: Any = traitlets.List().tag(sync=True)
        caption: Any = traitlets.Unicode().tag(sync=True)

        def __init__(self) -> None:
            super().__init__()
            self.table = _Table(m, conditions, self._show)
            self.on_msg(lambda _widget, wish, _buffers: self.table.receive(wish))

        def _show(self, rows: list[Any], caption: str) -> None:
            with self.hold_sync():
                self.rows, self.caption = rows, caption

        def close(self) -> None:
            self.table.stop()
            super().close()

    return Table()


def settle_notebook(client: Callable[[], Client]) -> None:
    """Let ``M.Base`` in this process be the sets of a server.

    Args:
        client: of the server; asked for when the first set is used.
    """
    # What may be done is for the server to say, and who does it, it knows from the key.
    settle(Place(lambda: RemoteMStore(client()), lambda _: AccessType.WRITE, Author, NotebookM))
