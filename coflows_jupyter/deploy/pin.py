"""TLS to a server that is known by its certificate, whoever vouches for that or nobody."""

from __future__ import annotations

import hashlib
import socket
import ssl

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def fingerprint(chain: str) -> str:
    """Return the SHA-256 of the first certificate of a PEM text, in hexadecimal digits.

    Raises:
        ValueError: there is none.
    """
    first = chain[chain.index(_BEGIN) : chain.index(_END) + len(_END)]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


def shown_certificate(host: str, port: int, timeout: float, name: str = "") -> str:
    """Return the certificate that a server shows, as PEM; nothing else is said to it.

    Args:
        host: where to connect to.
        port: likewise.
        timeout: seconds.
        name: what to ask for, where that is not ``host``.

    Raises:
        OSError: nothing answers there, or not in TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout) as plain,
        context.wrap_socket(plain, server_hostname=name or host) as encrypted,
    ):
        shown = encrypted.getpeercert(binary_form=True)
    if shown is None:
        raise ssl.SSLError("the server shows no certificate")
    return ssl.DER_cert_to_PEM_cert(shown)


def only(certificate: str) -> ssl.SSLContext:
    """Return a context that trusts one certificate, whatever names are in it.

    Args:
        certificate: as PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.load_verify_locations(cadata=certificate)
    # One that others vouch for is trusted without asking them.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
