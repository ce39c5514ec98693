"""The life of one video, from the invitation to the end; everything that affects its state lives in this file.

With a peer-to-peer picture the server sees none of it: "live" is what the two ends reported, and the audit says
so (I3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final


class SessionState(StrEnum):
    """Where a video stands."""

    INVITED = "invited"
    OPENED = "opened"
    TAPPED = "tapped"
    CONNECTING = "connecting"
    LIVE = "live"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class InvitationOpened:
    """A visible page showed the link."""


@dataclass(frozen=True, slots=True)
class PageWorks:
    """A page that can ask for the camera was opened: what another browser could not do is over."""


@dataclass(frozen=True, slots=True)
class CallerTapped:
    """The first browser tapped: the invitation is bound to it (I5)."""


@dataclass(frozen=True, slots=True)
class CameraAsked:
    """The phone shows its permission prompt."""


@dataclass(frozen=True, slots=True)
class CameraGranted:
    """The camera is open on the phone."""


@dataclass(frozen=True, slots=True)
class CameraRefused:
    """The camera did not open; `reason` as in docs/protocol.md (`denied`, `none`, `busy` …)."""

    reason: str


@dataclass(frozen=True, slots=True)
class MediaFlowing:
    """The desk sees fresh frames."""


@dataclass(frozen=True, slots=True)
class StillSeen:
    """The first still of a stretch was handed to a desk: a picture, never "live" (I6)."""


@dataclass(frozen=True, slots=True)
class PeerLost:
    """No fresh frames any more."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nothing came for the whole grace, or every link expired untapped."""

    reason: str


@dataclass(frozen=True, slots=True)
class SessionQuit:
    """Somebody ended it: `by` is `desk`, `phone` or `server`."""

    by: str
    reason: str


Event = (
    InvitationOpened
    | PageWorks
    | CallerTapped
    | CameraAsked
    | CameraGranted
    | CameraRefused
    | MediaFlowing
    | StillSeen
    | PeerLost
    | TimedOut
    | SessionQuit
)


@dataclass(frozen=True, slots=True)
class ClosePeers:
    """Tell both ends that it is over; they release their cameras."""


@dataclass(frozen=True, slots=True)
class ReleaseInvitations:
    """The links of this session stop working and the texts still queued are dropped."""


Command = ClosePeers | ReleaseInvitations
_OVER: Final = (ClosePeers(), ReleaseInvitations())
S = SessionState

#: Why a page cannot even ask for the camera, as its script says when it is opened.
PAGE_BARRED: Final = frozenset({"in_app", "insecure", "unable"})
#: Why a page cannot do its work at all, as what is left of it says (docs/adr/0030).
PAGE_CANNOT: Final = frozenset({"no_script", "old_browser", "lost_script", "cookies"})
BEFORE_ASKING: Final = PAGE_BARRED | PAGE_CANNOT
#: Why a camera that was granted gives nothing, in the phone's words (`media.report`).
BLIND: Final = frozenset({"muted", "ended", "busy", "refused", "gone", "still"})

TRANSITIONS: Final[
    Mapping[tuple[SessionState, type[Event]], tuple[SessionState, tuple[Command, ...]]]
] = {
    (S.INVITED, InvitationOpened): (S.OPENED, ()),
    (S.INVITED, CallerTapped): (S.TAPPED, ()),
    (S.OPENED, CallerTapped): (S.TAPPED, ()),
    # A page in an application that has no camera knows it before the tap, and says so.
    (S.OPENED, CameraRefused): (S.OPENED, ()),
    **{(state, PageWorks): (state, ()) for state in (S.OPENED, S.TAPPED, S.INTERRUPTED)},
    (S.TAPPED, CameraAsked): (S.TAPPED, ()),
    (S.TAPPED, CameraGranted): (S.CONNECTING, ()),
    (S.TAPPED, CameraRefused): (S.TAPPED, ()),
    # The desk may see the picture before the phone's "granted" is written down.
    (S.TAPPED, MediaFlowing): (S.LIVE, ()),
    (S.CONNECTING, CameraAsked): (S.TAPPED, ()),
    (S.CONNECTING, CameraRefused): (S.TAPPED, ()),
    (S.CONNECTING, MediaFlowing): (S.LIVE, ()),
    # There is a picture to see, and it is no video: never "live".
    **{
        (state, StillSeen): (S.INTERRUPTED, ()) for state in (S.TAPPED, S.CONNECTING, S.INTERRUPTED)
    },
    (S.LIVE, CameraRefused): (S.INTERRUPTED, ()),
    (S.LIVE, PeerLost): (S.INTERRUPTED, ()),
    # What the phone says of its camera now replaces what it said before, so that old advice is not repeated.
    (S.INTERRUPTED, CameraAsked): (S.INTERRUPTED, ()),
    (S.INTERRUPTED, CameraGranted): (S.INTERRUPTED, ()),
    (S.INTERRUPTED, CameraRefused): (S.INTERRUPTED, ()),
    (S.INTERRUPTED, MediaFlowing): (S.LIVE, ()),
    **{
        (state, event): (S.ENDED, _OVER)
        for state in SessionState
        if state is not S.ENDED
        for event in (SessionQuit, TimedOut)
        if (state, event) != (S.LIVE, TimedOut)
    },
}

