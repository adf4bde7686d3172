"""What the container is given: the configuration without a secret in it, and the secrets as files of a secret volume.

The image starts ``coflows server`` in ``/app/mnt`` with ``COFLOWS_CONTAINER`` set. It reads its configuration from the
variable ``coflows_config``, as the original did; every secret in that is a reference to a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.access.secrets import key_file
from coflows_jupyter.config import Config
from coflows_jupyter.database.location import locate
from coflows_jupyter.deploy.certificates.pair import read_files, self_signed
from coflows_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from coflows_jupyter.deploy.aci.plan import Plan

FOLDER = "/run/coflows"
CERTIFICATE, CERTIFICATE_KEY = "certificate.pem", "certificate-key.pem"
CONNECTION, SECRET_KEY, SECRETS_KEY, AUTHORITY = "connection", "secret-key", "secrets.key", "authority.pem"

# Keys that travel as they are. What a secret may be in, and what concerns this computer only, is not among them.
TRAVELS = ("Jupyter", "Host", "Runs")
TRAVELS_OF_SERVER = ("Host", "Port", "HttpPort", "LetsEncrypt", "Cors")
TRAVELS_OF_LETS_ENCRYPT = ("Email", "Staging", "Server")

_LASTING_DAYS = 3650


class Cargo(msgspec.Struct, frozen=True):
    """What the container is given; ``repr`` shows nothing of it.

    Args:
        config: the text of ``coflows_config``.
        variables: further environment variables; no secrets.
        files: of the secret volume: names and contents, without the certificate.
        certificate: the certificate and its key, as PEM.
    """

    config: str
    variables: Mapping[str, str]
    files: Mapping[str, str]
    certificate: tuple[str, str]

    def __repr__(self) -> str:
        return f"<Cargo: {len(self.files)} files>"

    @property
    def volume(self) -> dict[str, str]:
        """All files of the secret volume."""
        chain, key = self.certificate
        return {**self.files, CERTIFICATE: chain, CERTIFICATE_KEY: key}


def load(config: Config, plan: Plan) -> Cargo:
    """Collect what a container is given.

    Args:
        config: the configuration here; its SecretKey is no reference any more.
        plan: a plan that can be done.

    Raises:
        ConfigError: a file that it names can't be read.
    """
    files = {SECRET_KEY: config.server.secret_key.get_secret_value()}
    variables = {
        # There is no Workflow in the image: the server begins with what was deployed last, or with nothing.
        "coflows_empty": "true",
        "COFLOWS_CERTIFICATE": f"{FOLDER}/{CERTIFICATE}",
        "COFLOWS_CERTIFICATE_KEY": f"{FOLDER}/{CERTIFICATE_KEY}",
    }
    database = locate(config)
    connection = "mnt/database.db"
    if database.type != "sqlite":
        connection = f"file:{FOLDER}/{CONNECTION}"
        files[CONNECTION] = config.database.connection.get_secret_value()
        if (sealing := key_file()).is_file():
            # The Workflow's secrets are in that database, sealed with this.
            files[SECRETS_KEY] = _read(sealing)
            variables["COFLOWS_SECRETS_KEY_FILE"] = f"{FOLDER}/{SECRETS_KEY}"
    settings = _settings(config, plan, {"Connection": connection, "Type": database.type})
    if config.issues and config.server.lets_encrypt.ca:
        files[AUTHORITY] = _read(config.server.lets_encrypt.ca)
        settings["Server"]["LetsEncrypt"]["CA"] = f"{FOLDER}/{AUTHORITY}"
    if config.nuget.feeds:
        settings["NuGet"] = {"Feeds": _feeds(config, files)}
    return Cargo(msgspec.json.encode(settings).decode(), variables, files, _certificate(config, plan))


def _settings(config: Config, plan: Plan, database: Mapping[str, str]) -> dict[str, Any]:
    written = config.document.value
    assert isinstance(written, dict)
    server = _only(written.get("Server"), TRAVELS_OF_SERVER)
    if "LetsEncrypt" in server:
        server["LetsEncrypt"] = _only(server["LetsEncrypt"], TRAVELS_OF_LETS_ENCRYPT)
    if config.server.is_local:
        server["Host"] = plan.host
        server.pop("LetsEncrypt", None)
    server["SecretKey"] = f"file:{FOLDER}/{SECRET_KEY}"
    return {**_only(written, TRAVELS), "Database": database, "Workflow": "mnt/package.json", "Server": server}


def _feeds(config: Config, files: dict[str, str]) -> list[dict[str, str]]:
    """Return the feeds of NuGets, and put their keys among the files."""
    found = []
    for number, feed in enumerate(config.nuget.feeds):
        url = feed.url
        if "://" not in url and Path(url).is_relative_to(config.folder):
            url = f"mnt/{Path(url).relative_to(config.folder).as_posix()}"
        found.append({"Url": url, "User": feed.user})
        if key := feed.key.get_secret_value():
            files[f"feed-{number}"] = key
            found[-1]["Key"] = f"file:{FOLDER}/feed-{number}"
    return found


def _only(section: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: section[key] for key in keys if section.get(key) is not None} if isinstance(section, dict) else {}


def _certificate(config: Config, plan: Plan) -> tuple[str, str]:
    """Return one's own certificate, or make one that lasts as long as anybody keeps a container."""
    if config.certificate:
        read_files(config.certificate)
        chain, key = config.certificate
        return _read(chain), _read(key)
    pair = self_signed(plan.host, _LASTING_DAYS)
    return pair.chain, pair.key


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{file} can't be read", hint="check its permissions") from None
