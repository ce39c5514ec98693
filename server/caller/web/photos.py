"""A caller's photo: sent in parts by the browser that tapped, shown to the desks of its room."""

import re
from typing import Final

from tornado.routing import URLSpec

from server.caller.web.page import BROWSER_COOKIE
from server.core.audit_entries import Actor
from server.core.errors import Invalid
from server.identity.domain.access import Permission
from server.identity.web.signed_in import SignedIn, SignInWeb
from server.invitations.service.links import InvitationLinks
from server.video.errors import PictureTooLarge
from server.video.service.photos import MAX_PART, PhotoPart, Photos
from server.web.base import Web
from server.web.links import InvitationLinkHandler
from server.web.routing import Asked, path

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_NUMBER: Final = re.compile(r"[0-9]{1,15}", re.ASCII)


class CallerPhoto(InvitationLinkHandler):
    """POST /v/TOKEN/photo."""

    wants_json = True

    def __init__(self, *asked: *Asked, web: Web, links: InvitationLinks, photos: Photos) -> None:
        super().__init__(*asked, web=web)
        self.links = links
        self.photos = photos

    async def post(self, token: str) -> None:
        """Take one part; what the page must know to go on is how much is here."""
        session, site = await self.links.bound(token, self.get_cookie(BROWSER_COOKIE))
        if len(self.request.body) > MAX_PART:
            raise PictureTooLarge("part")
        headers = self.request.headers
        key = headers.get("X-Visio15-Photo", "")
        if not _KEY.fullmatch(key):
            raise Invalid("photo_key")
        taken = self._number("X-Visio15-Taken") if "X-Visio15-Taken" in headers else None
        offset, total = self._number("X-Visio15-Offset"), self._number("X-Visio15-Total")
        actor = Actor("phone", site.id, None, self.request.remote_ip)
        part = PhotoPart(key=key, offset=offset, total=total, taken=taken, data=self.request.body)
        received, whole = await self.photos.receive(actor, session.id, part)
        self.json({"received": received, "done": whole})

    def _number(self, name: str) -> int:
        value = self.request.headers.get(name, "")
        if not _NUMBER.fullmatch(value):
            raise Invalid("photo_number")
        return int(value)


class DeskPhoto(SignedIn):
    """GET /desk/photos/ID: never kept by any cache."""

    permission = Permission.DESK_USE
    automatic = True
    finishes = True

    def __init__(self, *asked: *Asked, web: SignInWeb, photos: Photos) -> None:
        super().__init__(*asked, web=web)
        self.photos = photos

    def compute_etag(self) -> None:
        """Leave no name by which a cache could find it."""

    async def get(self, id_: str) -> None:
        """Send it to a desk of its site."""
        _, site = self.me()
        photo = self.photos.get(site.id, id_)
        self.check_held(photo.session)
        self.set_header("Content-Type", "image/jpeg")
        self.set_header("Content-Disposition", "inline")
        self.finish(photo.picture.data)


def routes(web: SignInWeb, *, links: InvitationLinks, photos: Photos) -> list[URLSpec]:
    """List the paths of photos."""
    id_ = "([A-Za-z0-9_-]{20,64})"
    return [
        path(rf"/v/{id_}/photo", CallerPhoto, web=web, links=links, photos=photos),
        path(rf"/desk/photos/{id_}", DeskPhoto, web=web, photos=photos),
    ]
