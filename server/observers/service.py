"""Other eyes: invited by a desk, seen by all, removable at once; each in the audit (docs/adr/0011)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.core.journal import links as journal
from server.core.journal.links import LinkVerb
from server.core.personal import PersonalStore
from server.core.seal import Seal
from server.core.sites import Site, SiteStore
from server.core.tokens import token_hash
from server.delivery.domain.contacts import check_email, check_mobile
from server.delivery.domain.messages import Message, MessageState
from server.delivery.errors import ContactMissing
from server.delivery.service.link_messages import drop, link_message, withdraw
from server.delivery.service.sms_counts import SmsCounts
from server.delivery.store import MessageStore
from server.identity.store.users import UserStore
from server.observers import domain as rules
from server.observers.domain import LONGEST_NAME, MOST_VIEWERS, Observer
from server.observers.errors import NameMissing, ObserverRemoved, ViewersFull
from server.observers.store import ObserverStore
from server.storage.transactions import Transactions
from server.video.domain.session import Session, SessionState
from server.video.errors import SessionEnded
from server.video.service.rooms import Rooms, Viewer
from server.video.service.sessions import Sessions, open_session, write_down
from server.video.store.sessions import SessionStore
from server.web.errors import InvitationLinkUnknown, MessageOutOfOrder
from server.web.pages import Pages
from server.web.sockets.connected_page import Socket

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class ObserverRequest:
    """Who shall see: named and reached by hand, or `listed` by his name in the site's list."""

    command: str
    session: str
    name: str | None = None
    mobile: str | None = None
    email: str | None = None
    listed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverLinkTarget:
    """What a link of an observer leads to."""

    observer: Observer
    session: Session
    site: Site
    by: str
    name: str


