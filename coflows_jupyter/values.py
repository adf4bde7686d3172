"""The kinds of value that ``coflows_config.json`` holds: secrets, paths, host names, durations."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo, WithJsonSchema

from coflows_jupyter.units import parse_duration, parse_memory

_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HTTPS = re.compile(r"https://[^\s/]+/\S*")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# A secret of the Workflow; it is put in place where the value is used, see ``access.secrets.reveal``.
SECRET_REFERENCE = re.compile(r"\$\{secret:([^}]*)\}")
_HOST = re.compile(r"[A-Za-z0-9._-]*|\[?[0-9A-Fa-f:.]+\]?")
HOST_PORT = re.compile(r"(?P<host>[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")

_SMALLEST_HISTORY = 1024 * 1024


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


def variables(value: object) -> Iterator[str]:
    """Yield the environment variables that the values of a config refer to as ``${NAME}``.

    Args:
        value: the config's document, or a part of it.
    """
    match value:
        case str():
            yield from _REFERENCE.findall(value)
        case dict():
            for item in value.values():
                yield from variables(item)


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
        hint = 'write the host name only, and "Port" beside it' if HOST_PORT.fullmatch(value) else "write a host name"
        raise ValueError(f"this is no host name; {hint}")
    return value


def _address(value: str) -> str:
    if "://" in value:
        raise ValueError('this is a URL; write the host name only, "SSL" says whether it is https')
    match = HOST_PORT.fullmatch(value)
    if not match or int(match["port"] or 0) > 65535:  # noqa: PLR2004
        raise ValueError("this is no host name; write one like coflows.quant.app or coflows.quant.app:8443")
    return value


def _https(value: str) -> str:
    if value and not _HTTPS.fullmatch(value):
        raise ValueError("this is no address of an ACME server; write its directory's URL, which begins with https://")
    return value


def _origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise ValueError('this is no origin; write scheme, host and port, like "https://app.example.com"')
    # As browsers write it: in small letters, without the port that the scheme implies.
    return re.sub(r"(?<=^http)(://.*):80$|(?<=^https)(://.*):443$", r"\1\2", value.lower())


def _switch(value: Any) -> Any:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def _history_size(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        return value
    size = parse_memory(value)
    if size < _SMALLEST_HISTORY:
        raise ValueError('this is too small for a history; write "1Mi" or more')
    return size


Secret = Annotated[SecretStr, BeforeValidator(_reveal)]
Located = Annotated[Path, BeforeValidator(_locate)]
HostName = Annotated[str, AfterValidator(_host_name)]
Address = Annotated[str, AfterValidator(_address)]
HttpsAddress = Annotated[str, AfterValidator(_https)]
Origin = Annotated[str, AfterValidator(_origin)]
Switch = Annotated[Literal["auto", "on", "off"], BeforeValidator(_switch)]
Seconds = Annotated[float, BeforeValidator(_duration), WithJsonSchema({"type": ["string", "number"]})]
HistorySize = Annotated[int, BeforeValidator(_history_size), WithJsonSchema({"type": ["string", "number"]})]
