"""Workflows with sources for the JVM; skipped where there is no JDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coflows_jupyter.runtimes.jdk import here
from tests.dotnet.conftest import Flow


@pytest.fixture(scope="session", autouse=True)
def _jdk() -> None:
    if isinstance(found := here(), str):
        pytest.skip(found)


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Callable[..., Flow]]:
    """Make Workflows of files and open them."""
    made: list[Flow] = []

    def make(**files: str) -> Flow:
        folder = tmp_path / f"flow{len(made)}"
        folder.mkdir()
        made.append(Flow(folder, None, **files))
        made[-1].open()
        return made[-1]

    yield make
    for one in made:
        one.close()
