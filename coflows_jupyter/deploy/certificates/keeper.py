"""Keeps a server's certificate valid: shows the best that there is, and gets the next one in time.

Of an issued certificate, one's own files and one that the server makes, the first that is valid is shown. The authority
is asked by one server of a database at a time; the others take what it got.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import Database, open_database
from coflows_jupyter.database.location import locate
from coflows_jupyter.deploy.certificates.certbot import CHALLENGES, Authority, Certbot, RefusedError
from coflows_jupyter.deploy.certificates.pair import About, about, make_context, read_files, self_signed
from coflows_jupyter.deploy.certificates.state import State
from coflows_jupyter.deploy.certificates.status import CertificateStatus, Source, describe, moment
from coflows_jupyter.deploy.certificates.store import Row, Store
from coflows_jupyter.errors import CancelledError, CoflowsError, ConfigError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

log = logging.getLogger(__name__)

FILES_SECONDS = 2.0
"""How often one's own files are looked at."""

LOOK_SECONDS = 30.0
"""How often the database is looked at for what another server got."""

NOBODY_HINT = "set Server.Host and LetsEncrypt.Email"

_BUSY_SECONDS = 1.0
_DAY = 86400.0
_HOUR = 3600.0
# Let's Encrypt forgives five failures an hour.
_PAUSES = (120.0, 300.0, 900.0, 1800.0, _HOUR, 3 * _HOUR)
_START_PATIENCE_SECONDS = 2.0
_CLOSE_SECONDS = 1.0


class Offer(NamedTuple):
    """A certificate that can be shown."""

    source: Source
    about: About
    context: ssl.SSLContext


