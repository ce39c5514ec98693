"""What a call-centre software says of its calls, in the one vocabulary of facts.

Pure. One call of theirs is one leg of ours: it knows its transfers itself and tells them as moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telephony.model.facts import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    Held,
    HungUp,
    Moved,
    Rang,
    RecordingStarted,
    RecordingStopped,
    Resumed,
)
from telephony.model.number import parse_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

RINGING: Final = "ringing"


@dataclass(frozen=True, slots=True)
class CtiEvent:
    """One event as it was sent, its form already checked; `call` is the sender's own id."""

    type: str
    call: str
    at: datetime
    caller: str | None = None
    called: str | None = None
    station: str | None = None
    direction: Direction = Direction.UNKNOWN
    alias: Alias | None = None
    recording: str | None = None
    dossier: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class CtiOutcome:
    """What became of one event: `accepted`, `repeated`, `waiting` or `refused`, and our call's id."""

    status: str
    call: str | None


def facts_from_cti(event: CtiEvent, leg: str, source: str) -> tuple[Fact, ...]:
    """Tell an event as facts about `leg`; the one that may make the call comes first."""
    return (*_happened(event, leg, source), *_named(event, leg, source))


def _happened(event: CtiEvent, leg: str, source: str) -> Iterator[Fact]:
    base = (leg, event.at, source)
    match event.type:
        case "ringing":
            yield _rang(event, leg, source)
        case "answered":
            # Many switchboards tell of a call only when it is answered.
            yield _rang(event, leg, source)
            yield Answered(*base, station=event.station)
        case "held":
            yield Held(*base)
        case "resumed":
            yield Resumed(*base)
        case "moved" if event.station:
            yield Moved(*base, station=event.station)
        case "ended":
            # Worded so that no cause is taken for a branch's refusal, which does not end a call.
            yield HungUp(*base, cause=f"ended {event.cause or ''}".strip())
        case "recording_started" if event.recording:
            yield RecordingStarted(*base, ref=event.recording)
        case "recording_stopped" if event.recording:
            yield RecordingStopped(*base, ref=event.recording)
        case _:
            return


def _rang(event: CtiEvent, leg: str, source: str) -> Fact:
    caller = parse_number(event.caller) if event.caller else None
    return Rang(
        leg,
        event.at,
        source,
        caller=caller,
        called=event.called,
        station=event.station,
        direction=event.direction,
    )


def _named(event: CtiEvent, leg: str, source: str) -> Iterator[Fact]:
    makes = event.type in {RINGING, "answered"}
    names = [
        (makes and Alias(AliasType.CTI_CALL_ID, event.call), "call"),
        (event.alias, "alias"),
        (event.recording and Alias(AliasType.RECORDING, event.recording), "recording"),
        (event.dossier and Alias(AliasType.DOSSIER, event.dossier), "dossier"),
    ]
    for name, why in names:
        if name:
            yield Aliased(leg, event.at, source, alias=name, why=why)
