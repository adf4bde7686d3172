"""Tests of the languages of .NET; skipped where there is no SDK."""

from __future__ import annotations

import pytest

from coflows_jupyter.runtimes.dotnet import here
from tests.flows import flow

__all__ = ["flow"]


@pytest.fixture(scope="session", autouse=True)
def _dotnet() -> None:
    if isinstance(found := here(), str):
        pytest.skip(found)
