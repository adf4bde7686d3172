"""certbot, as a process of its own: inside ours it would change the root logger and want the main thread."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from coflows_jupyter.deploy.certificates.state import NAME, State
from coflows_jupyter.errors import CancelledError, CoflowsError, ConfigError, TimedOutError

LONGEST_SECONDS = 180.0
"""How long certbot may take."""

CHALLENGES = Path(".well-known", "acme-challenge")
"""Where an authority looks for its challenges (RFC 8555, section 8.3)."""

_RUN = "import sys; from certbot.main import main; sys.exit(main())"
# Nothing else of ours concerns a program that talks to strangers.
_ENVIRON = re.compile(
    r"(PATH|PYTHONPATH|PYTHONHOME|VIRTUAL_ENV|LD_LIBRARY_PATH|SYSTEMROOT|TMPDIR"
    r"|https?_proxy|no_proxy|all_proxy|REQUESTS_CA_BUNDLE|SSL_CERT_FILE|SSL_CERT_DIR)$",
    re.IGNORECASE,
)
_DETAIL = re.compile(r"^\s*Detail:\s*(.+)$", re.MULTILINE)
_NOISE = re.compile(r"(Saving debug log|Ask for help|See the logfile|Some challenges have failed|Hint:|- - -|$)")
_UNREACHED = re.compile(r"requests\.exceptions\.(SSLError|ConnectionError|ConnectTimeout|ReadTimeout|ProxyError)")
# As Let's Encrypt says it: "too many …, retry after 2026-11-25 06:30:00 UTC: see …"
_LATER = re.compile(r"retry after (\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)")
_LONGEST_REASON = 500
_HINT = "does the name lead to this computer, and is its port 80 open to the internet?"
# RFC 8555, section 6.5: such a request is to be made again, with another nonce.
_NONCE = re.compile("anti-replay nonce|badNonce")


class RefusedError(CoflowsError):
    """The authority gave no certificate; it may be asked again at ``later``, in seconds since 1970, 0 for any time."""

    def __init__(self, message: str, *, hint: str = "", later: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.later = later


class Authority(NamedTuple):
    """Who gives certificates.

    Args:
        directory: URL of its directory.
        email: whom it writes to.
        ca: file with the certificates that vouch for the server, where this computer does not know them.
    """

    directory: str
    email: str
    ca: Path | None


class Certbot:
    """Asks an authority for certificates of one host; its methods block.

    Args:
        authority: whom to ask.
        host: the name that certificates are for.
        webroot: folder below which the answers to challenges are put.
    """

    def __init__(self, authority: Authority, host: str, webroot: Path) -> None:
        self._authority = authority
        self._host = host
        self._webroot = webroot
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def register(self, state: State) -> State:
        """Make an account.

        Raises:
            RefusedError: the authority did not want one, or did not answer.
            ConfigError: certbot is not installed.
        """
        return self._ask(state, "register", "--agree-tos", "--no-eff-email", "--email", self._authority.email)

    def issue(self, state: State, *, force: bool) -> State:
        """Get a certificate.

        Args:
            state: an account, and perhaps the certificate that there is.
            force: want another one even though that is still good; else the authority is asked whether it is time.

        Raises:
            RefusedError: the authority gave none, or did not answer.
            ConfigError: certbot is not installed.
        """
        words = ["--webroot", "--webroot-path", str(self._webroot), "--domain", self._host, "--cert-name", NAME]
        return self._ask(state, "certonly", *words, "--force-renewal" if force else "--keep-until-expiring")

    def stop(self) -> None:
        """End what is going on, and never begin again; from any thread."""
        self._stopped = True
        process = self._process
        if process is not None:
            process.kill()

    def _ask(self, state: State, verb: str, *words: str) -> State:
        if importlib.util.find_spec("certbot") is None:
            raise ConfigError("certbot is not installed", hint="pip install 'coflows_jupyter[certbot]'")
        try:
            return self._ask_once(state, verb, words)
        except RefusedError as error:
            if not _NONCE.search(error.message):
                raise
            return self._ask_once(state, verb, words)

    def _ask_once(self, state: State, verb: str, words: tuple[str, ...]) -> State:
        with _folder() as folder:
            state.lay(folder / "config")
            places = [f"--{name}-dir={folder / name}" for name in ("config", "work", "logs")]
            server = ["--non-interactive", "--server", self._authority.directory]
            # -P: what lies in the working directory is no part of certbot.
            self._run([sys.executable, "-P", "-c", _RUN, verb, *places, *server, *words], folder)
            return State.collect(folder / "config")

    def _run(self, command: list[str], folder: Path) -> None:
        if self._stopped:
            raise CancelledError("the server stops")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=self._environ(folder, os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            output, _ = self._process.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise TimedOutError(f"{self._authority.directory} took more than {LONGEST_SECONDS:.0f} s") from None
        if self._stopped:
            raise CancelledError("the server stops")
        if self._process.returncode:
            raise self._refusal(output)

    def _refusal(self, output: str) -> RefusedError:
        said = _unreached(output, self._authority) or reason(output)
        return RefusedError(said, hint=_HINT if _DETAIL.search(output) else "", later=later(output))

    def _environ(self, folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
        chosen = {name: value for name, value in environ.items() if _ENVIRON.match(name)}
        bundle = {"REQUESTS_CA_BUNDLE": str(self._authority.ca)} if self._authority.ca else {}
        return {**chosen, **bundle, "HOME": str(folder), "LC_ALL": "C.UTF-8"}


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="coflows-certbot-") as name:
        # Certbot writes the real path into its files.
        yield Path(name).resolve()


def _unreached(output: str, authority: Authority) -> str:
    """Return how it failed to reach the authority, empty when it did not fail at that."""
    match = _UNREACHED.search(output)
    if not match:
        return ""
    if match[1] == "SSLError":
        return f"{authority.directory} has a certificate that this computer does not trust; LetsEncrypt.CA names a file"
    return f"{authority.directory} can't be reached"


def reason(output: str) -> str:
    """Return why certbot failed, of all that it said: what the authority says, else its own last sentence."""
    details = list(dict.fromkeys(match.strip() for match in _DETAIL.findall(output)))
    lines = [line.strip() for line in output.splitlines() if not _NOISE.match(line.strip())]
    found = "; ".join(details) or (lines[-1] if lines else "certbot ended without a reason")
    return found if len(found) <= _LONGEST_REASON else f"{found[:_LONGEST_REASON]}…"


def later(output: str) -> float:
    """Return when the authority may be asked again if it says so, in seconds since 1970; else 0."""
    match = _LATER.search(output)
    if not match:
        return 0.0
    with contextlib.suppress(ValueError):
        found = dt.datetime.fromisoformat(match[1]).replace(tzinfo=dt.UTC).timestamp()
        return max(found, time.time())
    return 0.0
