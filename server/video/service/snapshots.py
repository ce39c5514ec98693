"""Pictures that a desk stores: only where the site allows it, sealed, erasable, and every look at one written down."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.journal import pictures as journal
from server.core.journal.append import Journal
from server.core.site_policy import SnapshotPolicy
from server.core.sites import Site
from server.storage.transactions import Transactions
from server.video.domain.jpeg import clean
from server.video.domain.snapshots import LARGEST, Snapshot
from server.video.errors import (
    SnapshotErased,
    SnapshotNotAllowed,
    SnapshotTooMany,
    SnapshotUnknown,
)
from server.video.service.rooms import Rooms
from server.video.service.sessions import open_session, write_down
from server.video.store.snapshots import SnapshotStore

MOST: Final = 40


@dataclass(frozen=True, slots=True)
class OpenedSnapshot:
    """A stored picture, opened; `name` says nothing of the person."""

    jpeg: bytes
    name: str


class Snapshots:
    """Stores pictures and shows them again."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: Ids, rooms: Rooms) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._rooms = rooms

    async def take(
        self, actor: Actor, site: Site, session_id: str, body: bytes, age: timedelta
    ) -> Snapshot:
        """Store what a desk shows of a video, `age` old; the caller is told once it is durable.

        Raises SnapshotNotAllowed, PictureTooLarge, PictureMalformed, NotFound, SessionEnded, SnapshotTooMany.
        """
        if site.policy.snapshots is not SnapshotPolicy.STORE:
            raise SnapshotNotAllowed
        picture = clean(body, LARGEST)
        now = self._clock.now()
        async with self._transactions() as uow:
            session = await open_session(uow, site.id, session_id)
            if len(await SnapshotStore(uow).of_session(site.id, session_id)) >= MOST:
                raise SnapshotTooMany
            taken = Snapshot(
                id=self._ids.new(),
                site=site.id,
                session=session_id,
                by=actor.user or "",
                at=max(session.created, now - age),
                width=picture.width,
                height=picture.height,
                sha256=hashlib.sha256(picture.data).hexdigest(),
                erased=False,
            )
            await SnapshotStore(uow).add(taken, base64.b64encode(picture.data).decode())
            entry = journal.snapshot_taken(
                taken.id,
                session_id,
                sha256=taken.sha256,
                width=taken.width,
                height=taken.height,
                pictured=taken.at,
            )
            await write_down(uow, actor, entry, now)
            await uow.commit()
        phone = self._rooms.get(session_id).phone
        if phone is not None:
            phone.send({"type": "snapshot"})
        return taken

    async def look(self, actor: Actor, id_: str) -> OpenedSnapshot:
        """Open a picture of the actor's own site, once it is written down that they look (I4, I7)."""
        now = self._clock.now()
        try:
            async with self._transactions() as uow:
                taken, sealed = await SnapshotStore(uow).get(actor.site, id_)
                if sealed is None:
                    raise SnapshotErased
                entry = journal.snapshot_viewed(taken.id, taken.session, sha256=taken.sha256)
                await write_down(uow, actor, entry, now)
                await uow.commit()
        except SnapshotUnknown:
            await self._missed(actor, now)
            raise
        return OpenedSnapshot(base64.b64decode(sealed), f"photo-{taken.id}.jpg")

    async def _missed(self, actor: Actor, now: datetime) -> None:
        async with self._transactions() as uow:
            await Journal(uow).append(actor, journal.snapshot_missed(), now)
            await uow.commit()
