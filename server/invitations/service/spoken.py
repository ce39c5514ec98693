"""When no SMS can arrive: a code is read aloud, typed on `/c`, and becomes a link like any other (docs/adr/0011)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.housekeeping import Failed, Rounds
from server.core.journal import links as journal
from server.core.journal.append import Journal
from server.core.limits.throttle import within
from server.core.limits.throttle_store import ThrottleStore
from server.core.net.addresses import source_of
from server.core.seal import Seal
from server.core.sites import SiteStore
from server.core.tokens import token_hash
from server.invitations.domain import spoken as rules
from server.invitations.domain.invitation import Invitation, redeemed
from server.invitations.domain.spoken import CODE_LIFE, MOST_LIVE, MOST_TYPED, SpokenCode
from server.invitations.errors import (
    InvitationLinkRevoked,
    SpokenCodesTooMany,
    SpokenCodeThrottled,
    SpokenCodeWrong,
)
from server.invitations.service.invitations import InvitationRequest, Invitations
from server.invitations.store.invitations import InvitationStore
from server.invitations.store.spoken import SpokenCodeStore
from server.storage.transactions import Transactions
from server.video.domain.session import Session, SessionState, marked
from server.video.errors import OpenElsewhere, SessionEnded
from server.video.service.sessions import Sessions, write_down
from server.video.store.sessions import SessionStore

CHANNEL = "code"
EVERYBODY = "everybody"
_log = structlog.get_logger("spoken")


@dataclass(frozen=True, slots=True)
class NewSpokenCode:
    """What the desk reads aloud; the code is told once and stored nowhere."""

    session: str
    code: str
    expires: datetime
    address: str


class SpokenCodes:
    """Makes codes for desks and exchanges them for links."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        seal: Seal,
        invitations: Invitations,
        sessions: Sessions,
        address: str,
        life: timedelta,
        failed: Failed,
    ) -> None:
        """Keep what the use cases need.

        `address` is what is read aloud, `life` that of a link before its tap; `failed` counts what the sweep missed.
        """
        self._rounds = Rounds("spoken", failed)
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._seal = seal
        self._invitations = invitations
        self._sessions = sessions
        self._address = address
        self._life = life

    # --- the desk
    async def make(
        self, actor: Actor, request: InvitationRequest, session_id: str | None
    ) -> NewSpokenCode:
        """Make a code for a new session, or for one whose link is not tapped yet; its former code stops working.

        The same command again makes another code: whoever asks again has not read the first.
        """
        now = self._clock.now()
        async with self._transactions() as uow:
            if session_id is None:
                session = await self._begin(uow, actor, request, now)
            else:
                session = await SessionStore(uow).get(actor.site, session_id)
            if session.state is SessionState.ENDED:
                raise SessionEnded
            if session.state not in {SessionState.INVITED, SessionState.OPENED}:
                raise OpenElsewhere("tapped")
            invitation = await self._invitation(uow, actor, session, now)
            digits = await self._draw(uow, now)
            code = SpokenCode(
                id=self._ids.new(),
                code=self._hash(digits),
                site=session.site,
                session=session.id,
                invitation=invitation.id,
                created=now,
                expires=now + CODE_LIFE,
            )
            await SpokenCodeStore(uow).add(code)
            entry = journal.code_created(code.id, code.session, expires=code.expires)
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()
        self._sessions.publish(session)
        return NewSpokenCode(session.id, digits, code.expires, self._address)

    async def _begin(
        self, uow: UnitOfWork, actor: Actor, request: InvitationRequest, now: datetime
    ) -> Session:
        begun = await self._invitations.begin(uow, actor, request, now)
        if begun.known:
            return begun.session
        return await SessionStore(uow).save(marked(begun.session, "code", now))

    async def _invitation(
        self, uow: UnitOfWork, actor: Actor, session: Session, now: datetime
    ) -> Invitation:
        """Return the session's invitation by code, with fresh minutes and without its former code."""
        known = [
            i
            for i in await InvitationStore(uow).of_session(session.site, session.id)
            if i.channel == CHANNEL
        ]
        if known:
            if known[0].revoked is not None:
                raise InvitationLinkRevoked
            for code in await SpokenCodeStore(uow).of_invitations(session.site, [known[0].id]):
                if code.live(now):
                    await SpokenCodeStore(uow).save(replace(code, expires=now))
            return await InvitationStore(uow).save(replace(known[0], expires=now + self._life))
        # No link works before the code is typed: the token of this hash is known to nobody.
        invitation = Invitation(
            id=self._ids.new(),
            site=session.site,
            session=session.id,
            channel=CHANNEL,
            contact=None,
            token_hash=token_hash(self._ids.token()),
            created=now,
            expires=now + self._life,
        )
        await InvitationStore(uow).add(invitation)
        entry = journal.invitation_created(
            invitation.id, session.id, channel=CHANNEL, expires=invitation.expires
        )
        await write_down(uow, actor, entry, now)
        return invitation

    async def _draw(self, uow: UnitOfWork, now: datetime) -> str:
        """Draw digits that no live code has, on any site."""
        if await SpokenCodeStore(uow).live_everywhere(now) >= MOST_LIVE:
            raise SpokenCodesTooMany
        while True:
            digits = self._ids.code()
            taken = await SpokenCodeStore(uow).by_hash(self._hash(digits))
            if taken is None or not taken.live(now):
                return digits

    def _hash(self, digits: str) -> str:
        return self._seal.lookup("spoken", digits)

    # --- the caller
    async def redeem(self, typed: str, address: str | None, browser: str) -> str:
        """Exchange a code for the token of its link.

        Raises SpokenCodeWrong for whatever is not a live code, without saying why, and SpokenCodeThrottled.
        """
        now = self._clock.now()
        own = self._seal.lookup("spoken-address", source_of(address))
        everybody = self._seal.lookup("spoken-address", EVERYBODY)
        async with self._transactions(write=False) as uow:
            await self._check(uow, own, everybody, now)
        digits = rules.typed_digits(typed)
        async with self._transactions(stranger=True) as uow:
            await self._check(uow, own, everybody, now)
            code = await SpokenCodeStore(uow).by_hash(self._hash(digits))
            token = await self._exchange(uow, code, address, token_hash(browser), now)
            if token is None:
                if code is not None:
                    await SpokenCodeStore(uow).save(replace(code, tries=code.tries + 1))
                await self._wrong(uow, own, everybody, now)
            await uow.commit()
        if token is None or code is None:
            raise SpokenCodeWrong
        await self._sessions.refresh(code.site, code.session)
        return token

    async def _check(self, uow: UnitOfWork, own: str, everybody: str, now: datetime) -> None:
        mine, all_ = await ThrottleStore(uow).get(own), await ThrottleStore(uow).get(everybody)
        if rules.refused(mine, all_, now):
            raise SpokenCodeThrottled

    async def _exchange(
        self,
        uow: UnitOfWork,
        code: SpokenCode | None,
        address: str | None,
        browser: str,
        now: datetime,
    ) -> str | None:
        """Return the token of a code that this browser may type now."""
        if code is None or now >= code.expires:
            return None
        if code.used is not None and code.browser != browser:
            return None
        invitation = await InvitationStore(uow).get(code.site, code.invitation)
        session = await SessionStore(uow).get(code.site, code.session)
        if session.state is SessionState.ENDED or invitation.revoked or invitation.tapped:
            return None
        await self._again(uow, code, now)
        token = self._ids.token()
        await InvitationStore(uow).save(redeemed(invitation, token, now + self._life))
        used = replace(code, used=code.used or now, browser=browser, tries=code.tries + 1)
        await SpokenCodeStore(uow).save(used)
        await SessionStore(uow).save(marked(session, "read", now))
        actor = Actor("phone", code.site, None, address)
        entry = journal.code_redeemed(code.id, code.session, tries=used.tries)
        await write_down(uow, actor, entry, self._clock.now())
        return token

    async def _again(self, uow: UnitOfWork, code: SpokenCode, now: datetime) -> None:
        """Count how often one code was exchanged, each a row of the audit; SpokenCodeThrottled past some lost ones."""
        key = self._seal.lookup("spoken-typed", code.id)
        typed = within(await ThrottleStore(uow).get(key), key, now, CODE_LIFE)
        if typed.count > MOST_TYPED:
            raise SpokenCodeThrottled
        await ThrottleStore(uow).save(typed)

    async def _wrong(self, uow: UnitOfWork, own: str, everybody: str, now: datetime) -> None:
        """Count a wrong code against its address and among all."""
        await self._tell(uow, everybody, now)
        before = await ThrottleStore(uow).get(everybody)
        after = rules.wrong_anywhere(before, everybody, now)
        await ThrottleStore(uow).save(after)
        if rules.alarmed(after, now) and not rules.alarmed(before, now):
            _log.warning("code.alarm", wrong=after.count)
        await ThrottleStore(uow).save(rules.wrong(await ThrottleStore(uow).get(own), own, now))

    # --- housekeeping
    async def sweep(self) -> int:
        """Write down what nobody typed in time, and how many wrong codes there were; forget both."""
        now = self._clock.now()
        everybody = self._seal.lookup("spoken-address", EVERYBODY)
        async with self._transactions(write=False) as uow:
            late = await SpokenCodeStore(uow).expired_everywhere(now)
            quiet = rules.over(await ThrottleStore(uow).get(everybody), now) is None
        done = await self._rounds.each({code.id: code for code in late}, self._expire)
        if not quiet:
            async with self._transactions() as uow:
                await SpokenCodeStore(uow).forget_everywhere(now)
                await self._tell(uow, everybody, now)
                # One a network that guessed: an attacker has many.
                await ThrottleStore(uow).forget_everywhere(now)
                await uow.commit()
        return done.changed

    async def _expire(self, seen: SpokenCode) -> bool:
        """Write down that nobody typed this code, unless somebody did since it was seen."""
        async with self._transactions() as uow:
            now = self._clock.now()
            code = await SpokenCodeStore(uow).by_hash(seen.code)
            if code is None or code.id != seen.id or code.used is not None or code.live(now):
                return False
            entry = journal.code_expired(code.id, code.session)
            await write_down(uow, Actor("server", code.site), entry, self._clock.now())
            await SpokenCodeStore(uow).forget(code.site, code.id)
            await SpokenCodeStore(uow).forget_everywhere(now)
            session = await SessionStore(uow).get(code.site, code.session)
            await uow.commit()
        self._sessions.publish(session)
        return True

    async def _tell(self, uow: UnitOfWork, everybody: str, now: datetime) -> None:
        """Tell the audit of the oldest site how many codes were wrong: they belong to no site, and none is named."""
        before = rules.over(await ThrottleStore(uow).get(everybody), now)
        sites = await SiteStore(uow).all()
        if before is None or not sites:
            return
        entry = journal.code_refused(
            wrong=before.count,
            since=before.window_start,
            alarm=before.count >= rules.ALARM_WRONG,
        )
        await Journal(uow).append(Actor("server", sites[0].id), entry, now)
        await ThrottleStore(uow).save(rules.told(before))
