"""A host that loads its Build while the server itself is still starting.

Importing Jupyter and importing a user's data libraries take about as long as each other, and neither needs the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coflows_jupyter.host.launch import launch

if TYPE_CHECKING:
    from coflows_jupyter.build.model import Build
    from coflows_jupyter.database.location import Location


class EarlyHost:
    """Starts a host on the main thread, before there is an event loop; a pool adopts it.

    Attributes:
        build: what it loads, ``None`` before ``load``.
        process: the host.
        connection: our end of its socket pair.
    """

    def __init__(self) -> None:
        self.build: Build | None = None
        self.process, self.connection = launch()

    def load(self, build: Build, database: Location | None = None) -> None:
        """Let it load ``build``, whose M sets are in ``database``; returns at once."""
        from coflows_jupyter.host.frames import Load, pack

        self.build = build
        self.connection.sendall(pack(Load(build, database)))

    def close(self) -> None:
        """End it: nobody wants it."""
        self.connection.close()
        self.process.kill()
        self.process.wait()
