"""Sign-in pages: identifier and password, then the code; the same answer for everybody until the code is right."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from tornado.routing import URLSpec

from server.core.errors import AppError, TooMany, Unauthenticated
from server.core.words.for_doctor import for_doctor
from server.identity.domain.login import safe_next
from server.identity.errors import LoginCodeExpired
from server.identity.service.login import LoginChallengeInfo
from server.identity.service.sign_ins import SignIn
from server.identity.web.signed_in import SESSION_COOKIE, MaybeSignedIn, SignedIn, SignInWeb
from server.web.errors import XsrfRefused
from server.web.routing import path
from server.web.status import status_of

CHALLENGE_COOKIE = "v15_challenge"
NEXT_COOKIE = "v15_next"
SHORT_DAYS = 10 / 1440


class SignInPage(MaybeSignedIn, ABC):
    """Shows a refusal on the form itself, so that the next try is one click away."""

    @abstractmethod
    def form(self, error: AppError | None, status: int = 200) -> None:
        """Show the form of this page."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer refused tries with the form; everything else as anywhere."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, Unauthenticated | TooMany | XsrfRefused) or not self._is_page():
            super().write_error(status_code, **kwargs)
            return
        self.web.metrics.refused(error.code)
        self.form(error, status_of(error))


class LoginPage(SignInPage):
    """Identifier, password, channel: "Recevoir mon code"."""

    async def get(self) -> None:
        """Show the form; where to go afterwards is kept in a cookie, and only when it is one of our pages."""
        target = self.get_query_argument("next", None)
        if target is not None:
            self.set_secret_cookie(NEXT_COOKIE, safe_next(target), days=SHORT_DAYS)
        if self.user is not None:
            self.redirect(safe_next(target), status=303)
            return
        self.form(None)

    async def post(self) -> None:
        """Ask for a code: always the same answer."""
        challenge = await self.web.login.request_code(
            self.get_body_argument("identifier", ""),
            self.get_body_argument("password", "", strip=False),
            self.get_body_argument("channel", "email"),
            self.request.remote_ip,
            self.get_cookie(NEXT_COOKIE),
        )
        self.set_secret_cookie(CHALLENGE_COOKIE, challenge, days=SHORT_DAYS)
        if not self._is_page():
            self.json({})
            return
        self.redirect("/login/code", status=303)

    def form(self, error: AppError | None, status: int = 200) -> None:
        """Show the form, with what was typed but the password."""
        typed = self.get_body_argument("identifier", "")[:64]
        self.page(
            "identity/login.html",
            status,
            error=for_doctor(error) if error else None,
            identifier=typed or None,
        )


class CodePage(SignInPage):
    """The six digits."""

    info: LoginChallengeInfo | None = None

    async def prepare(self) -> None:
        """Find what this browser waits for."""
        await super().prepare()
        self.info = await self.web.login.challenge_info(self.get_cookie(CHALLENGE_COOKIE))

    async def get(self) -> None:
        """Show the form; without a challenge, start again."""
        if self.info is None:
            self.redirect("/login", status=303)
            return
        self.form(None)

    async def post(self) -> None:
        """Sign in with the right code."""
        cookie, target = await self.web.login.verify(
            self.get_cookie(CHALLENGE_COOKIE),
            self.get_body_argument("code", ""),
            self.request.remote_ip,
            self.get_cookie(SESSION_COOKIE),
        )
        self.set_secret_cookie(SESSION_COOKIE, cookie, days=None)
        for used in (CHALLENGE_COOKIE, NEXT_COOKIE):
            self.clear_cookie(used)
        if not self._is_page():
            made = await self.web.sign_ins.look(cookie)
            self.json(told(made, self.web.clock.now()) if made else {})
            return
        self.redirect(target, status=303)

    def form(self, error: AppError | None, status: int = 200) -> None:
        """Show the form again, or the first one when the code is over."""
        message = for_doctor(error) if error else None
        if self.info is None or isinstance(error, LoginCodeExpired):
            self.page("identity/login.html", status, error=message, identifier=None)
            return
        self.page(
            "identity/code.html",
            status,
            error=message,
            channel=self.info.channel,
            minutes=self.info.minutes,
        )


class SignInHandler(SignedIn):
    """Tells a page how its sign-in stands."""

    finishes = True
    wants_json = True

    async def answer(self) -> None:
        """Look again: what is asked may just have prolonged it."""
        found = await self.web.sign_ins.look(self.get_cookie(SESSION_COOKIE) or "")
        if found is None:
            raise Unauthenticated
        self.json(told(found, self.web.clock.now()))


class SignInStanding(SignInHandler):
    """GET /login/standing."""

    automatic = True

    async def get(self) -> None:
        """Answer with the time that is left; it prolongs nothing."""
        await self.answer()


class SignInSeen(SignInHandler):
    """POST /login/seen: the page saw its person move."""

    async def post(self) -> None:
        """Answer as it stands after that."""
        await self.answer()


def told(sign_in: SignIn, now: datetime) -> dict[str, object]:
    """Say how a sign-in stands, in seconds from now: the clocks of PCs differ."""
    standing = sign_in.standing
    changes = standing.changes
    return {
        "user": sign_in.user.id,
        "stage": standing.stage.value,
        "why": standing.why.value,
        "ends_in": max(0.0, (standing.ends - now).total_seconds()),
        "changes_in": (changes - now).total_seconds() if changes else None,
    }


class Logout(MaybeSignedIn):
    """Ends the session on the server, then in the browser."""

    async def post(self) -> None:
        """Sign out; without a session it changes nothing."""
        if cookie := self.get_cookie(SESSION_COOKIE):
            await self.web.login.logout(cookie, self.request.remote_ip)
        self.clear_cookie(SESSION_COOKIE)
        self.redirect("/login", status=303)


def routes(web: SignInWeb) -> list[URLSpec]:
    """List the paths of signing in and out."""
    return [
        path(r"/login", LoginPage, web=web),
        path(r"/login/code", CodePage, web=web),
        path(r"/login/standing", SignInStanding, web=web),
        path(r"/login/seen", SignInSeen, web=web),
        path(r"/logout", Logout, web=web),
    ]
