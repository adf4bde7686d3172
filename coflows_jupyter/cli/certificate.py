"""``coflows certificate …``: how a server proves who it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from coflows_jupyter.cli.runs import server_of, where
from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.deploy.certificates.status import CertificateStatus

_PAUSE_SECONDS = 0.2
_PATH = "coflows/api/certificate"


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    certificate = typer.Typer(help="How the server proves who it is.")
    certificate.command()(status)
    certificate.command()(renew)
    app.add_typer(certificate, name="certificate")


def status(context: typer.Context) -> None:
    """Say which certificate there is, until when, and what is wrong with getting the next."""
    from coflows_jupyter.deploy.certificates.rest import at_rest

    current = session(context)
    config, client = where(current)
    _show(current, _read(client.ask("GET", _PATH)) if client else at_rest(config))


def renew(context: typer.Context) -> None:
    """Have the server ask for a new certificate, and wait for it; open connections go on."""
    from coflows_jupyter.errors import CoflowsError

    current = session(context)
    client = server_of(current)
    found = _read(client.ask("POST", _PATH))
    while found.state == "issuing":
        time.sleep(_PAUSE_SECONDS)
        found = _read(client.ask("GET", _PATH))
    if found.state == "failed":
        raise CoflowsError(found.sentence)
    _show(current, found)


def _read(answer: object) -> CertificateStatus:
    import msgspec

    from coflows_jupyter.deploy.certificates.status import CertificateStatus

    return msgspec.convert(answer, CertificateStatus)


def _show(current: Session, found: CertificateStatus) -> None:
    current.output.document(found)
    if not current.output.json:
        current.output.write(found.sentence)
