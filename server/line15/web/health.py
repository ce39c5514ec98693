"""The administrator's page on line 15, and the same as JSON; it holds no number of anybody."""

from tornado.routing import URLSpec

from server.identity.domain.access import Permission
from server.identity.web.signed_in import SignedIn, SignInWeb
from server.line15.service.health import LineHealthReader
from server.web.json_types import plain
from server.web.routing import Asked, path


class LineHealthPage(SignedIn):
    """GET /admin/telephony."""

    permission = Permission.ADMIN

    def __init__(self, *asked: *Asked, web: SignInWeb, line_health: LineHealthReader) -> None:
        super().__init__(*asked, web=web)
        self.line_health = line_health

    def get(self) -> None:
        """Show how the site's line 15 fares; the page asks again by itself."""
        _, site = self.me()
        self.page("admin/telephony.html", health=plain(self.line_health.read(site.id)))


class LineHealthApi(SignedIn):
    """GET /api/v1/telephony/health."""

    permission = Permission.ADMIN
    wants_json = True
    automatic = True

    def __init__(self, *asked: *Asked, web: SignInWeb, line_health: LineHealthReader) -> None:
        super().__init__(*asked, web=web)
        self.line_health = line_health

    def get(self) -> None:
        """Answer with the same."""
        _, site = self.me()
        self.json(plain(self.line_health.read(site.id)))


def routes(web: SignInWeb, *, line_health: LineHealthReader) -> list[URLSpec]:
    """List the paths of the telephony's health."""
    return [
        path(r"/admin/telephony", LineHealthPage, web=web, line_health=line_health),
        path(r"/api/v1/telephony/health", LineHealthApi, web=web, line_health=line_health),
    ]
