"""Where the audio of a call is, how sure that is, and at which second of it the picture begins.

A recording is somebody else's file: here stands only a reference to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from server.line15.domain.calls import CallSummary

#: Seconds by which what a feed tells of a recorder may be wrong: its own words, by the switchboard's clock.
TOLD_SLACK: Final = 0.5
#: A recording may begin that much before the first word of its call, or after its last.
MARGIN: Final = timedelta(seconds=5)
#: A call whose end nobody told does not lay claim to recordings for ever.
LONGEST: Final = timedelta(hours=12)


class RecordingCertainty(StrEnum):
    """Why a recording is held to be of a call."""

    CERTAIN = "certain"  # it bears a name of the call, or the switchboard said so
    INFERRED = "inferred"  # the only call of that number at that time
    OFFERED = "offered"  # several calls may be meant: a person has to listen
    WITHDRAWN = "withdrawn"  # somebody who knows said that it is of another call


class RecordingStatus(StrEnum):
    """Whether the file is where it should be; unknown while nobody could look."""

    PRESENT = "present"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of one call. `started` is when the recorder was told to begin, not yet the first sound.

    `ref` is the path or name as the recorder knows it, None once erased; `seconds` how long the file sounds;
    `slack` by how many seconds the times may be wrong; `since` when the status became what it is.
    """

    id: str
    site: str
    call: str
    source: str
    key: str
    ref: str | None
    started: datetime
    stopped: datetime | None
    seconds: float | None
    slack: float
    sureness: RecordingCertainty
    why: str
    status: RecordingStatus = RecordingStatus.UNKNOWN
    since: datetime | None = None
    checked: datetime | None = None

    @property
    def shown(self) -> bool:
        """Whether an auditor of this call should know of it."""
        return self.sureness is not RecordingCertainty.WITHDRAWN


@dataclass(frozen=True, slots=True)
class RecordingMatch:
    """Which calls a recording is of, and how sure that is; none when nothing fits."""

    sureness: RecordingCertainty
    calls: tuple[str, ...] = ()
    why: str = ""


def judge(
    at: datetime | None, slack: float, named: Sequence[CallSummary], numbered: Sequence[CallSummary]
) -> RecordingMatch:
    """Decide from the calls that bear one of its names, and those of its number.

    A name used twice counts for the call it was used in; a number is never sure.
    """
    mine = [call for call in named if at is None or _covers(call, at, slack)]
    if len(mine) == 1:
        return RecordingMatch(RecordingCertainty.CERTAIN, (mine[0].id,), "name")
    if mine:
        return RecordingMatch(
            RecordingCertainty.OFFERED, tuple(call.id for call in mine), "several calls, one name"
        )
    if named or at is None:  # its name is of another time: a number does not outweigh that
        return RecordingMatch(RecordingCertainty.OFFERED)
    near = [call for call in numbered if _covers(call, at, slack)]
    if len(near) == 1:
        return RecordingMatch(RecordingCertainty.INFERRED, (near[0].id,), "number and time")
    return RecordingMatch(
        RecordingCertainty.OFFERED,
        tuple(call.id for call in near),
        "number and time, several calls",
    )


def _covers(call: CallSummary, at: datetime, slack: float) -> bool:
    margin = MARGIN + timedelta(seconds=slack)
    end = call.ended or call.started + LONGEST
    return call.started - margin <= at <= end + margin


def first_sound(one: Recording, answered: datetime | None) -> tuple[datetime, float]:
    """Tell when second zero of the audio was, and by how many seconds that may be wrong.

    A recorder told to begin while it rings writes nothing until somebody speaks: the end less the length of the file
    says when that was, as long as the file has no gaps. A silence before the answer explains itself; another one may
    be a gap anywhere.
    """
    if one.stopped is None or one.seconds is None:
        ringing = (answered - one.started).total_seconds() if answered else 0.0
        return one.started, one.slack + max(0.0, ringing)
    first = one.stopped - timedelta(seconds=one.seconds)
    late = (first - one.started).total_seconds()
    if late < 0:
        return one.started, max(one.slack, -late)
    explained = late <= 1 or (
        answered is not None and abs((first - answered).total_seconds()) <= 1 + one.slack
    )
    return first, one.slack if explained else max(one.slack, late)


#: What a browser plays; anything else is only handed over as a file.
PLAYED: Final = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
}
OPAQUE: Final = "application/octet-stream"


def suffix(ref: str) -> str:
    """Return the end of a name that says what it is, lower case; "bin" for none."""
    ending = ref.rpartition("/")[2].rpartition(".")[2].lower()
    return ending if ending.isascii() and ending.isalnum() and len(ending) <= 5 else "bin"  # noqa: PLR2004


def media_type(ref: str) -> str:
    """Return the content type of a recording."""
    return PLAYED.get(suffix(ref), OPAQUE)
