"""How the SecretKey, and people's passwords, open Lab: the identity provider of our own launches.

It keeps the key out of everything that a page or a log can show. Jupyter's ``token`` stays blank, because Lab copies
it into every page; the key is compared here instead, and browsers are let in by a cookie.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakSet

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import PasswordIdentityProvider, User
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.websocket import WebSocketHandler
from traitlets import Bool, Instance, default
from traitlets import Callable as CallableTrait

from coflows_jupyter.access.directory import Directory
from coflows_jupyter.access.keys import KeyRing, LoginCodes
from coflows_jupyter.access.pages import login_page, policy, welcome_page
from coflows_jupyter.access.passwords import Doorkeeper
from coflows_jupyter.access.permissions import ADMINISTRATORS, ANONYMOUS, AccessType, Caller, permission
from coflows_jupyter.errors import CoflowsError, DeniedError, answer


@dataclass
class Person(User):
    """A person with an account, who logged in with a password.

    Args:
        account: ID of the account.
        sessions: the account's number of that name at that time; when it grows, the session is over.
    """

    account: str = ""
    sessions: int = 0


class LoginHandler(LoginFormHandler):
    """The page to log in on, which also takes a one-time code from the URL."""

    admits_people = True

    @allow_unauthenticated
    def get(self) -> None:
        """Log in by ``?code=…``, else show the form."""
        code = self.get_argument("code", "")
        provider = self.provider
        if self.current_user:
            self._go_on(self.current_user)
        elif not code:
            self._show()
        elif provider.codes.redeem(code):
            provider.set_login_cookie(self, provider.generate_anonymous_user(self))
            self._redirect_safe(self.target, self.default_url)  # type: ignore[no-untyped-call]
        else:
            hint = "This login link was used already or is too old. Enter the key that `coflows key show` prints."
            self._show(hint, 401)

    @allow_unauthenticated
    async def post(self) -> None:
        """Take the form."""
        name = self.get_argument("user", "").strip()
        try:
            user = await self.provider.log_in(self, name, self.get_argument("password", "", strip=False))
        except CoflowsError as error:
            self._show(error.message, 401 if isinstance(error, DeniedError) else answer(error).status, name)
            return
        self.current_user = user
        self.provider.set_login_cookie(self, user)
        self._go_on(user)

    @property
    def provider(self) -> CoFlowsIdentityProvider:
        """Ours: nobody else's has this page."""
        return cast("CoFlowsIdentityProvider", self.identity_provider)

    @property
    def target(self) -> str:
        """Where to go afterwards."""
        return str(self.get_argument("next", self.default_url))

    def _go_on(self, user: User) -> None:
        """Lead to where the person wanted to go, if they may."""
        ours = self.target.startswith((f"{self.base_url}flow/", f"{self.base_url}coflows/"))
        refused = not self.provider.may_use_lab(user)
        if ours or (self.provider.lab and not refused):
            self._redirect_safe(self.target, self.default_url)  # type: ignore[no-untyped-call]
            return
        links = {name: f"{self.base_url}{path}" for name, path in self.provider.usable(user).items()}
        logout = f"{self.base_url}logout"
        self._finish(welcome_page(user.display_name, links, logout, refused=refused and self.provider.lab))

    def _show(self, problem: str = "", status: int = 200, user: str = "") -> None:
        self.set_status(status)
        action = f"{self.base_url}login"
        xsrf = self.xsrf_form_html()
        self._finish(login_page(action=action, xsrf=xsrf, target=self.target, user=user, problem=problem))

    def _finish(self, page: str) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", policy())
        self.set_header("Cache-Control", "no-store")
        self.finish(page)


