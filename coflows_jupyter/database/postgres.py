"""PostgreSQL, reached by psycopg."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from coflows_jupyter.database import ado
from coflows_jupyter.errors import ConfigError, nearest

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection, Engine
    from sqlalchemy.exc import DBAPIError

    from coflows_jupyter.database.location import Location

NAME = "PostgreSQL"
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 60

# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_KEYWORDS = frozenset({
    "host", "hostaddr", "port", "dbname", "user", "password", "passfile", "require_auth", "channel_binding",
    "connect_timeout", "client_encoding", "options", "application_name", "fallback_application_name", "keepalives",
    "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "replication", "gssencmode",
    "sslmode", "sslnegotiation", "sslcompression", "sslcert", "sslkey", "sslpassword", "sslcertmode", "sslrootcert",
    "sslcrl", "sslcrldir", "sslsni", "requirepeer", "ssl_min_protocol_version", "ssl_max_protocol_version",
    "krbsrvname", "gsslib", "gssdelegation", "service", "target_session_attrs", "load_balance_hosts",
})  # fmt: skip
# A peer that vanished is noticed in half a minute, and not after the hours of the system's own settings.
_DEFAULTS = {
    "application_name": "coflows",
    "connect_timeout": str(CONNECT_SECONDS),
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
# https://www.npgsql.org/doc/connection-string-parameters.html
_NPGSQL = {
    **dict.fromkeys(("host", "server"), "host"),
    "port": "port",
    **dict.fromkeys(("database", "db"), "dbname"),
    **dict.fromkeys(("username", "user", "userid", "uid"), "user"),
    **dict.fromkeys(("password", "psw", "pwd"), "password"),
    "passfile": "passfile",
    "applicationname": "application_name",
    "sslmode": "sslmode",
    "sslnegotiation": "sslnegotiation",
    "sslcertificate": "sslcert",
    "sslkey": "sslkey",
    "sslpassword": "sslpassword",
    "rootcertificate": "sslrootcert",
    "channelbinding": "channel_binding",
    "requireauth": "require_auth",
    "kerberosservicename": "krbsrvname",
    "timeout": "connect_timeout",
    "keepalive": "keepalives_idle",
    "targetsessionattributes": "target_session_attrs",
    "options": "options",
    "searchpath": "search_path",
    "timezone": "timezone",
    # Pools, buffers and prepared statements are the driver's own; text is always UTF-8 here.
    **dict.fromkeys(
        (
            "trustservercertificate", "persistsecurityinfo", "includeerrordetail", "logparameters", "pooling",
            "minpoolsize", "minimumpoolsize", "maxpoolsize", "maximumpoolsize", "connectionidlelifetime",
            "connectionpruninginterval", "connectionlifetime", "loadbalancehosts", "hostrecheckseconds",
            "commandtimeout", "internalcommandtimeout", "cancellationtimeout", "tcpkeepalive", "tcpkeepalivetime",
            "tcpkeepaliveinterval", "readbuffersize", "writebuffersize", "socketreceivebuffersize",
            "socketsendbuffersize", "maxautoprepare", "autoprepareminusages", "noresetonclose", "multiplexing",
            "writecoalescingbufferthresholdbytes", "loadtablecomposites", "servercompatibilitymode", "enlist",
            "integratedsecurity", "checkcertificaterevocation", "includerealm", "encoding", "clientencoding",
            "convertinfinitydatetime", "arraynullabilitymode", "gssencryptionmode",
        ),
        "",
    ),
}  # fmt: skip
# Values that .NET writes without the dash.
_DASHED = {
    "verifyca": "verify-ca",
    "verifyfull": "verify-full",
    "preferprimary": "primary",
    "preferstandby": "prefer-standby",
    "readwrite": "read-write",
    "readonly": "read-only",
}
_SETTINGS = ("search_path", "timezone")

_PAIR = re.compile(r"\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)", re.DOTALL)
_SCHEME = re.compile(r"postgres(?:ql)?(?:\+[a-z0-9]+)?://")

# While it starts, stops or is full, a server answers too; what else it answers stays as it is.
_ANSWERED = ("FATAL", "password", "authentication", "does not exist", "SSL")
_SOON = ("starting up", "shutting down", "recovery mode", "too many", "remaining connection slots", "terminating")
# Serialization failure, deadlock, silence in a transaction, administrator's shutdown, crash, not yet, too many
# connections.
_PASSING = frozenset({"40001", "40P01", "25P03", "57P01", "57P02", "57P03", "53300"})


def parse(text: str) -> dict[str, str]:
    """Return libpq keywords for a URL, a libpq text (``host=…``) or a .NET text (``Host=…;Username=…``).

    Raises:
        ValueError: with a sentence that quotes nothing of the text.
    """
    scheme = _SCHEME.match(text.strip())
    if scheme:
        found = _url(text.strip()[scheme.end() :])
    elif ";" not in text:
        found = _words(text)
    else:
        # A semicolon separates, or belongs to a libpq value; only one way of reading makes sense.
        found = _first(text, _npgsql, _words)
    if not any(found.get(name) for name in ("host", "hostaddr", "service")):
        raise ValueError("it names no host")
    return found


def _first(text: str, *readers: Callable[[str], dict[str, str]]) -> dict[str, str]:
    failure: ValueError | None = None
    for read in readers:
        try:
            return read(text)
        except ValueError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _url(rest: str) -> dict[str, str]:
    address, _, query = rest.partition("?")
    authority, _, name = address.partition("/")
    identity, _, hosts = authority.rpartition("@")
    user, _, password = identity.partition(":")
    parts = [re.fullmatch(r"(\[[^]]*\]|[^:\[\]]*)(?::([0-9]*))?", host) for host in hosts.split(",")]
    if not all(parts):
        raise ValueError("its host can't be read; in user and password, @ is written %40, / is %2F and : is %3A")
    ports = [part[2] or "" for part in parts if part]
    found = {
        "user": unquote(user),
        "password": unquote(password),
        "host": ",".join(unquote(part[1]).strip("[]") for part in parts if part),
        "port": ",".join(ports) if any(ports) else "",
        "dbname": unquote(name),
    }
    return {name: value for name, value in found.items() if value} | _known(dict(parse_qsl(query)))


def _words(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    start, end = 0, len(text.rstrip())
    while start < end:
        pair = _PAIR.match(text, start)
        if pair is None:
            raise ValueError(
                f"what begins at character {start + 1} is no keyword=value; a space in a value needs quotes"
            )
        value = pair[2] if pair[2] is not None else pair[3]
        found[pair[1].lower()] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        start = pair.end()
    if re.search("[;=]", found.get("host", "")):
        raise ValueError("it names no host")
    return _known(found)


def _known(found: dict[str, str]) -> dict[str, str]:
    for place, name in enumerate(found, 1):
        if name not in _KEYWORDS:
            near = nearest(name, _KEYWORDS)
            raise ValueError(f"keyword {place} is unknown" + (f"; did you mean {near}?" if near else ""))
    return found


def _npgsql(text: str) -> dict[str, str]:
    found = ado.translate(ado.parse(text), _NPGSQL)
    if "=" in found.get("host", ""):
        raise ValueError("it names no host")
    for name in ("sslmode", "target_session_attrs", "channel_binding"):
        if name in found:
            value = re.sub(r"[\s-]", "", found[name]).lower()
            found[name] = _DASHED.get(value, value)
    settings = [f"-c {name}={_escaped(found.pop(name))}" for name in _SETTINGS if name in found]
    if settings:
        found["options"] = " ".join([*filter(None, [found.get("options")]), *settings])
    return found


def _escaped(value: str) -> str:
    return re.sub(r"([\s\\])", r"\\\1", value)


def label(parameters: Mapping[str, str]) -> str:
    """Say which database it is."""
    name = parameters.get("dbname") or parameters.get("user") or parameters.get("service", "postgres")
    host = parameters.get("host") or parameters.get("hostaddr", "")
    if not host:
        return name
    port = parameters.get("port", "")
    return f"{name} at {host}:{port}" if port else f"{name} at {host}"


def make_engine(location: Location) -> Engine:
    """Make the engine; nothing connects yet.

    Raises:
        ConfigError: psycopg is missing.
    """
    try:
        import psycopg  # noqa: F401 - only whether it is there
    except ImportError as error:
        message = f"the database {location} needs psycopg: {error}"
        raise ConfigError(message, hint="pip install 'coflows_jupyter[postgres]'") from None
    from sqlalchemy import create_engine, event

    # Keywords go to the driver only: an engine's URL would be printed.
    engine = create_engine("postgresql+psycopg://", connect_args=_arguments(location), hide_parameters=True)
    event.listen(engine, "connect", _configure)
    return engine


def connect(location: Location) -> psycopg.Connection:
    """Return a connection of the driver's own, in which each statement commits itself.

    Raises:
        psycopg.OperationalError: the server does not let us in.
    """
    import psycopg

    return psycopg.connect(**_arguments(location), autocommit=True)  # type: ignore[arg-type]  # libpq's keywords


def _arguments(location: Location) -> dict[str, str]:
    return {**_DEFAULTS, **location.parameters, "client_encoding": "utf8"}


def _configure(connection: Any, _record: Any) -> None:
    # Not by "options", which some poolers between us and the server refuse.
    connection.autocommit = True
    connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{STATEMENT_SECONDS}s'")
    connection.autocommit = False


# Any number that nobody else uses: "coflows" in ASCII.
_LOCK = 0x63_6F_66_6C_6F_77_73


def begin_migration(connection: Connection) -> None:
    """Let one program at a time change the schema, until the transaction ends."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def passes(error: DBAPIError) -> bool:
    """Say whether the same work may succeed a little later."""
    import psycopg

    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _PASSING or state.startswith("08")
    if error.connection_invalidated:
        return True
    text = str(error.orig)
    refused = any(word in text for word in _ANSWERED) and not any(word in text for word in _SOON)
    return isinstance(error.orig, psycopg.OperationalError) and not refused
