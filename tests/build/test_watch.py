"""Saves are noticed, and nothing else is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coflows_jupyter.build.watch import changes


@pytest.fixture
def package_file(tmp_path: Path) -> Path:
    """A Workflow folder with package.json and one source folder."""
    (tmp_path / "Queries").mkdir()
    file = tmp_path / "package.json"
    file.write_text(json.dumps({"Name": "x"}))
    return file


@asynccontextmanager
async def watching(package_file: Path) -> AsyncIterator[Callable[[], asyncio.Task[None]]]:
    """Watch, and give a function whose task ends at the next change."""
    stream = changes(package_file)

    async def following() -> None:
        await anext(stream)

    pending: list[asyncio.Task[None]] = []

    def next_change() -> asyncio.Task[None]:
        pending.append(asyncio.ensure_future(following()))
        return pending[-1]

    try:
        yield next_change
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator


async def until_noticed(change: asyncio.Task[None], write: Callable[[int], object]) -> None:
    """Write again and again until the watcher, which starts a moment after its task, has seen it."""
    for number in range(100):
        write(number)
        done, _ = await asyncio.wait([change], timeout=0.1)
        if done:
            return
    pytest.fail("the change was not noticed")


@pytest.mark.parametrize("place", ["Queries/q.py", "Queries/deep/q.cs", "package.json", "Base/lib.py"])
def test_saves_are_noticed(package_file: Path, place: str) -> None:
    """A save of a source, of package.json, or in a source folder that is made meanwhile is a change."""

    async def work() -> None:
        async with watching(package_file) as next_change:
            file = package_file.parent / place

            def write(number: int) -> None:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(f"# {number}")

            await until_noticed(next_change(), write)

    asyncio.run(work())


def test_other_files_are_not(package_file: Path) -> None:
    """Databases, caches and notebooks beside the sources change without a build."""

    async def work() -> None:
        async with watching(package_file) as next_change:
            source = package_file.parent / "Queries" / "q.py"
            await until_noticed(next_change(), lambda number: source.write_text(str(number)))
            change = next_change()
            for name in ("database.db", "Queries/x.pyc", "Queries/.q.py.swp", "Queries/q.ipynb"):
                (package_file.parent / name).write_text("x")
            done, _ = await asyncio.wait([change], timeout=1)
            assert not done

    asyncio.run(work())
