"""Lifts the block that wrong passwords, whoever typed them, put on an account; written down like every change."""

from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.errors import NotFound
from server.core.journal import site as journal
from server.core.journal.append import Journal
from server.core.limits.throttle import Throttle, blocked
from server.core.limits.throttle_store import ThrottleStore
from server.identity.domain.login import normal_identifier
from server.identity.service.login_limits import LoginLimits
from server.identity.store.users import UserStore
from server.storage.transactions import Transactions


class Unlock:
    """Unlocks an account from the command line."""

    def __init__(self, transactions: Transactions, clock: Clock, limits: LoginLimits) -> None:
        """Take the parts."""
        self._transactions = transactions
        self._clock = clock
        self._limits = limits

    async def account(self, identifier: str) -> bool:
        """Forget the failures of a user and the codes asked for; tell whether that blocked them."""
        now, typed = self._clock.now(), normal_identifier(identifier)
        async with self._transactions() as uow:
            user = await UserStore(uow).by_identifier(typed)
            if user is None:
                raise NotFound("user")
            was = False
            for key in self._limits.of_account(typed):
                was |= blocked(await ThrottleStore(uow).get(key), now)
                await ThrottleStore(uow).save(Throttle(key, 0, now, None))
            entry = journal.user_unlocked(user.id, blocked=was)
            await Journal(uow).append(Actor("cli", user.site), entry, now)
            await uow.commit()
        return was
