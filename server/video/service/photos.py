"""One good photo of the caller, when nothing else passes: in memory only, until its session ends.

It comes in parts over a network that breaks; a part said twice changes nothing (docs/adr/0009-ladder.md).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.errors import Invalid
from server.core.journal import pictures as journal
from server.core.limits.token_bucket import Bucket, take
from server.storage.transactions import Transactions
from server.video.domain.jpeg import Jpeg, clean
from server.video.domain.stills import taken_at
from server.video.errors import PhotoUnknown, PictureTooLarge, PictureTooMany
from server.video.service.rooms import Rooms
from server.video.service.sessions import write_down

MAX_PHOTO = 262_144  # bytes, whole
MAX_PART = 65_536
MAX_TOTAL = 64 * 1024 * 1024  # of all sessions; the oldest photo goes first
PHOTOS_AT_ONCE = 6
SECONDS_A_PHOTO = 10.0


@dataclass(frozen=True, slots=True)
class PhotoPart:
    """A piece of a photo: `key` is minted by the page, one a photo; `taken` in ms on the server's clock, if known."""

    key: str
    offset: int
    total: int
    taken: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Photo:
    """A whole photo; `id` is the capability that is told to the desks of its room."""

    id: str
    key: str
    site: str
    session: str
    picture: Jpeg
    taken: datetime | None
    received: datetime

    def told(self) -> Mapping[str, object]:
        """Return the message that announces it to a desk."""
        return {
            "type": "photo",
            "session": self.session,
            "id": self.id,
            "taken": self.taken.isoformat() if self.taken else None,
            "received": self.received.isoformat(),
        }


@dataclass(slots=True)
class _Session:
    """What one session has sent: the photo that is whole, and the one that is coming."""

    photo: Photo | None = None
    key: str = ""
    coming: bytearray = field(default_factory=bytearray)
    bucket: Bucket | None = None


class Photos:
    """All photos of this process."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: Ids, rooms: Rooms) -> None:
        """Start without any, and forget those of each session that ends."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._rooms = rooms
        self._sessions: dict[str, _Session] = {}
        rooms.when_over.append(self._forget)

    async def receive(self, actor: Actor, session: str, part: PhotoPart) -> tuple[int, bool]:
        """Take one part; return how many bytes are here, and whether the photo is whole."""
        now = self._clock.now()
        kept = self._sessions.setdefault(session, _Session())
        if kept.photo is not None and kept.photo.key == part.key:
            return part.total, True
        if not 0 < part.total <= MAX_PHOTO or len(part.data) > MAX_PART:
            raise PictureTooLarge("photo")
        if kept.key != part.key:
            filled = take(kept.bucket, now, a_second=1 / SECONDS_A_PHOTO, burst=PHOTOS_AT_ONCE)
            if filled is None:
                raise PictureTooMany("photos")
            kept.bucket, kept.key, kept.coming = filled, part.key, bytearray()
        if part.offset != len(kept.coming):
            # Said before, or one was lost: the page goes on from here.
            return len(kept.coming), False
        if not part.data or part.offset + len(part.data) > part.total:
            raise Invalid("part")
        kept.coming += part.data
        self._bound(session)
        if len(kept.coming) < part.total:
            return len(kept.coming), False
        return await self._whole(actor, session, kept, part)

    async def _whole(
        self, actor: Actor, session: str, kept: _Session, part: PhotoPart
    ) -> tuple[int, bool]:
        data, now = bytes(kept.coming), self._clock.now()
        kept.key, kept.coming = "", bytearray()
        picture = clean(data, MAX_PHOTO)
        taken = taken_at(part.taken, now) if part.taken is not None else None
        photo = Photo(
            id=self._ids.token(),
            key=part.key,
            site=actor.site,
            session=session,
            picture=picture,
            taken=taken,
            received=now,
        )
        async with self._transactions() as uow:
            entry = journal.photo_received(
                session,
                size=len(picture.data),
                width=picture.width,
                height=picture.height,
                sha256=hashlib.sha256(picture.data).hexdigest(),
            )
            await write_down(uow, actor, entry, now)
            await uow.commit()
        if self._sessions.get(session) is not kept:
            return part.total, True  # the session ended meanwhile: nobody looks any more
        kept.photo = photo
        self._bound(session)
        for desk in self._rooms.get(session).stations():
            desk.send(photo.told())
        return part.total, True

    def of(self, session: str) -> Photo | None:
        """Return the photo of a session, for a desk that comes later."""
        kept = self._sessions.get(session)
        return kept.photo if kept else None

    def get(self, site: str, id_: str) -> Photo:
        """Return a photo of this site; PhotoUnknown for any other (I7)."""
        for kept in self._sessions.values():
            if kept.photo is not None and (kept.photo.id, kept.photo.site) == (id_, site):
                return kept.photo
        raise PhotoUnknown

    def _forget(self, session: str) -> None:
        self._sessions.pop(session, None)

    def _bound(self, newest: str) -> None:
        """Drop the oldest sessions' pictures beyond what all may take together."""
        self._sessions[newest] = self._sessions.pop(newest)
        total = sum(_weight(kept) for kept in self._sessions.values())
        for session in list(self._sessions):
            if total <= MAX_TOTAL or session == newest:
                return
            total -= _weight(self._sessions.pop(session))


def _weight(kept: _Session) -> int:
    return len(kept.coming) + (len(kept.photo.picture.data) if kept.photo else 0)
