"""Inviting a caller: session, link, tokens and messages in one transaction, before the answer (I3)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal import links, sessions
from server.core.journal.append import Journal
from server.core.journal.links import LinkVerb
from server.core.personal import PersonalStore
from server.core.seal import Seal
from server.core.sites import Site, SiteStore
from server.core.tokens import token_hash
from server.delivery.domain.contacts import check_email, check_mobile
from server.delivery.domain.messages import Message, again
from server.delivery.errors import ContactMissing
from server.delivery.service.link_messages import link_message, withdraw
from server.delivery.service.sms_counts import SmsCounts
from server.delivery.store import MessageStore
from server.identity.store.users import UserStore
from server.invitations.domain import invitation as rules
from server.invitations.domain.invitation import Invitation
from server.invitations.errors import AlreadyInvited, InvitationLinkRevoked
from server.invitations.store.invitations import InvitationStore
from server.line15.domain.call_links import CallLink, first_link
from server.line15.domain.calls import CallSummary
from server.line15.service.lines import Lines
from server.line15.store.calls import CallStore
from server.line15.store.idempotency import OnceStore
from server.storage.transactions import Transactions
from server.video.domain.session import Command, Session, SessionQuit, SessionState
from server.video.errors import SessionEnded
from server.video.service.sessions import Sessions, write_down
from server.video.store.sessions import SessionStore
from server.web.errors import InvitationLinkExpired
from server.web.pages import Pages

COMMANDS_KEPT: Final = timedelta(hours=12)  # a shift: no page waits longer for its answer


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """What the desk asks for: at least one contact; `call` chosen by hand, `launched` from the launch context.

    `new_session`: make one on purpose, even if another for this contact and call has not ended.
    """

    command: str
    station: str | None
    mobile: str | None = None
    email: str | None = None
    call: str | None = None
    launched: str | None = None
    new_session: bool = False


@dataclass(frozen=True, slots=True)
class InvitedSession:
    """A session that was just made, or that the same command made before (`known`)."""

    session: Session
    call: str | None
    known: bool = False


class Invitations:
    """Use cases around a link, from its making to its tap."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        seal: Seal,
        lines: Lines,
        pages: Pages,
        sessions: Sessions,
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
        self._lines = lines
        self._pages = pages
        self._sessions = sessions
        self._wake = wake
        self._public_url = public_url
        self._life = life
        self._limits = limits

    async def invite(self, actor: Actor, request: InvitationRequest) -> Session:
        """Create one session with an invitation for each contact; a repeated command returns the same session.

        Raises AlreadyInvited while another session for one of these contacts and the same call has not ended.
        """
        contacts = self._contacts(request)
        now = self._clock.now()
        async with self._transactions() as uow:
            begun = await self.begin(uow, actor, request, now)
            session = begun.session
            if begun.known:
                return session
            if not request.new_session:
                await self._refuse_double(uow, actor.site, contacts, begun.call)
            site = await SiteStore(uow).get(actor.site)
            await self._limits.count(uow, site.id, dict(contacts).get("sms"), now)
            for channel, contact in contacts:
                await self._send(uow, site, session, channel, contact, actor, begun.call, now)
            await uow.commit()
        self._wake()
        self._sessions.publish(session)
        return session

    async def begin(
        self, uow: UnitOfWork, actor: Actor, request: InvitationRequest, now: datetime
    ) -> InvitedSession:
        """Make a session and its first link, inside the caller's transaction; a repeated command finds its own."""
        user = actor.user or ""
        if known := await SessionStore(uow).by_command(actor.site, user, request.command):
            return InvitedSession(known, None, known=True)
        site = await SiteStore(uow).get(actor.site)
        session = Session(
            id=self._ids.new(),
            site=site.id,
            station=request.station,
            created_by=user,
            command=request.command,
            created=now,
            changed=now,
            marks={"accepted": now},
        )
        await SessionStore(uow).add(session)
        link = await self._link(uow, site, request, session, actor, now)
        return InvitedSession(session, link.call)

    async def _refuse_double(
        self, uow: UnitOfWork, site: str, contacts: list[tuple[str, str]], call: str | None
    ) -> None:
        lookups = [self._lookup(channel, contact) for channel, contact in contacts]
        running = await InvitationStore(uow).sessions(site, lookups)
        if not running:
            return
        links = await SessionStore(uow).newest_links(site, [one.id for one in running])
        linked = [(one, links[one.id].call if one.id in links else None) for one in running]
        if found := rules.doubled(linked, call):
            by = await UserStore(uow).get(site, found.created_by)
            raise AlreadyInvited(session=found.id, station=found.station, by=by.name)

    def _lookup(self, channel: str, contact: str) -> str:
        if channel == "sms":
            return self._seal.lookup("number", contact)
        return self._seal.lookup("email", contact.lower())

    def _contacts(self, request: InvitationRequest) -> list[tuple[str, str]]:
        contacts = []
        if request.mobile and request.mobile.strip():
            contacts.append(("sms", check_mobile(request.mobile)))
        if request.email and request.email.strip():
            contacts.append(("email", check_email(request.email)))
        if not contacts:
            raise ContactMissing
        return contacts

    async def _link(
        self,
        uow: UnitOfWork,
        site: Site,
        request: InvitationRequest,
        session: Session,
        actor: Actor,
        now: datetime,
    ) -> CallLink:
        for wanted in (request.call, request.launched):
            if wanted:
                await CallStore(uow).get(site.id, wanted)
        talking: list[CallSummary] = []
        if request.station:
            since = now - timedelta(hours=12)
            here = await CallStore(uow).at_station(site.id, request.station, since)
            talking = [call for call in here if call.talks_at(request.station)]
        choice = first_link(
            chosen=request.call,
            launched=request.launched,
            talking=[call.id for call in talking if call.confirmed],
            unconfirmed=[call.id for call in talking if not call.confirmed],
            feed=self._lines.state(site.id),
            station=request.station is not None,
        )
        link = CallLink(
            session=session.id,
            call=choice.call,
            certainty=choice.certainty,
            evidence=choice.evidence,
            actor=actor.user,
            at=now,
        )
        await SessionStore(uow).add_link(site.id, link)
        created = sessions.session_created(session.id, call=link.call, station=session.station)
        await Journal(uow).append(actor, created, now)
        linked = sessions.session_linked(
            link.session, link.call, certainty=link.certainty, evidence=link.evidence
        )
        await Journal(uow).append(actor, linked, now)
        return link

    async def _send(
        self,
        uow: UnitOfWork,
        site: Site,
        session: Session,
        channel: str,
        contact: str,
        actor: Actor,
        call: str | None,
        now: datetime,
    ) -> None:
        token = self._ids.token()
        kind = "number" if channel == "sms" else "email"
        invitation = Invitation(
            id=self._ids.new(),
            site=site.id,
            session=session.id,
            channel=channel,
            contact=await PersonalStore(uow).add(site.id, kind, contact, now),
            token_hash=token_hash(token),
            created=now,
            expires=now + self._life,
        )
        await InvitationStore(uow).add(invitation)
        await MessageStore(uow).add(
            Message(
                id=self._ids.new(),
                site=site.id,
                kind="invitation",
                channel=channel,
                invitation=invitation.id,
                sealed=self._body(site, channel, contact, token),
                receipt_ref=self._ids.token(),
                created=now,
                expires=invitation.expires,
                due=now,
            )
        )
        entry = links.invitation_created(
            invitation.id,
            session.id,
            channel=channel,
            expires=invitation.expires,
            call=call,
            to=contact,
        )
        await Journal(uow).append(actor, entry, now)

    def _body(self, site: Site, channel: str, contact: str, token: str) -> bytes:
        body = link_message(
            self._pages,
            site=site,
            channel=channel,
            to=contact,
            name="invitation",
            subject="lien vidéo pour le médecin",
            link=f"{self._public_url}/v/{token}",
            life=self._life,
        )
        return self._seal.close(json.dumps(body))

    async def resend(self, actor: Actor, invitation_id: str, command: str) -> None:
        """Send the same link again, with fresh minutes while it is untapped; a repeated command sends once."""
        now = self._clock.now()
        async with self._transactions() as uow:
            invitation, session = await _look(uow, actor.site, invitation_id)
            if await repeated(uow, actor, command, now):
                return
            if session.state is SessionState.ENDED:
                raise SessionEnded
            if invitation.revoked:
                raise InvitationLinkRevoked
            messages = await MessageStore(uow).of_invitation(actor.site, invitation.id)
            messages = [m for m in messages if m.sealed]
            if not messages:
                raise InvitationLinkExpired
            if invitation.channel == "sms" and invitation.contact:
                number = await PersonalStore(uow).get(actor.site, invitation.contact)
                await self._limits.count(uow, actor.site, number, now)
            expires = now + self._life
            if invitation.browser_hash is None:
                invitation = await InvitationStore(uow).save(replace(invitation, expires=expires))
            await MessageStore(uow).save(again(messages[-1], now, expires))
            await note(uow, actor, links.invitation_resent, invitation, now)
            await uow.commit()
        self._wake()
        self._sessions.publish(session)

    async def revoke(self, actor: Actor, invitation_id: str) -> None:
        """Withdraw a link; a session whose links are all withdrawn before the tap is over."""
        now = self._clock.now()
        async with self._transactions() as uow:
            invitation, session = await _look(uow, actor.site, invitation_id)
            if invitation.revoked is not None:
                return
            invitation = await InvitationStore(uow).save(rules.revoked(invitation, now))
            await note(uow, actor, links.invitation_revoked, invitation, now)
            await withdraw(uow, await MessageStore(uow).of_invitation(actor.site, invitation.id))
            others = await InvitationStore(uow).of_session(actor.site, session.id)
            commands: tuple[Command, ...] = ()
            if invitation.browser_hash or all(other.revoked for other in others):
                session, commands = await self._sessions.apply(
                    uow, session, SessionQuit("desk", "revoked"), actor, now
                )
            await uow.commit()
        self._sessions.perform(session, commands)

    async def move(self, actor: Actor, invitation_id: str, command: str) -> None:
        """Let the session go to whoever taps this link next; the other links read "open elsewhere".

        A repeated command moves once: the phone it went to meanwhile keeps it.
        """
        now = self._clock.now()
        async with self._transactions() as uow:
            target, session = await _look(uow, actor.site, invitation_id)
            if await repeated(uow, actor, command, now):
                return
            if session.state is SessionState.ENDED:
                raise SessionEnded
            if target.revoked:
                raise InvitationLinkRevoked
            for other in await InvitationStore(uow).of_session(actor.site, session.id):
                await InvitationStore(uow).save(rules.moved_to(other, target.id, now + self._life))
            await note(uow, actor, links.invitation_moved_to, target, now)
            await uow.commit()
        self._sessions.close_phone(session.id)
        self._sessions.publish(session)


async def _look(uow: UnitOfWork, site: str, invitation_id: str) -> tuple[Invitation, Session]:
    invitation = await InvitationStore(uow).get(site, invitation_id)
    return invitation, await SessionStore(uow).get(site, invitation.session)


async def repeated(uow: UnitOfWork, actor: Actor, command: str, now: datetime) -> bool:
    """Tell whether this command of this user was carried out before; the first time, remember it.

    A desk that lost the answer says the command again when it is back: it must not be done twice.
    """
    key = token_hash(f"{actor.user}:{command}")
    if await OnceStore(uow).owner(actor.site, "command", key, now) is not None:
        return True
    await OnceStore(uow).claim(actor.site, "command", key, "desk", now, now + COMMANDS_KEPT)
    return False


async def note(
    uow: UnitOfWork, actor: Actor, verb: LinkVerb, invitation: Invitation, now: datetime
) -> None:
    """Write what happened to a link into the audit."""
    entry = verb(invitation.id, invitation.session, channel=invitation.channel)
    await write_down(uow, actor, entry, now)
