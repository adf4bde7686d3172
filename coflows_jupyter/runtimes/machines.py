"""The virtual machines of a process: what a Build needs is started when it is loaded, or before that in a spare.

Where both are needed Java comes first. The other way round everything works until a .NET exception meets a garbage
collection on several threads, and then the process dies.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.runtimes.jvmmodel import Jvm
from coflows_jupyter.runtimes.library import sources_of
from coflows_jupyter.runtimes.netmodel import Net
from coflows_jupyter.runtimes.protocol import Function
from coflows_jupyter.workflow.sources import JVM, SourceUnit

if TYPE_CHECKING:
    # They start what most hosts never need.
    from coflows_jupyter.runtimes.agent import Agent
    from coflows_jupyter.runtimes.clr import Answer, ClrRuntime
    from coflows_jupyter.runtimes.jvm import JvmRuntime


def warm(net: Net | None, jvm: Jvm | None) -> None:
    """Start what a Build like the last one will need; what can't be started is passed over."""
    with contextlib.suppress(Exception):
        if jvm is not None:
            from coflows_jupyter.runtimes import jvm as java

            java.bridge(jvm)
    with contextlib.suppress(Exception):
        if net is not None:
            from coflows_jupyter.runtimes import clr

            # Its own functions are described once, so that those of the Build are quicker.
            clr.bridge(net).load(net.bridge)


class Machines:
    """What runs a Build's compiled sources in this process."""

    def __init__(self) -> None:
        self._jvm: JvmRuntime | None = None
        self._clr: ClrRuntime | None = None

    def start(self, net: Net | None, jvm: Jvm | None, answer: Answer) -> tuple[Diagnostic, ...]:
        """Start what is needed, before any Python of the Workflow's asks for what it brings; or say why that failed.

        Args:
            net: what is for .NET.
            jvm: what is for Java.
            answer: answers what user code asks by the original's names.
        """
        return (*self._start_jvm(jvm), *self._start_clr(net, answer))

    def _start_jvm(self, jvm: Jvm | None) -> tuple[Diagnostic, ...]:
        if jvm is None:
            return ()
        from coflows_jupyter.runtimes.jvm import JvmRuntime

        try:
            self._jvm = JvmRuntime(jvm)
        except Exception as error:  # noqa: BLE001  (whatever its loader or a library of the user's throws)
            return _failed(sources_of(jvm.libraries), "no-jdk", f"Java {jvm.jdk.version}", error)
        return ()

    def _start_clr(self, net: Net | None, answer: Answer) -> tuple[Diagnostic, ...]:
        if net is None:
            return ()
        from coflows_jupyter.runtimes.clr import ClrRuntime

        try:
            self._clr = ClrRuntime(net, answer)
        except Exception as error:  # noqa: BLE001  (as above)
            return _failed(sources_of(net.libraries), "no-dotnet", f".NET {net.dotnet.runtime}", error)
        return ()

    def load(self, unit: SourceUnit) -> tuple[dict[str, Function], tuple[Diagnostic, ...]]:
        """Load a compiled unit and return its public functions by name, or why it can't be loaded."""
        machine = self._jvm if unit.language in JVM else self._clr
        return machine.load(unit) if machine else ({}, ())

    def load_agents(self, unit: SourceUnit) -> tuple[list[Agent], tuple[Diagnostic, ...]]:
        """Load a compiled unit and return the Agents that it declares, or why there are none."""
        return self._clr.load_agents(unit) if self._clr and unit.language not in JVM else ([], ())


def _failed(sources: list[str], code: str, name: str, error: Exception) -> tuple[Diagnostic, ...]:
    message = f"{name} can't be started: {type(error).__name__}: {error}"
    return tuple(Diagnostic(source, 0, 0, "error", code, message) for source in sources)
