"""Python and Java in one process: objects, functions, exceptions and arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from coflows_jupyter.errors import FunctionError
from tests.flows import Flow

BASE = """
    package app.base;

    import java.util.*;
    import java.util.function.*;

    public class Sums {
        private double sum;

        public Sums() {}
        public Sums(double start) { sum = start; }

        public Sums add(double x) { sum += x; return this; }
        public double get() { return sum; }
        public String name() { return "Sums é"; }
        public double total(double[] xs) { return Arrays.stream(xs).sum(); }
        public double[] ramp(int n) { var xs = new double[n]; Arrays.setAll(xs, i -> i); return xs; }
        public double apply(DoubleUnaryOperator f, double x) { return f.applyAsDouble(x); }
        public void fail() { throw new IllegalStateException("not so"); }
    }
"""
PYTHON = """
    import numpy as np
    from QuantApp.Kernel import JVM

    def sums(*args):
        return JVM.Runtime.CreateInstance("app.base.Sums", *args)

    def objects():
        one = sums(None)
        return [one.add(1.5).add(2).get(), sums(10.0).get(), one.name()]

    def arrays(n: int):
        values = np.arange(n, dtype=float)
        back = np.asarray(sums().ramp(n))
        return [sums().total(values), float(back.sum()), str(back.dtype)]

    def function():
        return sums().apply(lambda x: 2 * x, 3.0)

    def raising():
        def work(x):
            raise ValueError("from Python")
        return sums().apply(work, 3.0)

    def caught():
        try:
            sums().fail()
        except Exception as error:
            return [type(error).__name__, str(error)]

    def fails():
        sums().fail()

    def nothing():
        return JVM.Runtime.CreateInstance("app.base.Nothing")
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """A Workflow whose Python uses its Java."""
    made = Flow(tmp_path_factory.mktemp("interop"), Base__Sums__java=BASE, Queries__py__py=PYTHON)
    report = made.open()
    try:
        assert report.ok, [str(d) for d in report.diagnostics]
        yield made
    finally:
        made.close()


def test_objects(both: Flow) -> None:
    """Python makes objects, calls their methods, and has their texts as its own."""
    assert json.loads(both.answer("py", "objects")) == [3.5, 10.0, "Sums é"]


def test_arrays(both: Flow) -> None:
    """Arrays of numbers cross in bulk, both ways."""
    total = 1e6 * (1e6 - 1) / 2

    assert json.loads(both.answer("py", "arrays", [1_000_000])) == [total, total, "float64"]


def test_callbacks(both: Flow) -> None:
    """Java calls a function of Python's, and what that raises comes back through Java."""
    assert both.answer("py", "function") == b"6.0"
    with pytest.raises(FunctionError, match="ValueError: from Python"):
        both.answer("py", "raising")


def test_exceptions(both: Flow) -> None:
    """Python catches what Java throws; what it does not catch is the call's error, with both stacks."""
    assert json.loads(both.answer("py", "caught")) == [
        "java.lang.IllegalStateException",
        "java.lang.IllegalStateException: not so",
    ]
    with pytest.raises(FunctionError, match="IllegalStateException: not so") as error:
        both.answer("py", "fails")

    assert "in fails" in error.value.traceback


def test_no_such_class(both: Flow) -> None:
    """A class that is not there is named."""
    with pytest.raises(FunctionError, match=r"there is no class app\.base\.Nothing"):
        both.answer("py", "nothing")
