"""The right to be forgotten: a person's number or address goes, the proof of what happened stays (I4)."""

from collections.abc import Mapping

from server.audit.store.erasure import ErasureStore
from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.journal import lookups as journal
from server.core.journal.append import Journal
from server.delivery.domain.contacts import check_email, read_number
from server.storage.transactions import Transactions


class Erasure:
    """Erases by number or e-mail address, for one site."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        """Keep what the use case needs."""
        self._transactions = transactions
        self._clock = clock

    async def forget(self, actor: Actor, text: str) -> Mapping[str, int]:
        """Erase everything sealed that holds this number or address; the audit says how much, not whose."""
        kind, value = _contact(text)
        now = self._clock.now()
        async with self._transactions() as uow:
            counts = await ErasureStore(uow).erase(actor.site, kind, value, now)
            await Journal(uow).append(actor, journal.personal_erased(kind, **counts), now)
            await uow.commit()
        return counts


def _contact(text: str) -> tuple[str, str]:
    if "@" in text:
        return "email", check_email(text).lower()
    return "number", read_number(text).e164