class Keeper:
    """Keeps the certificate of one server.

    Args:
        config: what the server is to be.
        swap: takes the context for connections that come from now on.
        owner: tells this server from others of the same database, see ``make_owner``.

    Attributes:
        obstacle: why it would be of no use to ask the authority; empty when there is no reason.
        changed: called on the loop when there is something else to say.
    """

    obstacle = ""
    changed: Callable[[], None] | None = None

    def __init__(self, config: Config, swap: Callable[[ssl.SSLContext], None], owner: str) -> None:
        self._config = config
        self._swap = swap
        server = config.server
        self._encrypt = server.lets_encrypt
        self._host = server.host
        self._store = Store(self._host, self._encrypt.directory, owner)
        self._database = open_database(config) if config.issues else None
        self._webroot = tempfile.TemporaryDirectory(prefix="coflows-challenges-")
        authority = Authority(self._encrypt.directory, self._encrypt.email, self._encrypt.ca)
        self._certbot = Certbot(authority, self._host, Path(self._webroot.name))
        self._offers: dict[Source, Offer] = {}
        self._shown: Offer | None = None
        self._row = Row()
        self._state = State()
        self._sealed = ""
        self._trouble = ""
        self._asking = False
        self._forced = False
        self._closing = False
        self._wake = asyncio.Event()
        self._jitter = random.uniform(0, _HOUR)  # noqa: S311 - so that servers do not march in step
        self._stamp = self._stamp_of_files()
        self._told: CertificateStatus | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    # -- what is shown -------------------------------------------------------------------------------------------------

    def prepare(self) -> ssl.SSLContext:
        """Return the context to begin with; it blocks, so it is for the time before the loop runs.

        Raises:
            ConfigError: one's own files can't be used.
        """
        if self._config.certificate:
            self._offers["files"] = Offer("files", *read_files(self._config.certificate))
        if self._config.issues:
            database = Database(locate(self._config), wait=_START_PATIENCE_SECONDS)
            try:
                self._take(database.run(self._store.read, readonly=True))
            except CoflowsError as error:
                self._trouble = error.message
                log.warning("the certificate in the database can't be had: %s", error.message)
            finally:
                database.close()
        return self._choose().context

    def _choose(self) -> Offer:
        """Show the best certificate from now on."""
        now = time.time()
        order: tuple[Source, ...] = ("letsencrypt", "files", "temporary")
        usable = [self._offers[source] for source in order if source in self._offers]
        valid = [offer for offer in usable if offer.about.ends > now]
        if not valid and not usable:
            pair = self_signed(self._host)
            self._offers["temporary"] = Offer("temporary", about(pair.chain), make_context(pair))
            return self._choose()
        best = (valid or usable)[0]
        if best is not self._shown:
            if self._shown is not None:
                log.info("from now on: %s, number %s", best.source, best.about.serial)
            self._shown = best
            self._swap(best.context)
        return best

    @property
    def status(self) -> CertificateStatus:
        """What there is to say."""
        shown, row = self._shown, self._row
        trouble = self._trouble or (row.reason if row.failures else "")
        waits = self._config.issues and "letsencrypt" not in self._offers
        return describe(
            self._config,
            "issuing" if self._asking else "failed" if trouble else "waiting" if waits else "valid",
            shown.source if shown else "",
            shown.about if shown else None,
            reason=trouble,
            next_try=row.next_try if trouble and row.failures else 0,
        )

    def _tell(self) -> None:
        status = self.status
        if status != self._told:
            self._told = status
            if self.changed is not None:
                self.changed()

    @property
    def trusted(self) -> bool:
        """Whether somebody vouches for what is shown, so that browsers may insist on https."""
        shown = self._shown
        return (
            shown is not None
            and not shown.about.own
            and not (shown.source == "letsencrypt" and self._encrypt.staging)
            and shown.about.ends > time.time()
        )

    def answer(self, token: str) -> str | None:
        """Return the answer to a challenge (RFC 8555, section 8.3), ``None`` when there is none.

        The authority may ask another server of this name than the one that asked it. The answer to any challenge
        follows from the account, which they share.

        Args:
            token: the challenge; letters, digits, - and _ only.
        """
        with contextlib.suppress(OSError):
            return Path(self._webroot.name, CHALLENGES, token).read_text()
        return f"{token}.{self._row.thumbprint}" if self._row.thumbprint else None

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to keep it."""
        loop = asyncio.get_running_loop()
        if self._config.issues:
            self._keeping = loop.create_task(self._keep())
        if self._config.certificate:
            self._following = loop.create_task(self._follow_files())

    async def close(self) -> None:
        """End what goes on."""
        self._closing = True
        self._certbot.stop()
        self._wake.set()
        if self._keeping is not None:
            # It gives its lease back, so that the next server need not wait for the end of it.
            await asyncio.wait([self._keeping], timeout=_CLOSE_SECONDS)
        for task in filter(None, (self._keeping, self._following)):
            task.cancel()
            await asyncio.wait([task])
        if self._database is not None:
            await asyncio.to_thread(self._database.close)
        self._webroot.cleanup()

    def renew(self) -> None:
        """Ask the authority for a new certificate, however good the one that is shown.

        Raises:
            NotFoundError: there is no authority to ask.
        """
        if not self._config.issues:
            raise NotFoundError(
                "there is nobody to ask for a certificate", hint="set Server.Host and LetsEncrypt.Email"
            )
        self._asking = self._forced = True
        self._tell()
        self._wake.set()

    async def _follow_files(self) -> None:
        """Show one's own files as soon as they change, both of them."""
        files = self._config.certificate
        assert files
        while True:
            await asyncio.sleep(FILES_SECONDS)
            stamp = await asyncio.to_thread(self._stamp_of_files)
            if stamp == self._stamp:
                continue
            try:
                self._offers["files"] = Offer("files", *await asyncio.to_thread(read_files, files))
            except ConfigError as error:
                # Perhaps one of the two is yet to come.
                if error.message != self._trouble:
                    log.warning("%s; what was shown is shown on", error.message)
                self._trouble = error.message
            else:
                self._stamp = stamp
                self._trouble = ""
                self._choose()
            self._tell()

    def _stamp_of_files(self) -> tuple[tuple[int, int], ...]:
        with contextlib.suppress(OSError):
            return tuple((s.st_mtime_ns, s.st_ino) for s in (f.stat() for f in self._config.certificate or ()))
        return ()

    async def _keep(self) -> None:
        """Have a certificate issued when it is time."""
        while not self._closing:
            self._wake.clear()
            try:
                pause = await self._step()
            except (CoflowsError, OSError) as error:
                # The database, or the key of secrets.
                self._asking = False
                self._trouble = str(error)
                log.warning("the certificate can't be looked after: %s", error)
                pause = LOOK_SECONDS
            except Exception:
                self._asking = False
                self._trouble = "an unexpected error; the log has it"
                log.exception("the certificate can't be looked after")
                pause = LOOK_SECONDS
            self._tell()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _step(self) -> float:
        """Do what is due; return how many seconds nothing is."""
        row = await self._do(self._store.read, readonly=True)
        forced = self._forced
        try:
            await asyncio.to_thread(self._take, row)
        except ConfigError:
            if not forced:
                raise
            self._state = State()
        self._trouble = ""
        self._choose()
        now = time.time()
        due = self._due()
        if now < due and not forced:
            return min(due - now, LOOK_SECONDS)
        if self.obstacle:
            self._trouble, self._asking, self._forced = self.obstacle, False, False
            return LOOK_SECONDS
        if not await self._do(self._store.claim):
            return _BUSY_SECONDS
        self._forced = False
        self._asking = True
        self._tell()
        try:
            await self._ask(force=forced or now >= self._renewal())
            # Whoever waits for the end of this is told of the certificate that came of it.
            await asyncio.to_thread(self._take, await self._do(self._store.read, readonly=True))
            self._choose()
        finally:
            self._asking = False
        return 0

    def _take(self, row: Row) -> None:
        """Take over what the database has.

        Raises:
            ConfigError: it was sealed with another key.
        """
        self._row = row
        if row.sealed == self._sealed:
            return
        self._state = self._store.open(row)
        self._sealed = row.sealed
        pair = self._state.pair
        shown = self._offers.get("letsencrypt")
        if pair and (not shown or shown.about != about(pair.chain)):
            self._offers["letsencrypt"] = Offer("letsencrypt", about(pair.chain), make_context(pair))

    def _renewal(self) -> float:
        offer = self._offers.get("letsencrypt")
        return offer.about.renewal if offer else 0.0

    def _due(self) -> float:
        """Return when the authority is to be asked next: it may want us back early, so at least every day."""
        if self._row.failures:
            return self._row.next_try
        return min(self._renewal(), self._row.checked + _DAY + self._jitter)

    async def _ask(self, *, force: bool) -> None:
        state = self._state
        log.info("asking %s for a certificate of %s", self._encrypt.directory, self._host)
        try:
            if not state.thumbprint:
                state = await asyncio.to_thread(self._certbot.register, state)
                # Before the authority asks: it may ask another server.
                await self._do(lambda c: self._store.keep(c, state, checked=False))
                self._row = await self._do(self._store.read, readonly=True)
            state = await asyncio.to_thread(self._certbot.issue, state, force=force)
        except CancelledError:
            await self._do(self._store.release)
        except CoflowsError as error:
            await self._fail(error)
        else:
            await self._do(lambda c: self._store.keep(c, state, checked=True))

    async def _fail(self, error: CoflowsError) -> None:
        failures = self._row.failures + 1
        pause = _PAUSES[min(failures, len(_PAUSES)) - 1]
        later = error.later if isinstance(error, RefusedError) else 0.0
        next_try = max(time.time() + pause, later)
        reason = error.message.rstrip(".") + (f" ({error.hint})" if error.hint else "")
        log.warning("no certificate for %s: %s; it is tried again at %s", self._host, reason, moment(next_try))
        await self._do(lambda c: self._store.fail(c, failures, next_try, reason))

    async def _do(self, work: Callable[[Connection], T], *, readonly: bool = False) -> T:
        if self._database is None:
            raise ConfigError("there is no database to keep the certificate in", hint="look at Database.Connection")
        return await asyncio.wrap_future(self._database.submit(work, readonly=readonly))