class CoFlowsAuthorizer(Authorizer):
    """Lab is for those with Write: contents, kernels, terminals and all else that asks whether it may."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:  # noqa: ARG002 - Jupyter's signature
        """Whether a user may use Lab."""
        provider = self.identity_provider
        return not isinstance(provider, CoFlowsIdentityProvider) or provider.may_use_lab(user)


class CoFlowsIdentityProvider(PasswordIdentityProvider):
    """Whoever has the key of the run is its user; people log in with passwords."""

    keys = Instance(KeyRing, help="The keys of this run.")
    codes = Instance(LoginCodes, (), help="Codes for login links.")
    directory = Instance(Directory, help="The people.")
    doorkeeper = Instance(Doorkeeper, help="Checks passwords.")
    lab = Bool(True, help="Whether there is one.")
    workflows = CallableTrait(help="Gives name by ID of each Workflow that is open.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._sockets: WeakSet[WebSocketHandler] = WeakSet()
        self.directory.listen(self._close_sockets)

    @default("lab")
    def _default_lab(self) -> bool:
        return bool(self.parent.lab)  # type: ignore[union-attr]  # the server application

    @default("keys")
    def _default_keys(self) -> KeyRing:
        return cast("KeyRing", self.parent.keys)  # type: ignore[union-attr]  # the server application

    @default("directory")
    def _default_directory(self) -> Directory:
        return cast("Directory", self.parent.directory)  # type: ignore[union-attr]

    @default("doorkeeper")
    def _default_doorkeeper(self) -> Doorkeeper:
        return cast("Doorkeeper", self.parent.doorkeeper)  # type: ignore[union-attr]

    @default("workflows")
    def _default_workflows(self) -> Callable[[], dict[str, str]]:
        return cast("Callable[[], dict[str, str]]", self.parent.open_workflows)  # type: ignore[union-attr]

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
        """Without Lab there are pages to log in to, too."""
        return True

    @property
    def logout_available(self) -> bool:
        """See ``login_available``."""
        return True

    async def get_user_token(self, handler: web.RequestHandler) -> User | None:
        """Identify the user by a key in the request, compared in constant time."""
        candidate = self.get_token(handler)
        if not candidate or not self.keys.opens_lab(candidate):
            return None
        user = self.get_user_cookie(handler)
        assert user is None or isinstance(user, User)
        return user or self.generate_anonymous_user(handler)

    async def log_in(self, handler: web.RequestHandler, name: str, password: str) -> User:
        """Return who logs in: the bearer of the key when there is no name, else a person with a password.

        Raises:
            DeniedError: what was entered fits nobody.
            ThrottledError: too much did not.
        """
        address = handler.request.remote_ip or ""
        if not name:
            self.doorkeeper.admit("", address)
            if self.keys.opens_lab(password):
                return self.generate_anonymous_user(handler)
            self.doorkeeper.fail("", address)
            raise DeniedError("this is not the server's key; with a password, enter the user, too")
        account = await self.doorkeeper.check(self.directory, name, password, address)
        await self.directory.refresh()
        found = self.directory.snapshot.account(account)
        if found is None:
            raise DeniedError("user and password do not fit")
        return self._person(found.id, found.sessions)

    def _person(self, account: str, sessions: int) -> Person:
        caller = self.directory.person(account, sessions, "http")
        if caller is None:
            raise DeniedError("this session is over")
        initials = "".join(word[0] for word in caller.name.split()[:2]).upper()
        return Person(account, caller.name, caller.name, initials, account=account, sessions=sessions)

    def go_on(self, handler: web.RequestHandler, account: str) -> None:
        """Begin a person's session anew in the browser of a request, after their old ones were ended."""
        found = self.directory.snapshot.account(account)
        if found is not None:
            # Not our own method: that is for handlers that answer programs with no session.
            super().set_login_cookie(handler, self._person(found.id, found.sessions))

    def user_to_cookie(self, user: User) -> str:
        """Keep of a person what tells whether their session is still good; the rest is looked up."""
        if isinstance(user, Person):
            return json.dumps({"account": user.account, "sessions": user.sessions})
        return super().user_to_cookie(user)

    def user_from_cookie(self, cookie_value: str) -> User | None:
        """Return who a session belongs to, ``None`` when it is over."""
        found = json.loads(cookie_value)
        if "account" not in found:
            return super().user_from_cookie(cookie_value)
        try:
            return self._person(found["account"], found["sessions"])
        except DeniedError:
            return None

    async def get_user(self, handler: web.RequestHandler) -> User | None:
        """Identify the user; who may not use Lab is nobody to all handlers that are not ours.

        Jupyter's ``Authorizer`` is asked by handlers that remember to; extensions forget.
        """
        user = await self._get_user(handler)
        if not isinstance(user, Person) or getattr(handler, "admits_people", False):
            return user
        if not self.may_use_lab(user):
            return None
        if isinstance(handler, WebSocketHandler):
            self._sockets.add(handler)
        return user

    def may_use_lab(self, user: User) -> bool:
        """Whether a user has Write on every Workflow that Lab shows."""
        if not isinstance(user, Person):
            return True
        caller = self._caller(user)
        groups = list(self.workflows()) or [ADMINISTRATORS]
        return caller is not None and all(permission(caller, group) >= AccessType.WRITE for group in groups)

    def usable(self, user: User) -> dict[str, str]:
        """Return what a user may view: paths of try-it pages by name."""
        shown = self.workflows()
        if isinstance(user, Person):
            caller = self._caller(user) or ANONYMOUS
            shown = {w: name for w, name in shown.items() if permission(caller, w) >= AccessType.VIEW}
        return {f"Functions of {name}": f"flow/docs/{workflow}" for workflow, name in shown.items()}

    def _caller(self, user: Person) -> Caller | None:
        return self.directory.person(user.account, user.sessions, "http")

    def _close_sockets(self) -> None:
        """End what kernels and terminals say to those who may no more hear it."""
        for handler in list(self._sockets):
            user = getattr(handler, "current_user", None)
            if user is None or not self.may_use_lab(user):
                self._sockets.discard(handler)
                handler.close(1008, "your permission ended")

    def set_login_cookie(self, handler: web.RequestHandler, user: User) -> None:
        """Let a browser in; a program that presents its key to the REST API gets no session that outlives the call."""
        if not isinstance(handler, APIHandler):
            super().set_login_cookie(handler, user)

    def cookie_secret_hook(self, h: hmac.HMAC) -> hmac.HMAC:
        """Make a new key end all sessions of the old one."""
        h = super().cookie_secret_hook(h)
        h.update(self.keys.cookie_material)
        return h
