"""``python -m coflows_jupyter.server.probe``: does the server in this container live? Its image's HEALTHCHECK asks."""

from __future__ import annotations

import ssl
import sys
import urllib.error
import urllib.request

from coflows_jupyter.notebook.servers import running_servers

_SECONDS = 4.0


def probe() -> str:
    """Return what is wrong, empty when nothing is."""
    server = next(running_servers(), None)
    if server is None:
        return "no server runs here"
    # The certificate is for the name that others use, and nothing secret is sent.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"{server.url}coflows/api/health", timeout=_SECONDS, context=context):  # noqa: S310
            return ""
    except (OSError, urllib.error.URLError) as error:
        return f"{server.url} does not answer: {error}"


if __name__ == "__main__":
    sys.exit(probe() or 0)
