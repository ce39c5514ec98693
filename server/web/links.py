"""What the pages behind a link share: how it may be written, and the browser's name, to which the tap binds (I5)."""

import re
import secrets
from typing import Any, ClassVar, Final

from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches

from server.core.words.languages import BY_CODE
from server.web.base import BaseHandler
from server.web.errors import InvitationLinkUnknown
from server.web.link_as_sent import LinkAsSent, read
from server.web.status import status_of

_LAST_DOT: Final = re.compile(r"\.(:[0-9]+)?$")


class InvitationLinkHandler(BaseHandler):
    """A page that a caller or an observer opens; it goes on in a browser bound by an earlier release."""

    old_cookies = True

    def name_browser(self, cookie: str, days: float, *, bound: bool = False) -> None:
        """Give a browser a name, unless it has one under today's cookie.

        The browser to which this link is `bound` keeps its name. Under the cookie of an earlier release a name binds
        nothing new: a neighbour of our domain could have set it.
        """
        if self.own_cookie(cookie) is None:
            known = self.get_cookie(cookie) if bound else None
            self.set_secret_cookie(cookie, known or secrets.token_urlsafe(24), days=days)

    def language_asked(self) -> str | None:
        """Return the language that the address asks for, if we have it; whatever else stands there is no error."""
        given = self.request.query_arguments.get("lang", [b""])[-1].decode("ascii", "replace")
        return given if given in BY_CODE else None


class PageAsSent(InvitationLinkHandler):
    """GET of a link as people send it, with other signs around its token, or of something that is no link."""

    letter: ClassVar[str]

    async def get(self, token: str = "") -> None:
        """Lead to the one link that is meant; else say so on the page of such links."""
        if not self._go_to(token):
            self.say_unknown()

    async def head(self, token: str = "") -> None:
        """Say what a GET would."""
        if not self._go_to(token):
            self.set_status(status_of(InvitationLinkUnknown()))
            self.finish()

    def say_unknown(self) -> None:
        """Say on the page of such links that this is none."""
        raise InvitationLinkUnknown("no_token")

    def _go_to(self, token: str) -> bool:
        """Lead to the address of a link as we write it; False when no one link is meant.

        Who guesses learns nothing: it is the same for every token, and no token is looked up. The language chosen by
        hand goes along, parameters that others added do not.
        """
        path = LinkAsSent(self.letter, token or None).path
        if path is None:
            return False
        host = _LAST_DOT.sub(r"\1", self.request.host)
        address = path if host == self.request.host else f"//{host}{path}"
        lang = self.language_asked()
        self.redirect(address + (f"?lang={lang}" if lang else ""), status=303)
        return True


class LinkAsSentMatches(PathMatches):
    """Matches a GET or HEAD under the letter of a link page, however it is written.

    The argument of the handler is the token, or empty.
    """

    def __init__(self, page: str) -> None:
        """Take the letter; the pattern says what it stands for where routes are listed."""
        super().__init__(rf"/{page}(?:/.*)?")
        self._page = page

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Read the path as it came: Tornado has it in Latin-1."""
        if request.method not in {"GET", "HEAD"}:
            return None
        link = read(request.path.encode("latin-1"))
        if link is None or link.page != self._page:
            return None
        return {"path_args": [(link.token or "").encode()]}


class DottedHostMatches(LinkAsSentMatches):
    """Matches the same when a dot ends the host: browsers take it for another host than ours, with other cookies."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Look at the host first."""
        return super().match(request) if _LAST_DOT.search(request.host) else None
