"""The caller's mobile link: a page that changes nothing until a visible script says so, then one tap (I5)."""

import secrets
from typing import Any

from server.caller.domain import way_out
from server.core.errors import AppError, Invalid, NotFound
from server.core.site_policy import SnapshotPolicy
from server.core.sites import Site
from server.core.words.for_caller import for_caller
from server.core.words.languages import BY_CODE, choose
from server.invitations.domain.invitation import Invitation
from server.invitations.errors import InvitationLinkRevoked
from server.invitations.service.links import InvitationLinks, OpenedPage
from server.video.domain.session import (
    BEFORE_ASKING,
    PAGE_BARRED,
    Session,
)
from server.video.errors import OpenElsewhere, SessionEnded
from server.video.service.ice import IceServers
from server.video.service.rooms import Rooms
from server.web.base import BaseHandler, Web
from server.web.errors import (
    InvitationLinkExpired,
    InvitationLinkUnknown,
    OriginForeign,
)
from server.web.link_as_sent import CALLER
from server.web.links import InvitationLinkHandler, PageAsSent
from server.web.routing import Asked
from server.web.sockets.rate_limiter import RateLimiter
from server.web.status import status_of

# Opening, tapping and giving back the links of one session: each takes the database's writer.
GESTURES_BURST = 40
GESTURES_A_SECOND = 0.5
BROWSER_COOKIE = "v15_browser"
BROWSER_DAYS = 0.25  # longer than any call
MAX_OPENED = 1024
PHASES: dict[type[AppError], str] = {
    InvitationLinkExpired: "expired",
    InvitationLinkRevoked: "revoked",
    OpenElsewhere: "elsewhere",
    SessionEnded: "ended",
    InvitationLinkUnknown: "unknown",
}


class CallerPage(InvitationLinkHandler):
    """GET /v/TOKEN."""

    def __init__(self, *asked: *Asked, web: Web, links: InvitationLinks) -> None:
        super().__init__(*asked, web=web)
        self.links = links

    async def get(self, token: str) -> None:
        """Show the big button, or why not; neither consumes nor counts anything (previews and scanners do GET)."""
        found = await self._look(token)
        # Where nothing is bound yet, only a tap makes this value mean something.
        bound = isinstance(found, tuple) and found[0].browser_hash is not None
        self.name_browser(BROWSER_COOKIE, BROWSER_DAYS, bound=bound)
        if isinstance(found, tuple):
            invitation, session, site = found
            lang = self._language(session.language)
            pages = self.web.pages
            boot = {
                "token": token,
                "phase": "invite",
                # This very browser has tapped before: it was closed, or killed, and goes on.
                "bound": invitation.browser_hash is not None,
                "stills": site.policy.snapshots is SnapshotPolicy.STORE,
                "strings": pages.words(lang),
                "words": pages.words_urls(),
            }
            self._show("caller/main.html", lang, site.name, boot=boot, **self._way_out(token))
            return
        await self._closed(token, found)

    async def head(self, token: str) -> None:
        """Say what a GET would, and leave nothing: mail scanners and messengers ask so before they show a link."""
        lost = 0
        try:
            await self.links.look(token, self.get_cookie(BROWSER_COOKIE))
        except tuple(PHASES) as refusal:
            lost = 404 if isinstance(refusal, InvitationLinkUnknown) else 410
        self.set_status(lost or 200)
        self.finish()

    async def _look(self, token: str) -> tuple[Invitation, Session, Site] | AppError:
        """Return the link, its video and the site when it works in this browser.

        Else the refusal: a page, not an error here.
        """
        try:
            found, session, site = await self.links.look(token, self.get_cookie(BROWSER_COOKIE))
        except tuple(PHASES) as refusal:
            self.web.metrics.refused(refusal.code)
            return refusal
        return found, session, site

    def _close(self, why: AppError, site_name: str) -> None:
        """Show why a link does not work, and what to do."""
        self.set_status(404 if isinstance(why, InvitationLinkUnknown) else 410)
        title, text = for_caller(why)
        phase = PHASES[type(why)]
        self._show(
            "caller/closed.html", self._language(), site_name, phase=phase, title=title, text=text
        )

    async def _closed(self, token: str, refusal: AppError) -> None:
        """Say why the link does not work here."""
        of = await self.links.site_of(token)
        self._close(refusal, of.name if of else "")

    def _way_out(self, token: str) -> dict[str, str]:
        """Return what a page needs whose script does not run: where to say so, and how to open it elsewhere.

        A language that was taken by hand stays.
        """
        link = f"{self.request.protocol}://{self.request.host}/v/{token}"
        address, browser = way_out(self.request.headers.get("User-Agent", ""), link)
        taken = self.language_asked()
        return {
            "path": f"/v/{token}",
            "query": f"?lang={taken}" if taken else "",
            "link": link,
            "outside": address,
            "browser": browser,
        }

    def _language(self, kept: str | None = None) -> str:
        known = self.language_asked() or (kept if kept in BY_CODE else None)
        return known or choose(self.request.headers.get("Accept-Language"))

    def _show(self, template: str, lang: str, site_name: str, **context: object) -> None:
        xsrf = self.xsrf_token.decode()
        html = self.web.pages.render(
            template, lang, site_name=site_name, xsrf_token=xsrf, demo=self.web.demo, **context
        )
        self.finish(html)


