"""Tests of the languages of the JVM; skipped where there is no JDK."""

from __future__ import annotations

import pytest

from coflows_jupyter.runtimes.jdk import here
from tests.flows import flow

__all__ = ["flow"]


@pytest.fixture(scope="session", autouse=True)
def _jdk() -> None:
    if isinstance(found := here(), str):
        pytest.skip(found)
