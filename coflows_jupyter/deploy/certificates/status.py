"""What there is to say about a server's certificate."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from coflows_jupyter.config import Config
from coflows_jupyter.deploy.certificates.pair import About

State = Literal["off", "waiting", "issuing", "valid", "failed"]
Source = Literal["", "temporary", "files", "letsencrypt"]


class CertificateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a server proves who it is; times are ISO 8601 in UTC, empty where there is none.

    Args:
        state: ``off`` for plain HTTP; ``waiting`` until the authority is asked, ``issuing`` while it is; ``failed``
            when it was asked in vain, whatever certificate is shown meanwhile.
        source: whose certificate is shown: one that the server made and nobody vouches for (``temporary``), one from
            one's own ``files``, or one that was issued.
        host: ``Server.Host``.
        directory: URL of the authority that is asked, empty when none is.
        staging: whether that is Let's Encrypt's test service.
        serial: number of the certificate, in hexadecimal digits.
        issuer: name of who signed it.
        begins: since when it is valid.
        ends: until when.
        reason: why the state is what it is.
        next_try: when the authority is asked again.
    """

    state: State
    source: Source = ""
    host: str = ""
    directory: str = ""
    staging: bool = False
    serial: str = ""
    issuer: str = ""
    begins: str = ""
    ends: str = ""
    reason: str = ""
    next_try: str = ""

    @property
    def sentence(self) -> str:
        """All of it for people, in a sentence."""
        return " ".join(filter(None, (self._shown(), self._trouble())))

    def _shown(self) -> str:
        who = {
            "temporary": "https with a certificate that nobody vouches for",
            "files": "https with a certificate of your own",
            "letsencrypt": f"https with a certificate of {self.issuer}",
        }
        if not self.source:
            return f"{self.reason}."
        until = f", valid until {self.ends[:10]}" if self.ends else ""
        return f"{who[self.source]}{until}."

    def _trouble(self) -> str:
        if self.state == "failed":
            again = f" It is tried again at {self.next_try[:16].replace('T', ' ')} UTC." if self.next_try else ""
            return f"No new one could be had: {self.reason.rstrip('.')}.{again}"
        return {"issuing": "A new one is being asked for.", "waiting": "A new one is on its way."}.get(self.state, "")

    @property
    def notes(self) -> list[str]:
        """What anybody may know of its trouble: nothing about the network that the server is in."""
        if self.state != "failed":
            return []
        return [f"no certificate could be had for {self.host}; `coflows certificate status` says why"]


def describe(
    config: Config,
    state: State,
    source: Source = "",
    shown: About | None = None,
    *,
    reason: str = "",
    next_try: float = 0.0,
) -> CertificateStatus:
    """Return the status of a server.

    Args:
        config: what the server is to be.
        state: see ``CertificateStatus``.
        source: see there.
        shown: what the certificate that is shown says.
        reason: see there.
        next_try: in seconds since 1970, 0 for none.
    """
    encrypt = config.server.lets_encrypt
    return CertificateStatus(
        state=state,
        source=source,
        host=config.server.host,
        directory=encrypt.directory if config.issues else "",
        staging=config.issues and encrypt.staging,
        serial=shown.serial if shown else "",
        issuer=shown.issuer if shown else "",
        begins=moment(shown.begins) if shown else "",
        ends=moment(shown.ends) if shown else "",
        reason=reason,
        next_try=moment(next_try) if next_try else "",
    )


def moment(seconds: float) -> str:
    """Return a time, in seconds since 1970, as ISO 8601 in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")


def plain(config: Config) -> CertificateStatus:
    """Return the status of a server that speaks plain HTTP, and why it does."""
    why = "Server.Host is this computer only" if config.server.is_local else "LetsEncrypt.Email is empty"
    return describe(config, "off", reason=f"plain HTTP, because {why}")


ELSEWHERE = CertificateStatus(state="off", reason="options of Jupyter say how this server is reached")
"""The status of a server that is not ours to configure."""
