"""Gives each site its line 15: feeds of the settings, and what follows from a call in the same transaction."""

from collections.abc import Sequence

from server.core.bus import Bus
from server.core.clock import Clock
from server.core.sites import SiteStore
from server.line15.service.call_events import KIND as TOLD_BY_EVENTS
from server.line15.service.ingest import CallIngest
from server.line15.service.lines import Lines
from server.reconcile.service.reconciler import Reconciler
from server.recordings.service import RecordingCatalogue
from server.storage.transactions import Transactions
from server.video.service.following import accompany, relink
from telephony.registry import Source


async def connect_sites(
    *,
    transactions: Transactions,
    clock: Clock,
    bus: Bus,
    lines: Lines,
    sources: Sequence[Source],
    catalogue: RecordingCatalogue,
    reconciler: Reconciler,
) -> None:
    """Add every site to `lines`, not yet started."""
    async with transactions(write=False) as uow:
        for site in await SiteStore(uow).all():
            feeds = [source for source in sources if source.site == site.key]
            stations = await SiteStore(uow).stations(site.id)
            ingest = CallIngest(
                site.id,
                transactions,
                clock,
                bus,
                on_merged=(relink,),
                on_saved=(catalogue.told,),
                on_folded=(accompany,),
                touched=reconciler.touch,
            )
            lines.add(site.id, site.key, stations, feeds, ingest)
            if site.policy.get(TOLD_BY_EVENTS):
                lines.connect(site.id)
