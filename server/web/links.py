"""What the pages behind a link share: the browser is known by a cookie of its own, to which the tap binds (I5)."""

import secrets

from server.web.base import BaseHandler


class LinkHandler(BaseHandler):
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
