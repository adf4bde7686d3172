"""Python, C#, F# and Visual Basic call each other, by reference, with callbacks and exceptions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coflows_jupyter.errors import FunctionError
from tests.flows import Flow

BASE_CS = """
    using System;

    namespace Cs.Base
    {
        public class csBase
        {
            public string Name { get; set; } = "C#";
            public double[] Kept { get; set; }
            public double Add(double a, double b) => a + b;
            public int Apply(Func<int, int> f, int x) => f(x) + 1;
            public void Fail(string why) => throw new InvalidOperationException(why);
            public static double Sum(double[] numbers) { var s = 0.0; foreach (var n in numbers) s += n; return s; }
            public static double[] Ramp(int n)
            {
                var a = new double[n];
                for (var i = 0; i < n; i++) a[i] = i;
                return a;
            }
        }
    }
"""
BASE_FS = """
    namespace Fs.Base

    type FsBase() =
        member _.Name = "F#"
        member _.Add(a: float, b: float) = Cs.Base.csBase().Add(a, b) + 100.0
        member _.Apply(f: System.Func<int, int>, x: int) = f.Invoke x + 2
        member _.Fail(why: string) : unit = failwith why
"""
BASE_VB = """
    Namespace Vb.Base
        Public Class VbBase
            Public ReadOnly Property Name As String = "VB"
            Public Function Add(a As Double, b As Double) As Double
                Return New Fs.Base.FsBase().Add(a, b) + 1000
            End Function
            Public Function Apply(f As Func(Of Integer, Integer), x As Integer) As Integer
                Return f(x) + 3
            End Function
            Public Sub Fail(why As String)
                Throw New InvalidOperationException(why)
            End Sub
        End Class
    End Namespace
"""
BASE_PY = """
    class PyBase:
        name = "Python"

        def add(self, a, b):
            return a + b + 0.5

        def fail(self, why):
            raise ValueError(why)

    def apply(f, x):
        return f(x) + 4
"""
PYTHON = """
    import clr
    import System
    from System import Array, Double, Func, Int32

    import Cs.Base
    import Fs.Base
    import Vb.Base
    import numpy as np

    CLASSES = {"cs": Cs.Base.csBase, "fs": Fs.Base.FsBase, "vb": Vb.Base.VbBase}

    def name(which: str) -> str:
        return CLASSES[which]().Name

    def add(which: str, a: float, b: float) -> float:
        return CLASSES[which]().Add(a, b)

    def callback(which: str, x: int) -> int:
        seen = []
        def double(n):
            seen.append(n)
            return 2 * n
        return CLASSES[which]().Apply(Func[Int32, Int32](double), x) + 10 * len(seen)

    def fail(which: str) -> list:
        try:
            CLASSES[which]().Fail("as told")
        except System.Exception as error:
            return [error.GetType().Name, error.Message, "Fail" in error.StackTrace]

    def raised() -> None:
        def wrong(n):
            raise KeyError("mine")
        Cs.Base.csBase().Apply(Func[Int32, Int32](wrong), 1)

    def numbers(n: int) -> list:
        given = np.arange(n, dtype=float)
        array = Array[Double](n)
        np.asarray(array)[:] = given
        back = np.asarray(Cs.Base.csBase.Ramp(n))
        kept = Cs.Base.csBase()
        kept.Kept = array
        np.asarray(kept.Kept)[0] = 7
        return [Cs.Base.csBase.Sum(array), float(back.sum()), str(back.dtype), array[0]]

    def reference(name: str) -> str:
        one = Cs.Base.csBase()
        System.GC.Collect()
        one.Name = name
        return one.Name

    def added() -> None:
        clr.AddReference("System.Data.Common")
        from System.Data import DataTable
        return DataTable("t").TableName
