"""``coflows_config.json``: where and how a Workflow runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr

from coflows_jupyter.azure import AzureContainerInstance
from coflows_jupyter.errors import ConfigError, Diagnostic, nearest
from coflows_jupyter.feeds import NuGet
from coflows_jupyter.hosting import Server
from coflows_jupyter.jsonc import Document, parse
from coflows_jupyter.schema import Section, check, section
from coflows_jupyter.values import (
    HOST_PORT,
    Address,
    HistorySize,
    Located,
    Seconds,
    Secret,
    Surroundings,
    Switch,
    resolve_path,
)

FILE_NAMES = ("coflows_config.json", "quantapp_config.json")
# The original's sample key, known to everybody.
PUBLISHED_KEY = "26499e5e555e9957725f51cc4d400384"

# Set in the project's image.
CONTAINER = "COFLOWS_CONTAINER"

_FROM_ENVIRON = "coflows_config (environment variable)"
_HTTPS_PORT = 443
_YES = frozenset({"1", "true", "yes", "on"})


class Database(Section):
    """``Database``: where users, permissions, M and the ledger are kept."""

    connection: Secret = Field(
        SecretStr("mnt/database.db"),
        validation_alias="Connection",
        title="where users, permissions and the history of calls are kept",
        description="a path or a connection text",
        examples=["mnt/database.db"],
    )
    type: Literal["sqlite", "mssql", "postgres"] = Field(
        "sqlite", validation_alias="Type", title="the kind of database", examples=["sqlite"]
    )


class Cloud(Section):
    """``Cloud``: the server that ``coflows cloud …`` talks to; ``address`` is host and optional port."""

    address: Address = Field(
        validation_alias="Host",
        title="the server that `coflows cloud` talks to",
        description="a host name in quotes",
        examples=["coflows.quant.app"],
    )
    secret_key: Secret = Field(
        SecretStr(""), validation_alias="SecretKey", title="the key of that server", description="a key in quotes"
    )
    ssl: bool = Field(
        default=True, validation_alias="SSL", title="whether that server is reached by https", examples=[True]
    )

    @property
    def host(self) -> str:
        """The host without its port."""
        return self._parts()[0]

    @property
    def port(self) -> int | None:
        """The port, ``None`` for the scheme's own."""
        port = self._parts()[1]
        return int(port) if port else None

    def _parts(self) -> tuple[str, str]:
        match = HOST_PORT.fullmatch(self.address)
        return (match["host"], match["port"] or "") if match else (self.address, "")


class Host(Section):
    """``Host``: the processes that run the user's code."""

    mode: Literal["process", "embedded"] = Field(
        "process",
        validation_alias="Mode",
        title="where functions run: in a process of their own, or in the server's",
        examples=["process"],
    )
    workers: int = Field(
        1,
        ge=1,
        validation_alias="Workers",
        title="how many processes run functions",
        description="a whole number from 1",
        examples=[1],
    )
    timeout: Seconds = Field(
        60.0,
        validation_alias="Timeout",
        title="how long a call may take, unless its function says more",
        description="a duration",
        examples=["60s"],
    )
    spare: Switch = Field(
        "auto", validation_alias="Spare", title="whether a second process stands ready", examples=["auto"]
    )


Keep = Literal["all", "errors", "off"]


class History(Section):
    """``Runs``: which runs get a row in the history, and how long it is kept; the text alone is ``Keep``."""

    keep: Keep = Field("all", validation_alias="Keep", title="which calls are kept in the history", examples=["all"])
    days: float = Field(
        30,
        gt=0,
        validation_alias="Days",
        title="how many days a call is kept",
        description="a number of days above 0",
        examples=[30],
    )
    rows: int = Field(
        200_000,
        ge=1,
        validation_alias="Rows",
        title="how many calls are kept",
        description="a whole number from 1",
        examples=[200_000],
    )
    size: HistorySize = Field(
        256 * 1024 * 1024,
        validation_alias="Size",
        title="how large the database may become",
        description="a size",
        examples=["256Mi"],
    )


