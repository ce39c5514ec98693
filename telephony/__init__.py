"""Line-15 telephony seen from software: facts in, logical calls out.

This package knows nothing of the video product and could be published alone. What it re-exports
are values; the correlator, the feeds and the runner are imported from their own modules.
"""

from telephony.call import (
    AliasRecord,
    Call,
    CallState,
    Change,
    Changed,
    Ignored,
    RecordingSpan,
    Related,
    Span,
    StationSpan,
)
from telephony.facts import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    Held,
    HungUp,
    Joined,
    Left,
    Moved,
    Paired,
    Rang,
    RecordingStarted,
    RecordingStopped,
    Resumed,
    Seen,
    Unpaired,
    fact_from_json,
    fact_to_json,
)
from telephony.facts_from_cti import CtiEvent, CtiOutcome
from telephony.feed import CallFeed, FeedHealth, FeedState
from telephony.number import Number, NumberKind, parse_number

__all__ = [
    "Alias",
    "AliasRecord",
    "AliasType",
    "Aliased",
    "Answered",
    "Call",
    "CallFeed",
    "CallState",
    "Change",
    "Changed",
    "CtiEvent",
    "CtiOutcome",
    "Direction",
    "Fact",
    "FeedHealth",
    "FeedState",
    "Held",
    "HungUp",
    "Ignored",
    "Joined",
    "Left",
    "Moved",
    "Number",
    "NumberKind",
    "Paired",
    "Rang",
    "RecordingSpan",
    "RecordingStarted",
    "RecordingStopped",
    "Related",
    "Resumed",
    "Seen",
    "Span",
    "StationSpan",
    "Unpaired",
    "fact_from_json",
    "fact_to_json",
    "parse_number",
]
