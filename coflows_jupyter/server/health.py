"""Is the server alive, and does it serve?"""

from __future__ import annotations

import msgspec

from coflows_jupyter import __version__
from coflows_jupyter.server.base import BaseHandler


class Health(msgspec.Struct):
    """The process lives."""

    status: str
    version: str


class Readiness(msgspec.Struct):
    """Whether every Workflow serves, and if not, why; ``notes`` tell of trouble that keeps none from it."""

    ready: bool
    reasons: list[str]
    notes: list[str]


class HealthHandler(BaseHandler):
    """``GET /coflows/api/health``."""

    def get(self) -> None:
        """Answer 200 while the process lives."""
        self.write_json(msgspec.json.encode(Health("ok", __version__)))


class ReadyHandler(BaseHandler):
    """``GET /coflows/api/ready``."""

    def get(self) -> None:
        """Answer 200 when every Workflow serves, else 503 with reasons."""
        reasons = self.services.reasons()
        if reasons:
            self.set_status(503)
            self.set_header("Retry-After", "1")
        self.write_json(msgspec.json.encode(Readiness(not reasons, reasons, self.services.certificate.notes)))
