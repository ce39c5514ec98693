"""Builds what every room and every command stands on: database, transactions, seal, time, ids, bus."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from server.core.bus import Bus
from server.core.clock import Clock, Ids, SystemClock
from server.core.housekeeping import Failed
from server.core.seal import Seal
from server.storage.engine import make_engine
from server.storage.transactions import Transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """What every room is built on."""

    engine: AsyncEngine
    transactions: Transactions
    seal: Seal
    clock: Clock
    ids: Ids
    bus: Bus
    failed: Failed  # counts what a job of the housekeeping could not do

    async def aclose(self) -> None:
        """Close the connections to the database."""
        await self.engine.dispose()


def lay_foundation(
    database_url: str,
    secret_key: str,
    *,
    clock: Clock | None = None,
    failed: Failed = lambda _job: None,
) -> Foundation:
    """Build it; nothing is connected yet. Raises StorageUnavailable when the driver is not installed."""
    engine, seal = make_engine(database_url), Seal(secret_key)
    return Foundation(
        engine=engine,
        transactions=Transactions(engine, seal),
        seal=seal,
        clock=clock or SystemClock(),
        ids=Ids(),
        bus=Bus(),
        failed=failed,
    )
