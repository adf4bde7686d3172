"""Which files of a Workflow's folder stay where they are when the Workflow travels.

``.coflowsignore`` beside package.json says it in the syntax of gitignore (https://git-scm.com/docs/gitignore). What
opens other systems, configurations, databases and caches stay whatever it says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from coflows_jupyter.access.secrets import key_file
from coflows_jupyter.database.location import locate
from coflows_jupyter.errors import BundleError
from coflows_jupyter.values import resolve_path
from coflows_jupyter.workflow.copies import FOLDER as COPIES

if TYPE_CHECKING:
    from coflows_jupyter.config import Config

FILE_NAME = ".coflowsignore"

# In small letters, because names are compared so: a disk may not tell My.AzureAuth from my.azureauth.
_SECRET = [
    "*.azureauth",
    "*coflows_config*.json",
    "*quantapp_config*.json",
    ".env",
    ".env.*",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".aws/",
    ".azure/",
    ".docker/",
    ".gnupg/",
    ".kube/",
    ".ssh/",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "*.jks",
    "*.kdbx",
    "*.key",
    "*.keystore",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.db",
    "*.db-*",
    "*.sqlite",
    "*.sqlite-*",
    "*.sqlite3",
    "*.sqlite3-*",
]

_LEFTOVERS = f"""
.git
.hg/
.svn/
.venv/
venv/
node_modules/
__pycache__/
*.py[cod]
.cache/
.hypothesis/
.ipynb_checkpoints/
.mypy_cache/
.pytest_cache/
.ruff_cache/
.ds_store
thumbs.db
/{COPIES.lower()}/
""".split()

_IS_SECRET = GitIgnoreSpec.from_lines(_SECRET)
_IS_LEFTOVER = GitIgnoreSpec.from_lines(_LEFTOVERS)

# A certificate may travel, a private key may not, and both are kept in files of these endings.
_MAY_BE_KEY = frozenset({"", ".cer", ".crt", ".pem", ".txt"})
_KEY = re.compile(rb"^-----BEGIN [A-Z ]*PRIVATE KEY-----", re.MULTILINE)
# A configuration, credentials for Azure or for Google, whatever the file is called.
_CREDENTIALS = re.compile(rb'"(?:SecretKey|clientSecret|private_key)"\s*:\s*"')


class Ignore:
    """Tells what stays.

    Args:
        folder: absolute folder of package.json.
        config: what it names, like its AuthFile and its database, stays too.

    Raises:
        BundleError: a line of ``.coflowsignore`` can't be read.
    """

    def __init__(self, folder: Path, config: Config) -> None:
        self._folder = folder
        self._named = {os.path.realpath(path) for path in _named(config)}
        self._chosen = _read(folder / FILE_NAME)

    def is_secret(self, path: str) -> bool:
        """Tell whether a file or, with a slash at the end, a folder stays whatever ``.coflowsignore`` says.

        Args:
            path: from the Workflow's folder, with slashes.
        """
        if _IS_SECRET.match_file(path.lower()):
            return True
        return os.path.realpath(self._folder / path) in self._named

    def is_left(self, path: str) -> bool:
        """Tell whether it stays because tools make it anew, or because ``.coflowsignore`` says so."""
        return _IS_LEFTOVER.match_file(path.lower()) or self._chosen.match_file(path)


def holds_secret(path: str, content: bytes) -> bool:
    """Tell whether a file that its name doesn't give away is a private key, a configuration or credentials."""
    ending = PurePath(path).suffix.lower()
    if ending == ".json":
        return bool(_CREDENTIALS.search(content))
    return ending in _MAY_BE_KEY and bool(_KEY.search(content))


def _read(file: Path) -> GitIgnoreSpec:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, UnicodeDecodeError):
        raise BundleError(f"{file} can't be read", hint="save it as UTF-8 text that you may read") from None
    for number, line in enumerate(lines, 1):
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            raise BundleError(f"{file}:{number}: {line!r} is no pattern", hint="write it as in .gitignore") from None
    return GitIgnoreSpec.from_lines(lines)


def _named(config: Config) -> Iterator[Path]:
    """Yield the files that a configuration names and that hold what only this computer may know."""
    if config.file:
        yield config.file
    if config.azure_container_instance and config.azure_container_instance.auth_file:
        yield config.azure_container_instance.auth_file
    if config.database.type == "sqlite" and (database := locate(config).file):
        yield from (database.with_name(database.name + end) for end in ("", "-wal", "-shm", "-journal"))
    yield key_file()
    yield from _references(config.folder, config.document.value)


def _references(folder: Path, value: object) -> Iterator[Path]:
    """Yield the files of ``file:PATH`` references."""
    if isinstance(value, str) and value.startswith("file:"):
        yield resolve_path(folder, value.removeprefix("file:"))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _references(folder, item)
