"""``coflows_config.json``: where and how a Workflow runs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationInfo

from coflows_jupyter.errors import ConfigError, Diagnostic, nearest
from coflows_jupyter.jsonc import Document, parse
from coflows_jupyter.schema import Section, check
from coflows_jupyter.units import parse_duration

FILE_NAMES = ("coflows_config.json", "quantapp_config.json")
# The original's sample key, known to everybody.
PUBLISHED_KEY = "26499e5e555e9957725f51cc4d400384"

_FROM_ENVIRON = "coflows_config (environment variable)"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HOST = re.compile(r"[A-Za-z0-9._-]*|\[?[0-9A-Fa-f:.]+\]?")
_HOST_PORT = re.compile(r"(?P<host>[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")

Switch = Literal["auto", "on", "off"]


class Surroundings(NamedTuple):
    """What a reference in a config can point to."""

    folder: Path
    environ: Mapping[str, str]


def resolve_path(folder: Path, text: str) -> Path:
    """Return the absolute path that ``text`` means in a Workflow's files.

    Args:
        folder: what a relative path, a leading ``mnt/`` and a leading ``/app/mnt/`` mean.
        text: as written; the original mounted the Workflow's folder at ``/app/mnt``.
    """
    relative = re.sub(r"^(?:\./)?(?:/app/)?mnt(?:/|$)", "", text.replace("\\", "/"))
    return Path(os.path.normpath(folder / relative))


def _reveal(value: Any, info: ValidationInfo) -> Any:
    """Replace ``${NAME}`` by an environment variable and ``file:PATH`` by a file's text."""
    if not isinstance(value, str) or not isinstance(info.context, Surroundings):
        return value
    folder, environ = info.context
    if value.startswith("file:"):
        path = resolve_path(folder, value.removeprefix("file:"))
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"the file {path} can't be read; create it with the secret as its only text") from None
    for name in _REFERENCE.findall(value):
        if name not in environ:
            raise ValueError(f"the environment variable {name} is not set; set it before the start")
    return _REFERENCE.sub(lambda match: environ[match[1]], value)


def _locate(value: Any, info: ValidationInfo) -> Any:
    folder = info.context.folder if isinstance(info.context, Surroundings) else Path.cwd()
    return resolve_path(folder, str(value)) if isinstance(value, str | Path) and str(value) else value


