"""A server that speaks SQL Server's protocol as far as the log-in, notes it, and refuses it.

The messages are those of [MS-TDS] (https://learn.microsoft.com/openspecs/windows_protocols/ms-tds): PRELOGIN,
LOGIN7, and a response with the tokens ERROR and DONE. It knows no TLS, so drivers must be told ``Encrypt=no``.
"""

from __future__ import annotations

import socket
import struct
import threading
from typing import NamedTuple, Self

_LOGIN, _RESPONSE = 0x10, 4
_LAST = 1
_REFUSED = 18456
_NO_TLS = b"\x02"


class Login(NamedTuple):
    """What a driver sent to log in."""

    user: str
    password: str
    application: str
    database: str
    packet_size: int


class LoginRecorder:
    """Listens on a port of its own as long as it is entered.

    Attributes:
        logins: what was sent so far.
    """

    def __init__(self) -> None:
        self.logins: list[Login] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(10)
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        _read(client)
        client.sendall(_packet(_prelogin()))
        kind, body = _read(client)
        if kind == _LOGIN:
            self.logins.append(_login(body))
            client.sendall(_packet(_refusal()))
            client.recv(100)


def _read(client: socket.socket) -> tuple[int, bytes]:
    """Read one message, which may come in several packets."""
    body = b""
    while True:
        kind, status, size = struct.unpack(">BBH4x", _exactly(client, 8))
        body += _exactly(client, size - 8)
        if status & _LAST:
            return kind, body


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        assert piece, "the driver hung up"
        data += piece
    return data


def _packet(body: bytes) -> bytes:
    return struct.pack(">BBHHBB", _RESPONSE, _LAST, len(body) + 8, 0, 1, 0) + body


def _prelogin() -> bytes:
    options = ((0, bytes([16, 0, 0, 0, 0, 0])), (1, _NO_TLS), (2, b"\0"), (3, b""), (4, b"\0"))
    start = 5 * len(options) + 1
    head, data = b"", b""
    for token, value in options:
        head += struct.pack(">BHH", token, start + len(data), len(value))
        data += value
    return head + b"\xff" + data


def _login(body: bytes) -> Login:
    def field(index: int) -> bytes:
        offset, length = struct.unpack_from("<HH", body, 36 + 4 * index)
        return body[offset : offset + 2 * length]

    def text(index: int) -> str:
        return field(index).decode("utf-16-le")

    # Every byte's halves are swapped, then it is xored.
    password = bytes(((byte ^ 0xA5) >> 4) | (((byte ^ 0xA5) & 0x0F) << 4) for byte in field(2)).decode("utf-16-le")
    (packet_size,) = struct.unpack_from("<I", body, 8)
    return Login(text(1), password, text(3), text(8), packet_size)


def _refusal() -> bytes:
    message = "Login failed."
    text = struct.pack("<H", len(message)) + message.encode("utf-16-le")
    error = struct.pack("<IBB", _REFUSED, 1, 14) + text + b"\x03" + "rec".encode("utf-16-le") + b"\0"
    error += struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(error)) + error + b"\xfd" + struct.pack("<HHQ", 2, 0, 0)
