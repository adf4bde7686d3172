"""All checks, in the order of the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from coflows_jupyter.config import load_config
from coflows_jupyter.doctor import files, jupyter, programs, settings
from coflows_jupyter.doctor.finding import Check, Finding, Patient
from coflows_jupyter.errors import ConfigError, Severity
from coflows_jupyter.workflow.validate import validate

CHECKS: dict[str, Check] = {
    "python": programs.python,
    "lab": programs.lab,
    "extension": jupyter.extension,
    "sidebar": jupyter.sidebar,
    "pips": programs.pips,
    "dotnet": programs.dotnet,
    "java": programs.java,
    "files": settings.files,
    "key": settings.key,
    "permissions": files.permissions,
    "paths": files.paths,
    "port": settings.port,
    "database": files.database,
    "disk": files.disk,
    "run files": jupyter.run_files,
    "leftovers": files.leftovers,
    "hosts": jupyter.hosts,
}


class Row(msgspec.Struct, frozen=True):
    """A finding as it is shown; see ``Finding``."""

    check: str
    severity: Severity
    message: str
    why: str
    command: str
    fixed: bool


def see(argument: str | Path | None) -> Patient:
    """Look at a Workflow.

    Args:
        argument: as for ``load_config``.
    """
    try:
        config = load_config(argument)
    except ConfigError as error:
        return Patient(None, error.diagnostics)
    return Patient(config, validate(argument))


def examine(patient: Patient, *, fix: bool = False) -> Iterator[Row]:
    """Make every check.

    Args:
        patient: what is examined.
        fix: whether to mend what can be mended without harm.
    """
    for name, check in CHECKS.items():
        for finding in list(check(patient)):
            yield _row(name, finding, fix=fix)


def _row(check: str, finding: Finding, *, fix: bool) -> Row:
    message, fixed = finding.message, False
    if fix and finding.mend is not None:
        try:
            finding.mend()
            fixed = True
        except OSError as error:
            message = f"{message}, and can't be mended: {error.strerror}"
    return Row(check, finding.severity, message, finding.why, finding.command, fixed)
