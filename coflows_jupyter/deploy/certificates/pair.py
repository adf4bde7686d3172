"""A certificate with its private key, and the TLS context that is made of them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

_DAY = 86400
# As certbot reckons where the authority suggests no time.
_SHORT_LIVED = 10 * _DAY


class Pair(msgspec.Struct, frozen=True):
    """A certificate and those that vouch for it, and its private key, both as PEM."""

    chain: str
    key: str

    def __repr__(self) -> str:
        """Return a text without the key."""
        return "Pair()"


class About(msgspec.Struct, frozen=True):
    """What a certificate says.

    Args:
        serial: its number, in hexadecimal digits.
        issuer: the name of who signed it.
        begins: seconds since 1970.
        ends: seconds since 1970.
        own: whether nobody but its key vouches for it.
    """

    serial: str
    issuer: str
    begins: float
    ends: float
    own: bool

    @property
    def renewal(self) -> float:
        """The time to renew it: with a third of its life left, or with a half of a short one."""
        life = self.ends - self.begins
        return self.ends - life / (2 if life < _SHORT_LIVED else 3)


def about(chain: str) -> About:
    """Return what the first certificate of a PEM text says.

    Raises:
        ValueError: it has none.
    """
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(chain.encode())
    names = certificate.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return About(
        serial=f"{certificate.serial_number:x}",
        issuer=str(names[0].value) if names else certificate.issuer.rfc4514_string(),
        begins=certificate.not_valid_before_utc.timestamp(),
        ends=certificate.not_valid_after_utc.timestamp(),
        own=certificate.issuer == certificate.subject,
    )


def make_context(pair: Pair) -> ssl.SSLContext:
    """Return a context for a server; one that is in use is never changed, because a wrong pair would break it.

    Raises:
        ssl.SSLError: the texts are no certificate and key, or don't belong to each other.
    """
    # OpenSSL reads files only. The folder is this user's alone.
    with tempfile.TemporaryDirectory(prefix="coflows-") as folder:
        file = Path(folder, "pair.pem")
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{pair.key.rstrip()}\n{pair.chain}")
        return load_context(file, file)


def load_context(chain: Path, key: Path) -> ssl.SSLContext:
    """Return a context for a server from files.

    Raises:
        OSError: they can't be read.
        ssl.SSLError: they are no certificate and key, or don't belong to each other.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # OpenSSL would ask at the terminal for the password of a key that is encrypted.
    context.load_cert_chain(chain, key, password=lambda: "")
    return context


def read_files(files: tuple[Path, Path]) -> tuple[About, ssl.SSLContext]:
    """Return what the certificate in one's own files says, and a context with it.

    Args:
        files: the file of the certificate and the file of its key.

    Raises:
        ConfigError: they can't be used.
    """
    chain, key = files
    hint = "Server.Certificate and Server.CertificateKey name PEM files, the key without a password"
    try:
        return about(chain.read_text()), load_context(chain, key)
    except ssl.SSLError as error:
        reason = "they do not belong together" if error.reason == "KEY_VALUES_MISMATCH" else "one is no such file"
        message = f"the certificate {chain} and the key {key} can't be used: {reason}"
        raise ConfigError(message, hint=hint) from None
    except OSError as error:
        message = f"the certificate {error.filename or chain} can't be read: {error.strerror}"
        raise ConfigError(message, hint=hint) from None
    except ValueError:
        raise ConfigError(f"{chain} holds no certificate", hint=hint) from None


def self_signed(host: str, days: int = 30) -> Pair:
    """Make a certificate that nobody vouches for: clients have to know it, or not to look.

    Args:
        host: host name or address of the server.
        days: how long it lasts, from a day ago, because clocks differ.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host[:64])])
    begins = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + dt.timedelta(days=days + 1))
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(certificate.public_bytes(Encoding.PEM).decode(), private.decode())


def _general_name(host: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host)
