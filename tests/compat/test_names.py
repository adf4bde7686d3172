"""The original's modules: what they answer and what they say instead."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.compat import finder
from coflows_jupyter.compat.moments import DateTime, TimeSpan
from coflows_jupyter.compat.people import snapshot
from coflows_jupyter.errors import NotReadyError
from coflows_jupyter.jsonform import to_json

MODULES = ("clr", "System", "QuantApp", "QuantApp.Kernel", "QuantApp.Engine")


@pytest.fixture(autouse=True)
def _installed() -> Iterator[None]:
    found = finder.install()
    yield
    finder.remove(found)
    assert not sys.modules.keys() & set(MODULES)


def original(name: str) -> Any:
    """Import one of the original's modules."""
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("System.Strng", "did you mean String"),
        ("System.Math", "Python's math"),
        ("System.String.Jion", "did you mean Join"),
        ("System.DateTime.Now.AddDay(1)", "did you mean AddDays"),
        ("qak.Grup", "did you mean Group"),
        ("qak.Logger", "logging"),
        ("qak.User.ContexUser", "did you mean ContextUser"),
        ("qak.User.SetContextUserSecret('x')", "can't change it"),
        ("qak.JVM.Runtime.Signature('a.B')", "call the object's methods"),
        ("qae.F.Find('a')", "POST /flow/agent"),
        ("qae.Nothing", "docs/compatibility.md"),
        ("clr.GetClrType(int)", "docs/compatibility.md"),
    ],
)
def test_what_is_not_answered_is_told(code: str, sentence: str) -> None:
    """A name that is not there ends in a sentence with the nearest one, or with what to use."""
    names = dict(zip(("clr", "System", "qak", "qae"), map(original, (*MODULES[:2], *MODULES[3:])), strict=True))
    with pytest.raises(AttributeError, match=sentence):
        eval(code, names)  # noqa: S307 - one of the above


def test_modules_that_are_not_answered() -> None:
    """So does a module below one of the original's."""
    with pytest.raises(ModuleNotFoundError, match=r"System\.Collections is not answered"):
        original("System.Collections")


def test_real_modules_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a real ``clr`` is installed it is imported, and ``System`` is left to it."""
    (tmp_path / "clr.py").write_text("REAL = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert original("clr").REAL
        with pytest.raises(ModuleNotFoundError):
            original("System")
        assert original("QuantApp.Kernel").M
    finally:
        sys.modules.pop("clr", None)


def test_gone_after_the_last() -> None:
    """Each that made them importable takes that back; the modules stay until the last one does."""
    more = finder.install()
    system = original("System")
    finder.remove(more)
    assert original("System") is system


def test_text_and_numbers() -> None:
    """Types of .NET make and recognise values of Python's own."""
    system: ModuleType = original("System")
    assert system.String("a") == "a"
    assert type(system.Int32("5")) is int
    assert isinstance("a", system.String)
    assert isinstance(1.0, system.Double)
    assert not isinstance("1", system.Int64)
    assert system.String.Join(", ", [1, None, "b"]) == "1, , b"
    assert system.String.Join("-", "a", "b") == "a-b"
    assert system.String.Format("{1} {0} {{}}", "a", None) == " a {}"
    assert system.String.Format("{0:yyyy-MM}", system.DateTime(2024, 2, 3)) == "2024-02"
    assert system.Boolean.Parse(" True ")
    for wrong in ("{2}", "{", "{0:F2}"):
        with pytest.raises(ValueError, match="format"):
            system.String.Format(wrong, 1)
    with pytest.raises(OverflowError, match="Int32"):
        system.Int32(2**31)
    guid = system.Guid.NewGuid()
    assert system.Guid.Parse(guid.ToString("N")) == guid != system.Guid.Empty


def test_console(capsys: pytest.CaptureFixture[str]) -> None:
    """What is written to the console is printed; braces mean something only with values."""
    system = original("System")
    system.Console.Write("a")
    system.Console.WriteLine(" {0}")
    system.Console.WriteLine("{0}{1}", 1, system.Environment.NewLine)
    assert capsys.readouterr().out == "a {0}\n1\n\n"


MOMENTS = st.datetimes().map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))


@given(MOMENTS)
def test_moments_are_datetimes(moment: dt.datetime) -> None:
    """A ``DateTime`` equals Python's, survives its text and pickling, and has the same JSON form."""
    same = DateTime(*moment.timetuple()[:6], moment.microsecond // 1000)
    assert same == moment == DateTime.Parse(same.ToString("o")) == pickle.loads(pickle.dumps(same))  # noqa: S301
    assert to_json(same) == to_json(moment)
    assert same.Date + same.TimeOfDay == moment
    assert DateTime.strptime(str(moment.isoformat(timespec="microseconds")), "%Y-%m-%dT%H:%M:%S.%f") == moment
    assert same.ToString("yyyy-MM-dd HH:mm:ss.fff") == moment.isoformat(" ", "milliseconds")


@given(st.timedeltas(dt.timedelta(days=-9999), dt.timedelta(days=9999)))
def test_durations(span: dt.timedelta) -> None:
    """Parts of a ``TimeSpan`` have its sign and add up to it."""
    same = TimeSpan(span // dt.timedelta(microseconds=1) * 10)
    assert same == span == pickle.loads(pickle.dumps(same))  # noqa: S301
    parts = TimeSpan(same.Days, same.Hours, same.Minutes, same.Seconds, same.Milliseconds)
    assert abs(same - parts) < dt.timedelta(milliseconds=1)
    assert all(part * same.TotalSeconds >= 0 for part in (same.Days, same.Hours, same.Minutes, same.Seconds))
    assert same.Ticks == span // dt.timedelta(microseconds=1) * 10


def test_months() -> None:
    """A month later is the same day, or the last of that month; text is as .NET's invariant culture has it."""
    day = DateTime(2024, 1, 31, 13, 5, 6, 7)
    assert day.AddMonths(1) == dt.datetime(2024, 2, 29, 13, 5, 6, 7000)  # noqa: DTZ001
    assert day.AddMonths(-11).AddYears(1) == dt.datetime(2024, 2, 28, 13, 5, 6, 7000)  # noqa: DTZ001
    assert day.ToString() == "01/31/2024 13:05:06"
    assert DateTime.Parse(day.ToString()) == day.AddMilliseconds(-7)
    assert day.ToString("dddd d MMM yy, h:mm tt 'o''clock'") == "Wednesday 31 Jan 24, 1:05 PM oclock"
    with pytest.raises(ValueError, match="'yyyyy'"):
        day.ToString("yyyyy")
    with pytest.raises(ValueError, match="no moment"):
        DateTime.Parse("tomorrow")


def test_json_convert() -> None:
    """Values of all kinds become text as results do."""
    convert = original("QuantApp.Kernel").JsonConvert
    assert json.loads(convert.SerializeObject({"a": [1, float("nan")]})) == {"a": [1, None]}
    assert convert.DeserializeObject('{"a": [1]}') == {"a": [1]}


def test_without_a_database() -> None:
    """Where no Workflow is open nobody can be asked about, nobody calls, and that may nothing."""
    kernel = original("QuantApp.Kernel")
    assert kernel.User.ContextUser == kernel.UserData("", "", "", "")
    assert kernel.User.PermissionContext("any") == kernel.AccessType.Denied == -1
    with pytest.raises(NotReadyError):
        snapshot()