"""
CSHARP = """
    using System;
    using Python.Runtime;

    public static class Q
    {
        public static string Name()
        {
            using (Py.GIL())
            {
                dynamic module = Py.Import("Base.pybase");
                return (string)module.PyBase().name;
            }
        }

        public static double Add(double a, double b)
        {
            using (Py.GIL())
            {
                using var made = Py.Import("Base.pybase").InvokeMethod("PyBase");
                return made.InvokeMethod("add", a.ToPython(), b.ToPython()).As<double>();
            }
        }

        public static int Callback(int x)
        {
            using (Py.GIL())
            {
                Func<int, int> twice = n => 2 * n;
                return Py.Import("Base.pybase").InvokeMethod("apply", twice.ToPython(), x.ToPython()).As<int>();
            }
        }

        public static void Fail()
        {
            using (Py.GIL())
            {
                Py.Import("Base.pybase").InvokeMethod("PyBase").InvokeMethod("fail", "as told".ToPython());
            }
        }

        public static string Caught()
        {
            try { Fail(); return "nothing"; }
            catch (PythonException error) { return error.Message; }
        }

        public static string User()
        {
            using (Py.GIL())
            {
                return Py.Import("coflows_jupyter").InvokeMethod("user").GetAttr("id").As<string>();
            }
        }
    }
"""


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """One Workflow in four languages."""
    made = Flow(
        tmp_path_factory.mktemp("interop"),
        Base__a__cs=BASE_CS,
        Base__b__fs=BASE_FS,
        Base__c__vb=BASE_VB,
        Base__pybase__py=BASE_PY,
        Queries__python__py=PYTHON,
        Queries__csharp__cs=CSHARP,
    )
    report = made.open()
    try:
        assert report.ok, [str(d) for d in report.diagnostics]
        yield made
    finally:
        made.close()


@pytest.mark.parametrize(
    ("which", "name", "total", "called"),
    [("cs", "C#", "3.0", 17), ("fs", "F#", "103.0", 18), ("vb", "VB", "1103.0", 19)],
)
def test_from_python(flow: Flow, which: str, name: str, total: str, called: int) -> None:
    """Python makes objects of the other languages, calls them, is called back and catches what they throw."""
    assert flow.answer("python", "name", [which]) == f'"{name}"'.encode()
    assert flow.answer("python", "add", [which, 1, 2]) == total.encode()
    assert flow.answer("python", "callback", [which, 3]) == str(called).encode()
    kind, message, traced = flow.json("python", "fail", [which])
    assert (kind, message, traced) == ("Exception" if which == "fs" else "InvalidOperationException", "as told", True)


def test_from_csharp(flow: Flow) -> None:
    """C# makes objects of Python's, calls them, is called back and catches what they raise; who calls is known."""
    assert flow.answer("csharp", "Name") == b'"Python"'
    assert flow.answer("csharp", "Add", [1, 2]) == b"3.5"
    assert flow.answer("csharp", "Callback", [3]) == b"10"
    assert flow.answer("csharp", "Caught") == b'"as told"'
    assert flow.answer("csharp", "User") == b'"root"'


def test_errors_across(flow: Flow) -> None:
    """An error keeps its type, its message and the places of both languages on its way."""
    with pytest.raises(FunctionError, match="ValueError: as told") as error:
        flow.answer("csharp", "Fail")
    assert "pybase.py" in error.value.traceback
    assert "csharp.cs:line" in error.value.traceback

    with pytest.raises(FunctionError, match="KeyError: 'mine'"):
        flow.answer("python", "raised")


def test_numbers(flow: Flow) -> None:
    """Arrays of numbers cross in bulk, and NumPy sees those of .NET in place."""
    assert flow.json("python", "numbers", [1000]) == [499507.0, 499500.0, "float64", 7.0]


def test_references(flow: Flow) -> None:
    """An object stays itself, and libraries of the framework can be added."""
    assert flow.answer("python", "reference", ["x"]) == b'"x"'
    assert flow.answer("python", "added") == b'"t"'
