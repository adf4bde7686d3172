"""Checks of files and disks."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from coflows_jupyter.build.model import working_directory
from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location, locate
from coflows_jupyter.doctor.finding import Finding, Patient, fine
from coflows_jupyter.errors import CoflowsError, ConfigError, Severity
from coflows_jupyter.processes import lives
from coflows_jupyter.workflow.sources import read_sources

_LITTLE, _TOO_LITTLE = 2**30, 100 * 2**20
_MOUNTED = re.compile(r"""["']((?:/app/)?mnt/[^"'{}\n]*)["']""")
_TEMPORARY = re.compile(r"\.coflows\.lock\.(\d+)")


def permissions(patient: Patient) -> Iterator[Finding]:
    """Can others read the SecretKey?"""
    file = patient.config.file if patient.config else None
    if file is None or os.name != "posix" or not patient.config.server.secret_key.get_secret_value():  # type: ignore[union-attr]  # file is of it
        return
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        why = "other users of this computer can read its SecretKey"
        yield Finding("warning", f"{file} is open to others", why, f"chmod 600 {file}", lambda: file.chmod(0o600))


def paths(patient: Patient) -> Iterator[Finding]:
    """Do sources open files where the original had them, and this computer has not?"""
    package = patient.package
    if package is None:
        return
    folder = package.folder
    for unit in read_sources(package)[0]:
        for found in _MOUNTED.finditer(unit.text):
            path = found[1]
            start = Path(working_directory(folder))
            if path.startswith("/"):
                command = f"mkdir -p /app && ln -s {folder} /app/mnt"
                resolves = Path("/app/mnt").exists()
            else:
                command = f"ln -s . {folder / 'mnt'}"
                resolves = (start / "mnt").exists()
            if not resolves:
                line = unit.text.count("\n", 0, found.start()) + 1
                why = "the Workflow's folder is not mounted there, so the file is not found"
                yield Finding("warning", f"{unit.path}:{line} uses {path}", why, command)


def leftovers(patient: Patient) -> Iterator[Finding]:
    """Did an installation of Pips die half-way?"""
    folder = patient.config.workflow.parent if patient.config else None
    for file in sorted(folder.glob(".coflows.lock.*")) if folder else ():
        found = _TEMPORARY.fullmatch(file.name)
        if found and not lives(int(found[1])):
            why = "a process that installed Pips was killed"
            yield Finding("warning", f"{file} is left over", why, f"rm {file}", partial(file.unlink, missing_ok=True))


def disk(patient: Patient) -> Iterator[Finding]:
    """Can we write where we have to, and is there room?"""
    from platformdirs import user_cache_path

    folders = [user_cache_path("coflows"), *([patient.config.workflow.parent] if patient.config else [])]
    for folder in folders:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            why = "nothing can be built, installed or recorded"
            yield Finding("error", f"{there} can't be written: {error.strerror}", why, f"ls -ld {there}")
            continue
        free = patient.free(there)
        if free < _LITTLE:
            message = f"{free // 2**20} MiB are free below {there}"
            severity: Severity = "error" if free < _TOO_LITTLE else "warning"
            yield Finding(severity, message, "the history and Pips need room", "uv cache clean")
        else:
            yield fine(f"{free / 2**30:.0f} GiB are free below {there}")


def database(patient: Patient) -> Iterator[Finding]:
    """Is the database file sound?"""
    config = patient.config
    if config is None or config.runs.keep == "off":
        return
    why = "no call is recorded"
    try:
        location = locate(config)
    except ConfigError as error:
        yield Finding("warning", error.message, why, f"edit {config.file}")
        return
    if location.file is None:
        yield from _served(location)
    else:
        yield from _file(location.file, config, why)


def _served(location: Location) -> Iterator[Finding]:
    """Does the database answer?"""
    database = Database(location, wait=0, migrate=False)
    try:
        database.run(lambda connection: connection.exec_driver_sql("SELECT 1").all(), readonly=True)
    except CoflowsError as error:
        yield Finding("error", error.message, "no call is recorded", error.hint)
    else:
        yield fine(f"the database {location} answers")
    finally:
        database.close()


def _file(file: Path, config: Config, why: str) -> Iterator[Finding]:
    if not file.exists():
        if not file.parent.is_dir():
            yield Finding("warning", f"{file.parent} does not exist", why, f"mkdir -p {file.parent}")
        return
    if file.is_dir():
        yield Finding("error", f"{file} is a folder", why, f"edit {config.file}")
        return
    try:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
        try:
            result = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        result = str(error)
    if result == "ok":
        yield fine(f"{file} is sound")
    else:
        yield Finding("error", f"{file} is damaged: {result}", why, f"mv {file} {file}.damaged")
