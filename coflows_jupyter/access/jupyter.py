"""How the SecretKey opens Lab: the identity provider of our own launches.

It keeps the key out of everything that a page or a log can show. Jupyter's ``token`` stays blank, because Lab copies
it into every page; the key is compared here instead, and browsers are let in by a cookie.
"""

from __future__ import annotations

import hmac
from typing import Any, cast

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import PasswordIdentityProvider, User
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.base.handlers import APIHandler
from tornado import web
from traitlets import Bool, Instance, default

from coflows_jupyter.access.keys import KeyRing, LoginCodes


class LoginHandler(LoginFormHandler):
    """Jupyter's login page, which also takes a one-time code from the URL."""

    @allow_unauthenticated
    def get(self) -> None:
        """Log in by ``?code=…``, else show the form."""
        code = self.get_argument("code", "")
        provider = self.identity_provider
        assert isinstance(provider, CoFlowsIdentityProvider)
        if not code or self.current_user:
            super().get()  # type: ignore[no-untyped-call]
        elif provider.codes.redeem(code):
            provider.set_login_cookie(self, provider.generate_anonymous_user(self))
            target = self.get_argument("next", self.default_url)
            self._redirect_safe(target, self.default_url)  # type: ignore[no-untyped-call]
        else:
            self.set_status(401)
            hint = "This login link was used already or is too old. Enter the key that `coflows key show` prints."
            self._render(message={"error": hint})  # type: ignore[no-untyped-call]


class CoFlowsIdentityProvider(PasswordIdentityProvider):
    """Whoever has the key of the run is its user."""

    keys = Instance(KeyRing, help="The keys of this run.")
    codes = Instance(LoginCodes, (), help="Codes for login links.")
    lab = Bool(True, help="Whether there are pages to log in to.")

    @default("keys")
    def _default_keys(self) -> KeyRing:
        return cast("KeyRing", self.parent.keys)  # type: ignore[union-attr]  # the server application

    @default("lab")
    def _default_lab(self) -> bool:
        return bool(self.parent.lab)  # type: ignore[union-attr]

    @default("token")
    def _token_default(self) -> str:
        return ""

    @default("allow_password_change")
    def _default_allow_password_change(self) -> bool:
        return False

    @default("login_handler_class")
    def _default_login_handler_class(self) -> type[web.RequestHandler]:
        return LoginHandler

    @default("cookie_options")
    def _default_cookie_options(self) -> dict[str, Any]:
        return {"samesite": "Lax"}

    @property
    def auth_enabled(self) -> bool:
        """There is no run without a key."""
        return True

    @property
    def login_available(self) -> bool:
        """Whether there are pages to log in to."""
        return self.lab

    @property
    def logout_available(self) -> bool:
        """Whether there are pages to log out of."""
        return self.lab

    async def get_user_token(self, handler: web.RequestHandler) -> User | None:
        """Identify the user by a key in the request, compared in constant time."""
        candidate = self.get_token(handler)
        if not candidate or not self.keys.opens_lab(candidate):
            return None
        user = self.get_user_cookie(handler)
        assert user is None or isinstance(user, User)
        return user or self.generate_anonymous_user(handler)

    def process_login_form(self, handler: web.RequestHandler) -> User | None:
        """Identify the user by the key typed into the login form."""
        if self.keys.opens_lab(handler.get_argument("password", "")):
            return self.generate_anonymous_user(handler)
        return None

    def set_login_cookie(self, handler: web.RequestHandler, user: User) -> None:
        """Let a browser in; a program that presents its key to the REST API gets no session that outlives the call."""
        if not isinstance(handler, APIHandler):
            super().set_login_cookie(handler, user)

    def cookie_secret_hook(self, h: hmac.HMAC) -> hmac.HMAC:
        """Make a new key end all sessions of the old one."""
        h = super().cookie_secret_hook(h)
        h.update(self.keys.cookie_material)
        return h