class CallerPageAsSent(PageAsSent, CallerPage):
    """GET /v/…."""

    letter = CALLER

    def say_unknown(self) -> None:
        """Say so on the caller's page."""
        self.web.metrics.refused(InvitationLinkUnknown.code)
        self._close(InvitationLinkUnknown("no_token"), "")


class CallerWords(BaseHandler):
    """GET /v/words/LANG."""

    wants_json = True

    async def get(self, lang: str) -> None:
        """Answer with the page's sentences in another language, so that it need not be loaded again."""
        if lang not in BY_CODE:
            raise NotFound("language")
        if self.get_query_argument("v", "") == self.web.pages.words_print(lang):
            self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.json(self.web.pages.words(lang))


class _Gesture(InvitationLinkHandler):
    """What a page does to its link, at the pace of its session."""

    wants_json = True

    def __init__(
        self, *asked: *Asked, web: Web, links: InvitationLinks, gestures: RateLimiter
    ) -> None:
        super().__init__(*asked, web=web)
        self.links = links
        self.gestures = gestures

    async def admit(self, token: str, browser: str | None) -> None:
        """Refuse who may not use this link, then who uses it too often.

        Who guesses is answered from a read and is not counted: a made-up link makes nobody forget a real one, and the
        second reader of a link spends nothing of the first one's.
        """
        _, session, _ = await self.links.look(token, browser)
        self.gestures.check(session.id, self.web.clock.now())


class CallerOpen(_Gesture):
    """POST /v/TOKEN/open."""

    def __init__(
        self,
        *asked: *Asked,
        web: Web,
        links: InvitationLinks,
        gestures: RateLimiter,
        rooms: Rooms,
        ice: IceServers,
    ) -> None:
        super().__init__(*asked, web=web, links=links, gestures=gestures)
        self.rooms = rooms
        self.ice = ice

    async def post(self, token: str) -> None:
        """A visible page's script reports itself, and learns what it needs to prepare its offer."""
        browser = self.get_cookie(BROWSER_COOKIE)
        page = self._page(await self.json_body(MAX_OPENED))
        await self.admit(token, browser)
        session = await self.links.opened(token, self.request.remote_ip, browser, page)
        if page.trouble:
            self.web.metrics.page_cannot(page.trouble)
        watchers = list(self.rooms.get(session.id).desks)
        self.json({"ice": self.ice.for_session(session.id), "watchers": watchers})

    def _page(self, body: dict[str, Any]) -> OpenedPage:
        """Take what the page says of itself; what it cannot know is what its browser asks for."""
        language, trouble = body.get("language"), body.get("camera")
        if not isinstance(language, str) or language not in BY_CODE:
            language = choose(self.request.headers.get("Accept-Language"))
        known = trouble if trouble in PAGE_BARRED else None
        return OpenedPage(language, body.get("chosen") is True, known)


