"""Sign-in: password, one-time code, revocable session; nobody learns from an answer, or its work, who has an account.

Every request for a code takes one path: the same reads, one password verification, the same writes in one transaction.
With wrong credentials the challenge accepts no code and the message is stored as failed, so it never leaves. Tries with
unknown identifiers belong to no site; the oldest site, the home of the installation, keeps them in its audit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Conflict, StorageUnavailable
from server.core.journal import logins as journal
from server.core.journal.append import Journal
from server.core.limits.throttle import Throttle
from server.core.limits.throttle_store import ThrottleStore
from server.core.limits.token_bucket import Bucket, take
from server.core.seal import Seal
from server.core.sites import Site, SiteStore
from server.core.tasks import create_task
from server.core.tokens import token_hash
from server.identity.domain.access import Role
from server.identity.domain.login import (
    CODE_LIFE,
    CodeOutcome,
    LoginChallenge,
    answer,
    landing,
    normal_identifier,
    safe_next,
)
from server.identity.domain.sign_in import SignInLives, StoredSignIn
from server.identity.domain.users import User
from server.identity.errors import BadCredentials, LoginCodeExpired, LoginThrottled
from server.identity.passwords import Passwords
from server.identity.service.login_codes import CODE_MINUTES, LoginCodes
from server.identity.service.login_limits import LoginLimits
from server.identity.store.login import LoginStore
from server.identity.store.users import UserStore
from server.storage.transactions import Transactions
from server.web.pages import Pages

ASKED_AT_ONCE: Final = 300  # one-time codes asked for by everybody: a shift of a region, and more
ASKED_A_SECOND: Final = 2.0


@dataclass(frozen=True, slots=True)
class LoginChallengeInfo:
    """What the page of the six digits says: the channel that was asked for, never the one that was used."""

    channel: str
    minutes: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request for a code: `user` is who was named, `right` whether the password was theirs."""

    account: str
    address: str | None
    channel: str
    next: str
    user: User | None
    right: bool

    @property
    def entitled(self) -> User | None:
        """Who may get a code."""
        return self.user if self.right else None

    @property
    def named(self) -> str | None:
        """Return the id of the user whom the audit names."""
        return self.user.id if self.user else None


@dataclass(frozen=True, slots=True)
class Came:
    """From where a code was typed: the address, and the cookie this browser had."""

    address: str | None
    former: str | None


