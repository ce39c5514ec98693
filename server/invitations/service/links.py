"""The caller's side of a link: looked at, opened, tapped, come back to (I5)."""

from dataclasses import dataclass
from datetime import datetime

from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal import links as journal
from server.core.sites import Site, SiteStore
from server.core.tokens import token_hash
from server.invitations.domain import invitation as rules
from server.invitations.domain.invitation import Invitation
from server.invitations.service.invitations import note
from server.invitations.store.invitations import InvitationStore
from server.storage.transactions import Transactions
from server.video.domain.session import (
    BEFORE_ASKING,
    CallerTapped,
    CameraRefused,
    InvitationOpened,
    PageWorks,
    Session,
    SessionState,
)
from server.video.errors import OpenElsewhere
from server.video.service.languages import keep_language
from server.video.service.rooms import Admission, Rooms
from server.video.service.sessions import Sessions
from server.video.store.sessions import SessionStore
from server.web.errors import InvitationLinkUnknown, MessageOutOfOrder


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """What a page that was opened says of itself: its language, and why its camera cannot even be asked for.

    `trouble`: one of session.BEFORE_ASKING.
    """

    language: str
    chosen: bool = False
    trouble: str | None = None


class InvitationLinks:
    """What a phone may do with the link it was sent.

    Who guesses never waits for a writer's turn: `look` comes before `opened`, `tap` and `release`, which judge again.
    """

    def __init__(
        self, transactions: Transactions, clock: Clock, sessions: Sessions, rooms: Rooms
    ) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._sessions = sessions
        self._rooms = rooms

    async def look(self, token: str, browser: str | None) -> tuple[Invitation, Session, Site]:
        """Say what a link is good for in this browser, changing nothing (I5); raises why it is not."""
        async with self._transactions(write=False) as uow:
            return await self._admitted(uow, token, browser, self._clock.now())

    async def enter(self, token: str, browser: str | None) -> Admission:
        """Let the phone that tapped, or a bound browser that comes back, into its session's room."""
        if browser and (admission := self._rooms.expected(token, browser)):
            return admission
        session, site = await self.bound(token, browser)
        return _admission(token, browser or "", session, site)

    async def bound(self, token: str, browser: str | None) -> tuple[Session, Site]:
        """Return whose link this is, for the browser that tapped it and no other."""
        invitation, session, site = await self.look(token, browser)
        if invitation.browser_hash is None:
            raise MessageOutOfOrder("before_tap")
        return session, site

    async def site_of(self, token: str) -> Site | None:
        """Return the site of any token ever given, so that even a dead link's page names it."""
        async with self._transactions(write=False) as uow:
            invitation = await InvitationStore(uow).by_token(token_hash(token))
            if invitation is None:
                return None
            return await SiteStore(uow).get(invitation.site)

    async def opened(
        self, token: str, address: str | None, browser: str | None, page: OpenedPage
    ) -> Session:
        """A visible page's script reports itself, and what it shows."""
        now = self._clock.now()
        async with self._transactions() as uow:
            invitation, session, site = await self._admitted(uow, token, browser, now)
            if invitation.opened is None:
                await InvitationStore(uow).save(rules.opened(invitation, now))
            actor = Actor("phone", site.id, None, address)
            session, commands = await self._sessions.apply(
                uow, session, InvitationOpened(), actor, now
            )
            if page.chosen or session.language is None:
                session = await keep_language(uow, actor, session, page.language, now)
            if page.trouble:
                if self._counts(session, page.trouble):
                    refused = CameraRefused(page.trouble)
                    session, _ = await self._sessions.apply(uow, session, refused, actor, now)
            elif session.camera in BEFORE_ASKING:
                session, _ = await self._sessions.apply(uow, session, PageWorks(), actor, now)
            await uow.commit()
        self._sessions.perform(session, commands)
        return session

    def _counts(self, session: Session, trouble: str) -> bool:
        """Tell whether what a page cannot do is news, and matters.

        A second page of the same browser takes nothing from the one that speaks, nor from a picture, which goes on
        without the page's socket. A repetition does not begin the regulator's wait anew.
        """
        speaks = self._rooms.get(session.id).phone is not None
        return not speaks and session.state is not SessionState.LIVE and session.camera != trouble

    async def tap(self, token: str, address: str | None, browser: str) -> None:
        """Bind the link to this browser: the first tap wins, the same browser may tap again."""
        now = self._clock.now()
        async with self._transactions() as uow:
            invitation, session, site = await self._admitted(uow, token, browser, now)
            actor = Actor("phone", site.id, None, address)
            if invitation.browser_hash is None:
                bound = rules.tapped(invitation, token_hash(browser), now)
                await InvitationStore(uow).save(bound)
                await note(uow, actor, journal.invitation_bound, bound, now)
            session, commands = await self._sessions.apply(uow, session, CallerTapped(), actor, now)
            await uow.commit()
        self._rooms.expect(_admission(token, browser, session, site))
        self._sessions.perform(session, commands, soon=True)

    async def release(self, token: str, address: str | None, browser: str) -> None:
        """The bound browser gives its link back: another one on this phone is to take it."""
        now = self._clock.now()
        async with self._transactions() as uow:
            bound, session, site = await self._admitted(uow, token, browser, now)
            free = rules.released(bound, now)
            if free == bound:
                return
            await InvitationStore(uow).save(free)
            actor = Actor("phone", site.id, None, address)
            await note(uow, actor, journal.invitation_released, free, now)
            await uow.commit()
        self._rooms.expel(session.id, OpenElsewhere("released"))

    async def _admitted(
        self, uow: UnitOfWork, token: str, browser: str | None, now: datetime
    ) -> tuple[Invitation, Session, Site]:
        """Return what a link leads to; raises why this browser may not use it now."""
        invitation = await InvitationStore(uow).by_token(token_hash(token))
        if invitation is None:
            raise InvitationLinkUnknown
        session = await SessionStore(uow).get(invitation.site, invitation.session)
        every = await InvitationStore(uow).of_session(session.site, session.id)
        siblings = [one for one in every if one.id != invitation.id]
        browser_hash = None if browser is None else token_hash(browser)
        rules.admit(invitation, siblings, session, browser_hash, now)
        return invitation, session, await SiteStore(uow).get(session.site)


def _admission(token: str, browser: str, session: Session, site: Site) -> Admission:
    state, language = session.state.value, session.language
    return Admission(
        token=token,
        browser=browser,
        session=session.id,
        site=site.id,
        site_name=site.name,
        state=state,
        language=language,
    )
