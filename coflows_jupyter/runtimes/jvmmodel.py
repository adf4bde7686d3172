"""What a Build holds for the JVM: compiled classes, and what runs them."""

from __future__ import annotations

import msgspec

from coflows_jupyter.runtimes.jdk import Jdk
from coflows_jupyter.runtimes.library import Library


class Jvm(msgspec.Struct, frozen=True):
    """All that a host needs for the JVM.

    Args:
        jdk: the runtime.
        bridge: folder of our classes that call user code.
        libraries: of the Workflow, folders of classes in the order of its sources.
        jars: of others.
        heap: bytes that its objects may take; 0 is Java's own limit.
    """

    jdk: Jdk
    bridge: str
    libraries: tuple[Library, ...] = ()
    jars: tuple[str, ...] = ()
    heap: int = 0
