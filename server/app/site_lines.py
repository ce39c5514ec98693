"""Gives each site its line 15: feeds of the settings, and what follows from a call in the same transaction."""

from collections.abc import Sequence

from server.core.sites import SiteStore
from server.line15.service.lines import Lines
from server.line15.wire.calls import IngestFor
from server.storage.transactions import Transactions
from telephony.registry import Source


async def connect_sites(
    *,
    transactions: Transactions,
    lines: Lines,
    sources: Sequence[Source],
    ingest_for: IngestFor,
) -> None:
    """Add every site to `lines`, not yet started; SitePolicyUnreadable when one's decisions cannot be read."""
    async with transactions(write=False) as uow:
        for site in await SiteStore(uow).all():
            site.check_policy()
            feeds = [source for source in sources if source.site == site.key]
            stations = await SiteStore(uow).stations(site.id)
            lines.add(site.id, site.key, stations, feeds, ingest_for(site.id))
            if site.policy.webhook:
                lines.connect(site.id)
