"""Reading a site's audit chain to the end and saying whether it is whole; streaming, so its length does not matter."""

import copy
from typing import Final

from server.audit.domain.chain import ChainVerdict, ChainVerifier
from server.audit.store.audit import AuditStore
from server.storage.transactions import Transactions

WHOLE: Final = 20_000  # rows read again on every page; beyond, a page reads what is new since the last whole reading


class ChainVerification:
    """Verifies chains; remembers, per site, how far it has read in this process."""

    def __init__(self, transactions: Transactions, whole: int = WHOLE) -> None:
        """Take the storage; `whole` is the length up to which every reading starts at the first row."""
        self._transactions = transactions
        self._whole = whole
        self._read: dict[str, ChainVerifier] = {}

    async def verify(self, site: str, noted: str | None = None) -> tuple[ChainVerdict, bool]:
        """Read the whole chain; say also whether the head `noted` elsewhere was met: it shows a chain cut short."""
        verifier = ChainVerifier(noted)
        await self._walk(site, verifier)
        self._read[site] = verifier
        return verifier.verdict(), verifier.met

    async def glance(self, site: str) -> ChainVerdict:
        """Say it for a page: the whole chain while it is short, else what came since, from the last row read."""
        before = self._read.get(site)
        if before is None or before.count <= self._whole:
            return (await self.verify(site))[0]
        verifier = copy.copy(before)
        await self._walk(site, verifier)
        self._read[site] = verifier
        return verifier.verdict()

    async def _walk(self, site: str, verifier: ChainVerifier) -> None:
        """Feed every row after those already read; the last row read must still be there, unchanged."""
        known = verifier.count
        there = known == 0
        async with self._transactions(write=False) as uow:
            async for row, payload in AuditStore(uow).opened_chain(site, max(known, 1)):
                if known and row.seq == known:
                    there = row.hash == verifier.head
                    continue
                verifier.feed(row, payload)
        if not there:
            verifier.lose(known)