class Observers:
    """Use cases around an observer, from the invitation to the removal."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        seal: Seal,
        pages: Pages,
        sessions: Sessions,
        rooms: Rooms,
        wake: Callable[[], None],
        public_url: str,
        life: timedelta,
        limits: SmsCounts,
    ) -> None:
        """Keep what the use cases need; `wake` starts the delivery at once."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._seal = seal
        self._pages = pages
        self._sessions = sessions
        self._rooms = rooms
        self._wake = wake
        self._public_url = public_url
        self._life = life
        self._limits = limits

    # --- the desk
    async def invite(self, actor: Actor, request: ObserverRequest) -> str:
        """Send one person a link to look; a repeated command is the same person."""
        now = self._clock.now()
        async with self._transactions() as uow:
            user = actor.user or ""
            if known := await ObserverStore(uow).by_command(actor.site, user, request.command):
                return known.id
            session = await open_session(uow, actor.site, request.session)
            site = await SiteStore(uow).get(actor.site)
            name, channel, to = _person(site, request)
            others = [
                o
                for o in await ObserverStore(uow).of_sessions(site.id, [session.id])
                if not o.removed
            ]
            if self._rooms.desk_count(session.id) + len(others) >= MOST_VIEWERS:
                raise ViewersFull
            if channel == "sms":
                await self._limits.count(uow, site.id, to, now)
            by = (await UserStore(uow).get(actor.site, user)).name
            token = self._ids.token()
            message = self._message(site, channel, to, by, token, now)
            observer = Observer(
                id=self._ids.new(),
                site=site.id,
                session=session.id,
                invited_by=user,
                command=request.command,
                channel=channel,
                name=await PersonalStore(uow).add(site.id, "name", name, now),
                contact=await PersonalStore(uow).add(
                    site.id, "number" if channel == "sms" else "email", to, now
                ),
                message=message.id,
                token_hash=token_hash(token),
                created=now,
                expires=message.expires,
            )
            await MessageStore(uow).add(message)
            await ObserverStore(uow).add(observer)
            entry = journal.observer_invited(
                observer.id, session.id, channel=channel, name=name, to=to
            )
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()
        self._wake()
        self._sessions.publish(session)
        return observer.id

    def _message(
        self, site: Site, channel: str, to: str, by: str, token: str, now: datetime
    ) -> Message:
        body = link_message(
            self._pages,
            site=site,
            channel=channel,
            to=to,
            name="observer",
            subject="image d'un appel en cours",
            link=f"{self._public_url}/o/{token}",
            life=self._life,
            by=by,
        )
        return Message(
            id=self._ids.new(),
            site=site.id,
            kind="observer",
            channel=channel,
            invitation=None,
            sealed=self._seal.close(json.dumps(body)),
            receipt_ref=self._ids.token(),
            created=now,
            expires=now + self._life,
            due=now,
        )

    async def remove(self, actor: Actor, id_: str) -> None:
        """Take the picture from an observer at once: link, socket and the phone's connection."""
        now = self._clock.now()
        async with self._transactions() as uow:
            observer = await ObserverStore(uow).get(actor.site, id_)
            session = await SessionStore(uow).get(observer.site, observer.session)
            if observer.removed is None:
                await ObserverStore(uow).save(rules.removed(observer, now))
                await withdraw(uow, [await MessageStore(uow).get(observer.site, observer.message)])
                await self._note(uow, actor, journal.observer_removed, observer)
                await uow.commit()
        self._rooms.remove_viewer(session.id, observer.id, ObserverRemoved())
        self._sessions.publish(session)

    # --- the observer
    async def look(self, token: str, browser: str | None) -> ObserverLinkTarget:
        """Say what a link is good for in this browser, changing nothing (I5); raises why it is not."""
        async with self._transactions(write=False) as uow:
            found = await self._by_token(uow, token)
        rules.admit(found.observer, found.session, browser, self._clock.now())
        return found

    async def site_of(self, token: str) -> str:
        """Return the name of the site of any token ever given, so that even a dead link's page says it."""
        async with self._transactions(write=False) as uow:
            try:
                return (await self._by_token(uow, token)).site.name
            except InvitationLinkUnknown:
                return ""

    async def bind(self, token: str, address: str | None, browser: str) -> None:
        """Bind the link to this browser: the first tap wins, the same browser may tap again."""
        seen, now = await self.look(token, browser), self._clock.now()
        if rules.bound(seen.observer, browser, now) is seen.observer:
            return
        async with self._transactions() as uow:
            found = await self._by_token(uow, token)
            rules.admit(found.observer, found.session, browser, now)
            after = rules.bound(found.observer, browser, now)
            if after is not found.observer:
                await ObserverStore(uow).save(after)
                actor = Actor("observer", after.site, None, address)
                await self._note(uow, actor, journal.observer_bound, after)
                await uow.commit()
        self._sessions.publish(found.session)

    async def enter(self, token: str, browser: str | None) -> ObserverLinkTarget:
        """Let the browser that tapped in."""
        found = await self.look(token, browser)
        if found.observer.browser_hash is None:
            raise MessageOutOfOrder("before_tap")
        return found

    def seat(self, found: ObserverLinkTarget, peer: str, socket: Socket) -> None:
        """Give an observer a place in the room, unless three people see already; his former page loses its own."""
        session = found.session.id
        self._rooms.dismiss_viewer(session, found.observer.id, peer)
        if self._rooms.viewer_count(session, but=peer) >= MOST_VIEWERS:
            raise ViewersFull
        viewer = Viewer(found.observer.id, found.name, "observer", self._clock.now())
        self._rooms.enter_desk(session, peer, socket, viewer)

    async def tell(self, actor: Actor, observer: Observer, *, here: bool) -> None:
        """Write down that an observer came or left."""
        async with self._transactions() as uow:
            verb = journal.observer_joined if here else journal.observer_left
            await self._note(uow, actor, verb, observer)
            session = await SessionStore(uow).get(observer.site, observer.session)
            await uow.commit()
        self._sessions.publish(session)

    async def state(self, observer: Observer) -> tuple[Session, list[Json]]:
        """Return the session as it is now and who sees it; raises when this observer no longer may."""
        async with self._transactions(write=False) as uow:
            session = await SessionStore(uow).get(observer.site, observer.session)
            if (await ObserverStore(uow).get(observer.site, observer.id)).removed is not None:
                raise ObserverRemoved
            if session.state is SessionState.ENDED:
                raise SessionEnded
            people = (await participants(uow, self._rooms, observer.site, [session.id]))[session.id]
        return session, people

    async def _by_token(self, uow: UnitOfWork, token: str) -> ObserverLinkTarget:
        observer = await ObserverStore(uow).by_token(token_hash(token))
        if observer is None:
            raise InvitationLinkUnknown
        return ObserverLinkTarget(
            observer=observer,
            session=await SessionStore(uow).get(observer.site, observer.session),
            site=await SiteStore(uow).get(observer.site),
            by=(await UserStore(uow).get(observer.site, observer.invited_by)).name,
            name=await PersonalStore(uow).get(observer.site, observer.name) or "",
        )

    async def _note(
        self, uow: UnitOfWork, actor: Actor, verb: LinkVerb, observer: Observer
    ) -> None:
        entry = verb(observer.id, observer.session, channel=observer.channel)
        await write_down(uow, actor, entry, self._clock.now())


