"""The page to log in on: one document without a script, which asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from string import Template

_FORM = Template("""$problem
<form method="post" action="$action">
$xsrf
<input type="hidden" name="next" value="$target">
<label>User <input name="user" value="$user" autocomplete="username" autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<p class="hint">With the server's own key, which <code>coflows key show</code> prints, leave User empty.</p>
<button>Log in</button>
</form>
""")
_REFUSED = '<p role="alert">Lab is for those who have Write on the Workflow.</p>'
_WELCOME = Template("""<p>You are logged in as $name.</p>
$refused
$links
<p><a href="$logout">Log out</a></p>
""")


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").strip()


@cache
def policy() -> str:
    """Return the content policy of the pages: their own style, a form that is sent here, and nothing else."""
    style = base64.b64encode(hashlib.sha256(_file("login.css").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def login_page(*, action: str, xsrf: str, target: str, user: str = "", problem: str = "") -> str:
    """Return the form.

    Args:
        action: where it is sent.
        xsrf: an input that proves that the form is ours, as HTML.
        target: where to go afterwards.
        user: who tried before.
        problem: what went wrong then.
    """
    said = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    fields = {"action": escape(action), "xsrf": xsrf, "target": escape(target), "user": escape(user), "problem": said}
    return _page(_FORM.substitute(fields))


def welcome_page(name: str, links: dict[str, str], logout: str, *, refused: bool) -> str:
    """Return what those see who don't go to Lab.

    Args:
        name: who it is.
        links: addresses of what they may use, by its name.
        logout: where to log out.
        refused: whether that is because they may not.
    """
    items = "".join(f'<li><a href="{escape(url)}">{escape(text)}</a></li>' for text, url in links.items())
    shown = f"<p>What you may use:</p><ul>{items}</ul>" if items else "<p>There is no Workflow that you may view.</p>"
    return _page(_WELCOME.substitute(name=escape(name), refused=_REFUSED * refused, links=shown, logout=escape(logout)))


def _page(body: str) -> str:
    return Template(_file("login.html")).substitute(style=_file("login.css"), body=body)