def _only_keep(value: Any) -> Any:
    """Take the text alone for the section that has nothing else."""
    if not isinstance(value, str):
        return value
    if value not in get_args(Keep):
        near = nearest(value, get_args(Keep))
        better = f'did you mean "{near}"?' if near else 'write "Runs": "all"'
        raise ValueError(f'this must be "all", "errors" or "off"; {better}')
    return {"Keep": value}


class Config(Section):
    """A checked ``coflows_config.json``.

    Attributes:
        file: the file, ``None`` when the text came from the environment.
        folder: what its relative paths mean.
        document: its text with the place of everything, secrets included.
        container: whether this runs in the project's image (environment variable ``COFLOWS_CONTAINER``).
        certificate: file of one's own certificate and file of its key: ``Server.Certificate``, else the environment
            variables ``COFLOWS_CERTIFICATE`` and ``COFLOWS_CERTIFICATE_KEY``.
        empty: whether the server begins without a Workflow, and waits for deployments (``coflows_empty``).
        diagnostics: warnings.
    """

    legacy: ClassVar[frozenset[str]] = frozenset({"SendGrid", "Logging"})

    file: Path | None = None
    folder: Path
    document: Document = Field(repr=False, exclude=True)
    container: bool = False
    certificate: tuple[Path, Path] | None = None
    empty: bool = False
    diagnostics: tuple[Diagnostic, ...] = ()

    database: Database = section(Database, "Database")
    workflow: Located = Field(
        Path("mnt/package.json"),
        validation_alias=AliasChoices("Workflow", "Workspace"),
        title="the package.json of the Workflow",
        description="the path of package.json in quotes",
        examples=["mnt/package.json"],
    )
    jupyter: bool = Field(
        default=False, validation_alias="Jupyter", title="whether the container starts JupyterLab", examples=[True]
    )
    server: Server = section(Server, "Server")
    cloud: Cloud | None = Field(None, validation_alias="Cloud", title="the server that `coflows cloud` talks to")
    azure_container_instance: AzureContainerInstance | None = Field(
        None, validation_alias="AzureContainerInstance", title="the container that `coflows aci` makes"
    )
    host: Host = section(Host, "Host")
    watch: Switch = Field(
        "auto",
        validation_alias="Watch",
        title="whether a save builds; auto does so on this computer only",
        examples=["auto"],
    )
    runs: Annotated[History, BeforeValidator(_only_keep, json_schema_input_type=Keep | History)] = Field(
        default_factory=lambda: History.model_validate({}),
        validation_alias="Runs",
        title="which calls are kept in the history, and how long",
        description='"all", "errors", "off" or a section in {…}',
        examples=["all"],
    )

    nuget: NuGet = section(NuGet, "NuGet")

    @property
    def bind(self) -> str:
        """The address to listen on: loopback only for a loopback ``Server.Host`` outside of a container."""
        return "127.0.0.1" if self.server.is_local and not self.container else "0.0.0.0"  # noqa: S104

    @property
    def port(self) -> int:
        """The port to listen on."""
        return _HTTPS_PORT if self.encrypts and not self.names_port else self.server.port

    @property
    def names_port(self) -> bool:
        """Whether ``Server.Port`` is written down."""
        return "port" in self.server.model_fields_set

    @property
    def issues(self) -> bool:
        """Whether Let's Encrypt, or another ACME server, is to be asked for a certificate."""
        return bool(self.server.lets_encrypt.email) and not self.server.is_local

    @property
    def encrypts(self) -> bool:
        """Whether the server speaks https."""
        return self.issues or self.certificate is not None

    @property
    def watching(self) -> bool:
        """Whether a save changes what is served."""
        return self.watch == "on" or (self.watch == "auto" and self.bind == "127.0.0.1")

    def resolve(self, path_text: str) -> Path:
        """Return the absolute path that a path in the config means, see ``resolve_path``."""
        return resolve_path(self.folder, path_text)


