"""Python code as the original's users have it, in real hosts."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coflows_jupyter.access import accounts, groups, userkeys
from coflows_jupyter.access.records import Actor
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import FunctionError
from tests.host.conftest import Hosts, Run

ME = Actor("root")

TUTORIAL = """
    import clr
    import json
    import System
    import QuantApp.Kernel as qak

    def Sets():
        m = qak.M.Base("trades")
        m.Add(json.dumps({"price": 1, "size": 10}))
        m.Add(json.dumps({"price": 2, "size": 20}))
        m += json.dumps({"price": 3, "size": 30})
        m.Add(json.dumps({"price": 3, "size": 30}))  # is there already
        m.Exchange(json.dumps({"price": 2, "size": 20}), json.dumps({"price": 2, "size": 25}))
        m.Save()

        def dear(entry):
            entry = json.loads(str(entry))
            return entry["price"] >= 2

        found = [json.loads(x) for x in m[System.Func[System.Object, System.Boolean](dear)]]
        for entry in found:
            System.Console.WriteLine("found: " + str(entry["size"]))
        return found

    def Fields():
        m = qak.M.Base("fields")
        m.Add({"name": "a", "price": 1.5})
        return [[qak.M.V[str](x, "name"), qak.M.V[System.Double](x, "price"), qak.M.V[System.Int32](x, "none")]
                for x in m[lambda x: True]]
"""

QUERY = """
    import System
    import QuantApp.Kernel as qak

    def getName():
        return "something"

    ### <api name="Permission">
    ###     <description>says what the caller may</description>
    ###     <returns>a text</returns>
    ###     <permissions>
    ###         <group id="wid" permission="view"/>
    ###     </permissions>
    ### </api>
    def Permission():
        person = qak.User.ContextUser
        level = qak.User.PermissionContext("wid")
        if level == qak.AccessType.Write:
            return person.FirstName + " WRITE"
        if level == qak.AccessType.Read:
            return person.FirstName + " READ"
        return person.FirstName + " " + str(level)

    def Java():
        return qak.JVM.Runtime.CreateInstance("javabase.javaBase", None).getName()

    def Cs():
        import Cs.Base
        return Cs.Base.csBase().Name

    def Wrong():
        return qak.User.ContexUser
"""

PEOPLE = """
    import QuantApp.Kernel as qak

    def Who(secret):
        person = qak.User.ContextUserBySecret(secret)
        return [person.ID, person.FirstName, person.LastName, person.Email]

    def Level(secret):
        level = qak.Group.FindGroup("wid").PermissionSecret(secret)
        assert level == qak.User.PermissionContext(secret, "wid")
        return level > -1, level

    def About(user):
        person = qak.User.FindUser(user)
        group = qak.Group.FindGroup("traders")
        return [person.Email, group.Name, group.Parent.ID, group.Permission(person),
                [g.ID for g in qak.Group.FindGroup("wid").SubGroups()], group.PermissionContext()]

    def Nobody():
        return qak.User.FindUser("nobody"), qak.Group.FindGroup("nothing"), qak.User.FindUserBySecret("cfk_x")
"""

JOHN = "john@doe.com"


@pytest.fixture
def database(location: Location) -> Iterator[Database]:
    """Return the database of a Workflow that John may read."""
    database = Database(location)
    database.run(lambda c: groups.apply_package(c, "wid", "Test", {}))
    database.run(lambda c: accounts.create_user(c, ME, JOHN, first_name="John", last_name="Doe"))
    database.run(lambda c: groups.create_group(c, ME, "traders", name="Traders", parent="wid"))
    database.run(lambda c: groups.set_member(c, ME, "wid", JOHN, 1))
    yield database
    database.close()


@pytest.fixture(params=["embedded", "process"])
def flow(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Hosts:
    """Hosts of both modes, with that database."""
    return Hosts(request.param, tmp_path / "flow", database.location)


def test_sets(flow: Hosts, run: Run) -> None:
    """M as the original's Python has it: JSON texts, delegates as predicates, duplicates dropped, the same ID kept."""

    async def work() -> None:
        async with flow.open(q=TUTORIAL) as loaded:
            assert loaded.ok, loaded.diagnostics
            assert await flow.value("Sets") == [{"price": 2, "size": 25}, {"price": 3, "size": 30}]
            assert flow.printed() == "found: 25\nfound: 30\n"
            assert await flow.value("Fields") == [["a", 1.5, -(2**31)]]

    run(work())


def test_who_calls(flow: Hosts, run: Run) -> None:
    """A Query sees its caller and their level, as a number; what needs .NET or Java fails where it is called."""

    async def work() -> None:
        async with flow.open(q=QUERY) as loaded:
            assert loaded.ok, loaded.diagnostics
            assert await flow.value("Permission") == "root WRITE"
            assert await flow.value("getName") == "something"
            with pytest.raises(FunctionError, match="there is no Java here"):
                await flow.value("Java")
            with pytest.raises(FunctionError, match="No module named 'Cs'"):
                await flow.value("Cs")
            with pytest.raises(FunctionError, match="did you mean ContextUser"):
                await flow.value("Wrong")

    run(work())


def test_keys(flow: Hosts, database: Database, run: Run) -> None:
    """A key that a page hands over says who holds it and what they may; revoked, it says nothing within a second."""
    key = database.run(lambda c: userkeys.create_key(c, ME, JOHN))

    async def work() -> None:
        async with flow.open(q=PEOPLE) as loaded:
            assert loaded.ok, loaded.diagnostics
            assert await flow.value("Who", key.key) == [JOHN, "John", "Doe", JOHN]
            assert await flow.value("Level", key.key) == [True, 1]
            assert await flow.value("Level", key.key[:-1] + "x") == [False, -1]
            assert await flow.value("About", JOHN) == [JOHN, "Traders", "wid", -1, ["traders"], 2]
            assert await flow.value("Nobody") == [None, None, None]
            database.run(lambda c: userkeys.revoke_key(c, ME, key.info.id))
            deadline = time.monotonic() + 1
            # Not by Level, which asks twice and may do so on both sides of the moment.
            while await flow.value("Who", key.key) != ["", "", "", ""]:
                assert time.monotonic() < deadline
            assert await flow.value("Level", key.key) == [False, -1]

    run(work())


def test_only_where_user_code_runs(flow: Hosts, run: Run) -> None:
    """The server's own process never has these modules in process mode, and an embedded host takes them along."""

    async def work() -> None:
        async with flow.open(q=QUERY) as loaded:
            assert loaded.ok
            assert (importlib.util.find_spec("QuantApp") is None) == (flow.mode == "process")
        assert importlib.util.find_spec("QuantApp") is None

    run(work())