class Login:
    """The use cases of signing in and out."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        seal: Seal,
        passwords: Passwords,
        limits: LoginLimits,
        pages: Pages,
        lives: Mapping[Role, SignInLives],
        wake: Callable[[], None],
    ) -> None:
        """Take the parts; `wake` starts the delivery of what was queued, `lives` are those of a sign-in."""
        self._lives = lives
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._passwords = passwords
        self._codes = LoginCodes(ids, seal, pages)
        self._limits = limits
        self._wake = wake
        self._asked: Bucket | None = None

    # --- first step: identifier and password
    async def request_code(
        self, identifier: str, password: str, channel: str, address: str | None, next_: str | None
    ) -> str:
        """Return the opaque value of a challenge, whatever was typed; LoginThrottled is the only refusal."""
        typed = normal_identifier(identifier)
        account = self._limits.account(typed)
        async with self._transactions(write=False) as uow:
            await self._limits.check(uow, account, address, self._clock.now())
            user = await UserStore(uow).by_identifier(typed)
        self._take_one()
        right = await self._passwords.verify(user.password_hash if user else None, password)
        asked = _Asked(
            account=account,
            address=address,
            channel="sms" if channel == "sms" else "email",
            next=safe_next(next_),
            user=user,
            right=right and user is not None and user.disabled is None,
        )
        value = await self._challenge(asked)
        self._wake()
        if asked.entitled and self._passwords.stale(asked.entitled.password_hash):
            create_task(self._rehash(asked.entitled, password), "login.rehash")
        return value

    def _take_one(self) -> None:
        """Count one of everybody's: it will be written down. Who is refused for oneself takes none from the others."""
        left = take(self._asked, self._clock.now(), a_second=ASKED_A_SECOND, burst=ASKED_AT_ONCE)
        if left is None:
            raise LoginThrottled("everybody")
        self._asked = left

    async def _challenge(self, asked: _Asked) -> str:
        """Write challenge, message, throttles and audit: the same statements for right and wrong."""
        now, value, code = self._clock.now(), self._ids.token(), self._ids.code()
        challenge = LoginChallenge(
            id=token_hash(value),
            site=asked.entitled.site if asked.entitled else None,
            user=asked.entitled.id if asked.entitled else None,
            account=asked.account,
            code_hash=self._codes.hash(token_hash(value), code),
            channel=asked.channel,
            tries=0,
            next=asked.next,
            created=now,
            expires=now + CODE_LIFE,
        )
        async with self._transactions(stranger=True) as uow:
            await self._limits.check(uow, asked.account, asked.address, now)
            await self._limits.count(
                uow, asked.account, asked.address, now, wrong=not asked.right, codes=True
            )
            await LoginStore(uow).forget_everywhere(now)
            await ThrottleStore(uow).forget_everywhere(now)
            await LoginStore(uow).add_challenge(challenge)
            sites = await SiteStore(uow).all()
            if sites:
                home = next((s for s in sites if asked.user and s.id == asked.user.site), sites[0])
                await self._send(uow, asked, home, code, now)
            await uow.commit()
        return value

    async def _send(
        self, uow: UnitOfWork, asked: _Asked, site: Site, code: str, now: datetime
    ) -> None:
        """Queue the code, or what looks like it, and write it down."""
        channel = await self._codes.queue(
            uow, asked.entitled, asked.channel, site, code=code, now=now
        )
        if channel:
            entry = journal.login_code_sent(asked.named, channel=channel)
        else:
            reason = "no_contact" if asked.right else "credentials"
            entry = journal.login_refused(asked.named, reason=reason)
        await Journal(uow).append(Actor("desk", site.id, None, asked.address), entry, now)

    async def _rehash(self, user: User, password: str) -> None:
        """Store the password under today's parameters; after the answer, so that nobody waits for it."""
        stronger = await self._passwords.hash(password)
        try:
            async with self._transactions() as uow:
                await UserStore(uow).save(replace(user, password_hash=stronger))
                await uow.commit()
        except (Conflict, StorageUnavailable):
            return  # the next sign-in does it

    # --- second step: the code
    async def challenge_info(self, value: str | None) -> LoginChallengeInfo | None:
        """Say what the page of the six digits shows; None when there is nothing to wait for."""
        async with self._transactions(write=False) as uow:
            challenge = await LoginStore(uow).challenge(token_hash(value or ""))
        if challenge is None or self._clock.now() >= challenge.expires:
            return None
        return LoginChallengeInfo(challenge.channel, CODE_MINUTES)

    async def verify(
        self, value: str | None, code: str, address: str | None, former: str | None = None
    ) -> tuple[str, str]:
        """Exchange the right code for a session cookie and the page to go to.

        `former`: the cookie this browser had; it ends, and for the same user the sign-in is renewed.
        Raises BadCredentials (try again), LoginCodeExpired (ask again) or LoginThrottled (wait).
        """
        now, id_ = self._clock.now(), token_hash(value or "")
        async with self._transactions(write=False) as uow:
            if await LoginStore(uow).challenge(id_) is None:
                raise LoginCodeExpired
        async with self._transactions(stranger=True) as uow:
            challenge = await LoginStore(uow).challenge(id_)
            if challenge is None:
                raise LoginCodeExpired
            await self._limits.check(uow, challenge.account, address, now)
            typed = self._codes.hash(id_, "".join(code.split())[:16])
            tried, outcome = answer(challenge, typed, now)
            user = await self._owner(uow, challenge)
            if outcome is CodeOutcome.ACCEPTED and user is not None and user.disabled is None:
                cookie = await self._sign_in(uow, challenge, user, Came(address, former), now)
                await uow.commit()
                return cookie, landing(challenge.next, user.role)
            await self._refuse(uow, tried, user, address, now)
            await uow.commit()
        raise LoginCodeExpired if outcome is CodeOutcome.OVER else BadCredentials

    async def _owner(self, uow: UnitOfWork, challenge: LoginChallenge) -> User | None:
        """Load whose challenge it is; wrong credentials cost the same read."""
        if challenge.site is None or challenge.user is None:
            return await UserStore(uow).by_identifier("")
        return await UserStore(uow).get(challenge.site, challenge.user)

    async def _sign_in(
        self, uow: UnitOfWork, challenge: LoginChallenge, user: User, came: Came, now: datetime
    ) -> str:
        """Open the session; the code is used up and the account's failures are forgotten."""
        cookie = self._ids.token()
        await LoginStore(uow).drop_challenge(challenge.id)
        await ThrottleStore(uow).save(Throttle(challenge.account, 0, now, None))
        former = await self._replace(uow, user, came, now)
        expires = now + self._lives[user.role].absolute
        await LoginStore(uow).add_web_session(
            StoredSignIn(
                id=token_hash(cookie),
                site=user.site,
                user=user.id,
                created=now,
                seen=now,
                expires=expires,
                revoked=None,
            )
        )
        told = journal.login_renewed if former == user.id else journal.login_succeeded
        entry = told(user.id, by=challenge.channel)
        await Journal(uow).append(Actor("desk", user.site, user.id, came.address), entry, now)
        return cookie

    async def _replace(self, uow: UnitOfWork, user: User, came: Came, now: datetime) -> str | None:
        """End the sign-in this browser had, and return whose it was; a cookie never outlives the next one."""
        former = await LoginStore(uow).web_session(token_hash(came.former)) if came.former else None
        if former is None or former.revoked is not None:
            return None
        await LoginStore(uow).revoke(former.id, now)
        if former.user != user.id:
            other = await UserStore(uow).get(former.site, former.user)
            entry = journal.login_ended(other.id, reason="replaced")
            await Journal(uow).append(Actor("desk", other.site, other.id, came.address), entry, now)
        return former.user

    async def _refuse(
        self,
        uow: UnitOfWork,
        tried: LoginChallenge,
        user: User | None,
        address: str | None,
        now: datetime,
    ) -> None:
        """Write a failed try down: on the challenge, the account, the address and in the audit."""
        await LoginStore(uow).save_challenge(tried)
        await self._limits.count(uow, tried.account, address, now, wrong=True)
        sites = await SiteStore(uow).all()
        if sites:
            named = user.id if user else None
            actor = Actor("desk", user.site if user else sites[0].id, None, address)
            entry = journal.login_refused(named, reason="code", tries=tried.tries)
            await Journal(uow).append(actor, entry, now)

    # --- the end
    async def logout(self, cookie: str, address: str | None = None) -> None:
        """End this session on the server; a cookie that is no session is no error."""
        now, id_ = self._clock.now(), token_hash(cookie)
        async with self._transactions(write=False) as uow:
            if await LoginStore(uow).web_session(id_) is None:
                return
        async with self._transactions() as uow:
            session = await LoginStore(uow).web_session(id_)
            if session is None or session.revoked is not None:
                return
            user = await UserStore(uow).get(session.site, session.user)
            await LoginStore(uow).revoke(id_, now)
            entry = journal.login_ended(user.id, reason="logout")
            await Journal(uow).append(Actor("desk", user.site, user.id, address), entry, now)
            await uow.commit()