def load_config(
    argument: str | Path | None = None, *, environ: Mapping[str, str] = os.environ, cwd: Path | None = None
) -> Config:
    """Find, read and check a config.

    Looked for in this order: ``argument``, the file named by ``config_file``, the text in ``coflows_config``, a file in
    the working directory. In the project's image, paths in a file outside of the working directory mean that.

    Args:
        argument: path of the file, or of a folder that holds it.
        environ: environment variables, also for ``${NAME}`` references.
        cwd: what relative paths and the search start from.

    Raises:
        ConfigError: there is none, or it has mistakes; ``diagnostics`` has all of them.
    """
    start = (cwd or Path.cwd()).absolute()
    wanted = argument or environ.get("config_file")
    inline = environ.get("coflows_config")
    if inline and not wanted:
        return read_config_text(inline, None, start, environ)
    file = _find(start / wanted if wanted else start)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _fail(file, "unreadable", f"the file can't be read: {error.strerror}", "check its permissions") from None
    except UnicodeDecodeError:
        raise _fail(file, "encoding", "the file is not UTF-8 text", "save it as UTF-8") from None
    # A file that a container gets by itself, from a volume of secrets, is about the Workflow where it runs.
    alone = environ.get(CONTAINER) and not file.is_relative_to(start)
    return read_config_text(text, file, start if alone else file.parent, environ)


def _find(path: Path) -> Path:
    path = Path(os.path.normpath(path))
    if path.is_file():
        return path
    if path.is_dir():
        for name in FILE_NAMES:
            if (path / name).is_file():
                return path / name
        hint = "make a Workflow with `coflows new DIR`, or name the file or its folder"
        raise _fail(path, "no-config", f"there is no {FILE_NAMES[0]} in this folder", hint)
    near = nearest(path.name, (p.name for p in path.parent.glob("*.json")))
    raise _fail(path, "no-config", "there is no such file", f"did you mean {near}?" if near else "check the path")


def read_config_text(text: str, file: Path | None, folder: Path, environ: Mapping[str, str]) -> Config:
    """Check the text of a config.

    Args:
        text: as JSON with comments.
        file: where it is from, ``None`` for the environment.
        folder: what its relative paths mean.
        environ: environment variables, for ``${NAME}`` references.

    Raises:
        ConfigError: it has mistakes; ``diagnostics`` has all of them.
    """
    document = parse(text, str(file or _FROM_ENVIRON))
    found = document.diagnostics
    config = None
    if document.ok:
        own = {
            "file": file,
            "folder": folder,
            "document": document,
            "container": bool(environ.get(CONTAINER)),
            "empty": environ.get("coflows_empty", "").lower() in _YES,
        }
        config, more = check(Config, document, context=Surroundings(folder, environ), own=own)
        found = [*found, *more]
    if config is None:
        errors = sum(d.severity == "error" for d in found)
        raise ConfigError(f"{document.file} has {errors} mistake{'s' * (errors > 1)}", found)
    return config.model_copy(update={"diagnostics": tuple(found), "certificate": _own_certificate(config, environ)})


def _own_certificate(config: Config, environ: Mapping[str, str]) -> tuple[Path, Path] | None:
    named = environ.get("COFLOWS_CERTIFICATE")
    chain, key = config.server.certificate, config.server.certificate_key
    if chain is None and named:
        chain = Path(named)
        key = Path(environ.get("COFLOWS_CERTIFICATE_KEY") or named)
    return (chain, key or chain) if chain else None


def _fail(path: Path, code: str, message: str, hint: str) -> ConfigError:
    return ConfigError(f"{path}: {message}", [Diagnostic(str(path), 0, 0, "error", code, message, hint)], hint=hint)
