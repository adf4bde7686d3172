"""What the native REST API answers, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from coflows_jupyter.access.permissions import Grant
from coflows_jupyter.access.records import AuditEntry, Group, KeyInfo, Member, SecretInfo, User
from coflows_jupyter.deploy.certificates.status import CertificateStatus
from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.mset.model import Event, Outcome, Reason, SetInfo
from coflows_jupyter.queries.docs import Info
from coflows_jupyter.runs.model import RunModel
from coflows_jupyter.runtimes.protocol import Parameter
from coflows_jupyter.status import BuildReport, EngineStatus


class Me(msgspec.Struct):
    """Who the caller is, what they may everywhere (``level``), on each Workflow and in each group.

    Args:
        account: whether they have an account, whose name and password they may change by this way in.
    """

    id: str
    name: str
    source: str
    level: int
    permissions: dict[str, int]
    email: str
    first_name: str
    last_name: str
    groups: dict[str, int]
    account: bool = False


class Finding(Diagnostic, frozen=True):
    """A diagnostic whose file Lab can open; ``path`` is relative to Lab's root, ``null`` outside of it."""

    path: str | None = None


class WorkflowStatus(EngineStatus, frozen=True, kw_only=True):
    """A Workflow; its folder and its two files are relative to Lab's root, ``null`` outside of it.

    ``certificate`` is the server's.
    """

    diagnostics: tuple[Finding, ...]
    path: str | None
    config_path: str | None
    package_path: str | None
    certificate: CertificateStatus


class WorkflowList(msgspec.Struct):
    """All Workflows that the caller may view."""

    workflows: list[EngineStatus]


class Report(BuildReport, frozen=True, kw_only=True):
    """The outcome of a build."""

    diagnostics: tuple[Finding, ...]


class FunctionModel(msgspec.Struct):
    """A function, and whether the caller may call it; ``url`` is relative to the server's base URL."""

    name: str
    description: str
    returns: str
    doc: str
    line: int
    closed: bool
    timeout: float
    permissions: tuple[Grant, ...] | None
    callable: bool
    parameters: tuple[Parameter, ...]
    url: str


class QueryModel(msgspec.Struct):
    """A Query; ``path`` is its file relative to Lab's root, ``null`` outside of it."""

    id: str
    name: str
    path: str | None
    language: str
    info: Info
    functions: list[FunctionModel]


class QueryList(msgspec.Struct):
    """All Queries of the Build ``build``."""

    build: str
    queries: list[QueryModel]


class RunList(msgspec.Struct):
    """Runs, the latest first."""

    runs: list[RunModel]


class Unsaved(msgspec.Struct):
    """What an editor holds of a file that Lab names ``path``."""

    path: str
    text: str


class Findings(msgspec.Struct):
    """What is wrong with a text."""

    diagnostics: tuple[Finding, ...]


class NewSource(msgspec.Struct):
    """What to add to a Workflow: a new file ``name``, or the file that Lab names ``path``."""

    list: Literal["Queries", "Base"]
    name: str = ""
    path: str = ""


class Source(msgspec.Struct):
    """A source of a Workflow; ``path`` is its file relative to Lab's root, ``null`` outside of it."""

    id: str
    path: str | None


class NewWorkflow(msgspec.Struct):
    """Where a new Workflow is to be, relative to Lab's root, and its name; by default the folder's."""

    folder: str
    name: str = ""


class Folder(msgspec.Struct):
    """A folder relative to Lab's root."""

    path: str


# -- people ------------------------------------------------------------------------------------------------------------


class UserList(msgspec.Struct):
    """All accounts."""

    users: list[User]


class UserWish(msgspec.Struct, forbid_unknown_fields=True):
    """A new account; ``id`` is what the person logs in with, an e-mail address or a name."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    password: str = ""


class UserChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be different about an account."""

    first_name: str | None = None
    last_name: str | None = None
    disabled: bool | None = None
    password: str | None = None


class Names(msgspec.Struct, forbid_unknown_fields=True):
    """What a person is called."""

    first_name: Annotated[str, msgspec.Meta(max_length=200)]
    last_name: Annotated[str, msgspec.Meta(max_length=200)]


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """A new password, and the one that it takes the place of."""

    new: str
    old: str = ""


class KeyList(msgspec.Struct):
    """Keys without their texts."""

    keys: list[KeyInfo]


class KeyWish(msgspec.Struct, forbid_unknown_fields=True):
    """A new key.

    Args:
        name: what it is for.
        scopes: what it is limited to, e.g. ``function:WID/QID/FUNCTION:r``; none is no limit.
        expires: a duration (``90d``) or a date; empty for never.
        user: whose it is; ignored where one makes one's own.
    """

    name: str = ""
    scopes: tuple[str, ...] = ()
    expires: str = ""
    user: str = ""


class GroupList(msgspec.Struct):
    """Groups that the caller may view."""

    groups: list[Group]


class GroupWish(msgspec.Struct, forbid_unknown_fields=True):
    """A new group; only an Administrator may choose its ID."""

    name: str = ""
    id: str = ""
    description: str = ""
    parent: str = ""


class GroupChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be different about a group."""

    name: str | None = None
    description: str | None = None


class MemberList(msgspec.Struct):
    """Who is in a group."""

    members: list[Member]


class MemberWish(msgspec.Struct, forbid_unknown_fields=True):
    """What a person may in a group: -2 invited, -1 denied, 0 view, 1 read, 2 write; ``expires`` as of a key."""

    level: int
    expires: str = ""


class AuditList(msgspec.Struct):
    """What was done, the latest first."""

    entries: list[AuditEntry]


class SecretList(msgspec.Struct):
    """The names of a Workflow's secrets."""

    secrets: list[SecretInfo]


class SecretWish(msgspec.Struct, forbid_unknown_fields=True):
    """The text of a secret."""

    text: str


class MSetList(msgspec.Struct):
    """M sets and how many entries each has."""

    sets: list[SetInfo]


class MEntry(msgspec.Struct, omit_defaults=True):
    """An entry of an M set; ``number`` goes into ``after`` for those that follow."""

    entry: str
    value: msgspec.Raw
    number: int = 0


class MContents(msgspec.Struct, omit_defaults=True):
    """Entries of an M set.

    Args:
        id: the set's ID.
        entries: the oldest first.
        seq: the set's latest change when this was read; a stream goes on after it.
        next: ``after`` of the next page, 0 when there is none.
        count: how many entries there are; only with ``limit=0``.
    """

    id: str
    entries: list[MEntry]
    seq: int
    next: int = 0
    count: int | None = None


class MPast(msgspec.Struct):
    """The entries that an M set had."""

    id: str
    entries: list[MEntry]


class MAdded(msgspec.Struct):
    """ID of a new entry, or of the one with an equal value; then ``reason`` is ``duplicate``."""

    entry: str
    reason: Reason


class MOutcomes(msgspec.Struct):
    """What became of each change."""

    outcomes: list[Outcome]


class MHistory(msgspec.Struct):
    """What happened to an entry, the oldest first."""

    changes: list[Event]


class MPage(msgspec.Struct):
    """A piece of the change log; ``after=seq`` gives the next. After a ``reset`` the set must be read anew."""

    changes: list[Event]
    seq: int
    reset: bool
