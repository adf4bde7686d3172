"""What permissions cost per call: ``python -m bench.access``."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from bench.common import table
from coflows_jupyter.access.directory import Directory
from coflows_jupyter.access.permissions import Caller, Grant, may_call
from coflows_jupyter.access.records import Group, Member
from coflows_jupyter.access.snapshot import NEVER, Account, Snapshot, StoredKey
from coflows_jupyter.access.tokens import mint
from coflows_jupyter.host.frames import Invoke, decode_request, pack
from coflows_jupyter.host.protocol import Call

PEOPLE, GROUPS, PER_PERSON = 1_000, 1_000, 5
WANTED_US = 5.0


def main() -> None:
    """Make a thousand people in a thousand groups, and ask what one of them may."""
    accounts = [Account(f"p{i}@example.com", f"p{i}@example.com", "Some", "Body", False, 1) for i in range(PEOPLE)]
    groups = [Group(f"group {i}", "", "", "") for i in range(GROUPS)]
    members = [
        Member(account.id, f"group {(i + 7 * j) % GROUPS}", 1, "", "")
        for i, account in enumerate(accounts)
        for j in range(PER_PERSON)
    ]
    made = [mint() for _ in accounts]
    keys = [StoredKey(m.id, a.id, m.salt, m.digest, (), NEVER, "key") for m, a in zip(made, accounts, strict=True)]
    directory = Directory()
    directory.snapshot = Snapshot(1, accounts, groups, members, keys)
    text = made[0].text
    caller = directory.find(text, "http")
    assert caller is not None
    grants = [Grant("group 7", 1)]
    rows = [
        (
            "may this caller call?",
            f"{_time(lambda: may_call(caller, 'group 0', 'q', 'f', None, closed=False)):6.2f} µs",
        ),
        ("… with a grant", f"{_time(lambda: may_call(caller, 'group 0', 'q', 'f', grants, closed=False)):6.2f} µs"),
        ("whose key is this?", f"{_time(lambda: directory.find(text, 'http')):6.2f} µs"),
        ("both", f"{_time(lambda: _both(directory, text)):6.2f} µs   (wanted {WANTED_US:g})"),
        ("the caller's way to a host, root", f"{_frame(Caller('root', 'root', 'key', 'http', 2))}"),
        (f"… a person in {PER_PERSON} groups", f"{_frame(caller)}"),
    ]
    table(f"permissions of {PEOPLE} people in {GROUPS} groups", rows)


def _both(directory: Directory, text: str) -> bool:
    caller = directory.find(text, "http")
    return caller is not None and may_call(caller, "group 0", "q", "f", None, closed=False)


def _frame(caller: Caller) -> str:
    frame = Invoke.of(Call("run-1", "q", "f", "query", b"", "", caller, 60.0))
    size = len(pack(frame))
    header = pack(frame)[8:]
    return f"{size} bytes, {_time(lambda: decode_request(pack(frame) and header)):.2f} µs"


def _time(work: Callable[[], object], number: int = 20_000) -> float:
    """Return microseconds per call, the median of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(number):
            work()
        rounds.append((time.perf_counter() - started) / number * 1e6)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
