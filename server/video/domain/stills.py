"""One still as it comes from a phone: a small header, then a JPEG. Pure.

Kind (1 byte), sequence number (4), time of capture in milliseconds since 1970 on the server's clock as the phone
reckons it (8), all big-endian: docs/adr/0009-ladder.md says how old a still is, and why.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from server.protocol.errors import MessageMalformed
from server.video.domain.jpeg import Jpeg, clean

KIND: Final = 1
#: Bytes of JPEG: ten seconds at 50 kbit/s, far more than a page of ours sends.
MAX_STILL: Final = 61_440
OLDEST: Final = timedelta(minutes=10)
_HEAD: Final = struct.Struct(">BIQ")


@dataclass(frozen=True, slots=True)
class Still:
    """A picture, which one it is of its page, and when it was taken."""

    seq: int
    taken: datetime
    picture: Jpeg


def read(frame: bytes, now: datetime) -> Still:
    """Read one binary frame of a phone; raises what is wrong with it."""
    if len(frame) < _HEAD.size or frame[0] != KIND:
        raise MessageMalformed("binary")
    _kind, seq, millis = _HEAD.unpack_from(frame)
    return Still(seq, taken_at(millis, now), clean(frame[_HEAD.size :], MAX_STILL))


def taken_at(millis: int, now: datetime) -> datetime:
    """Return when a picture was taken: never after it arrived, never longer ago than anybody would wait."""
    since = now.timestamp() * 1000 - millis
    if since > OLDEST / timedelta(milliseconds=1):
        raise MessageMalformed("taken")
    return now if since <= 0 else datetime.fromtimestamp(millis / 1000, UTC)
