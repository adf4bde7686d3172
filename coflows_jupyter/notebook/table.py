"""An M set as a table in a notebook: it follows the set, and what is typed into it changes the set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from coflows_jupyter.errors import ArgumentsError, CoflowsError
from coflows_jupyter.jsonform import to_json
from coflows_jupyter.mset.m import M
from coflows_jupyter.mset.model import decode

MOST_ROWS = 500

PLAIN = "value"
"""Column of values that have no fields."""

_DRAW_SECONDS = 0.05
_RETRY_SECONDS = 0.5


class Shown(NamedTuple):
    """What a table shows: all of it text, so that no digit is lost in a browser.

    Args:
        columns: names of the fields.
        rows: an entry's ID and its cells, ``None`` where it has no such field.
        caption: which set, and how large it is.
        problem: why what was typed last was not written; empty when it was.
    """

    columns: list[str]
    rows: list[tuple[str, list[str | None]]]
    caption: str
    problem: str


class Table:
    """Keeps a widget's rows what the set's are; changes that come together are drawn together.

    Args:
        m: the set.
        conditions: which entries, as in ``M.where``.
        show: shows them; called on any thread, one call at a time.
    """

    def __init__(self, m: M, conditions: dict[str, Any], show: Callable[[Shown], None]) -> None:
        self._m = m
        self._conditions = conditions
        self._show = show
        self._waiting, self._drawing = threading.Lock(), threading.Lock()
        self._timer: threading.Timer | None = None
        self._drawn = 0.0
        self._values: dict[str, Any] = {}
        self._problem = ""
        self.stop = m.subscribe(lambda _: self.changed())
        self._draw()

    def changed(self) -> None:
        """Draw soon: the set is not what it was."""
        with self._waiting:
            if self._timer is None:
                # The first change after a rest is shown at once.
                self._draw_in(self._drawn + _DRAW_SECONDS - time.monotonic())

    def _draw_in(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._redraw)
        self._timer.daemon = True
        self._timer.start()

    def _redraw(self) -> None:
        try:
            self._draw()
        except CoflowsError:
            # The server is starting again, and nobody will tell of this change a second time.
            with self._waiting:
                self._draw_in(_RETRY_SECONDS)

    def _draw(self) -> None:
        with self._waiting:
            self._timer = None
        # What is read later is shown later: an older state must not stay.
        with self._drawing:
            items = self._m.items(**self._conditions)
            self._values = dict(items[-MOST_ROWS:])
            columns = list(dict.fromkeys(name for value in self._values.values() for name in _fields(value)))
            rows = [(entry, [_text_of(value, name) for name in columns]) for entry, value in self._values.items()]
            count = f"{len(items)} entries" + (f", the latest {MOST_ROWS}" if len(items) > len(rows) else "")
            self._show(Shown(columns, rows, f"{self._m.id}: {count}", self._problem))
            self._drawn = time.monotonic()

    def receive(self, wish: dict[str, str]) -> None:
        """Do what somebody typed or clicked, and show what came of it.

        Args:
            wish: ``op`` is ``add`` (``text``), ``remove`` (``entry``) or ``edit`` (``entry``, ``column``, ``before``
                and ``text`` of the cell).
        """
        try:
            self._problem = self._do(**wish)
        except CoflowsError as error:
            self._problem = error.message
        self._draw()

    def _do(self, op: str, text: str = "", entry: str = "", column: str = "", before: str = "") -> str:
        if op == "add":
            return "" if self._m.add(_typed(text)) is not None else "not added: an equal value is there already"
        if op == "remove":
            return "" if self._m.remove_id(entry) else f"somebody else removed {entry} already"
        value = self._values.get(entry)
        if value is None:
            return f"not written: somebody else removed {entry}"
        if (_text_of(value, column) or "") != before:
            return f"not written: somebody else changed {column} of {entry}"
        written = self._m.compare_and_set(entry, value, _edited(value, column, text))
        return "" if written else "not written: an equal value is there, or somebody else was faster"


def _fields(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else [PLAIN]


def _field(value: Any, name: str) -> Any:
    """Return what a cell stands for, ``None`` where there is no such field: JSON's null looks the same."""
    if isinstance(value, dict):
        return value.get(name)
    return value if name == PLAIN else None


def _text_of(value: Any, name: str) -> str | None:
    found = _field(value, name)
    if found is None:
        return "null" if isinstance(value, dict) and name in value else None
    return found if isinstance(found, str) else to_json(found).decode()


def _edited(value: Any, name: str, text: str) -> Any:
    """Return ``value`` with another text in a cell: what was text stays text, and what is emptied else goes."""
    new = text if isinstance(_field(value, name), str) else _typed(text)
    if not isinstance(value, dict):
        if name != PLAIN:
            raise ArgumentsError(f"not written: this entry has no fields, so no {name}")
        return new
    rest = {key: item for key, item in value.items() if key != name}
    return rest if new == "" and not isinstance(value.get(name), str) else value | {name: new}


def _typed(text: str) -> Any:
    """Return what was typed: JSON, or text if it is none."""
    try:
        return decode(text)
    except msgspec.DecodeError:
        return text


def make_widget(base: Any, m: M, conditions: dict[str, Any]) -> Any:
    """Return a widget of anywidget's class ``base`` that shows a set and writes into it."""
    import traitlets

    class TableWidget(base):  # type: ignore[misc]  # a class that is there only with anywidget
        _esm = Path(__file__).with_name("table.js")
        _css = Path(__file__).with_name("table.css")
        state: Any = traitlets.Dict().tag(sync=True)

        def __init__(self) -> None:
            super().__init__()
            self.table = Table(m, conditions, self._show)
            self.on_msg(lambda _widget, wish, _buffers: self.table.receive(wish))

        def _show(self, shown: Shown) -> None:
            self.state = shown._asdict()

        def close(self) -> None:
            self.table.stop()
            super().close()

    return TableWidget()
