"""Tells when a Workflow's sources change on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from coflows_jupyter.workflow.sources import LANGUAGES

SOURCE_FOLDERS = ("Base", "Agents", "Queries")

# How long to go on collecting after a change: editors write a file in several steps.
_SETTLE_MS = 20
_LONGEST_MS = 200


class _Sources(DefaultFilter):
    """Lets source files and the files beside package.json through, and nothing that editors leave behind."""

    def __init__(self, files: Iterable[Path]) -> None:
        super().__init__()
        self._files = {str(f) for f in files}

    def __call__(self, change: Change, path: str) -> bool:
        return path in self._files or (Path(path).suffix in LANGUAGES and super().__call__(change, path))


async def changes(package_file: Path, folders: Iterable[str] = ()) -> AsyncIterator[None]:
    """Yield once for every burst of changes, until cancelled.

    Args:
        package_file: absolute path of package.json; its folder is watched, but not below.
        folders: further folders below it that hold sources; ``SOURCE_FOLDERS`` are watched whenever they exist.
    """
    root = package_file.parent
    changed = asyncio.Event()

    async def watch(*paths: Path, recursive: bool, files: Iterable[Path]) -> None:
        async for _ in awatch(
            *paths, watch_filter=_Sources(files), recursive=recursive, step=_SETTLE_MS, debounce=_LONGEST_MS
        ):
            changed.set()

    async def watch_folders() -> None:
        present: list[Path] = []
        task: asyncio.Task[None] | None = None
        try:
            async for _ in awatch(root, recursive=False, step=_SETTLE_MS, yield_on_timeout=True, watch_filter=None):
                found = [root / name for name in {*SOURCE_FOLDERS, *folders} if (root / name).is_dir()]
                if sorted(found) != sorted(present):
                    if task is not None:
                        task.cancel()
                        changed.set()
                    present = found
                    if found:
                        task = asyncio.create_task(watch(*found, recursive=True, files=()))
        finally:
            if task is not None:
                task.cancel()

    tasks = [
        asyncio.create_task(watch(root, recursive=False, files=[package_file])),
        asyncio.create_task(watch_folders()),
    ]
    try:
        while True:
            await changed.wait()
            changed.clear()
            yield None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
