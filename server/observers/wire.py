"""Builds the use cases of observers: inviting third persons who only look."""

from collections.abc import Callable
from datetime import timedelta

from server.delivery.service.sms_counts import SmsCounts
from server.observers.service import Observers
from server.storage.wire import Foundation
from server.video.wire import VideoParts
from server.web.pages import Pages


def wire_observers(
    base: Foundation,
    video: VideoParts,
    *,
    limits: SmsCounts,
    pages: Pages,
    wake: Callable[[], None],
    public_url: str,
    life: timedelta,
) -> Observers:
    """Build it; `life` is that of a link."""
    return Observers(
        transactions=base.transactions,
        clock=base.clock,
        ids=base.ids,
        seal=base.seal,
        pages=pages,
        sessions=video.sessions,
        rooms=video.rooms,
        wake=wake,
        public_url=public_url,
        life=life,
        limits=limits,
    )
