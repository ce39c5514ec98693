"""One transaction, as every store sees it."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.seal import Seal


class UnitOfWork:
    """An open transaction: a store is made on it where it is used; what is not committed is rolled back.

    `chain_ends`: where this transaction has put the end of each site's audit chain (server/core/journal/append.py).
    """

    def __init__(
        self, connection: AsyncConnection, seal: Seal, committed: Callable[[], None]
    ) -> None:
        """Take the connection whose transaction is open; `committed` is told of each commit."""
        self.connection = connection
        self.seal = seal
        self.chain_ends: dict[str, tuple[int, str]] = {}
        self._committed = committed

    async def commit(self) -> None:
        """Make it durable; nothing is acknowledged before this returns (I3)."""
        await self.connection.commit()
        self._committed()