async def release_observers(uow: UnitOfWork, session: Session, now: datetime) -> None:
    """A session ended: drop the messages with its observers' links, in the unit of work that ends it."""
    del now
    for observer in await ObserverStore(uow).of_sessions(session.site, [session.id]):
        await drop(uow, [await MessageStore(uow).get(observer.site, observer.message)])


def _person(site: Site, request: ObserverRequest) -> tuple[str, str, str]:
    """Return name, channel and address of who shall see."""
    name, mobile, email = request.name or "", request.mobile or "", request.email or ""
    if request.listed is not None:
        entry = next((one for one in site.policy.observers if one.name == request.listed), None)
        if entry is None:
            raise NotFound("listed")
        name = entry.name
        mobile, email = (entry.to, "") if entry.channel == "sms" else ("", entry.to)
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise NameMissing
    if mobile.strip():
        return name, "sms", check_mobile(mobile)
    if email.strip():
        return name, "email", check_email(email)
    raise ContactMissing


async def participants(
    uow: UnitOfWork, rooms: Rooms, site: str, sessions: Sequence[str]
) -> dict[str, list[Json]]:
    """Return who sees each of these sessions, or may: the desks that watch, then the observers."""
    known = await ObserverStore(uow).of_sessions(site, sessions)
    names = await PersonalStore(uow).get_all(site, [one.name for one in known]) if known else {}
    found: dict[str, list[Json]] = {}
    for session in sessions:
        viewers = rooms.get(session).viewers.values()
        here = {viewer.id: viewer for viewer in viewers}
        found[session] = [
            {
                "id": viewer.id,
                "name": viewer.name,
                "kind": "desk",
                "since": viewer.since.isoformat(),
                "state": "watching",
                "can": [],
            }
            for viewer in viewers
            if viewer.kind == "desk"
        ]
        for one in known:
            if one.session == session and one.removed is None:
                found[session].append(await _shown(uow, one, names.get(one.name), here.get(one.id)))
    return found


async def _shown(
    uow: UnitOfWork, observer: Observer, name: str | None, seat: Viewer | None
) -> Json:
    state, since = "watching", seat.since if seat else observer.created
    if seat is None and observer.joined is not None:
        state, since = "away", observer.joined
    elif seat is None:
        message = await MessageStore(uow).get(observer.site, observer.message)
        state = "failed" if message.state is MessageState.FAILED else "invited"
    return {
        "id": observer.id,
        "name": name,
        "kind": "observer",
        "since": since.isoformat(),
        "state": state,
        "can": ["remove"],
    }
