"""Who is signed in, for how long yet, and what may still be finished after the end.

A sign-in that ended opens nothing any more, but never cuts a video: what its desk held then may be brought to its end
(docs/adr/0027-sign-ins-end.md). A revoked one is over at once, whatever it held.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound, StorageUnavailable
from server.core.housekeeping import Failed, Rounds
from server.core.journal import logins as journal
from server.core.journal.append import Journal
from server.core.sites import Site, SiteStore
from server.core.tokens import token_hash
from server.identity.domain.access import Role
from server.identity.domain.sign_in import (
    SignInLives,
    SignInStage,
    SignInStatus,
    StoredSignIn,
    noted,
    standing,
)
from server.identity.domain.users import User
from server.identity.domain.watched_videos import RunningVideo, VideoWatches
from server.identity.store.login import LoginStore
from server.identity.store.users import UserStore
from server.storage.transactions import Transactions

#: What its page still says at its very end comes first.
SWEEP_GRACE: Final = timedelta(seconds=30)
#: Sign-ins that ended longer ago are not written down any more: the server was off.
SWEPT_FOR: Final = timedelta(days=2)
#: Reads the videos of a site that have not ended: a hook, which a higher room gives (server/app/features.py).
ReadRunning = Callable[[UnitOfWork, str], Awaitable[Sequence[RunningVideo]]]
_log = structlog.get_logger("sign_ins")


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser that signed in and was not signed out; it may be over."""

    id: str
    user: User
    site: Site
    kept: StoredSignIn
    standing: SignInStatus

    @property
    def over(self) -> bool:
        """Whether one of its lives has ended."""
        return self.standing.stage is SignInStage.OVER


class SignIns:
    """Reads sign-ins, prolongs them, and writes down their ends."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        lives: Mapping[Role, SignInLives],
        running: ReadRunning,
        failed: Failed,
    ) -> None:
        """Take the parts; `failed` counts what the sweep missed."""
        self._transactions = transactions
        self._clock = clock
        self._lives = lives
        self._running = running
        self._rounds = Rounds("sign_ins", failed)
        self.watches = VideoWatches()

    async def look(self, cookie: str) -> SignIn | None:
        """Return the sign-in of a cookie. Read each time, so that a revoked one is refused at once."""
        id_ = token_hash(cookie)
        async with self._transactions(write=False) as uow:
            found = await LoginStore(uow).web_session(id_)
            if found is None or found.revoked is not None:
                self.watches.forget(id_)
                return None
            try:
                user = await UserStore(uow).get(found.site, found.user)
            except NotFound:
                return None
            if user.disabled is not None:
                return None
            site = await SiteStore(uow).get(user.site)
        return SignIn(
            id=id_, user=user, site=site, kept=found, standing=self._standing(found, user.role)
        )

    def _standing(self, found: StoredSignIn, role: Role) -> SignInStatus:
        lives, now = self._lives[role], self._clock.now()
        return standing(found.created, found.seen, found.expires, lives, now)

    async def touch(self, sign_in: SignIn) -> None:
        """Note activity, once a minute; a busy database does not send a regulator away in mid-shift."""
        now = self._clock.now()
        if sign_in.over or noted(sign_in.kept.seen, self._lives[sign_in.user.role], now):
            return
        try:
            async with self._transactions() as uow:
                await LoginStore(uow).touch(sign_in.id, now)
                await uow.commit()
        except StorageUnavailable as busy:  # the next request does it
            _log.info("sign_ins.not_touched", code=busy.code)

    async def held(self, sign_in: SignIn) -> frozenset[str]:
        """Return the videos a sign-in that ended may still finish.

        Those its user made meanwhile, unless another station took them, and those its desks watched when it ended.
        """
        async with self._transactions(write=False) as uow:
            running = await self._running(uow, sign_in.site.id)
        ends = sign_in.standing.ends
        watched = {watch.session for watch in self.watches.until(sign_in.id, ends)}
        return frozenset(
            one.id for one in running if _made_under(sign_in, one) or one.id in watched
        )

    def seats(self, sign_in: SignIn, video: str, station: str | None) -> frozenset[str]:
        """Return the stations where a sign-in that ended may sit for a video that it holds: the video's own `station`.

        And where its desks watched it from.
        """
        watches = self.watches.until(sign_in.id, sign_in.standing.ends)
        watched_from = {watch.station for watch in watches if watch.session == video}
        return frozenset(one for one in {station, *watched_from} if one)

    async def sweep(self) -> int:
        """Write down the ends of sign-ins, as soon as there is nothing left to finish."""
        now = self._clock.now()
        shortest = min(lives.idle for lives in self._lives.values())
        known = self.watches.sessions()  # before it is read what runs: others begin meanwhile
        async with self._transactions(write=False) as uow:
            late = await LoginStore(uow).quiet_web_sessions_everywhere(
                now - shortest, now, now - SWEPT_FOR
            )
            sites = await SiteStore(uow).all()
            running = [one for site in sites for one in await self._running(uow, site.id)]
        self.watches.drop(known - {one.id for one in running})
        return (await self._rounds.each({one.id[:8]: one for one in late}, self._end)).changed

    async def _end(self, seen: StoredSignIn) -> int:
        """End one, unless somebody did, came back, or has a video to finish."""
        async with self._transactions(write=False) as uow:
            user = await UserStore(uow).get(seen.site, seen.user)
            site = await SiteStore(uow).get(user.site)
        sign_in = SignIn(
            id=seen.id, user=user, site=site, kept=seen, standing=self._standing(seen, user.role)
        )
        if not sign_in.over or self._clock.now() < sign_in.standing.ends + SWEEP_GRACE:
            return 0
        if await self.held(sign_in):
            return 0
        async with self._transactions() as uow:
            now = self._clock.now()
            found = await LoginStore(uow).web_session(seen.id)
            if found is None or found.revoked is not None:
                return 0
            ended = self._standing(found, user.role)
            if ended.stage is not SignInStage.OVER:
                return 0
            await LoginStore(uow).revoke(seen.id, now)
            entry = journal.login_ended(user.id, reason=ended.why.value, at=ended.ends)
            await Journal(uow).append(Actor("server", user.site, user.id), entry, now)
            await uow.commit()
        self.watches.forget(seen.id)
        return 1


def _made_under(sign_in: SignIn, video: RunningVideo) -> bool:
    """Whether this is a video of that time: what its user makes under another sign-in is no business of this one."""
    own = video.made_by == sign_in.user.id and not video.handed
    return own and sign_in.kept.created <= video.created < sign_in.standing.ends
