"""Who sits where: a station has one desk. Another person takes it on purpose only, and who is pushed out is told."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from server.desk.errors import StationTaken, TakenOver
from server.web.sockets.connected_page import Socket

PUSHED: Final = 20  # pages remembered of those that lost a seat


@dataclass(frozen=True, slots=True)
class Seat:
    """A station where a page sits, behind its socket.

    `pushed`: the pages that lost it; they do not come back by themselves.
    """

    desk: Socket
    peer: str
    name: str
    user: str
    since: datetime
    pushed: tuple[str, ...] = ()


class Seats:
    """The seats of all sites."""

    def __init__(self) -> None:
        """Start with every station free."""
        self._seats: dict[tuple[str, str], Seat] = {}

    def sit(
        self, site: str, extension: str, new: Seat, *, take: bool = False, live: bool = False
    ) -> None:
        """Take the seat; raises StationTaken where another person sits, unless `take` says that one means it.

        The page that sits there comes back to it as it pleases, and so does its user with another page: the former one
        is told and closes. A page that was pushed out asks like anybody else. `live`: a video is on there.
        """
        former = self._seats.get((site, extension))
        if former is None:
            self._seats[site, extension] = new
            return
        own = former.user == new.user
        if own and former.peer == new.peer:
            self._seats[site, extension] = replace(new, since=former.since, pushed=former.pushed)
            return
        if not take and (not own or new.peer in former.pushed):
            raise StationTaken(
                station=extension,
                by=former.name,
                own=own,
                since=former.since.isoformat(),
                live=live,
            )
        pushed = [peer for peer in former.pushed if peer != new.peer]
        pushed = [*pushed, former.peer][-PUSHED:]
        self._seats[site, extension] = replace(new, pushed=tuple(pushed))
        former.desk.send(
            {
                "type": "taken_over",
                "by": new.name,
                "own": own,
                "at": new.since.isoformat(),
            }
        )
        former.desk.shut(TakenOver())

    def is_left(self, site: str, extension: str, user: str, peer: str) -> bool:
        """Whether a seat is free, or this very page's: nobody would be pushed out."""
        seat = self._seats.get((site, extension))
        return seat is None or (seat.user, seat.peer) == (user, peer)

    def seated(self, site: str) -> dict[str, Seat]:
        """Return who sits at each station of a site."""
        return {
            extension: seat for (where, extension), seat in self._seats.items() if where == site
        }

    def rise(self, site: str, extension: str, desk: Socket) -> None:
        """Leave the seat if it is still this desk's."""
        seat = self._seats.get((site, extension))
        if seat is not None and seat.desk is desk:
            del self._seats[site, extension]
