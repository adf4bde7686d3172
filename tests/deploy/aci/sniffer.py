"""Sees every packet of some ports of the loopback device, as anybody on the way would, and every command line."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Self

import pytest

_ALL_PROTOCOLS = 3
_LARGEST = 1 << 16
_ETHERNET = 14
_LOOK_SECONDS = 0.05


class Sniffer:
    """Keeps what goes over the wire, and the command lines of all processes.

    Args:
        ports: whose packets.

    Attributes:
        wire: all packets, one after the other.
        commands: the command lines.
    """

    def __init__(self, ports: Collection[int]) -> None:
        if not hasattr(socket, "AF_PACKET"):
            pytest.skip("packets can be seen on Linux only")
        self._ports = ports
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(_ALL_PROTOCOLS))
        except PermissionError:
            pytest.skip("only root may see packets")
        self._socket.bind(("lo", 0))
        self._socket.settimeout(_LOOK_SECONDS)
        self.wire = bytearray()
        self.commands: set[bytes] = set()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._look)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._end.is_set():
            with contextlib.suppress(TimeoutError):
                packet = self._socket.recv(_LARGEST)
                start = _ETHERNET + (packet[_ETHERNET] & 15) * 4
                if set(struct.unpack_from("!HH", packet, start)) & set(self._ports):
                    self.wire += packet

    def _look(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.commands.add(file.read_bytes())
