"""Logs: our records go where Jupyter's go, for people or, one JSON document per line, for machines."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

_LOGGERS = ("coflows", "coflows_jupyter")


def join(log: logging.Logger, level: int | str) -> None:
    """Let our records appear with those of ``log``.

    Args:
        log: Jupyter's logger; its own level says nothing, its handlers choose.
        level: what the handlers let through, so that a record that nobody sees is not even made.
    """
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.parent = log
        logger.setLevel(level)


class JsonFormatter(logging.Formatter):
    """One JSON document per record: time, level, logger, message, and what else there is to tell."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        document |= getattr(record, "fields", {})
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(document, enc_hook=str).decode()
