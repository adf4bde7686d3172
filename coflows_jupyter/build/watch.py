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
    """Lets source files through, and nothing that editors and compilers leave behind."""

    def __call__(self, change: Change, path: str) -> bool:
        return Path(path).suffix in LANGUAGES and super().__call__(change, path)


async def changes(package_file: Path, folders: Iterable[str] = ()) -> AsyncIterator[None]:
    """Yield once for every burst of changes, until closed.

    Args:
        package_file: absolute path of package.json; it is watched itself, and its folder for new source folders.
        folders: further folders below it that hold sources; ``SOURCE_FOLDERS`` are watched whenever they exist.
    """
    watcher = _Watcher(package_file, {*SOURCE_FOLDERS, *folders})
    tasks = [asyncio.create_task(watcher.watch_package()), asyncio.create_task(watcher.watch_sources())]
    try:
        while True:
            await watcher.changed.wait()
            watcher.changed.clear()
            yield None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Watcher:
    """Two watches: one flat on the Workflow's folder, one deep on those of its folders that hold sources."""

    def __init__(self, package_file: Path, folders: set[str]) -> None:
        self.changed = asyncio.Event()
        self._package = package_file
        self._folders = folders
        self._appeared = asyncio.Event()

    def _present(self) -> list[Path]:
        return sorted(p for name in self._folders if (p := self._package.parent / name).is_dir())

    async def watch_package(self) -> None:
        known = self._present()
        async for found in awatch(
            self._package.parent, watch_filter=None, recursive=False, step=_SETTLE_MS, debounce=_LONGEST_MS
        ):
            if any(path == str(self._package) for _, path in found):
                self.changed.set()
            if (present := self._present()) != known:
                known = present
                self._appeared.set()
                self.changed.set()

    async def watch_sources(self) -> None:
        while True:
            self._appeared.clear()
            if folders := self._present():
                async for _ in awatch(
                    *folders,
                    watch_filter=_Sources(),
                    step=_SETTLE_MS,
                    debounce=_LONGEST_MS,
                    stop_event=self._appeared,
                ):
                    self.changed.set()
            await self._appeared.wait()
