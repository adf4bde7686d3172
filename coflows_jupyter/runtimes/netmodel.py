"""What a Build holds for .NET: compiled libraries, and what runs them."""

from __future__ import annotations

import msgspec

from coflows_jupyter.runtimes.dotnet import Dotnet
from coflows_jupyter.runtimes.library import Library


class Packages(msgspec.Struct, frozen=True):
    """Libraries of others that sources may use, by their paths.

    Args:
        references: what a compiler looks at.
        managed: what runs.
        natives: libraries in machine code that those call.
    """

    references: tuple[str, ...] = ()
    managed: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()

    def joined(self, other: Packages) -> Packages:
        """Return these and the others."""
        return Packages(self.references + other.references, self.managed + other.managed, self.natives + other.natives)


class Net(msgspec.Struct, frozen=True):
    """All that a host needs for .NET.

    Args:
        dotnet: the runtime.
        bridge: path of our library that calls user code.
        libraries: of the Workflow, in the order of its sources.
        packages: of others.
        heap: bytes that objects may take together, 0 for as much as there is.
    """

    dotnet: Dotnet
    bridge: str
    libraries: tuple[Library, ...] = ()
    packages: Packages = Packages()
    heap: int = 0
