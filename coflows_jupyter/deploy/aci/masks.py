"""What must not be seen in what Azure and the container say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coflows_jupyter.database.location import locate
from coflows_jupyter.deploy.aci.plan import section
from coflows_jupyter.runtimes.masking import Masker

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.deploy.aci.auth import Auth
    from coflows_jupyter.deploy.aci.cargo import Cargo


def make_masker(config: Config, auth: Auth, cargo: Cargo | None = None) -> Masker:
    """Return what takes the secrets of a deployment out of texts.

    Args:
        config: the configuration here; its SecretKey is no reference any more.
        auth: the credentials.
        cargo: what the container is given.

    Raises:
        ConfigError: the configuration has no section for it, or its database can't be read.
    """
    azure = section(config)
    known = [auth.secret, config.server.secret_key.get_secret_value()]
    if config.database.type != "sqlite":
        known.append(config.database.connection.get_secret_value())
        parameters = locate(config).parameters
        known += [text for name, text in parameters.items() if name.lower() in {"password", "pwd"}]
    if azure.registry:
        known.append(azure.registry.password.get_secret_value())
    if azure.volume:
        known.append(azure.volume.key.get_secret_value())
    if cargo:
        known += [*cargo.files.values(), cargo.certificate[1]]
    return Masker(filter(None, known))