def _duration(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        return value
    seconds = parse_duration(value)
    if not seconds:
        raise ValueError('a call needs some time; write for example "60s"')
    return seconds


def _host_name(value: str) -> str:
    if "://" in value:
        raise ValueError("this is a URL; write the host name only")
    if not _HOST.fullmatch(value):
        hint = 'write the host name only, and "Port" beside it' if _HOST_PORT.fullmatch(value) else "write a host name"
        raise ValueError(f"this is no host name; {hint}")
    return value


def _address(value: str) -> str:
    if "://" in value:
        raise ValueError('this is a URL; write the host name only, "SSL" says whether it is https')
    match = _HOST_PORT.fullmatch(value)
    if not match or int(match["port"] or 0) > 65535:  # noqa: PLR2004
        raise ValueError("this is no host name; write one like coflows.quant.app or coflows.quant.app:8443")
    return value


def _origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise ValueError('this is no origin; write scheme, host and port, like "https://app.example.com"')
    # As browsers write it: in small letters, without the port that the scheme implies.
    return re.sub(r"(?<=^http)(://.*):80$|(?<=^https)(://.*):443$", r"\1\2", value.lower())


def _switch(value: Any) -> Any:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


Secret = Annotated[SecretStr, BeforeValidator(_reveal)]
Located = Annotated[Path, BeforeValidator(_locate)]
HostName = Annotated[str, AfterValidator(_host_name)]
Address = Annotated[str, AfterValidator(_address)]
Origin = Annotated[str, AfterValidator(_origin)]
Seconds = Annotated[float, BeforeValidator(_duration)]


def _section(section: type[Section], alias: str) -> Any:
    """Make the field of a section that may be left out."""
    return Field(default_factory=lambda: section.model_validate({}), validation_alias=alias)


class Database(Section):
    """``Database``: where users, permissions, M and the ledger are kept."""

    connection: Secret = Field(
        SecretStr("mnt/database.db"),
        validation_alias="Connection",
        description="a path or a connection text",
        examples=["mnt/database.db"],
    )
    type: Literal["sqlite", "mssql", "postgres"] = Field("sqlite", validation_alias="Type", examples=["sqlite"])


class LetsEncrypt(Section):
    """``Server.LetsEncrypt``: certificates, when ``email`` isn't empty."""

    email: str = Field("", validation_alias="Email")
    staging: bool = Field(default=False, validation_alias="Staging", examples=[False])


class Server(Section):
    """``Server``: the address of this server and the key that opens it."""

    legacy: ClassVar[frozenset[str]] = frozenset({"OAuth"})

    host: HostName = Field("localhost", validation_alias="Host", examples=["localhost"])
    port: int = Field(
        8888, ge=0, le=65535, validation_alias="Port", description="a port from 0 to 65535", examples=[8888]
    )
    secret_key: Secret = Field(SecretStr(""), validation_alias="SecretKey", description="a key in quotes")
    lets_encrypt: LetsEncrypt = _section(LetsEncrypt, "LetsEncrypt")
    cors: tuple[Origin, ...] = Field(
        (), validation_alias="Cors", description="a list of origins", examples=[["https://app.example.com"]]
    )


class Cloud(Section):
    """``Cloud``: the server that ``coflows cloud …`` talks to; ``address`` is host and optional port."""

    address: Address = Field(
        validation_alias="Host", description="a host name in quotes", examples=["coflows.quant.app"]
    )
    secret_key: Secret = Field(SecretStr(""), validation_alias="SecretKey", description="a key in quotes")
    ssl: bool = Field(default=True, validation_alias="SSL", examples=[True])

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
        match = _HOST_PORT.fullmatch(self.address)
        return (match["host"], match["port"] or "") if match else (self.address, "")


class Gpu(Section):
    """``AzureContainerInstance.Gpu``: none when ``sku`` is empty or ``cores`` is 0."""

    sku: Literal["", "K80", "P100", "V100"] = Field("", validation_alias="SKU", examples=["V100"])
    cores: Literal[0, 1, 2, 4] = Field(1, validation_alias="Cores", examples=[1])


class AzureContainerInstance(Section):
    """``AzureContainerInstance``: what ``coflows aci …`` makes; ``None`` follows ``Resources`` of package.json."""

    auth_file: Located = Field(
        validation_alias="AuthFile", description="a path in quotes", examples=["mnt/Files/my.azureauth"]
    )
    dns: str = Field(validation_alias="Dns", examples=["coflows-container"])
    region: str = Field(validation_alias="Region", examples=["UKSouth"])
    cores: float | None = Field(
        None, gt=0, validation_alias="Cores", description="a number of cores above 0", examples=[4]
    )
    mem: float | None = Field(
        None, gt=0, validation_alias="Mem", description="a number of gigabytes above 0", examples=[4]
    )
    gpu: Gpu = _section(Gpu, "Gpu")


class Host(Section):
    """``Host``: the processes that run the user's code."""

    mode: Literal["process", "embedded"] = Field("process", validation_alias="Mode", examples=["process"])
    workers: int = Field(1, ge=1, validation_alias="Workers", description="a whole number from 1", examples=[1])
    timeout: Seconds = Field(60.0, validation_alias="Timeout", description="a duration", examples=["60s"])
    spare: Annotated[Switch, BeforeValidator(_switch)] = Field("auto", validation_alias="Spare", examples=["auto"])


class Config(Section):
    """A checked ``coflows_config.json``.

    Attributes:
        file: the file, ``None`` when the text came from the environment.
        folder: what its relative paths mean.
        document: its text with the place of everything, secrets included.
        container: whether this runs in the project's image (environment variable ``COFLOWS_CONTAINER``).
        diagnostics: warnings.
    """

    legacy: ClassVar[frozenset[str]] = frozenset({"SendGrid", "Logging"})

    file: Path | None = None
    folder: Path
    document: Document = Field(repr=False, exclude=True)
    container: bool = False
    diagnostics: tuple[Diagnostic, ...] = ()

    database: Database = _section(Database, "Database")
    workflow: Located = Field(
        Path("mnt/package.json"),
        validation_alias=AliasChoices("Workflow", "Workspace"),
        description="the path of package.json in quotes",
        examples=["mnt/package.json"],
    )
    jupyter: bool = Field(default=False, validation_alias="Jupyter", examples=[True])
    server: Server = _section(Server, "Server")
    cloud: Cloud | None = Field(None, validation_alias="Cloud")
    azure_container_instance: AzureContainerInstance | None = Field(None, validation_alias="AzureContainerInstance")
    host: Host = _section(Host, "Host")
    watch: Annotated[Switch, BeforeValidator(_switch)] = Field("auto", validation_alias="Watch", examples=["auto"])
    runs: Literal["all", "errors", "off"] = Field("all", validation_alias="Runs", examples=["all"])

    @property
    def bind(self) -> str:
        """The address to listen on: loopback only for a loopback ``Server.Host`` outside of a container."""
        return "127.0.0.1" if self.server.host in _LOOPBACK and not self.container else "0.0.0.0"  # noqa: S104

    @property
    def port(self) -> int:
        """The port to listen on."""
        return self.server.port

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
    the working directory.

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
        return _read(inline, None, start, environ)
    file = _find(start / wanted if wanted else start)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _fail(file, "unreadable", f"the file can't be read: {error.strerror}", "check its permissions") from None
    except UnicodeDecodeError:
        raise _fail(file, "encoding", "the file is not UTF-8 text", "save it as UTF-8") from None
    return _read(text, file, file.parent, environ)


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


def _read(text: str, file: Path | None, folder: Path, environ: Mapping[str, str]) -> Config:
    document = parse(text, str(file or _FROM_ENVIRON))
    found = document.diagnostics
    config = None
    if document.ok:
        own = {
            "file": file,
            "folder": folder,
            "document": document,
            "container": bool(environ.get("COFLOWS_CONTAINER")),
        }
        config, more = check(Config, document, context=Surroundings(folder, environ), own=own)
        found = [*found, *more]
    if config is None:
        errors = sum(d.severity == "error" for d in found)
        raise ConfigError(f"{document.file} has {errors} mistake{'s' * (errors > 1)}", found)
    return config.model_copy(update={"diagnostics": tuple(found)})


def _fail(path: Path, code: str, message: str, hint: str) -> ConfigError:
    return ConfigError(f"{path}: {message}", [Diagnostic(str(path), 0, 0, "error", code, message, hint)], hint=hint)
