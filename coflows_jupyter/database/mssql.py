"""SQL Server, Azure SQL: reached by pyodbc with Microsoft's driver."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coflows_jupyter.database import ado
from coflows_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.exc import DBAPIError

    from coflows_jupyter.database.location import Location

NAME = "SQL Server"
CONNECT_SECONDS = 15
STATEMENT_SECONDS = 60
PORT = "1433"

_TIMEOUT = "timeout"
_KEYWORDS = {
    **dict.fromkeys(("server", "datasource", "address", "addr", "networkaddress"), "Server"),
    **dict.fromkeys(("database", "initialcatalog"), "Database"),
    **dict.fromkeys(("userid", "uid", "user"), "UID"),
    **dict.fromkeys(("password", "pwd"), "PWD"),
    **dict.fromkeys(("integratedsecurity", "trusted_connection"), "Trusted_Connection"),
    **dict.fromkeys(("connecttimeout", "connectiontimeout", "timeout"), _TIMEOUT),
    **dict.fromkeys(("applicationname", "app"), "APP"),
    **dict.fromkeys(("workstationid", "wsid"), "WSID"),
    **dict.fromkeys(("currentlanguage", "language"), "Language"),
    **dict.fromkeys(("hostnameincertificate",), "HostnameInCertificate"),
    **dict.fromkeys(("servercertificate",), "ServerCertificate"),
    **dict.fromkeys(("serverspn",), "ServerSPN"),
    **dict.fromkeys(("failoverpartner",), "Failover_Partner"),
    **dict.fromkeys(("failoverpartnerspn",), "FailoverPartnerSPN"),
    **dict.fromkeys(("columnencryptionsetting",), "ColumnEncryption"),
    **dict.fromkeys(("ipaddresspreference",), "IpAddressPreference"),
    "encrypt": "Encrypt",
    "trustservercertificate": "TrustServerCertificate",
    "packetsize": "PacketSize",
    "applicationintent": "ApplicationIntent",
    "multisubnetfailover": "MultiSubnetFailover",
    "authentication": "Authentication",
    "connectretrycount": "ConnectRetryCount",
    "connectretryinterval": "ConnectRetryInterval",
    # Pools are ours, several results at once are not used, and the rest is about .NET itself.
    **dict.fromkeys(
        (
            "multipleactiveresultsets", "persistsecurityinfo", "pooling", "maxpoolsize", "minpoolsize",
            "loadbalancetimeout", "connectionlifetime", "enlist", "asynchronousprocessing", "typesystemversion",
            "userinstance", "replication", "transactionbinding", "poolblockingperiod", "contextconnection",
            "transparentnetworkipresolution", "commandtimeout", "networklibrary", "network", "net",
        ),
        "",
    ),
}  # fmt: skip
_YES_NO = ("Trusted_Connection", "TrustServerCertificate", "MultiSubnetFailover")
_NUMBERS = ("PacketSize", _TIMEOUT, "ConnectRetryCount", "ConnectRetryInterval")
_CHOICES = {
    "Encrypt": {
        **dict.fromkeys(("true", "yes", "mandatory"), "yes"),
        **dict.fromkeys(("false", "no", "optional"), "no"),
        "strict": "strict",
    },
    "ApplicationIntent": {"readwrite": "ReadWrite", "readonly": "ReadOnly"},
    "ColumnEncryption": {"enabled": "Enabled", "disabled": "Disabled"},
    "IpAddressPreference": {
        "ipv4first": "IPv4First", "ipv6first": "IPv6First", "useplatformdefault": "UsePlatformDefault",
    },
    "Authentication": {
        "sqlpassword": "SqlPassword",
        "activedirectorypassword": "ActiveDirectoryPassword",
        "activedirectoryintegrated": "ActiveDirectoryIntegrated",
        "activedirectoryinteractive": "ActiveDirectoryInteractive",
        "activedirectoryserviceprincipal": "ActiveDirectoryServicePrincipal",
        **dict.fromkeys(("activedirectorymanagedidentity", "activedirectorymsi"), "ActiveDirectoryMsi"),
    },
}  # fmt: skip

# Deadlock victim; throttled, moved or not yet there (https://learn.microsoft.com/azure/azure-sql: transient errors).
_PASSING = frozenset({1205, 10053, 10054, 10060, 10928, 10929, 40197, 40501, 40613, 49918, 49919, 49920})
_OTHER_SIZE = "IM006"
_LINK_LOST = ("08", "HYT00", "HYT01")


def parse(text: str) -> dict[str, str]:
    """Return ODBC keywords for an ADO.NET connection text; ``timeout`` among them is in seconds and no keyword.

    Raises:
        ValueError: with a sentence that quotes nothing of the text.
    """
    found = ado.translate(ado.parse(text), _KEYWORDS)
    server = found.get("Server", "")
    if not server:
        raise ValueError("it names no Server")
    # (local) and . mean this computer in .NET; a protocol other than tcp needs a driver on the same machine.
    address = re.sub(r"^tcp:\s*", "", server, flags=re.IGNORECASE)
    host, comma, port = (part.strip() for part in address.partition(","))
    if comma and not port.isdigit():
        raise ValueError("Server is host,port with a number after the comma")
    found["Server"] = re.sub(r"^(?:\(local\)|\.)(?=\\|$)", "localhost", host) + comma + port
    _check(found)
    if found.get("Trusted_Connection") == "yes":
        found.pop("UID", None)
        found.pop("PWD", None)
    found.setdefault("Encrypt", "yes")
    found.setdefault("APP", "coflows")
    return found


def _check(found: dict[str, str]) -> None:
    """Replace values by those that the driver knows."""
    for name in _YES_NO:
        if name in found:
            found[name] = "yes" if ado.truth(name, found[name]) else "no"
    for name in _NUMBERS:
        if name in found and not re.fullmatch(r"[0-9]{1,6}", found[name]):
            raise ValueError(f"{name.removesuffix('Size')} is a whole number")
    for name, choices in _CHOICES.items():
        if name in found:
            key = re.sub(r"\s", "", found[name]).lower()
            if key not in choices:
                raise ValueError(f"{name} is one of {', '.join(dict.fromkeys(choices.values()))}")
            found[name] = choices[key]


def label(parameters: dict[str, str]) -> str:
    """Say which database it is."""
    return f"{parameters.get('Database', 'master')} at {parameters['Server'].replace(',', ':')}"


def odbc(parameters: dict[str, str], driver: str) -> str:
    """Return the text that an ODBC driver takes.

    Args:
        parameters: what ``parse`` returned.
        driver: its registered name, or the path of its library.
    """
    pairs = {"DRIVER": driver} | {name: value for name, value in parameters.items() if name != _TIMEOUT}
    return ";".join(f"{name}={_braced(value)}" for name, value in pairs.items())


def _braced(value: str) -> str:
    return value if re.fullmatch(r"[A-Za-z0-9_.,:\\-]+", value) else "{" + value.replace("}", "}}") + "}"


def find_driver() -> str:
    """Return the ODBC driver to use: one that is registered, else the one in the package ``mssql-python-odbc``.

    Raises:
        ConfigError: there is none.
    """
    import pyodbc

    drivers = pyodbc.drivers()
    registered = sorted(
        (name for name in drivers if re.fullmatch(r"ODBC Driver [0-9]+ for SQL Server", name)),
        key=lambda name: int(name.split()[2]),
    )
    packaged = _packaged_driver()
    if registered:
        return str(registered[-1])
    if packaged is not None:
        return str(packaged)
    if "FreeTDS" in drivers:
        return "FreeTDS"
    raise ConfigError(
        "there is no ODBC driver for SQL Server",
        hint="pip install 'coflows_jupyter[mssql]', or Microsoft's msodbcsql18",
    )


def _packaged_driver() -> Path | None:
    import importlib.util

    spec = importlib.util.find_spec("mssql_python_odbc")
    if spec is None or spec.origin is None or sys.platform != "linux":
        return None
    import platform

    libraries = Path(spec.origin).parent / "libs" / "linux"
    release = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    like = re.search(r"^ID(?:_LIKE)?=.*(debian|alpine|suse|rhel|fedora)", release, re.MULTILINE)
    family = {"debian": "debian_ubuntu", "alpine": "alpine", "suse": "suse"}.get(like[1] if like else "debian", "rhel")
    found = sorted((libraries / family / platform.machine() / "lib").glob("libmsodbcsql-*.so*"))
    return found[-1] if found else None


def make_engine(location: Location) -> Engine:
    """Make the engine; nothing connects yet.

    Raises:
        ConfigError: pyodbc or an ODBC driver is missing.
    """
    try:
        import pyodbc
    except ImportError as error:
        message = f"the database {location} needs pyodbc: {error}"
        hint = "pip install 'coflows_jupyter[mssql]', and your system's unixODBC (apt-get install unixodbc)"
        raise ConfigError(message, hint=hint) from None
    from sqlalchemy import create_engine

    parameters = dict(location.parameters)
    driver = find_driver()
    seconds = int(parameters.get(_TIMEOUT, CONNECT_SECONDS))

    def connect() -> Any:
        try:
            connection = pyodbc.connect(odbc(parameters, driver), timeout=seconds)
        except pyodbc.Error as error:
            if error.args[0] != _OTHER_SIZE:
                raise
            # Said of a refused log-in too, in place of the server's own reason.
            parameters.pop("PacketSize", None)
            connection = pyodbc.connect(odbc(parameters, driver), timeout=seconds)
        connection.timeout = STATEMENT_SECONDS
        return connection

    # The text goes to the driver only: an engine's URL would be printed.
    return create_engine("mssql+pyodbc://", creator=connect, fast_executemany=True, hide_parameters=True)


def begin_migration(connection: Connection) -> None:
    """Let one program at a time change the schema, until the transaction ends."""
    connection.exec_driver_sql(
        "EXEC sp_getapplock @Resource = N'coflows_schema', @LockMode = 'Exclusive', @LockOwner = 'Transaction'"
    )


def passes(error: DBAPIError) -> bool:
    """Say whether the same work may succeed a little later."""
    state, *rest = map(str, error.orig.args if error.orig and error.orig.args else ("",))
    numbers = {int(number) for number in re.findall(r"\(([0-9]+)\)", " ".join(rest))}
    return state.startswith(_LINK_LOST) or state == "40001" or not _PASSING.isdisjoint(numbers)
