"""The section ``Server`` of ``coflows_config.json``: under which address a Workflow is reached, and how safely."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from coflows_jupyter.schema import Section, section
from coflows_jupyter.values import HostName, HttpsAddress, Located, Origin, Secret

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PRODUCTION = "https://acme-v02.api.letsencrypt.org/directory"
_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"


class LetsEncrypt(Section):
    """``Server.LetsEncrypt``: certificates, when ``email`` isn't empty."""

    email: str = Field(
        "", validation_alias="Email", title="the address that Let's Encrypt writes to; empty for no certificates"
    )
    staging: bool = Field(
        default=False, validation_alias="Staging", title="whether to use Let's Encrypt's test service", examples=[False]
    )
    server: HttpsAddress = Field(
        "",
        validation_alias="Server",
        title="the directory of another ACME server, empty for Let's Encrypt's own",
        description="a URL that begins with https://",
        examples=["https://ca.example.com/acme/acme/directory"],
    )
    ca: Located | None = Field(
        None,
        validation_alias="CA",
        title="a file with the certificates that vouch for that server, where this computer does not know them",
        description="a path in quotes",
        examples=["mnt/Files/ca.pem"],
    )

    @property
    def directory(self) -> str:
        """The address of the ACME directory (RFC 8555, section 7.1.1) that is asked."""
        return self.server or (_STAGING if self.staging else _PRODUCTION)


class Server(Section):
    """``Server``: the address of this server and the key that opens it."""

    legacy: ClassVar[frozenset[str]] = frozenset({"OAuth"})

    host: HostName = Field(
        "localhost",
        validation_alias="Host",
        title="the name of this computer for others; localhost keeps them out",
        examples=["localhost"],
    )
    port: int = Field(
        8888,
        ge=0,
        le=65535,
        validation_alias="Port",
        title="the port that the server listens on",
        description="a port from 0 to 65535",
        examples=[8888],
    )
    secret_key: Secret = Field(
        SecretStr(""),
        validation_alias="SecretKey",
        title="the key of Lab and the API; ${NAME} and file:PATH are read",
        description="a key in quotes",
    )
    lets_encrypt: LetsEncrypt = section(LetsEncrypt, "LetsEncrypt")
    http_port: int = Field(
        80,
        ge=0,
        le=65535,
        validation_alias="HttpPort",
        title="the port that leads to https and answers Let's Encrypt; 0 for none",
        description="a port from 0 to 65535",
        examples=[80],
    )
    certificate: Located | None = Field(
        None,
        validation_alias="Certificate",
        title="a file with a certificate of your own and those that vouch for it",
        description="a path in quotes",
        examples=["mnt/Files/fullchain.pem"],
    )
    certificate_key: Located | None = Field(
        None,
        validation_alias="CertificateKey",
        title="the file of its private key, where that is not in the same file",
        description="a path in quotes",
        examples=["mnt/Files/privkey.pem"],
    )
    behind_proxy: bool = Field(
        default=False,
        validation_alias="BehindProxy",
        title="whether to believe a proxy's X-Forwarded-For and X-Forwarded-Proto",
        examples=[False],
    )
    cors: tuple[Origin, ...] = Field(
        (),
        validation_alias="Cors",
        title="sites whose pages may call functions from a browser",
        description="a list of origins",
        examples=[["https://app.example.com"]],
    )

    @property
    def is_local(self) -> bool:
        """Whether ``host`` means this computer only."""
        return self.host in _LOOPBACK
