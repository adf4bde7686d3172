"""``coflows key …``: the key that opens a Workflow's server, and the keys of people."""

from __future__ import annotations

import contextlib
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coflows_jupyter.cli.session import Session, session
from coflows_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from coflows_jupyter.config import Config

ConfigFile = Annotated[str | None, typer.Argument(help="The configuration, else the one in this folder.")]

_KEY = ("Server", "SecretKey")
# A server looks for new keys several times a second.
KNOWN_SECONDS = 2.0

_REFERENCE = re.compile(r"file:|.*\$\{")


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    key = typer.Typer(help="The key that opens the server, and keys of people.")
    key.command()(show)
    key.command()(rotate)
    key.command()(create)
    key.command(name="list")(list_keys)
    key.command()(revoke)
    app.add_typer(key, name="key")


def show(context: typer.Context, config: ConfigFile = None) -> None:
    """Print the key of the server.

    It is the SecretKey of the configuration, but a server whose SecretKey is missing, published or guessable runs with
    a random key; while it does, this prints that one.
    """
    from coflows_jupyter.access.secrets import with_key
    from coflows_jupyter.config import load_config

    current = session(context)
    loaded = with_key(load_config(config or current.config))
    key = _running_key(loaded) or loaded.server.secret_key.get_secret_value()
    if not key:
        raise ConfigError("no server runs and the configuration has no SecretKey", hint="coflows key rotate makes one")
    current.output.document({"key": key})
    if not current.output.json:
        current.output.write(key)


def _running_key(config: Config) -> str:
    from coflows_jupyter.notebook.servers import running_servers

    return next((server.key for server in running_servers() if config.file and server.config == str(config.file)), "")


def rotate(context: typer.Context, config: ConfigFile = None) -> None:
    """Write a new random SecretKey into the configuration.

    Everything else in the file stays as it is.
    """
    from coflows_jupyter.config import load_config
    from coflows_jupyter.workflow.editing import write_atomic

    current = session(context)
    file = load_config(config or current.config).file
    if file is None:
        raise ConfigError("the configuration is the environment variable coflows_config", hint="change SecretKey there")
    write_atomic(file, _with_new_key(file))
    current.output.document({"file": str(file)})
    current.output.say(f"{file} has a new SecretKey: restart the server, then `coflows key show` prints it")


def create(
    context: typer.Context,
    user: Annotated[str, typer.Option(help="Whose it is; root's, which may everything, by default.")] = "root",
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="workflow:WID, query:WID/QID, function:WID/QID/FUNCTION or m:SET, then :r or :w. Repeatable."
        ),
    ] = None,
    expires: Annotated[str, typer.Option(help="A duration (90d) or a date (2027-01-31).")] = "",
) -> None:
    """Make a key and print it, this once.

    With --scope it is good for nothing else; :r, the default, leaves Read at most, :w what its user may.
    """
    from coflows_jupyter.access import userkeys
    from coflows_jupyter.access.records import parse_expiry
    from coflows_jupyter.access.tokens import parse_scope
    from coflows_jupyter.cli.people import OPERATOR, do

    current = session(context)
    scopes = [parse_scope(text) for text in scope or ()]
    end = parse_expiry(expires)
    made = do(current, lambda c: userkeys.create_key(c, OPERATOR, user.lower(), name=name, scopes=scopes, expires=end))
    _wait_until_known(current, made.key)
    current.output.document(made)
    if not current.output.json:
        current.output.write(made.key)
    current.output.say("It is shown this once and kept nowhere.")


def _wait_until_known(current: Session, key: str) -> None:
    """Return when a server that runs has seen a new key, so that whoever is given it can use it at once."""
    import time

    import httpx

    from coflows_jupyter.cli.runs import where

    _, client = where(current)
    deadline = time.monotonic() + KNOWN_SECONDS
    if client is not None:
        url, headers = client.url + "coflows/api/me", {"x-api-key": key}
        with contextlib.suppress(httpx.TransportError):
            while time.monotonic() < deadline:
                if httpx.get(url, headers=headers, trust_env=False).status_code != httpx.codes.UNAUTHORIZED:
                    return
                time.sleep(0.05)


def list_keys(context: typer.Context, user: Annotated[str, typer.Option(help="Only of this person.")] = "") -> None:
    """List keys; their texts are kept nowhere."""
    from coflows_jupyter.access import userkeys
    from coflows_jupyter.access.tokens import show_scope
    from coflows_jupyter.cli.people import do, show_rows

    current = session(context)
    found = do(current, lambda c: userkeys.list_keys(c, user.lower()))
    current.output.document({"keys": found})
    rows = [
        {
            "key": key.id,
            "user": key.user,
            "name": key.name or key.kind,
            "scopes": " ".join(map(show_scope, key.scopes)),
            "expires": key.expires[:16],
            "last used": key.last_used[:16],
            "revoked": key.revoked[:16],
        }
        for key in found
    ]
    show_rows(current, rows, "no keys")


def revoke(context: typer.Context, key: Annotated[str, typer.Argument(help="ID of the key, from `key list`.")]) -> None:
    """Make a key useless, everywhere within a second."""
    from coflows_jupyter.access import tokens, userkeys
    from coflows_jupyter.cli.people import OPERATOR, do

    current = session(context)
    parts = tokens.split(key)
    revoked = do(current, lambda c: userkeys.revoke_key(c, OPERATOR, parts[0] if parts else key))
    current.output.document(revoked)
    current.output.say(f"{revoked.id} of {revoked.user} is revoked")


def _with_new_key(file: Path) -> str:
    from coflows_jupyter.jsonc import parse

    text = file.read_bytes().decode()
    document = parse(text, str(file))
    member = f'"{secrets.token_hex(32)}"'
    if _KEY in document.spans:
        start, end = document.spans[_KEY]
        written = str(document.value["Server"]["SecretKey"])
        if _REFERENCE.match(written):
            hint = f"change what {written} refers to"
            found = document.report(document.place(_KEY), "error", "reference", "SecretKey is kept elsewhere", hint)
            raise ConfigError(found.message, [found])
        return text[:start] + member + text[end:]
    member = f'"SecretKey": {member}'
    inside = ("Server",) if ("Server",) in document.spans else ()
    if not inside:
        member = f'"Server": {{{member}}}'
    opened = document.spans[inside][0] + 1
    return f"{text[:opened]}\n    {member},{text[opened:]}"
