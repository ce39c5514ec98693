"""What was off in a launch context that opened the desk all the same.

The desk has the words: server/desk/domain/launch_words.py.
"""

from dataclasses import dataclass
from enum import StrEnum


class NoticeKind(StrEnum):
    """What is told of a context, by a stable name."""

    CONTEXT_GONE = "context_gone"
    STATION_FOREIGN = "station_foreign"
    CALL_MALFORMED = "call_malformed"
    CALL_ENDED = "call_ended"
    CALL_ASSERTED = "call_asserted"
    CALL_RINGS = "call_rings"
    CALL_HELD = "call_held"
    NUMBER_MALFORMED = "number_malformed"
    NUMBER_LANDLINE = "number_landline"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell; `stations` are those where the call rings or is."""

    kind: NoticeKind
    stations: tuple[str, ...] = ()
