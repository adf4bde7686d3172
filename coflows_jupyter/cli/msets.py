"""``coflows m …``: M sets, through the server where one runs, else in the database itself."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.mset.m import M
    from coflows_jupyter.mset.store import MStore

SetId = Annotated[str, typer.Argument(metavar="SET", help="ID of the M set.")]
EntryId = Annotated[str, typer.Argument(metavar="ENTRY", help="ID of the entry.")]
Value = Annotated[str, typer.Argument(metavar="VALUE", help="JSON; anything else is text.")]

_BATCH = 1000


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    m = typer.Typer(help="M sets: persistent sets of values that Queries, notebooks and people share.")
    m.command(name="list")(list_sets)
    m.command()(get)
    # A negative number is a value, not an option.
    m.command(context_settings={"ignore_unknown_options": True})(add)
    m.command(name="set", context_settings={"ignore_unknown_options": True})(set_entry)
    m.command()(remove)
    m.command()(history)
    m.command()(watch)
    m.command(name="export")(export_set)
    m.command(name="import")(import_set)
    app.add_typer(m, name="m")


def list_sets(context: typer.Context) -> None:
    """List all sets that have entries."""
    current = session(context)
    with _opened(current) as store:
        found = store.sets()
    current.output.document({"sets": found})
    if not current.output.json:
        _table(current, [{"set": info.id, "entries": info.entries} for info in found], "no M sets")


def get(
    context: typer.Context,
    name: SetId,
    entry: Annotated[str | None, typer.Argument(metavar="[ENTRY]", help="ID of one entry; without it, all.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="Only entries that meet this, e.g. price__gte=1.", metavar="FIELD=VALUE")
    ] = None,
    at: Annotated[str, typer.Option(help="As it was then: 2026-11-24T18:00, in UTC.", metavar="TIME")] = "",
) -> None:
    """Print an entry or a set."""
    from coflows_jupyter.errors import NotFoundError

    current = session(context)
    with _opened(current) as store:
        m = _base(store, name)
        if entry is not None:
            value = m.at(at).get(entry) if at else m.get(entry)
            if value is None:
                raise NotFoundError(f"the M set {name} has no entry {entry!r}")
            current.output.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
            return
        items = list(m.at(at).items()) if at else m.items(**_conditions(where or []))
    current.output.document([{"entry": key, "value": value} for key, value in items])
    if not current.output.json:
        _table(current, [_row(key, value) for key, value in items], "no entries")


def add(context: typer.Context, name: SetId, value: Value) -> None:
    """Add a value and print the ID of its entry."""
    current = session(context)
    with _opened(current) as store:
        m = _base(store, name)
        given = _value(value)
        entry = m.add(given)
        there = entry is None
        entry = entry or m.find(given)
    current.output.document({"entry": entry, "added": not there})
    if there:
        current.output.note("an equal value is there already")
    if not current.output.json:
        current.output.write(entry or "")


def set_entry(context: typer.Context, name: SetId, entry: EntryId, value: Value) -> None:
    """Put a value under an ID, whether there is one or not."""
    current = session(context)
    with _opened(current) as store:
        _base(store, name)[entry] = _value(value)
    current.output.document({"entry": entry})


def remove(
    context: typer.Context,
    name: SetId,
    entry: Annotated[str | None, typer.Argument(metavar="[ENTRY]", help="ID of the entry.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove every entry.")] = False,  # noqa: FBT002
) -> None:
    """Remove an entry."""
    from coflows_jupyter.errors import ArgumentsError, FieldError, NotFoundError

    if (entry is None) != everything:
        raise ArgumentsError("name an entry, or --all", [FieldError("ENTRY", "is an ID, or --all stands for it")])
    current = session(context)
    with _opened(current) as store:
        m = _base(store, name)
        if entry is None:
            m.clear()
        elif not m.remove_id(entry):
            raise NotFoundError(f"the M set {name} has no entry {entry!r}")
    current.output.document({"removed": entry or "all"})


def history(context: typer.Context, name: SetId, entry: EntryId) -> None:
    """Print what happened to an entry."""
    current = session(context)
    with _opened(current) as store:
        events = _base(store, name).history(entry)
    current.output.document({"changes": events})
    if not current.output.json:
        rows = [
            {"at": event.at[:19].replace("T", " "), "what": event.op, "value": _text(event.value), "who": event.actor}
            for event in events
        ]
        _table(current, rows, "nothing is known of such an entry")


def watch(
    context: typer.Context,
    name: SetId,
    after: Annotated[int, typer.Option(help="Begin after the change of this number, not now.", metavar="SEQ")] = -1,
) -> None:
    """Print changes as they happen, a JSON document per line, until Ctrl-C."""
    with _opened(session(context)) as store, contextlib.suppress(KeyboardInterrupt):
        for event in _base(store, name).watch(after):
            sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
            sys.stdout.flush()


def export_set(
    context: typer.Context,
    name: SetId,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Where to; without it, here.")] = None,
) -> None:
    """Write a set as lines of JSON: ``{"entry": …, "value": …}``."""
    with _opened(session(context)) as store:
        lines = [
            msgspec.json.encode({"entry": entry, "value": msgspec.Raw(value.encode())})
            for _, entry, value in store.load(name).entries
        ]
    data = b"".join(line + b"\n" for line in lines)
    if file is None:
        sys.stdout.buffer.write(data)
    else:
        file.write_bytes(data)


class _Line(msgspec.Struct):
    value: Any
    entry: str = ""


def import_set(
    context: typer.Context,
    name: SetId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Lines as `coflows m export` writes them; - is stdin.")],
) -> None:
    """Put entries of a file into a set, a thousand at a time; those with an ID replace what is there under it."""
    from coflows_jupyter.errors import ArgumentsError, FieldError
    from coflows_jupyter.mset.model import Change, encode

    current = session(context)
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise ArgumentsError(f"{file} can't be read: {error.strerror}", [FieldError("FILE", str(error))]) from None
    changes = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found = msgspec.json.decode(line, type=_Line)
        except msgspec.MsgspecError as error:
            message = f"{file}:{number}: {error}"
            raise ArgumentsError(message, [FieldError("FILE", 'a line is {"entry": …, "value": …}')]) from None
        changes.append(Change("put" if found.entry else "add", found.entry, encode(found.value)))
    done = 0
    with _opened(current) as store:
        for start in range(0, len(changes), _BATCH):
            done += sum(outcome.done for outcome in store.apply(name, changes[start : start + _BATCH], _author()))
    current.output.document({"imported": done, "there": len(changes) - done})
    current.output.say(f"{done} entries imported, {len(changes) - done} were there already")


@contextlib.contextmanager
def _opened(current: Session) -> Iterator[MStore]:
    """Open the store: the server's, if one runs this Workflow, else the database."""
    from coflows_jupyter.cli.runs import where
    from coflows_jupyter.mset.place import database_of, host_place
    from coflows_jupyter.notebook.mstore import RemoteMStore

    config, client = where(current)
    store: MStore = RemoteMStore(client) if client else host_place(database_of(config)).store
    try:
        yield store
    finally:
        store.close()


def _base(store: MStore, name: str) -> M:
    from coflows_jupyter.access.permissions import AccessType
    from coflows_jupyter.mset.place import Place

    # A server has rules of its own; who reaches the database without one has the file.
    return Place(lambda: store, lambda _: AccessType.WRITE, _author).base(name)


def _author() -> Any:
    from coflows_jupyter.mset.model import Author

    return Author("local")


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _conditions(given: list[str]) -> dict[str, Any]:
    return {name: _value(text) for name, _, text in (item.partition("=") for item in given)}


def _row(entry: str, value: Any) -> dict[str, Any]:
    fields = value if isinstance(value, dict) else {"value": value}
    return {"entry": entry} | {name: _text(item) for name, item in fields.items()}


def _text(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value


def _table(current: Session, rows: list[dict[str, Any]], nothing: str) -> None:
    from coflows_jupyter.cli.render import show_table

    if rows:
        names = dict.fromkeys(name for row in rows for name in row)
        show_table(current.output.stdout, [{name: row.get(name) for name in names} for row in rows])
    else:
        current.output.say(nothing)
