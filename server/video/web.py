"""Pictures stored from a desk, and shown to auditors; never kept by any cache."""

from datetime import timedelta
from typing import Final

from tornado.routing import URLSpec

from server.core.errors import Invalid
from server.identity.domain.access import Permission
from server.identity.web.signed_in import SignedIn, SignInWeb
from server.video.service.snapshots import Snapshots
from server.web.routing import Asked, path

OLDEST: Final = 24 * 3_600_000  # of a frozen picture, in milliseconds


class DeskSnapshots(SignedIn):
    """POST /desk/snapshots: the body is the picture itself."""

    permission = Permission.DESK_USE
    wants_json = True
    finishes = True

    def __init__(self, *asked: *Asked, web: SignInWeb, snapshots: Snapshots) -> None:
        super().__init__(*asked, web=web)
        self.snapshots = snapshots

    async def post(self) -> None:
        """Store it."""
        _, site = self.me()
        session = self.get_query_argument("session", "")
        self.check_held(session)
        age = self.get_query_argument("age", "0")
        if not (age.isascii() and age.isdigit() and len(age) <= len(str(OLDEST))):
            raise Invalid("age")
        old = timedelta(milliseconds=min(int(age), OLDEST))
        taken = await self.snapshots.take(self.actor(), site, session, self.request.body, old)
        self.json({"id": taken.id, "at": taken.at.isoformat()}, 201)


class AuditSnapshot(SignedIn):
    """GET /audit/snapshots/ID."""

    permission = Permission.AUDIT_READ
    automatic = True

    def __init__(self, *asked: *Asked, web: SignInWeb, snapshots: Snapshots) -> None:
        super().__init__(*asked, web=web)
        self.snapshots = snapshots

    async def get(self, id_: str) -> None:
        """Show it; that is written down before it is sent."""
        seen = await self.snapshots.look(self.actor(), id_)
        self.set_header("Content-Type", "image/jpeg")
        self.set_header("Content-Disposition", f'inline; filename="{seen.name}"')
        self.finish(seen.jpeg)


def routes(web: SignInWeb, *, snapshots: Snapshots) -> list[URLSpec]:
    """List the paths of the stored pictures."""
    return [
        path(r"/desk/snapshots", DeskSnapshots, web=web, snapshots=snapshots),
        path(r"/audit/snapshots/([A-Za-z0-9]{1,40})", AuditSnapshot, web=web, snapshots=snapshots),
    ]
