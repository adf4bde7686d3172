"""What certbot keeps in its folder, as one text: the account at the authority and the latest certificate.

The text is all that a database has to keep, and what a server on another computer goes on with.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Self

import msgspec

from coflows_jupyter.deploy.certificates.pair import Pair

NAME = "coflows"
"""How certbot calls our certificate."""

_ACCOUNTS = "accounts"
_LIVE = Path("live", NAME)
_ARCHIVE = Path("archive", NAME)
_RENEWAL = Path("renewal", f"{NAME}.conf")
_PARTS = ("cert", "chain", "fullchain", "privkey")
# Stands for the folder in files that name it.
_FOLDER = "{folder}"
# RFC 7638, section 3.2
_THUMBPRINT = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}


class State(msgspec.Struct, frozen=True):
    """The files below certbot's folder that matter; those of the certificate are missing before the first."""

    files: dict[str, str] = {}

    def __repr__(self) -> str:
        """Return a text without keys."""
        return f"State({', '.join(sorted(self.files))})"

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return what ``encode`` was given."""
        return msgspec.json.decode(text, type=cls)

    def encode(self) -> str:
        """Return it as a text."""
        return msgspec.json.encode(self).decode()

    @property
    def pair(self) -> Pair | None:
        """The latest certificate."""
        chain, key = (self.files.get(str(_LIVE / f"{part}.pem")) for part in ("fullchain", "privkey"))
        return Pair(chain, key) if chain and key else None

    @property
    def thumbprint(self) -> str:
        """What tells the account from others (RFC 7638), no secret; empty when there is none yet."""
        for name, text in self.files.items():
            if Path(name).name == "private_key.json":
                key = json.loads(text)
                members = {member: key[member] for member in _THUMBPRINT[key["kty"]]}
                canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
                return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
        return ""

    @classmethod
    def collect(cls, folder: Path) -> Self:
        """Return what certbot left in ``folder``."""
        files = {
            str(path.relative_to(folder)): path.read_text()
            for path in (folder / _ACCOUNTS).rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        if (folder / _RENEWAL).exists():
            files[str(_RENEWAL)] = (folder / _RENEWAL).read_text().replace(str(folder), _FOLDER)
            for part in _PARTS:
                name = _LIVE / f"{part}.pem"
                files[str(name)] = (folder / name).read_text()
        return cls(files)

    def lay(self, folder: Path) -> None:
        """Put it into an empty folder as certbot expects it."""
        for name, text in self.files.items():
            path = Path(name)
            if path.parent == _LIVE:
                self._write(folder / _ARCHIVE / f"{path.stem}1.pem", text)
                (folder / _LIVE).mkdir(parents=True, exist_ok=True, mode=0o700)
                (folder / path).symlink_to(os.path.join("..", "..", _ARCHIVE, f"{path.stem}1.pem"))  # noqa: PTH118 - Path drops the dots' meaning
            else:
                self._write(folder / path, text.replace(_FOLDER, str(folder)) if path == _RENEWAL else text)

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
