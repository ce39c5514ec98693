"""Page B itself: its launch from call context, and the choice of its station."""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from server.core.errors import StationUnknown
from server.core.sites import SiteStore, Station
from server.desk.web.seats import Seats
from server.identity.domain.access import Permission, may
from server.identity.web.signed_in import STATION_COOKIE, SignedIn, SignInWeb
from server.line15.errors import LaunchTooLarge
from server.line15.service.launch import MOST, PARAMETERS, WAIT, Launch, Launched
from server.video.store.sessions import SessionStore
from server.web.routing import Asked
from server.web.sockets.rate_limiter import RateLimiter

LAUNCH_COOKIE: Final = "v15_launch"
LAUNCHES_BURST: Final = 20  # of one person: each is a row
LAUNCHES_A_SECOND: Final = 0.1
_OPAQUE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DAY: Final = 86_400


class StationPage(SignedIn):
    """What the page and its chooser share."""

    permission = Permission.DESK_USE

    def __init__(self, *asked: *Asked, web: SignInWeb, seats: Seats) -> None:
        super().__init__(*asked, web=web)
        self.seats = seats

    def at_launch(self, opaque: str) -> str:
        """Return the address of page B, on this launch."""
        return f"/desk?launch={opaque}" if _OPAQUE.fullmatch(opaque) else "/desk"

    async def choose(self, proposed: str | None, launch: str) -> None:
        """Ask which station this is; say where somebody sits and where a video is on."""
        _, site = self.me()
        async with self.web.transactions(write=False) as uow:
            known = await SiteStore(uow).stations(site.id)
            live = await SessionStore(uow).live_stations(site.id)
        rows = seats_of(known, self.seats, site.id, live)
        own = self.get_cookie(STATION_COOKIE)
        boot: dict[str, Any] = {"stations": rows, "station": None, "launch": None}
        self.page("desk/main.html", boot=boot, chosen=proposed or own, launch=launch)


class DeskPage(StationPage):
    """GET /desk."""

    def __init__(
        self,
        *asked: *Asked,
        web: SignInWeb,
        seats: Seats,
        launch: Launch,
        launches: RateLimiter,
    ) -> None:
        super().__init__(*asked, web=web, seats=seats)
        self.launch = launch
        self.launches = launches

    async def prepare(self) -> None:
        """Exchange launch parameters for an opaque id before anything else, signed in or not (I5)."""
        given = {name: self.get_query_argument(name, "") for name in PARAMETERS}
        given["caller"] = _with_plus(self.get_query_argument("caller", "", strip=False))
        if any(given.values()):
            await self._exchange(given)
            return
        await super().prepare()

    async def _exchange(self, given: dict[str, str]) -> None:
        """Keep the context: a stranger's in the own browser, that of who may use a desk in the database."""
        if len(self.request.query) > MOST:
            raise LaunchTooLarge
        context = self.launch.read(given, foreign=self.from_elsewhere())
        await self.identify()
        if self.user is not None and may(self.user.role, Permission.DESK_USE):
            self.launches.check(self.user.id, self.web.clock.now())
            opaque = await self.launch.keep(self.actor(), context)
        else:
            opaque, sealed = self.launch.wait(context)
            days = WAIT.total_seconds() / _DAY
            self.set_secret_cookie(LAUNCH_COOKIE, sealed, days=days)
        self.redirect(f"/desk?launch={opaque}", status=303)

    def sign_in_url(self) -> str:
        """Come back to the launch after signing in."""
        target = self.at_launch(self.get_query_argument("launch", ""))
        return f"/login?next={quote(target, safe='')}"

    async def get(self) -> None:
        """Show page B; a signed launch that names a station of this site sets it."""
        _, site = self.me()
        opaque = self.get_query_argument("launch", None)
        launched = await self._launched(opaque) if opaque else Launched()
        if launched.station:
            self.set_secret_cookie(STATION_COOKIE, launched.station, days=365)
        async with self.web.transactions(write=False) as uow:
            known = await SiteStore(uow).stations(site.id)
        station = launched.station or self.get_cookie(STATION_COOKIE)
        if station not in {s.extension for s in known}:
            proposed = launched.proposed.station if launched.proposed else None
            await self.choose(proposed, opaque or "")
            return
        boot = {
            "socket": "/ws/desk",
            "launch": opaque,
            "stations": [{"extension": s.extension, "name": s.name} for s in known],
            "station": station,
            "demo": self.web.demo,
        }
        self.page("desk/main.html", boot=boot)

    async def _launched(self, opaque: str) -> Launched:
        """Resolve a launch, also one that waited in this browser for the sign-in."""
        sealed = self.get_cookie(LAUNCH_COOKIE)
        if sealed and await self.launch.adopt(self.actor(), opaque, sealed):
            self.clear_cookie(LAUNCH_COOKIE)
        launched = await self.launch.resolve(self.actor(), opaque, record=True)
        if launched.code:
            self.web.metrics.refused(launched.code)
        return launched


class DeskStation(StationPage):
    """GET, POST /desk/station: the station of this PC, once."""

    async def get(self) -> None:
        """Show the stations, and who sits there."""
        await self.choose(None, self.get_query_argument("launch", ""))

    async def post(self) -> None:
        """Keep the choice for a year."""
        _, site = self.me()
        wanted = self.get_body_argument("station", "")
        async with self.web.transactions(write=False) as uow:
            known = {s.extension for s in await SiteStore(uow).stations(site.id)}
        if wanted not in known:
            raise StationUnknown
        self.set_secret_cookie(STATION_COOKIE, wanted, days=365)
        self.redirect(self.at_launch(self.get_body_argument("launch", "")), status=303)


def seats_of(
    known: Sequence[Station], seats: Seats, site: str, live: frozenset[str]
) -> list[dict[str, object]]:
    """List the stations of a site with who sits there, since when, and whether a video is on."""
    seated = seats.seated(site)
    return [
        {
            "extension": one.extension,
            "name": one.name,
            "who": seat.name if seat else None,
            "since": seat.since.isoformat() if seat else None,
            "live": one.extension in live,
        }
        for one in known
        for seat in (seated.get(one.extension),)
    ]


def _with_plus(caller: str) -> str:
    """Read the plus sign that was not escaped, and came as a blank: without it, +687… would be somebody in France."""
    return re.sub(r"^ +(?=[1-9])", "+", caller).strip()
