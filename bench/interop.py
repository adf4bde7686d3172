"""What it costs to cross from Python to .NET, and what a save in its languages takes: ``python -m bench.interop``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from bench.common import coflows, free_port, percentile, server, table, workflow
from coflows_jupyter.build.dotnet import compile_dotnet
from coflows_jupyter.runtimes.clr import ClrRuntime, bridge
from coflows_jupyter.workflow.sources import SourceUnit

CSHARP = """
namespace Numbers;
public static class Numbers
{
    public static int Add(int x, int y) => x + y;
    public static double Sum(double[] numbers) { var s = 0.0; foreach (var n in numbers) s += n; return s; }
    public static double[] Ramp(int n) { var a = new double[n]; for (var i = 0; i < n; i++) a[i] = i; return a; }
}
"""
PYTHON = "def Add(x: int, y: int) -> int:\n    return x + y\n"
VERSIONS = {
    "cs": "public static class V {{ public static int version() => {}; }}",
    "vb": "Public Module V\nPublic Function version() As Integer\nReturn {}\nEnd Function\nEnd Module",
    "fs": "module V\nlet version () = {}",
}
MILLION = 1_000_000


def best(work: Callable[[], Any], count: int, rounds: int = 7) -> float:
    """Return the seconds of one ``work``, in the best of some rounds."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(count):
            work()
        found.append((time.perf_counter() - started) / count)
    return min(found)


def crossings() -> list[tuple[str, str]]:
    """Measure calls and arrays within one process."""
    unit = SourceUnit("query", "q", "/bench/q.cs", "csharp", CSHARP)
    compiled = compile_dotnet([unit])
    if compiled.made is None:
        raise SystemExit("; ".join(d.message for d in compiled.diagnostics))
    before = _memory()
    bridge(compiled.made)
    taken = _memory() - before
    functions, _ = ClrRuntime(compiled.made, lambda what, _: what).load(unit)
    add = functions["Add"].target
    import numpy as np
    from Numbers import Numbers  # type: ignore[import-not-found]  # of the library above, by pythonnet
    from System import Array, Double  # type: ignore[import-not-found]

    raw = Numbers.Add
    values = np.arange(MILLION, dtype=float)
    array = Array[Double](MILLION)

    def fill() -> None:
        np.asarray(array)[:] = values

    ramp = Numbers.Ramp(MILLION)
    assert add(1, 2).data == b"3"
    assert raw(1, 2) == len(b"abc")
    return [
        ("Add(1, 2) through the bridge", f"{best(lambda: add(1, 2), 20_000) * 1e6:.1f} µs   (wanted 6)"),
        ("Add(1, 2) by pythonnet", f"{best(lambda: raw(1, 2), 20_000) * 1e6:.1f} µs"),
        ("10⁶ doubles from NumPy to double[]", f"{best(fill, 10) * 1e3:.2f} ms   (wanted 3)"),
        ("10⁶ doubles from double[] to NumPy", f"{best(lambda: np.asarray(ramp), 10) * 1e3:.3f} ms, the same memory"),
        ("memory of .NET and the bridge", f"{taken:.0f} MB   (wanted 60)"),
    ]


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def calls(base: str, key: str, count: int) -> tuple[float, float]:
    """Return the medians of a call of the Python function and of the C# one, in seconds, taken in turn."""
    found: dict[str, list[float]] = {"py": [], "cs": []}
    async with httpx.AsyncClient(headers={"x-api-key": key}, timeout=30) as client:
        for _ in range(count):
            for query, times in found.items():
                started = time.perf_counter()
                (await client.get(f"{base}/flow/query/bench/{query}/Add?x=1&y=2")).raise_for_status()
                times.append(time.perf_counter() - started)
    return statistics.median(found["py"][50:]), statistics.median(found["cs"][50:])


async def saves(base: str, key: str, folder: Path, suffix: str, count: int) -> list[float]:
    """Save a file ``count`` times; return the seconds until the new answer."""
    url, times = f"{base}/flow/query/bench/v{suffix}/version", []
    async with httpx.AsyncClient(headers={"x-api-key": key}, timeout=30) as client:
        for version in range(1, count + 1):
            (folder / f"v.{suffix}").write_text(VERSIONS[suffix].format(version))
            started = time.perf_counter()
            while (await client.get(url)).text != str(version):
                await asyncio.sleep(0.005)
            times.append(time.perf_counter() - started)
            await asyncio.sleep(3)  # a person's pace: the next spare gets ready meanwhile
    return times[1:]  # the first starts the compiler


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=8)
    parser.add_argument("--calls", type=int, default=2000)
    arguments = parser.parse_args()
    table("Python and C# in one process", crossings())
    with tempfile.TemporaryDirectory() as folder:
        config, key = workflow(Path(folder) / "flow")
        queries = config.parent / "Queries"
        files = {"py.py": PYTHON, "cs.cs": CSHARP} | {f"v.{s}": text.format(0) for s, text in VERSIONS.items()}
        entries = []
        for name, text in files.items():
            (queries / name).write_text(text)
            stem, _, suffix = name.partition(".")
            identity = f"v{suffix}" if stem == "v" else stem
            entries.append({"Name": name, "Content": f"Queries/{name}", "ID": identity})
        package = {"ID": "bench", "Name": "Bench", "Queries": entries}
        (config.parent / "package.json").write_text(json.dumps(package))
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        with server(coflows(config, port), f"{base}/coflows/api/ready", core=None):
            python, csharp = asyncio.run(calls(base, key, arguments.calls))
            rows = [
                ("HTTP call of a Python function, median", f"{python * 1e6:.0f} µs"),
                ("HTTP call of a C# one", f"{(csharp - python) * 1e6:+.0f} µs   (wanted +50)"),
            ]
            for suffix, wanted in (("cs", 0.5), ("vb", 0.5), ("fs", 1.5)):
                times = asyncio.run(saves(base, key, queries, suffix, arguments.saves))
                figures = f"{percentile(times, 0.5):.2f} s, slowest {max(times):.2f} s   (wanted {wanted})"
                rows.append((f"save of a .{suffix} file → new answer, median", figures))
        table("A server with Queries in four languages", rows)
    sys.stdout.flush()
    os._exit(0)  # the runtime takes a second to end


if __name__ == "__main__":
    main()
