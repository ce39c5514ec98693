"""Builds what stores calls: of each site its own (I7)."""

from collections.abc import Callable, Sequence

from server.line15.service.ingest import CallIngest, OnCall, OnMerged, Touched
from server.storage.wire import Foundation

#: Makes the ingest of the site with this id.
IngestFor = Callable[[str], CallIngest]


def wire_ingests(
    base: Foundation,
    *,
    on_merged: Sequence[OnMerged],
    on_saved: Sequence[OnCall] = (),
    on_folded: Sequence[OnCall] = (),
    touched: Touched = lambda _site, _calls: None,
) -> IngestFor:
    """Return what makes the ingest of a site; every site's has the same hooks."""

    def ingest_for(site: str) -> CallIngest:
        return CallIngest(
            site,
            base.transactions,
            base.clock,
            base.bus,
            on_merged=on_merged,
            on_saved=on_saved,
            on_folded=on_folded,
            touched=touched,
        )

    return ingest_for
