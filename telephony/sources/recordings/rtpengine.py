"""What rtpengine writes of a recorded call beside its packets (`--recording-method=pcap`, version 10.5).

Pure. The file is whole only some 30 s after the call, with its last lines; before that it says nothing here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from telephony.model.facts import Alias, AliasType
from telephony.sources.recordings.names import FoundRecording

#: Of a file nobody has to read whole.
LARGEST: Final = 256 * 1024
#: rtpengine dates in milliseconds when it opened the file; the first packet comes with the first sound.
SLACK: Final = 0.5
#: No file tells of another time: it was written wrong, and arithmetic with it may leave the calendar.
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
#: Zones of the world differ by quarters of an hour.
_QUARTER: Final = timedelta(minutes=15)
#: What the switchboard's script puts before the emergency call id (`metadata=l15:…`).
OURS: Final = "l15:"
_FILE: Final = re.compile(r"(?P<call>.+)-[0-9a-f]{16}\.pcap")
_STARTED: Final = re.compile(r"^Timestamp started ms: (\d{10,14})(?:\.\d+)?$", re.MULTILINE)
_ENDED: Final = re.compile(
    r"^Timestamp terminated ms\([^)]*\): (\d{10,14})(?:\.\d+)?$", re.MULTILINE
)
_START: Final = re.compile(r"^call start time: (\S+)$", re.MULTILINE)
_END: Final = re.compile(r"^call end time: (\S+)$", re.MULTILINE)
_OURS: Final = re.compile(rf"^{OURS}(\S{{1,255}})$", re.MULTILINE)


def read_metadata(text: str, timezone: str = "UTC") -> FoundRecording | None:
    """Read a finished file; None for one that is not finished, or no such file.

    Begun in mid-call, a recording has no start of its own: that of the call is the earliest, and `slack` reaches
    to its end. Begun twice, it may be either. `timezone`: that of the machine rtpengine runs on, for times without
    milliseconds; where a time in milliseconds shows that it is another, that is believed.
    """
    text = text.replace("\r\n", "\n")
    ref = text.partition("\n")[0]
    named = _FILE.fullmatch(ref.rpartition("/")[2])
    over = _END.search(text)
    if named is None or over is None or len(ref) > LARGEST:
        return None
    aliases = [Alias(AliasType.SIP_CALL_ID, unquote(named["call"]))]
    if ours := _OURS.search(text):
        # The same value may have come in Call-Info or in a header of the switchboard's own.
        aliases += [
            Alias(AliasType.NENA_CALLID, ours[1]),
            Alias(AliasType.PRIVATE_HEADER, ours[1]),
        ]
    starts = sorted(filter(_possible, map(_moment, _STARTED.finditer(text))))
    ended = max(filter(_possible, map(_moment, _ENDED.finditer(text))), default=None)
    # "call end time" is when rtpengine forgot the call, 30 s later: only better than nothing.
    forgot = _local(over, timezone)
    stop = ended or forgot
    start, slack = (starts[0], SLACK + _seconds(starts[0], starts[-1])) if starts else (None, SLACK)
    if start is None and (start := _local(_START.search(text), timezone)) is not None:
        if ended and forgot:
            start -= round((forgot - ended) / _QUARTER) * _QUARTER
        slack = _seconds(start, stop) + SLACK if stop else SLACK
    if start and stop and start > stop:
        start = None
    return FoundRecording(
        ref, tuple(aliases), None, start, stop, slack=slack, why="rtpengine metadata"
    )


def _seconds(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())


def _moment(match: re.Match[str]) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1]))


def _possible(at: datetime) -> bool:
    return _FIRST <= at < _LAST


def _local(match: re.Match[str] | None, timezone: str) -> datetime | None:
    try:
        if match is None:
            return None
        read = datetime.fromisoformat(match[1])
        at = read.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if _possible(at) else None
