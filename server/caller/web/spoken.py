"""GET and POST /c: a caller who gets no SMS types the six digits the doctor reads aloud (docs/adr/0011)."""

import secrets
from typing import Any, Final

from tornado.routing import Rule

from server.caller.web.page import BROWSER_COOKIE, CallerPage
from server.core.errors import AppError
from server.core.words.for_caller import for_caller
from server.core.words.languages import choose
from server.invitations.errors import SpokenCodeThrottled, SpokenCodeWrong
from server.invitations.service.links import InvitationLinks
from server.invitations.service.spoken import SpokenCodes
from server.web.base import Web
from server.web.errors import CookiesMissing, XsrfRefused
from server.web.link_as_sent import CODE
from server.web.links import DottedHostMatches, LinkAsSentMatches, PageAsSent
from server.web.routing import Asked, path, rule
from server.web.status import status_of

#: Refusals that the form itself shows.
SHOWN: Final = (SpokenCodeWrong, SpokenCodeThrottled, CookiesMissing, XsrfRefused)


class SpokenCodePage(CallerPage):
    """One field, with or without JavaScript; the link it leads to is bound by the tap, not here (I5)."""

    def __init__(
        self, *asked: *Asked, web: Web, links: InvitationLinks, spoken: SpokenCodes
    ) -> None:
        super().__init__(*asked, web=web, links=links)
        self.spoken = spoken

    async def get(self, token: str = "") -> None:
        """Show the field."""
        del token  # there is none in this address
        self._form(None)

    async def head(self, token: str = "") -> None:
        """Leave nothing."""
        del token
        self.finish()

    async def post(self) -> None:
        """Go on to the link, or show the field again and what to do."""
        browser = self.own_cookie(BROWSER_COOKIE) or secrets.token_urlsafe(24)
        typed = self.get_body_argument("code", "")
        token = await self.spoken.redeem(typed, self.request.remote_ip, browser)
        self.set_secret_cookie(BROWSER_COOKIE, browser, days=1)
        lang = self._language()
        # A language taken by hand goes along; the phone's own goes without saying.
        own = choose(self.request.headers.get("Accept-Language"))
        self.redirect(f"/v/{token}" + (f"?lang={lang}" if lang != own else ""), status=303)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer a wrong code with the field; everything else as anywhere."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, SHOWN) and self._is_page():
            self.web.metrics.refused(error.code)
            self.set_status(status_of(error))
            self._form(error)
            return
        super().write_error(status_code, **kwargs)

    def _form(self, error: AppError | None) -> None:
        self.name_browser(BROWSER_COOKIE, 1)
        self._show(
            "caller/code.html",
            self._language(),
            "",
            phase="code",
            error=error.code if error else "",
            said=for_caller(error) if error else (),
        )


class SpokenCodePageAsSent(PageAsSent, SpokenCodePage):
    """GET /c…: the address read aloud, as it was typed."""

    letter = CODE


def routes(web: Web, *, spoken: SpokenCodes, links: InvitationLinks) -> list[Rule]:
    """List the path read aloud."""
    return [
        rule(DottedHostMatches(CODE), SpokenCodePageAsSent, web=web, spoken=spoken, links=links),
        path(r"/c", SpokenCodePage, web=web, spoken=spoken, links=links),
        rule(LinkAsSentMatches(CODE), SpokenCodePageAsSent, web=web, spoken=spoken, links=links),
    ]
