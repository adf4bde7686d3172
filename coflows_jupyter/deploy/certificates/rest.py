"""What there is to say about a certificate while no server runs."""

from __future__ import annotations

import time

from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import locate
from coflows_jupyter.deploy.certificates.pair import about, read_files
from coflows_jupyter.deploy.certificates.status import CertificateStatus, State, describe, plain
from coflows_jupyter.deploy.certificates.store import Row, Store


def at_rest(config: Config) -> CertificateStatus:
    """Return what a server would show if it were started now; for this, no private key is opened.

    Raises:
        ConfigError: the database, or one's own certificate, can't be used.
        DatabaseError: the database did not answer.
    """
    if not config.encrypts:
        return plain(config)
    row = _stored(config) if config.issues else Row()
    state: State = "failed" if row.failures else "valid"
    if row.chain and about(row.chain).ends > time.time():
        return describe(config, state, "letsencrypt", about(row.chain), reason=row.reason, next_try=row.next_try)
    if config.issues and not row.failures:
        state = "waiting"
    if config.certificate:
        shown = read_files(config.certificate)[0]
        return describe(config, state, "files", shown, reason=row.reason, next_try=row.next_try)
    return describe(config, state, "temporary", reason=row.reason, next_try=row.next_try)


def _stored(config: Config) -> Row:
    database = Database(locate(config))
    try:
        return database.run(Store(config.server.host, config.server.lets_encrypt.directory, "").read, readonly=True)
    finally:
        database.close()
