"""What a Build holds for the JVM: compiled classes, and what runs them."""

from __future__ import annotations

import msgspec

from coflows_jupyter.runtimes.jdk import Jdk
from coflows_jupyter.workflow.sources import Kind


class Classes(msgspec.Struct, frozen=True):
    """A folder of compiled classes.

    Args:
        path: of the folder.
        kind: of the sources that they were made of.
        sources: their paths.
    """

    path: str
    kind: Kind
    sources: tuple[str, ...]


class Jvm(msgspec.Struct, frozen=True):
    """All that a host needs for the JVM.

    Args:
        jdk: the runtime.
        bridge: folder of our classes that call user code.
        classes: of the Workflow, in the order of its sources.
        jars: of others.
        heap: bytes that its objects may take; 0 is Java's own limit.
    """

    jdk: Jdk
    bridge: str
    classes: tuple[Classes, ...] = ()
    jars: tuple[str, ...] = ()
    heap: int = 0
