"""Fixtures that launch tests share with those of the handlers."""

from __future__ import annotations

from tests.server.conftest import weak_server

__all__ = ["weak_server"]
