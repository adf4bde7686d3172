"""Where the time of a call goes, as the header ``Server-Timing`` says it (https://www.w3.org/TR/server-timing/)."""

from __future__ import annotations

from time import perf_counter

from coflows_jupyter.host.protocol import Took


class Timing:
    """The clock of one request; it starts when it is made."""

    __slots__ = ("_began", "_known", "_sent")

    def __init__(self) -> None:
        self._began = perf_counter()
        self._known = 0.0
        self._sent = 0.0

    def known(self) -> None:
        """Note that the caller is known and a function is to be called."""
        self._known = perf_counter()

    def sent(self) -> None:
        """Note that the call is on its way to a host."""
        self._sent = perf_counter()

    def line(self, took: Took | None = None) -> str:
        """Return the header's value, empty when no function is called; everything in milliseconds.

        Args:
            took: what the host measured; ``None`` when it gave no result.
        """
        if not self._known:
            return ""
        now = perf_counter()
        line = f"auth;dur={(self._known - self._began) * 1e3:.3f}, check;dur="
        if not self._sent:
            return f"{line}{(now - self._known) * 1e3:.3f}"
        check, host = self._sent - self._known, now - self._sent
        if took is None:
            return f"{line}{check * 1e3:.3f}, host;dur={host * 1e3:.3f}"
        bind, run, encode = took.bind, took.run, took.encode
        # No clock is shared with the host: what it does not account for is waiting, and the way there and back.
        queue = max(host - bind - run - encode, 0.0)
        return (
            f"{line}{(check + bind) * 1e3:.3f}, queue;dur={queue * 1e3:.3f}, "
            f"run;dur={run * 1e3:.3f}, encode;dur={encode * 1e3:.3f}"
        )
