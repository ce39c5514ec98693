"""Refusals of the desk."""

from server.core.errors import Conflict, TooMany


class HandOverGone(Conflict):
    """Somebody was faster: taken, withdrawn, or offered elsewhere."""

    code = "offer_gone"


class TakenOver(Conflict):
    """Another desk took this station: the newer wins, the older is told."""

    code = "taken_over"


class StationTaken(Conflict):
    """Another person's desk sits there: it is taken on purpose only.

    Facts: `station`, `by`, `own`, `since`, `live`.
    """

    code = "station_taken"


class PointerFlood(TooMany):
    """More places than anybody points at; counted, never told: the newest is sent all the same."""

    code = "pointer_flood"
