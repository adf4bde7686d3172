"""Where revisions are on this computer: a cache of what the database holds."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shutil
from pathlib import Path
from urllib.parse import quote

from coflows_jupyter.config import Config
from coflows_jupyter.deploy.manifest import Manifest
from coflows_jupyter.deploy.revisions import Revision
from coflows_jupyter.deploy.unpack import unpack
from coflows_jupyter.errors import BundleError
from coflows_jupyter.workflow.package import FILE_NAME, Package, read_package

FOLDERS = ("mnt", "workflow")
"""How the folder of a Workflow may be called: user code may open its files as ``mnt/…``, which the name decides."""

_INCOMING = ".incoming-"


def folder_name(wanted: str) -> str:
    """Return how the folder is called here of a Workflow whose folder was called ``wanted`` elsewhere."""
    return wanted if wanted in FOLDERS else FOLDERS[1]


class Incoming:
    """A bundle that came in, unpacked.

    Args:
        workflow: the Workflow's ID.
        data: the zip.
        package_file: its package.json.
        manifest: what is in it.
        name: the Workflow's name.
    """

    def __init__(self, workflow: str, data: bytes, package_file: Path, manifest: Manifest, name: str) -> None:
        self.workflow = workflow
        self.data = data
        self.package_file = package_file
        self.manifest = manifest
        self.name = name

    @property
    def folder(self) -> str:
        """How its folder is called."""
        return self.package_file.parent.name

    def discard(self) -> None:
        """Delete what was unpacked, unless it was moved."""
        shutil.rmtree(self.package_file.parents[1], ignore_errors=True)


class Places:
    """The revisions of one server.

    Args:
        config: the server's.
    """

    def __init__(self, config: Config) -> None:
        self._mark = hashlib.sha256(str(config.file or config.folder).encode()).hexdigest()[:16]

    def take(self, data: bytes, workflow: str, folder: str) -> Incoming:
        """Unpack a bundle.

        Args:
            data: the zip.
            workflow: ID of the Workflow that it is meant for.
            folder: how its folder was called.

        Raises:
            BundleError: it can't be used, or is of another Workflow.
            PackageError: its package.json can't be read.
        """
        target = self._of(workflow) / f"{_INCOMING}{secrets.token_hex(4)}" / folder_name(folder)
        target.parent.mkdir(parents=True)
        try:
            manifest = unpack(data, target)
            package = read_package(target / FILE_NAME)
            _check(package, workflow)
        except BaseException:
            shutil.rmtree(target.parent, ignore_errors=True)
            raise
        return Incoming(workflow, data, target / FILE_NAME, manifest, package.name)

    def settle(self, incoming: Incoming, number: int) -> Path:
        """Move what came in to the place of its revision; return its package.json there."""
        package_file = self._package_file(incoming.workflow, number, incoming.manifest.digest, incoming.folder)
        shutil.rmtree(package_file.parents[1], ignore_errors=True)
        incoming.package_file.parents[1].rename(package_file.parents[1])
        return package_file

    def discard(self, incoming: Incoming, number: int) -> None:
        """Delete what came in, wherever it is."""
        incoming.discard()
        place = self._package_file(incoming.workflow, number, incoming.manifest.digest, incoming.folder).parents[1]
        shutil.rmtree(place, ignore_errors=True)

    def find(self, revision: Revision) -> Path | None:
        """Return the package.json of a revision, ``None`` when it is not on this computer."""
        package_file = self._package_file(revision.workflow, revision.number, revision.digest, revision.folder)
        return package_file if package_file.is_file() else None

    def prune(self, workflow: str, *numbers: int) -> None:
        """Delete what is here of a Workflow but the revisions of these numbers, and what comes in now."""
        with contextlib.suppress(OSError):
            for place in self._of(workflow).iterdir():
                if place.name.startswith(_INCOMING) or place.name.partition("-")[0] in set(map(str, numbers)):
                    continue
                shutil.rmtree(place, ignore_errors=True)

    def _package_file(self, workflow: str, number: int, digest: str, folder: str) -> Path:
        """Return where the package.json of a revision is, or would be."""
        return self._of(workflow) / f"{number}-{digest[:16]}" / folder_name(folder) / FILE_NAME

    def _of(self, workflow: str) -> Path:
        import platformdirs

        # A dot is what quote leaves and a folder's name may not be.
        name = quote(workflow, safe="").replace(".", "%2E")
        return Path(platformdirs.user_cache_dir("coflows", appauthor=False)) / "revisions" / self._mark / name


def _check(package: Package, workflow: str) -> None:
    if package.id != workflow:
        raise BundleError(f"the bundle is of the Workflow {package.id!r}, not {workflow!r}")
