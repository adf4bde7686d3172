"""What a check sees and what it says."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import msgspec

from coflows_jupyter.config import Config
from coflows_jupyter.errors import Diagnostic, DiagnosticsError, Severity
from coflows_jupyter.workflow.package import Package, read_package


class Finding(msgspec.Struct, frozen=True):
    """One line of the table.

    Args:
        severity: only an ``error`` keeps something from working; ``info`` says that all is well.
        message: what is.
        why: what happens because of it; empty when all is well.
        command: what mends it, or the next step; empty when all is well.
        mend: what ``--fix`` does; only given where it can't do harm.
    """

    severity: Severity
    message: str
    why: str = ""
    command: str = ""
    mend: Callable[[], None] | None = None


def fine(message: str) -> Finding:
    """Say that something is as it should be."""
    return Finding("info", message)


@dataclass(frozen=True)
class Patient:
    """What is examined.

    Args:
        config: the configuration, ``None`` when it can't be read.
        diagnostics: everything that ``validate`` found.
        environ: environment variables.
        modules: where Python finds packages.
        free: tells how many bytes are free on the disk of a folder.
    """

    config: Config | None
    diagnostics: tuple[Diagnostic, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    modules: Sequence[str] = field(default_factory=lambda: tuple(sys.path))
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free

    def version(self, name: str) -> str:
        """Return the version of a Python package, empty when it is not installed."""
        found = importlib.metadata.distributions(name=name, path=list(self.modules))
        return next((distribution.version for distribution in found), "")

    @cached_property
    def package(self) -> Package | None:
        """The Workflow's package.json, ``None`` when it can't be read."""
        try:
            return read_package(self.config.workflow) if self.config else None
        except DiagnosticsError:
            return None


Check = Callable[[Patient], Iterator[Finding]]
