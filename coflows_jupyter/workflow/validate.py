"""Checks a Workflow's files without running any of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from coflows_jupyter.access.keys import weakness
from coflows_jupyter.config import Config, load_config, read_config_text
from coflows_jupyter.errors import Diagnostic, DiagnosticsError
from coflows_jupyter.values import SECRET_REFERENCE
from coflows_jupyter.workflow.package import Package, read_package, read_package_text
from coflows_jupyter.workflow.sources import SourceUnit, read_sources


def validate(
    argument: str | Path | None = None, *, environ: Mapping[str, str] = os.environ, cwd: Path | None = None
) -> tuple[Diagnostic, ...]:
    """Return every finding about a config, its package.json and the sources that this names.

    Args:
        argument: as for ``load_config``, like all others.
        environ: environment variables.
        cwd: what relative paths start from.
    """
    try:
        config = load_config(argument, environ=environ, cwd=cwd)
    except DiagnosticsError as error:
        return error.diagnostics
    found = [*config.diagnostics, *_check_key(config)]
    try:
        package = read_package(config.workflow)
    except DiagnosticsError as error:
        return (*found, *(_at_config(config, d) for d in error.diagnostics))
    units, unread = read_sources(package)
    return (*found, *package.diagnostics, *_check_id(package), *unread, *_check_syntax(package, units))


def validate_text(
    config: Config, file: Path, text: str, *, environ: Mapping[str, str] = os.environ
) -> tuple[Diagnostic, ...]:
    """Return every finding about a text that its file will hold when it is saved.

    Args:
        config: the Workflow's, as it is on disk.
        file: the config's file or its package.json; of others nothing is known.
        text: what an editor holds.
        environ: environment variables.
    """
    try:
        if file == config.file:
            edited = read_config_text(text, file, file.parent, environ)
            return (*edited.diagnostics, *_check_key(edited))
        if file == config.workflow:
            package = read_package_text(text, file)
            _, unread = read_sources(package)
            return (*package.diagnostics, *_check_id(package), *(d for d in unread if d.file == str(file)))
    except DiagnosticsError as error:
        return error.diagnostics
    return ()


def _at_config(config: Config, diagnostic: Diagnostic) -> Diagnostic:
    """Move a finding about a package.json that isn't there to the place that names it."""
    key = next((key for key in ("Workflow", "Workspace") if key in config.document.value), None)
    if diagnostic.code != "no-package" or key is None:
        return diagnostic
    message = f"{key} is {diagnostic.file}: {diagnostic.message}"
    return config.document.report(config.document.place((key,)), "error", "no-package", message, diagnostic.hint)


def _check_key(config: Config) -> Iterator[Diagnostic]:
    key = config.server.secret_key.get_secret_value()
    why = weakness(key)
    if why and not SECRET_REFERENCE.search(key):
        place = config.document.place(("Server", "SecretKey"), key=True)
        message = f"{why}: a random one takes its place at every start"
        yield config.document.report(place, "warning", "weak-key", message, "run `coflows key rotate`")


def _check_id(package: Package) -> Iterator[Diagnostic]:
    if not package.id:
        place = package.document.place(("ID",))
        hint = "run `coflows local build`, which writes one"
        yield package.document.report(place, "warning", "no-id", "the Workflow has no ID yet", hint)


def _check_syntax(package: Package, units: Iterable[SourceUnit]) -> Iterator[Diagnostic]:
    from coflows_jupyter.runtimes.python import PythonRuntime

    with closing(PythonRuntime(package.folder, ())) as runtime:
        for unit in units:
            if unit.language == "python":
                yield from runtime.compile(unit)
