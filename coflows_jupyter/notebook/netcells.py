"""``%%cs``, ``%%vb`` and ``%%fs``: cells in the languages of .NET, in the kernel's own process.

What a cell declares is there for the cells after it, in its own language and in Python, by reference; what Python has
is there for a cell that names it. Sessions and compilers are in ``net/*.cs``.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, magics_class

from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.notebook.servers import find_server
from coflows_jupyter.notebook.workflow import find_workflow

_LIBRARY = "CoFlows.Cells"
_SOURCES = Path(__file__).with_name("net")
# What compilers say of a name that nothing declares; it may be one of Python's.
_UNKNOWN = frozenset({"CS0103", "BC30451", "FS0039"})
_QUOTED = re.compile(r"'(\w+)'")
_LONG = 2**63
_INT = 2**31


class FSharpFunction:
    """A function of F#'s that Python calls like its own.

    Args:
        function: as F# has it.
    """

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        """Call it, one argument after the other, as F# does."""
        value = self.function
        for arg in args or (None,):
            value = value.Invoke(arg)
        return value

    def __repr__(self) -> str:
        return f"<F# function {self.function}>"


@magics_class
class NetMagics(Magics):
    """Cells in C#, Visual Basic and F#.

    Args:
        shell: the notebook's.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._ns: dict[str, Any] = shell.user_ns
        self._sessions: dict[str, Any] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._references: list[str] = []
        self._host: Any = None

    @cell_magic
    def cs(self, line: str, cell: str) -> Any:  # noqa: ARG002 - IPython's signature
        """Run this cell as C#; the value of an expression at its end, without a semicolon, is shown."""
        return self._run("csharp", cell)

    @cell_magic
    def vb(self, line: str, cell: str) -> Any:  # noqa: ARG002 - as above
        """Run this cell as Visual Basic; ``? value`` at its end shows a value."""
        return self._run("vb", cell)

    @cell_magic
    def fs(self, line: str, cell: str) -> Any:  # noqa: ARG002 - as above
        """Run this cell as F#; the value of an expression at its end is shown."""
        return self._run("fsharp", cell)

    def _run(self, language: str, cell: str) -> Any:
        assert self.shell is not None
        session = self._session(language)
        known = self._known[language]
        for name, value in list(known.items()):
            if name in self._ns and self._ns[name] is not value:
                self._hand_over(session, language, name)
        file = f"In [{self.shell.execution_count}]"
        cell = f"\n{cell}"  # the line of the magic counts, as it does in the notebook
        try:
            outcome = session.Run(cell, file)
            wanted = [] if outcome.Ok else self._wanted(outcome.Findings)
            if wanted:
                for name in wanted:
                    self._hand_over(session, language, name)
                outcome = session.Run(cell, file)
        except Exception as error:
            self._say_where(error, file)
            raise
        finally:
            self._take_over(session, language)
        for finding in outcome.Findings:
            place = f"{file}:{finding.Line}:{finding.Column}"
            sys.stderr.write(f"{place}: {finding.Severity} {finding.Code}: {finding.Message}\n")
        if not outcome.Ok:
            raise UsageError("the cell does not compile")
        return self._shown(outcome.Value)

    def _wanted(self, findings: Any) -> list[str]:
        """Return the names of Python's that a cell failed for; what else is wrong may only follow from that."""
        unknown = (_QUOTED.search(finding.Message) for finding in findings if finding.Code in _UNKNOWN)
        return list(dict.fromkeys(match[1] for match in unknown if match is not None and match[1] in self._ns))

    def _hand_over(self, session: Any, language: str, name: str) -> None:
        self._known[language][name] = self._ns[name]
        session.Put(name, self._net(self._ns[name]))

    def _take_over(self, session: Any, language: str) -> None:
        """Give Python what the session's names are now."""
        known = self._known[language]
        for pair in session.Names():
            name, value = pair.Key, self._shown(pair.Value)
            if name in known and (name not in self._ns or self._same(known[name], value)):
                continue  # also what somebody deleted
            self._ns[name] = known[name] = value

    def _same(self, old: Any, new: Any) -> bool:
        if isinstance(old, FSharpFunction) and isinstance(new, FSharpFunction):
            old, new = old.function, new.function
        return old is new or bool(self._host.Same(old, new))

    def _shown(self, value: Any) -> Any:
        """Return a value as Python has it, which shows itself as .NET writes it."""
        if value is not None and hasattr(value, "Invoke") and self._host.IsFunction(value):
            return FSharpFunction(value)
        if isinstance(value, importlib.import_module("System").Object):
            assert self.shell is not None
            formatter = self.shell.display_formatter.formatters["text/plain"]  # type: ignore[union-attr]
            # Of its own class: each of pythonnet's has a __repr__, which IPython would take before that of a base.
            formatter.for_type(type(value), lambda value, printer, _: printer.text(str(value)))
        return value

    def _net(self, value: Any) -> Any:
        """Return a value as .NET takes it: numbers and texts as its own, all else by reference."""
        system = importlib.import_module("System")
        if isinstance(value, FSharpFunction):
            return value.function
        if isinstance(value, bool):
            return system.Boolean(value)
        if isinstance(value, int) and -_LONG <= value < _LONG:
            return system.Int32(value) if -_INT <= value < _INT else system.Int64(value)
        return system.Double(value) if isinstance(value, float) else value

    def _say_where(self, error: Exception, file: str) -> None:
        lines = str(getattr(error, "StackTrace", "") or "").splitlines()
        for line in lines:
            if file in line:
                sys.stderr.write(f"{line}\n")

    def _session(self, language: str) -> Any:
        if language not in self._sessions:
            try:
                self._open()
            except CoflowsError as error:
                raise UsageError(f"{error.message} ({error.hint})" if error.hint else error.message) from None
            self._sessions[language] = self._host.Open(language, self._references)
            self._known[language] = {}
        return self._sessions[language]

    def _open(self) -> None:
        """Start .NET in this process, with the Workflow's own libraries if they are compiled."""
        if self._host is not None:
            return
        from coflows_jupyter.build.dotnet import compile_own, python_runtime
        from coflows_jupyter.runtimes.clr import bridge
        from coflows_jupyter.runtimes.dotnet import Dotnet
        from coflows_jupyter.runtimes.netmodel import Packages

        def compilers(dotnet: Dotnet) -> list[str]:
            return [str(path) for path in Path(dotnet.sdk, "Roslyn", "bincore").glob("Microsoft.CodeAnalysis*.dll")]

        net, library = compile_own(_LIBRARY, _SOURCES, compilers)
        own = _libraries()
        for name in ("clr", "System"):  # what stands in for them where there is no .NET
            sys.modules.pop(name, None)
        fsharp = [str(path) for path in Path(net.dotnet.sdk, "FSharp").glob("*.dll")]
        started = bridge(net)
        started.provide(Packages(managed=(*compilers(net.dotnet), *fsharp)).joined(own))
        importlib.import_module("clr").AddReference(library)
        for path in own.managed:
            importlib.import_module("clr").AddReference(path)
        self._host = importlib.import_module(_LIBRARY).Session
        core = next(path for path in fsharp if Path(path).name == "FSharp.Core.dll")
        others = (path for path in own.references if Path(path).name != "FSharp.Core.dll")
        assert self.shell is not None
        self.shell.Completer.use_jedi = False  # it sees no members of .NET's objects, and then nobody else is asked
        self._references = [*net.dotnet.references, python_runtime(), library, net.bridge, core, *others]


def _libraries() -> Any:
    """Return the Workflow's Base libraries and packages, as they were last built; none where there is no Workflow."""
    from coflows_jupyter.build.assemble import assemble
    from coflows_jupyter.build.prepare import prepared
    from coflows_jupyter.runtimes.netmodel import Packages

    try:
        build = prepared(assemble(find_workflow(Client(find_server())).package_file))
    except CoflowsError:
        return Packages()
    if build is None or build.net is None:
        return Packages()
    base = tuple(library.path for library in build.net.libraries if library.kind == "base")
    return Packages(base, base).joined(build.net.packages)