IGNORED: Final[frozenset[tuple[SessionState, type[Event]]]] = frozenset(
    {
        # Before the tap the phone has nothing else to say of its camera.
        *((s, e) for s in (S.INVITED, S.OPENED) for e in (CameraAsked, CameraGranted)),
        (S.INVITED, CameraRefused),
        *((s, e) for s in (S.INVITED, S.OPENED) for e in (MediaFlowing, StillSeen, PeerLost)),
        (S.TAPPED, PeerLost),
        # Repetitions: a link opened or tapped again by the same browser changes nothing.
        *((s, InvitationOpened) for s in SessionState if s is not S.INVITED),
        # Where the camera was granted meanwhile, its own word has replaced what the page said.
        *((s, PageWorks) for s in (S.INVITED, S.CONNECTING, S.LIVE)),
        *((s, CallerTapped) for s in SessionState if s not in (S.INVITED, S.OPENED)),
        (S.CONNECTING, CameraGranted),
        (S.CONNECTING, PeerLost),
        # A reloaded page asks and grants again while the desk still shows the last frames.
        *((S.LIVE, e) for e in (CameraAsked, CameraGranted)),
        (S.LIVE, MediaFlowing),
        # The desk is the judge of its video: a still beside it takes nothing away.
        (S.LIVE, StillSeen),
        (S.INTERRUPTED, PeerLost),
        # A picture that flows is never timed out.
        (S.LIVE, TimedOut),
        # The end is the end.
        *(
            (S.ENDED, e)
            for e in (
                InvitationOpened,
                PageWorks,
                CallerTapped,
                CameraAsked,
                CameraGranted,
                CameraRefused,
                MediaFlowing,
                StillSeen,
                PeerLost,
                TimedOut,
                SessionQuit,
            )
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Session:
    """One video. `marks` holds the first time of each step (see funnel.py); `camera` the phone's last word."""

    id: str
    site: str
    station: str | None
    created_by: str
    command: str
    created: datetime
    changed: datetime
    state: SessionState = SessionState.INVITED
    marks: Mapping[str, datetime] = field(default_factory=dict)
    camera: str | None = None
    language: str | None = None
    ended: datetime | None = None
    ended_by: str | None = None
    end_reason: str | None = None
    #: Offered by hand to a station, by a user; `handed`: when a station took it, which `station` is since.
    offered_to: str | None = None
    offered_by: str | None = None
    handed: datetime | None = None
    version: int = 1


def marked(session: Session, mark: str, now: datetime) -> Session:
    """Note the first time of something that changes no state: the code was typed."""
    return replace(session, changed=now, marks={mark: now, **session.marks})


_MARK: Final[Mapping[type[Event], str]] = {
    InvitationOpened: "opened",
    CallerTapped: "tapped",
    CameraAsked: "asked",
    CameraGranted: "permission",
    MediaFlowing: "image",
    StillSeen: "image",
    PeerLost: "interrupted",
}


def step(session: Session, event: Event, now: datetime) -> tuple[Session, tuple[Command, ...]]:
    """Return the session after `event`, and what the shell must now do; the same session when nothing changes."""
    key = (session.state, type(event))
    if key not in TRANSITIONS:
        return session, ()
    state, commands = TRANSITIONS[key]
    after = replace(session, state=state, changed=now, camera=_camera(session, event))
    if mark := _MARK.get(type(event)):
        after = replace(after, marks={mark: now, **session.marks})
    match event:
        case SessionQuit(by, reason):
            return replace(after, ended=now, ended_by=by, end_reason=reason), commands
        case TimedOut(reason):
            return replace(after, ended=now, ended_by="server", end_reason=reason), commands
        case _:
            return after, commands


def _camera(session: Session, event: Event) -> str | None:
    match event:
        case CameraAsked():
            return "asking"
        case CameraGranted() | MediaFlowing() | StillSeen():
            return "granted"
        case CameraRefused(reason):
            return reason
        case PageWorks():
            return None
        case _:
            return session.camera
