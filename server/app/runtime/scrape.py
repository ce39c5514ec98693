"""What the metrics read at each scrape."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from server.app.runtime.readiness import ReadinessReader
from server.core.errors import AppError
from server.line15.service.lines import Lines
from server.recordings.service import RecordingCatalogue
from server.web.metrics import Metrics
from telephony import FeedState
from telephony.sources.recordings.feed import RecordingsFeed
from telephony.supervisor import Supervisor

SCRAPE_SECONDS = 5.0  # Prometheus waits ten


class Scrape:
    """Reads what is not counted when it happens; a database that hangs is not ready, and holds up no scrape."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        readiness: ReadinessReader,
        supervisor: Supervisor,
        lines: Lines,
        catalogue: RecordingCatalogue,
        folders: Sequence[tuple[str, RecordingsFeed]],
    ) -> None:
        """Take the parts to read, and where to write."""
        self._metrics = metrics
        self._readiness = readiness
        self._supervisor = supervisor
        self._lines = lines
        self._catalogue = catalogue
        self._folders = folders

    async def refresh(self) -> None:
        """Read everything now."""
        await self._ready()
        self._metrics.loops(self._supervisor.up())
        await self._recordings()
        self._feeds()

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(SCRAPE_SECONDS):
                self._metrics.ready((await self._readiness.read()).parts)
        except TimeoutError:
            self._metrics.ready({"database": False})

    async def _recordings(self) -> None:
        for site, feed in self._folders:
            connected = feed.health().state is FeedState.CONNECTED
            self._metrics.folder(site, feed.name, up=connected)
        with suppress(AppError, TimeoutError):
            async with asyncio.timeout(SCRAPE_SECONDS):
                counts = await self._catalogue.counts()
                self._metrics.recordings(self._lines.healths(), counts, self._catalogue.unattached)

    def _feeds(self) -> None:
        for site, feeds in self._lines.healths().items():
            for health in feeds:
                self._metrics.feed(
                    site,
                    health.name,
                    up=health.state in {"connected", "quiet"},
                    received=health.received,
                    rejected=dict(health.rejected),
                    lag=health.lag,
                    resynced=health.resynced,
                    lost={"kernel": health.dropped, "queue": health.overflow},
                )
