"""``QuantApp.Kernel``: M sets, and who may what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from coflows_jupyter.access.permissions import ROOT, Caller, permission
from coflows_jupyter.access.permissions import AccessType as Level
from coflows_jupyter.access.records import Group as Record
from coflows_jupyter.access.snapshot import Account
from coflows_jupyter.compat import people
from coflows_jupyter.compat.surface import Delegate, Static, Surface
from coflows_jupyter.jsonform import to_json
from coflows_jupyter.mset.m import M
from coflows_jupyter.runtimes import vault
from coflows_jupyter.runtimes.jvm import java_class

__all__ = ["JVM", "AccessType", "Group", "JsonConvert", "M", "MCallback", "RTDEngine", "User", "UserData"]

INSTEAD: Mapping[str, str] = {
    "Database": "keep values in M sets, or open a database of your own with SQLAlchemy",
    "FuncJobExecutor": "declare an Agent with a schedule",
    "Logger": "use Python's logging, what it says is in the run's log",
    "QueueMessage": "send values through an M set, an Agent that listens to it is told of each",
    "RTDMessage": "send values through an M set, an Agent that listens to it is told of each",
}


class AccessType(Surface):
    """Levels of permission, as the numbers that the original's Python sees."""

    Invited: ClassVar[int] = -2
    Denied: ClassVar[int] = int(Level.DENIED)
    View: ClassVar[int] = int(Level.VIEW)
    Read: ClassVar[int] = int(Level.READ)
    Write: ClassVar[int] = int(Level.WRITE)


class MCallback(Delegate):
    """A function that is told of an entry: its ID and its value."""


@dataclass(frozen=True)
class UserData:
    """A person; all is empty when it is nobody."""

    ID: str = ""
    Email: str = ""
    FirstName: str = ""
    LastName: str = ""


def _data(caller: Caller | None) -> UserData:
    if caller is None:
        return UserData()
    return UserData(caller.id, caller.email, caller.first_name or caller.name, caller.last_name)


_OWNER = Caller(ROOT, ROOT, "key", "http", int(Level.WRITE))


def _by_secret(secret: str) -> Caller | None:
    key = str(secret)
    return people.snapshot().by_key(key, "http") or (_OWNER if vault.is_owner(key) else None)


def _level(caller: Caller | None, group: str) -> int:
    return int(Level.DENIED if caller is None else permission(caller, str(group)))


class User(Surface):
    """A person with an account; of the class one asks who is calling, and what they may."""

    _instead: ClassVar[Mapping[str, str]] = {
        "CreateUser": "use `coflows user add`",
        "GetData": "keep values in an M set",
        "Notify": "send mail with Python's smtplib",
        "SaveData": "keep values in an M set",
        "Secret": "nobody can read a key after it was made; `coflows key create` makes another",
        "SetContextUserSecret": "who calls is who presented a key, and code can't change it",
        "VerifyPassword": "only the server's log-in checks passwords",
    }

    def __init__(self, account: Account) -> None:
        self.ID = account.id
        self.Email = account.email
        self.FirstName = account.first_name
        self.LastName = account.last_name

    @staticmethod
    def GetContextUser() -> UserData:
        """Return who called this code."""
        return _data(people.caller())

    ContextUser = Static(GetContextUser)
    Users = Static(lambda: [User(account) for account in people.snapshot().accounts.values()])

    @staticmethod
    def PermissionContext(group: str, other: str | None = None) -> int:
        """Return what who called may in a group; with two arguments, what the holder of a key may.

        Args:
            group: the group's ID; with ``other``, a key of somebody.
            other: the group's ID.
        """
        return _level(people.caller(), group) if other is None else _level(_by_secret(group), other)

    @staticmethod
    def ContextUserBySecret(secret: str) -> UserData:
        """Return who holds a key, nobody when it is none."""
        return _data(_by_secret(secret))

    @staticmethod
    def FindUser(user: str) -> User | None:
        """Return the person with this ID or e-mail address."""
        account = people.snapshot().account(str(user))
        return None if account is None else User(account)

    @staticmethod
    def FindUserBySecret(secret: str) -> User | None:
        """Return who holds a key."""
        caller = _by_secret(secret)
        return None if caller is None else User.FindUser(caller.id)


class Group(Surface):
    """A group of people."""

    _instead: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("Add", "CreateGroup", "Remove"), "use `coflows group create|set|unset`, who may do it is checked there"
    )

    def __init__(self, record: Record) -> None:
        self.ID = record.id
        self.Name = record.name
        self.Description = record.description
        self._record = record

    @staticmethod
    def FindGroup(group: str) -> Group | None:
        """Return the group with this ID."""
        record = people.snapshot().groups.get(str(group))
        return None if record is None else Group(record)

    @staticmethod
    def FindGroupByName(name: str) -> Group | None:
        """Return the group with this name."""
        return next((group for group in Group.Groups if group.Name == name), None)

    Groups = Static(lambda: [Group(record) for record in people.snapshot().groups.values()])
    MasterGroups = Static(lambda: [group for group in Group.Groups if group.Parent is None])

    @property
    def Parent(self) -> Group | None:
        """The group that this one is in."""
        return Group.FindGroup(self._record.parent) if self._record.parent else None

    def SubGroups(self) -> list[Group]:
        """Return the groups that are in this one."""
        return [Group(record) for record in people.snapshot().groups.values() if record.parent == self.ID]

    def PermissionContext(self) -> int:
        """Return what who called may in this group."""
        return _level(people.caller(), self.ID)

    def PermissionSecret(self, secret: str) -> int:
        """Return what the holder of a key may in this group; Denied when it is none."""
        return _level(_by_secret(secret), self.ID)

    def Permission(self, user: User | UserData | str) -> int:
        """Return what a person may in this group."""
        about = user if isinstance(user, str) else user.ID
        return _level(people.snapshot().caller(about, "key", "http"), self.ID)


class JsonConvert(Surface):
    """JSON as results have it."""

    @staticmethod
    def SerializeObject(value: Any) -> str:
        """Return a value as JSON text."""
        return to_json(value).decode()

    @staticmethod
    def DeserializeObject(text: str) -> Any:
        """Return the value that JSON text describes."""
        return msgspec.json.decode(text)


class RTDEngine(Surface):
    """Messages of the original; here M sets carry them."""

    _instead: ClassVar[Mapping[str, str]] = {
        "AddQueue": "add values to an M set",
        "GetQueue": "read an M set",
        "Publish": "add values to an M set, everybody who follows it is told",
        "Send": "send mail with Python's smtplib",
        "Subscribe": "use M.Base(ID).RegisterAdd, or an Agent that listens to the set",
        "UpdateQueue": "change values of an M set",
    }


class _Runtime(Surface):
    """``JVM.Runtime``."""

    _instead: ClassVar[Mapping[str, str]] = dict.fromkeys(("Python", "Signature"), "call the object's methods")

    @staticmethod
    def CreateInstance(name: str, *args: Any) -> Any:
        """Return a new object of a class of the Workflow's Java code, or of its libraries.

        Args:
            name: the class with its package, like ``app.base.Sums``.
            args: for its constructor; a single ``None`` is none.

        Raises:
            LookupError: Java does not run here, or there is no such class.
        """
        made = java_class(name)
        return made() if args in {(), (None,)} else made(*args)


_Runtime.__name__ = "JVM.Runtime"


class JVM(Surface):
    """Where the original reaches Java and Scala."""

    Runtime = _Runtime
