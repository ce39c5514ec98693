"""Handlers that know who asks: the one place where a sign-in, its end and a permission are checked.

A handler that asks for a permission derives from `SignedIn` (a socket from `SignedInSocket`); those of web know nobody.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from server.core.audit_entries import Actor
from server.core.errors import Forbidden, Unauthenticated
from server.core.sites import Site
from server.identity.domain.access import Permission, may
from server.identity.domain.login import HOME, safe_next
from server.identity.domain.users import User
from server.identity.errors import SignInOver
from server.identity.service.login import Login
from server.identity.service.sign_ins import SignIn, SignIns
from server.web.base import BaseHandler, Web
from server.web.routing import Asked
from server.web.sockets.page_socket import PageSocket

SESSION_COOKIE: Final = "v15_session"
STATION_COOKIE: Final = "v15_station"  # of the PC, whoever is signed in


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInWeb(Web):
    """What a handler needs that knows who asks."""

    login: Login
    sign_ins: SignIns


class MaybeSignedIn(BaseHandler):
    """Knows who is signed in, and needs nobody to be."""

    finishes: ClassVar[bool] = False  # serves a video that goes on when the sign-in has ended

    web: SignInWeb

    def __init__(self, *asked: *Asked, web: SignInWeb) -> None:
        """Start with nobody."""
        super().__init__(*asked, web=web)
        self.user: User | None = None
        self.site: Site | None = None
        self.sign_in: SignIn | None = None
        self.held: frozenset[str] | None = None  # the videos that may be finished; None: signed in

    async def prepare(self) -> None:
        """Find who is signed in."""
        await super().prepare()
        await self.identify()

    async def identify(self) -> None:
        """Find who is signed in; of a sign-in that ended, who may finish something here."""
        cookie = self.get_cookie(SESSION_COOKIE)
        found = await self.web.sign_ins.look(cookie) if cookie else None
        if found is None:
            return
        if found.over:
            held = await self.web.sign_ins.held(found) if self.finishes else frozenset()
            if not held:
                return
            self.held = held
        self.sign_in, self.user, self.site = found, found.user, found.site

    def me(self) -> tuple[User, Site]:
        """Return the signed-in user and site; only for handlers that require it."""
        if self.user is None or self.site is None:
            raise Unauthenticated
        return self.user, self.site

    def actor(self, source: str = "desk") -> Actor:
        """Return who acts, for the audit."""
        user, site = self.me()
        return Actor(source, site.id, user.id, self.request.remote_ip)

    def shown(self) -> dict[str, Any]:
        """Say who is signed in on every page."""
        return {**super().shown(), "me": self.user, "site": self.site}

    def asking(self) -> dict[str, str]:
        """Return who asks, for the log: ids, and nothing for a stranger."""
        if self.user is None or self.site is None:
            return {}
        return {"user": self.user.id, "site": self.site.id}


class SignedIn(MaybeSignedIn):
    """Needs somebody who is signed in, and has the `permission`; None: whoever it is."""

    permission: ClassVar[Permission | None] = None
    automatic: ClassVar[bool] = False  # asked for by a page, not by a person: prolongs no sign-in

    async def prepare(self) -> None:
        """Refuse who is not signed in, and who may not."""
        await super().prepare()
        if self.user is None:
            raise Unauthenticated
        if self.permission is not None and not may(self.user.role, self.permission):
            raise Forbidden(self.permission)
        if self.sign_in is not None and not self.automatic:
            await self.web.sign_ins.touch(self.sign_in)

    def check_held(self, session: str) -> None:
        """Refuse another video than those that a sign-in that ended may finish."""
        if self.held is not None and session not in self.held:
            raise SignInOver("not_held")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Lead who is not signed in to the sign-in, and back afterwards."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        reads = self.request.method == "GET" and self._is_page()
        if not isinstance(error, Unauthenticated) or not reads:
            super().write_error(status_code, **kwargs)
            return
        self.web.metrics.refused(error.code)
        self.redirect(self.sign_in_url())

    def sign_in_url(self) -> str:
        """Where to send who is not signed in, and shall come back here; the desk keeps its launch id."""
        target = safe_next(self.request.path)
        return "/login" if target == HOME else f"/login?{urlencode({'next': target})}"


class SignedInSocket(SignedIn, PageSocket):
    """A page connected by a WebSocket, of somebody who is signed in."""

    automatic = True

    web: SignInWeb

    @property
    def stranger(self) -> bool:
        """Who speaks is known before its hello."""
        return False
