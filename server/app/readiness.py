"""Whether the server can do its work now, and what the metrics read at each scrape."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from server.core.errors import AppError
from server.delivery.service.delivery import DeliveryService
from server.line15.service.lines import Lines
from server.recordings.service import RecordingCatalogue
from server.storage import schema
from server.storage.transactions import Transactions
from server.web.metrics import Metrics
from server.web.operations import Readiness
from telephony import FeedState
from telephony.sources.recordings.feed import RecordingsFeed
from telephony.supervisor import Supervisor

SCRAPE_SECONDS = 5.0  # Prometheus waits ten
_log = structlog.get_logger("server")


class ReadinessReader:
    """Says which parts work. A database is ready when it can be read and written, at this release's schema."""

    def __init__(
        self,
        engine: AsyncEngine,
        transactions: Transactions,
        delivery: DeliveryService,
        supervisor: Supervisor,
    ) -> None:
        """Take the parts to ask."""
        self._engine = engine
        self._transactions = transactions
        self._delivery = delivery
        self._supervisor = supervisor
        self._away = False

    async def read(self) -> Readiness:
        """Ask each part now."""
        away = self._supervisor.away()
        parts = {
            "database": await self._database(),
            "delivery": self._delivery.ready,
            "loops": not away,
        }
        return Readiness(parts, away)

    async def _database(self) -> bool:
        """Whatever is wrong, the answer is "not ready"; the log tells why, once an outage."""
        try:
            await schema.check(self._engine)
            writable = await self._transactions.writable()
        except Exception as fault:  # noqa: BLE001 - the errors of a database are many
            if not self._away:
                ours = fault if not isinstance(fault, AppError) else None
                _log.warning("readiness.database_away", error=type(fault).__name__, exc_info=ours)
            self._away = True
            return False
        if self._away:
            _log.info("readiness.database_back")
        self._away = False
        return writable


async def refresh(
    metrics: Metrics,
    lines: Lines,
    catalogue: RecordingCatalogue,
    folders: Sequence[tuple[str, RecordingsFeed]],
    supervisor: Supervisor,
    readiness: Awaitable[Readiness],
) -> None:
    """Read what is asked for at each scrape; a database that hangs is not ready, and holds up no scrape."""
    try:
        async with asyncio.timeout(SCRAPE_SECONDS):
            metrics.ready((await readiness).parts)
    except TimeoutError:
        metrics.ready({"database": False})
    metrics.loops(supervisor.up())
    for site, feed in folders:
        metrics.folder(site, feed.name, up=feed.health().state is FeedState.CONNECTED)
    with suppress(AppError, TimeoutError):
        async with asyncio.timeout(SCRAPE_SECONDS):
            metrics.recordings(lines.healths(), await catalogue.counts(), catalogue.unattached)
    for site, feeds in lines.healths().items():
        for health in feeds:
            metrics.feed(
                site,
                health.name,
                up=health.state in {"connected", "quiet"},
                received=health.received,
                rejected=dict(health.rejected),
                lag=health.lag,
                resynced=health.resynced,
                lost={"kernel": health.dropped, "queue": health.overflow},
            )
