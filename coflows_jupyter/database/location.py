"""Where a configuration keeps its database."""

from __future__ import annotations

from pathlib import Path

from coflows_jupyter.config import Config
from coflows_jupyter.errors import ConfigError, Diagnostic

FILE_NAME = "coflows.db"


def locate(config: Config) -> Path:
    """Return the SQLite file of ``Database.Connection``; without that section it lies beside the configuration.

    Raises:
        ConfigError: ``Database.Type`` names a database that is not supported yet.
    """
    database = config.database
    if database.type != "sqlite":
        message = f"Database.Type {database.type} is not supported yet, so no run is recorded"
        hint = 'write "Type": "sqlite", or "Runs": "off" to have no history on purpose'
        found = Diagnostic(str(config.file or ""), 0, 0, "warning", "database", message, hint)
        raise ConfigError(message, [found], hint=hint)
    if "database" not in config.model_fields_set:
        return config.folder / FILE_NAME
    return config.resolve(database.connection.get_secret_value())
