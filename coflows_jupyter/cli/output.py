"""What a command says: text for people or exactly one JSON document, and every error as either."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec
import typer

from coflows_jupyter.errors import (
    ArgumentsError,
    CoflowsError,
    Diagnostic,
    DiagnosticsError,
    FieldError,
    FunctionError,
    answer,
)

if TYPE_CHECKING:
    from rich.live import Live

_COLOURS = {"error": typer.colors.RED, "warning": typer.colors.YELLOW, "info": typer.colors.CYAN}


class ErrorDocument(msgspec.Struct, frozen=True):
    """An error as ``--json`` prints it.

    Args:
        title: what kind of error, in words.
        detail: what is wrong.
        hint: what to do instead, empty when the detail says it.
        exit_code: the exit code of the process.
        fields: arguments that don't fit.
        traceback: where the user's function failed.
    """

    title: str
    detail: str
    hint: str
    exit_code: int
    fields: tuple[FieldError, ...] = ()
    traceback: str = ""


class Failure(msgspec.Struct, frozen=True):
    """The document that stands for a command that failed."""

    error: ErrorDocument
    diagnostics: tuple[Diagnostic, ...] = ()
    ok: bool = False


class Output:
    """The voice of one command.

    Args:
        json: print one JSON document to stdout and nothing else.
        quiet: print the result only.
        debug: print our own tracebacks too.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False, debug: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.debug = debug
        self.stdout: TextIO = sys.stdout
        self._spinner: Live | None = None
        self._folder = Path.cwd()

    def say(self, text: str) -> None:
        """Print a line that belongs to the command's ordinary output."""
        if not (self.json or self.quiet):
            typer.echo(text, file=self.stdout)

    def note(self, text: str) -> None:
        """Print a line about what goes on, beside the output."""
        if not (self.json or self.quiet):
            typer.echo(text, err=True)

    def write(self, text: str) -> None:
        """Print a result: it appears whatever the options are."""
        typer.echo(text, file=self.stdout)

    def document(self, value: object) -> None:
        """Print ``value`` where a JSON document is wanted."""
        if self.json:
            self.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())

    def diagnostics(self, diagnostics: Iterable[Diagnostic], *, err: bool = False) -> None:
        """Print findings as compilers do, with files relative to the working directory."""
        if self.json:
            return
        for found in diagnostics:
            near = msgspec.structs.replace(found, file=self._near(found.file))
            typer.secho(str(near), fg=_COLOURS[found.severity], file=sys.stderr if err else self.stdout)

    @contextlib.contextmanager
    def working(self, message: str) -> Iterator[None]:
        """Show that something goes on, to people only."""
        if self.json or self.quiet or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        with Live(
            Spinner("dots", message),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as self._spinner:
            yield

    def progress(self, done: float, total: float, text: str) -> None:
        """Show how far the user's function is, where a spinner says that it runs."""
        if self._spinner is None:
            return
        from rich.progress_bar import ProgressBar
        from rich.spinner import Spinner
        from rich.table import Table

        row = Table.grid(padding=(0, 1))
        count = f"{done:g}/{total:g}" if total else f"{done:g}"
        row.add_row(Spinner("dots", text), ProgressBar(total or None, done, width=40, pulse=not total), count)
        self._spinner.update(row)

    def pass_on(self, text: str) -> None:
        """Print what the user's function printed."""
        if self._spinner is not None:
            self._spinner.stop()
        sys.stderr.write(text)
        sys.stderr.flush()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep stdout for ourselves: what user code, its C libraries and its child processes print goes to stderr."""
        sys.stdout.flush()
        kept = os.dup(1)
        try:
            with os.fdopen(os.dup(kept), "w", encoding=sys.stdout.encoding, newline="") as self.stdout:
                os.dup2(2, 1)
                yield
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)
            self.stdout = sys.stdout

    def error(self, error: Exception) -> int:
        """Print an error and return the exit code that it means."""
        if self.debug:
            typer.echo("".join(traceback.format_exception(error)).rstrip(), err=True)
        document = _describe(error)
        diagnostics = error.diagnostics if isinstance(error, DiagnosticsError) else ()
        if self.json:
            self.document(Failure(document, diagnostics))
            return document.exit_code
        self.diagnostics(diagnostics, err=True)
        if document.traceback:
            typer.echo(document.traceback.rstrip(), err=True)
        # A diagnostic is the better wording of the same error.
        if document.detail and not diagnostics:
            typer.secho(f"Error: {document.detail}", fg=_COLOURS["error"], err=True)
        for field in document.fields:
            typer.echo(f"  {field.field}: {field.message}" + (f" (got {field.value})" if field.value else ""), err=True)
        if document.hint and not diagnostics:
            typer.echo(f"  {document.hint}", err=True)
        return document.exit_code

    def _near(self, file: str) -> str:
        with contextlib.suppress(ValueError):
            return str(Path(file).relative_to(self._folder))
        return file


def _describe(error: Exception) -> ErrorDocument:
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        hint = f"see: {context.command_path} --help" if context is not None else ""
        return ErrorDocument("The command can't be read", error.format_message(), hint, error.exit_code)
    meaning = answer(error)
    if isinstance(error, CoflowsError):
        return ErrorDocument(
            meaning.title,
            error.message,
            error.hint,
            meaning.exit_code,
            error.fields if isinstance(error, ArgumentsError) else (),
            error.traceback if isinstance(error, FunctionError) else "",
        )
    detail = f"{type(error).__name__}: {error}"
    return ErrorDocument(meaning.title, detail, "--debug shows where", meaning.exit_code)
