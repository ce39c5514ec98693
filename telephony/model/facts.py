"""What a feed reports, in one vocabulary, whatever the switchboard behind it.

A fact is past tense, about one *leg* (one SIP dialog, one channel), dated by whoever saw it.
Facts are values: they are stored as JSON and read back after a restart, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from telephony.model.number import Number


class AliasType(StrEnum):
    """A call has many names, and the auditor must know what kind each one is."""

    SIP_CALL_ID = "sip_call_id"
    LINKEDID = "linkedid"
    UNIQUEID = "uniqueid"
    NENA_CALLID = "nena_callid"
    NENA_INCIDENTID = "nena_incidentid"
    PRIVATE_HEADER = "private_header"
    OTHER_HEADER = "other_header"
    SESSION_ID = "session_id"
    HEP_CORRELATION_ID = "hep_correlation_id"
    FREESWITCH_UUID = "freeswitch_uuid"
    DIALOG_ID = "dialog_id"
    SIPREC_GROUP = "siprec_group"
    CTI_CALL_ID = "cti_call_id"
    RECORDING = "recording"
    DOSSIER = "dossier"
    ASSERTED = "asserted"
    CALL = "call"


#: Aliases that make two legs which live at the same time one call.
CORRELATING: Final = frozenset(
    {
        AliasType.SIP_CALL_ID,
        AliasType.LINKEDID,
        AliasType.UNIQUEID,
        AliasType.NENA_CALLID,
        AliasType.PRIVATE_HEADER,
        AliasType.SESSION_ID,
        AliasType.FREESWITCH_UUID,
        AliasType.DIALOG_ID,
        AliasType.SIPREC_GROUP,
    }
)


class Direction(StrEnum):
    """A call-back must not be taken for an incoming emergency call."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Alias:
    """One name of a call; equal names of the same type designate the same thing."""

    type: AliasType
    value: str


@dataclass(frozen=True, slots=True)
class _Base:
    leg: str
    at: datetime
    source: str

    def __post_init__(self) -> None:
        """Refuse naive or non-UTC times: durations across feeds would be wrong by hours."""
        if self.at.utcoffset() != timedelta(0):
            msg = "a fact is dated in UTC"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Rang(_Base):
    """A leg was set up (SIP INVITE, new channel); without it a leg makes no call."""

    caller: Number | None = None
    called: str | None = field(default=None, repr=False)
    station: str | None = None
    direction: Direction = Direction.UNKNOWN


@dataclass(frozen=True, slots=True)
class Answered(_Base):
    """Somebody speaks on this leg; `station` when the answer says which one of several."""

    station: str | None = None


@dataclass(frozen=True, slots=True)
class Held(_Base):
    """The caller hears music, the doctor is not talking to them."""


@dataclass(frozen=True, slots=True)
class Resumed(_Base):
    """The end of a hold."""


@dataclass(frozen=True, slots=True)
class HungUp(_Base):
    """The leg is over; `certain` is False when it is deduced (silence, CANCEL not confirmed).

    `cause` starts with `bye`, `cancelled`, `rejected`, `expired` or the feed's own word. A cancel
    or a rejection has no effect on a leg answered before it.
    """

    cause: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Aliased(_Base):
    """The leg bears this name; `why` says where it was read.

    `binds` is False for a name that does not by itself make legs one call (a Linkedid after a merge).
    """

    alias: Alias
    why: str = ""
    binds: bool = True


@dataclass(frozen=True, slots=True)
class Moved(_Base):
    """The same leg is now at another station."""

    station: str


@dataclass(frozen=True, slots=True)
class Joined(_Base):
    """The leg entered a bridge; legs in one bridge at one time are one call."""

    bridge: str


@dataclass(frozen=True, slots=True)
class Left(_Base):
    """The leg left the bridge."""

    bridge: str


@dataclass(frozen=True, slots=True)
class Paired(_Base):
    """Two legs are the two sides of one call, with the evidence in words.

    `inferred` is False when the switchboard itself said so.
    """

    with_leg: str
    why: str
    inferred: bool = True


@dataclass(frozen=True, slots=True)
class Unpaired(_Base):
    """Withdraws a pairing that later evidence contradicts, or refuses an ambiguous one.

    `doubtful` marks both calls uncertain: they may be one.
    """

    with_leg: str
    why: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class RecordingStarted(_Base):
    """The audio recording `ref` begins here; the base of the common clock."""

    ref: str


@dataclass(frozen=True, slots=True)
class RecordingStopped(_Base):
    """The audio recording `ref` ends here."""

    ref: str


@dataclass(frozen=True, slots=True)
class Seen(_Base):
    """Any other sign of life of the leg: it keeps the call from expiring."""


Fact = (
    Rang
    | Answered
    | Held
    | Resumed
    | HungUp
    | Aliased
    | Moved
    | Joined
    | Left
    | Paired
    | Unpaired
    | RecordingStarted
    | RecordingStopped
    | Seen
)

_CLASSES: Final[dict[str, type[Fact]]] = {
    cls.__name__: cls
    for cls in (
        *(Rang, Answered, Held, Resumed, HungUp, Aliased, Moved, Joined, Left),
        *(Paired, Unpaired, RecordingStarted, RecordingStopped, Seen),
    )
}


def fact_to_json(fact: Fact) -> dict[str, Any]:
    """Write a fact as JSON values, to be read back by `fact_from_json`. Holds personal data."""
    out: dict[str, Any] = {"fact": type(fact).__name__}
    for each in fields(fact):
        out[each.name] = _plain(getattr(fact, each.name))
    return out


def fact_from_json(data: dict[str, Any]) -> Fact:
    """Read back what `fact_to_json` wrote. Raises ValueError when it is something else."""
    rest = dict(data)
    try:
        cls = _CLASSES[rest.pop("fact")]
        return cls(**{key: _valued(key, value) for key, value in rest.items()})
    except (KeyError, TypeError, AttributeError) as error:
        msg = "not a stored fact"
        raise ValueError(msg) from error


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case Number():
            return value.e164
        case Alias():
            return {"type": value.type.value, "value": value.value}
        case StrEnum():
            return value.value
        case _:
            return value


def _valued(key: str, value: Any) -> Any:
    if key == "at":
        return datetime.fromisoformat(value).astimezone(UTC)
    if key == "caller":
        return None if value is None else Number(value)
    if key == "alias":
        return Alias(AliasType(value["type"]), value["value"])
    if key == "direction":
        return Direction(value)
    return value