class CallerTap(_Gesture):
    """POST /v/TOKEN/tap."""

    async def post(self, token: str) -> None:
        """Bind the link to this browser."""
        browser = self.get_cookie(BROWSER_COOKIE) or secrets.token_urlsafe(24)
        await self.admit(token, browser)
        await self.links.tap(token, self.request.remote_ip, browser)
        self.set_secret_cookie(BROWSER_COOKIE, browser, days=BROWSER_DAYS)
        self.json({})


class CallerRelease(_Gesture):
    """POST /v/TOKEN/release."""

    async def post(self, token: str) -> None:
        """Unbind the link from this browser, and from no other."""
        browser = self.get_cookie(BROWSER_COOKIE) or ""
        await self.admit(token, browser)
        await self.links.release(token, self.request.remote_ip, browser)
        self.json({})


class CallerCannot(CallerPage):
    """GET and POST /v/TOKEN/cannot: a page that cannot do its work, without a script or without cookies.

    Without a script the big button sends this form. It is believed as far as the link is: it needs no token of ours,
    binds nothing, and has the pace of the other gestures (docs/adr/0030).
    """

    def __init__(
        self, *asked: *Asked, web: Web, links: InvitationLinks, gestures: RateLimiter
    ) -> None:
        super().__init__(*asked, web=web, links=links)
        self.gestures = gestures

    def check_xsrf_cookie(self) -> None:
        """Refuse a page that is not ours, as far as the browser tells; who blocks cookies has no token.

        A form of ours says `Origin: null`, since our pages give no referrer.
        """
        origin = self.request.headers.get("Origin", "null")
        ours = {"null", f"{self.request.protocol}://{self.request.host}", *self.web.origins}
        if self.from_elsewhere() or origin not in ours:
            raise OriginForeign

    async def get(self, token: str) -> None:
        """Show the way out again, in another language or after a reload; tells nothing."""
        found = await self._look(token)
        if isinstance(found, AppError):
            await self._closed(token, found)
        else:
            self._cannot(token, found[2].name, "no_script", self._language(found[1].language))

    async def post(self, token: str) -> None:
        """Tell the desk why, and show the way out; a person never reads an error here."""
        why, name, kept = "no_script", "", None
        try:
            why = await self._why()
            name, kept = await self._tell(token, why)
        except AppError as refusal:
            if not self._is_page():
                raise
            self.web.metrics.refused(refusal.code)
            if isinstance(refusal, tuple(PHASES)):
                await self._closed(token, refusal)
                return
            self.set_status(status_of(refusal))
        if self._is_page():
            self._cannot(token, name, why, self._language(kept))
        else:
            self.json({})

    async def _why(self) -> str:
        if self._is_page():
            return "no_script"
        why = (await self.json_body(MAX_OPENED)).get("why")
        if not isinstance(why, str) or why not in BEFORE_ASKING:
            raise Invalid("why")
        return why

    async def _tell(self, token: str, why: str) -> tuple[str, str | None]:
        """Write it down; return the name of the site and the language of the session."""
        browser = self.get_cookie(BROWSER_COOKIE)
        _, session, site = await self.links.look(token, browser)
        self.gestures.check(session.id, self.web.clock.now())
        said = OpenedPage(self._language(), trouble=why)
        session = await self.links.opened(token, self.request.remote_ip, browser, said)
        self.web.metrics.page_cannot(why)
        return site.name, session.language

    def _cannot(self, token: str, site_name: str, why: str, lang: str) -> None:
        self._show(
            "caller/cannot.html", lang, site_name, phase="cannot", why=why, **self._way_out(token)
        )
