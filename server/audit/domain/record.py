"""What an auditor sees of one call or one session: everything stored, in one value, on one clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Found:
    """One line of a search; `kind` is `call`, or `session` for a video that belongs to no call."""

    kind: str
    id: str
    href: str
    number: str | None
    started: datetime
    ended: datetime | None
    state: str
    sessions: int
    matched: str


@dataclass(frozen=True, slots=True)
class CallPart:
    """The call itself."""

    id: str
    number: str | None
    state: str
    started: datetime
    answered: datetime | None
    ended: datetime | None
    end_certain: bool
    certain: bool
    evidence: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasPart:
    """One name of the call, and why."""

    type: str
    value: str
    source: str
    valid_from: datetime
    valid_to: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class StationPart:
    """A station where the call rang, or that had it.

    `state` is `ringing` or `talking`; null where 0.1 stored it, which did not tell them apart. `earlier` are the
    starts told before a better source corrected them.
    """

    station: str
    state: str | None
    start: datetime
    end: datetime | None
    earlier: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class MovePart:
    """A transfer: the call went from one station to another."""

    origin: str
    target: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HoldPart:
    """A time on hold."""

    start: datetime
    end: datetime | None
    earlier: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class RelatedPart:
    """Another call that concerns the same people; `start` and `end` when something connected both."""

    call: str
    why: str
    began: datetime
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class PhasePart:
    """A state of a session while it lasted."""

    state: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class VideoStart:
    """At which second of a recording a video's first picture came; negative: before the recording."""

    session: str
    at: datetime
    offset: float


@dataclass(frozen=True, slots=True)
class RecordingPart:
    """A recording of the call's sound; `begins` is its second zero, `slack` by how many seconds that may be wrong.

    Where `begin_known` is false nobody knows its second zero: `begins` is the earliest, `stopped` the latest.
    """

    id: str
    href: str
    source: str
    started: datetime
    begins: datetime
    stopped: datetime | None
    seconds: float | None
    slack: float
    begin_known: bool
    sureness: str
    why: str
    status: str
    since: datetime | None
    checked: datetime | None
    erased: bool
    plays: bool
    videos: Sequence[VideoStart]


@dataclass(frozen=True, slots=True)
class LinkPart:
    """Why a session belonged to a call, from `at` on; `by` is a name, None for the server."""

    call: str | None
    certainty: str
    evidence: str
    reason: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class InvitationPart:
    """One link sent; `to` is None once erased."""

    channel: str
    to: str | None
    state: str
    created: datetime
    expires: datetime
    opened: datetime | None
    tapped: datetime | None
    revoked: datetime | None
    handed: datetime | None
    delivered: datetime | None


@dataclass(frozen=True, slots=True)
class SnapshotPart:
    """A picture that a desk stored; `at` is when it was seen there."""

    id: str
    href: str
    at: datetime
    by: str | None
    width: int
    height: int
    sha256: str
    erased: bool


@dataclass(frozen=True, slots=True)
class SessionPart:
    """One video."""

    id: str
    state: str
    created: datetime
    ended: datetime | None
    end_reason: str | None
    by: str | None  # who opened the video, not who saw it (a docstring would be served in OpenAPI)
    station: str | None
    phases: Sequence[PhasePart]
    links: Sequence[LinkPart]
    invitations: Sequence[InvitationPart]
    snapshots: Sequence[SnapshotPart]


@dataclass(frozen=True, slots=True)
class EventPart:
    """One row of the chain; `address` and the `reason` somebody typed stand in the erasable payload."""

    seq: int
    at: datetime
    source: str
    action: str
    subject: str
    actor: str | None
    address: str | None
    data: Mapping[str, object]
    hash: str
    said: str  # what happened, in French
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChainPart:
    """Whether the chain is whole."""

    verified: bool
    count: int
    head: str
    broken_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything about one call, or about one session that has none."""

    call: CallPart | None
    aliases: Sequence[AliasPart]
    stations: Sequence[StationPart]
    moves: Sequence[MovePart]
    holds: Sequence[HoldPart]
    recordings: Sequence[RecordingPart]
    related: Sequence[RelatedPart]
    sessions: Sequence[SessionPart]
    events: Sequence[EventPart]
    chain: ChainPart
