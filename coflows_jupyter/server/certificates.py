"""How the server proves who it is, and asking for a new certificate."""

from __future__ import annotations

import msgspec

from coflows_jupyter.deploy.certificates.keeper import NOBODY_HINT
from coflows_jupyter.errors import NotFoundError
from coflows_jupyter.server.base import BaseHandler


class CertificateHandler(BaseHandler):
    """``/coflows/api/certificate``."""

    def get(self) -> None:
        """Describe the certificate."""
        self.write_json(msgspec.json.encode(self.services.certificate))

    def post(self) -> None:
        """Ask the authority for a new certificate; what becomes of it is to be asked for."""
        certificate = self.services.certificate
        if self.services.keeper is None:
            raise NotFoundError(f"there is nobody to ask for a certificate: {certificate.reason}", hint=NOBODY_HINT)
        self.services.keeper.renew()
        self.set_status(202)
        self.write_json(msgspec.json.encode(self.services.certificate))
