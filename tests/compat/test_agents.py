"""Agents as the original's Python declares them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from coflows_jupyter.compat import finder
from coflows_jupyter.runtimes.agent import Agent, declared

SOURCE = """
import clr

import System
import QuantApp.Kernel as qak
import QuantApp.Engine as qae

import json

def Add(id, data):
    System.Console.WriteLine("Add: " + str(id) + " --> " + str(data))

def Exchange(id, data):
    System.Console.WriteLine("Exchange: " + str(id) + " --> " + str(data))

def Remove(id, data):
    System.Console.WriteLine("Remove: " + str(id) + " --> " + str(data))

def Load(data):
    System.Console.WriteLine("Load: " + str(data))

def Body(data):
    command = json.loads(data)
    if command["Data"] == "Initial Execution":
        System.Console.WriteLine("NAME begins")
    return data

def Job(timestamp, data):
    System.Console.WriteLine("NAME: " + str(timestamp) + " --> " + str(data))

def pkg():
    return qae.FPKG(
    "wid-NAME", #ID
    "wid", #Workflow ID
    "NAME Agent", #Name
    "What NAME does", #Description
    "trades", #M ID Listener
    qae.Utils.SetFunction("Load", qae.Load(Load)),
    qae.Utils.SetFunction("Add", qak.MCallback(Add)),
    qae.Utils.SetFunction("Exchange", qak.MCallback(Exchange)),
    qae.Utils.SetFunction("Remove", qak.MCallback(Remove)),
    qae.Utils.SetFunction("Body", qae.Body(Body)),
    "0 0/1 * ? * *", #Cron Schedule
    qae.Utils.SetFunction("Job", qae.Job(Job))
    )
"""


@pytest.fixture(autouse=True)
def _installed() -> Iterator[None]:
    found = finder.install()
    yield
    finder.remove(found)


def load(source: str) -> Agent:
    """Run a file and return the one Agent that it declares."""
    module = ModuleType("agent")
    exec(source, vars(module))  # noqa: S102 - it is ours
    (agent,) = declared(module, "pkg")
    return agent


def test_a_package_is_an_agent(capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve arguments, in the original's order, make an Agent whose functions are called as there."""
    agent = load(SOURCE.replace("NAME", "prices"))
    entry = agent.entry
    assert (entry.id, entry.name, entry.description) == ("wid-prices", "prices Agent", "What prices does")
    assert (entry.listens, entry.schedule) == ("trades", "0 0/1 * ? * *")
    assert entry.callbacks == ("load", "add", "exchange", "remove", "body", "job")
    message = json.dumps({"Function": "Main", "Data": "Initial Execution"})
    assert agent.functions["body"](message) == message
    for callback, arguments in (("load", ([1],)), ("add", ("id", 1)), ("exchange", ("id", 2)), ("remove", ("id", 2))):
        agent.functions[callback](*arguments)  # type: ignore[index]
    agent.functions["job"](dt.datetime(2024, 1, 2), "All")  # noqa: DTZ001 - as the original
    assert capsys.readouterr().out.splitlines() == [
        "prices begins",
        "Load: [1]",
        "Add: id --> 1",
        "Exchange: id --> 2",
        "Remove: id --> 2",
        "prices: 2024-01-02 00:00:00 --> All",
    ]


def test_equal_names_do_not_clash(capsys: pytest.CaptureFixture[str]) -> None:
    """Two Agents whose functions have the same names keep their own."""
    first, second = load(SOURCE.replace("NAME", "first")), load(SOURCE.replace("NAME", "second"))
    for agent in (first, second):
        agent.functions["job"](0, "")
    assert capsys.readouterr().out == "first: 0 --> \nsecond: 0 --> \n"


def make(*arguments: Any) -> Any:
    """Make a package: the arguments given and nothing after them."""
    from coflows_jupyter.compat.engine import FPKG

    return FPKG(*arguments, *[None] * (12 - len(arguments)))


def test_what_it_does_not_need_is_left_out() -> None:
    """``None`` and empty text are no callbacks; a name alone finds what it was given to."""
    from coflows_jupyter.compat.engine import Job, Utils

    Utils.SetFunction("Tick", Job(print))
    agent = make("a", "wid", "A", "", None, "", None, None, None, None, "0 * * ? * *", "Tick").__coflows_agent__()
    assert agent.functions == {"job": print}
    assert make(None, "wid", "Nameless", "").__coflows_agent__().entry.id == "Nameless"
    assert Utils.GetFunction("Tick")(1) is None  # type: ignore[misc]
    assert Utils.GetFunction("Tock") is None


def test_mistakes_are_sentences() -> None:
    """A name without a function, and a delegate of none, say so."""
    from coflows_jupyter.compat.engine import Job, Utils

    with pytest.raises(TypeError, match="FPKG a: Load is 'nothing'"):
        make("a", "wid", "A", "", None, "nothing")
    with pytest.raises(TypeError, match=r"Job\(\) takes a function, not str"):
        Job("print")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"SetFunction\('a'"):
        Utils.SetFunction("a", "print")  # type: ignore[arg-type]
