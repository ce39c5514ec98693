"""Every socket message the pages may send, as schemas; docs/protocol.md lists the same (a test compares them).

Nothing is coerced and nothing extra is let through: a page of ours never sends it, so whoever does
is not a page of ours.
"""

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from server.protocol.errors import MessageMalformed, MessageTooLarge, MessageUnknown, SdpTooLarge
from server.video.domain.sdp import MAX_SDP

MAX_FRAME = 65_536
M = TypeVar("M")

Id = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Contact = Annotated[str, StringConstraints(max_length=254)]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Place = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Pixels = Annotated[int, Field(ge=0, le=65_535)]
MOST_ZOOM = 1000
Sdp = Annotated[str, StringConstraints(max_length=MAX_SDP)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Candidate(BaseModel):
    """RTCIceCandidateInit; the m-line is always the first."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    candidate: Annotated[str, StringConstraints(max_length=1024)]
    sdpMid: Annotated[str, StringConstraints(max_length=16)] | None = None
    sdpMLineIndex: Annotated[int, Field(ge=0, le=0)] | None = None
    usernameFragment: Annotated[str, StringConstraints(max_length=256)] | None = None


# --- desk ------------------------------------------------------------------------------------------
class DeskHello(_Message):
    """First frame of a desk."""

    type: Literal["hello"]
    peer: Id
    launch: Id | None = None
    watch: Id | None = None
    station: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = None
    chosen: bool = False
    take: bool = False
    accept: bool = False


class Invite(_Message):
    """Create a session and its invitations."""

    type: Literal["invite"]
    id: Id
    mobile: Contact | None = None
    email: Contact | None = None
    call: CallId | None = None
    new_session: bool = False


class CodeMake(_Message):
    """Make a code to be read aloud."""

    type: Literal["code.make"]
    id: Id
    session: Id | None = None
    call: CallId | None = None


class InvitationResend(_Message):
    """Send the same link again."""

    type: Literal["invitation.resend"]
    id: Id
    invitation: Id


class InvitationRevoke(_Message):
    """Withdraw a link."""

    type: Literal["invitation.revoke"]
    id: Id
    invitation: Id


class InvitationMove(_Message):
    """Move the session to another device."""

    type: Literal["invitation.move"]
    id: Id
    invitation: Id


class SessionWatch(_Message):
    """Show a session here."""

    type: Literal["session.watch"]
    id: Id
    session: Id


class SessionEnd(_Message):
    """Quit the video."""

    type: Literal["session.end"]
    id: Id
    session: Id


class SessionsRecent(_Message):
    """Ask for the sessions of the shift."""

    type: Literal["sessions.recent"]
    id: Id


class LinkChoose(_Message):
    """Link to another call."""

    type: Literal["link.choose"]
    id: Id
    session: Id
    call: CallId


class LinkManual(_Message):
    """Link to a typed call id."""

    type: Literal["link.manual"]
    id: Id
    session: Id
    value: Annotated[str, StringConstraints(max_length=512)]


class LinkNone(_Message):
    """Link to no call."""

    type: Literal["link.none"]
    id: Id
    session: Id


class CallerLanguage(_Message):
    """Let the caller's page speak another language."""

    type: Literal["caller.language"]
    id: Id
    session: Id
    language: LanguageCode


class SignalAnswer(_Message):
    """Answer the phone's offer."""

    type: Literal["signal.answer"]
    session: Id
    page: Id
    sdp: Sdp


class DeskCandidate(_Message):
    """A desk's ICE candidate."""

    type: Literal["signal.candidate"]
    session: Id
    page: Id
    candidate: Candidate | None


class SignalRestart(_Message):
    """Ask the phone for an ICE restart."""

    type: Literal["signal.restart"]
    session: Id


class DeskMedia(_Message):
    """What this desk sees."""

    type: Literal["media.report"]
    session: Id
    state: Literal["flowing", "frozen", "hidden", "lost"]
    age_ms: Annotated[int, Field(ge=0, le=86_400_000)] | None = None


class Webcam(_Message):
    """The regulator's own picture."""

    type: Literal["webcam"]
    session: Id
    on: bool


class LadderAsked(_Message):
    """The desk wants stills, one photo, or that the phone decides by itself again."""

    type: Literal["ladder"]
    session: Id
    rung: Literal["auto", "stills", "photo"]


class HelpCamera(_Message):
    """The phone goes over to its other camera."""

    type: Literal["help.camera"]
    id: Id
    session: Id


class HelpTorch(_Message):
    """The phone's lamp."""

    type: Literal["help.torch"]
    id: Id
    session: Id
    on: bool


class HelpZoom(_Message):
    """The phone's zoom."""

    type: Literal["help.zoom"]
    id: Id
    session: Id
    zoom: Annotated[float, Field(gt=0, le=MOST_ZOOM, allow_inf_nan=False)]


class HelpPrefer(_Message):
    """What to keep when the network is short."""

    type: Literal["help.prefer"]
    id: Id
    session: Id
    prefer: Literal["balanced", "detail", "motion"]


class HelpMessage(_Message):
    """A sentence for the caller, by its key: no desk writes on a phone."""

    type: Literal["help.message"]
    id: Id
    session: Id
    message: Literal[
        "message_closer",
        "message_back",
        "message_still",
        "message_light",
        "message_face",
        "message_breathing",
        "message_wound",
        "message_turn_phone",
        "message_loudspeaker",
        "message_wait",
        "message_waiting_help",
        "message_thanks",
    ]


class HelpPoint(_Message):
    """Where the regulator points, in the picture as it is sent."""

    type: Literal["help.point"]
    session: Id
    x: Place
    y: Place


class SessionOfferTo(_Message):
    """Offer a session to a station by hand, or take the offer back."""

    type: Literal["session.offer_to"]
    id: Id
    session: Id
    station: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None


class SessionAccept(_Message):
    """Take a session that is offered to this station."""

    type: Literal["session.accept"]
    id: Id
    session: Id


class StationList(_Message):
    """Ask which stations there are, and where somebody sits."""

    type: Literal["station.list"]
    id: Id


class ObserverInvite(_Message):
    """Invite somebody to look."""

    type: Literal["observer.invite"]
    id: Id
    session: Id
    name: Annotated[str, StringConstraints(max_length=64)] | None = None
    mobile: Contact | None = None
    email: Contact | None = None
    listed: Annotated[str, StringConstraints(max_length=64)] | None = None


class ObserverRemove(_Message):
    """Take the picture from an observer."""

    type: Literal["observer.remove"]
    id: Id
    observer: Id


# --- observer --------------------------------------------------------------------------------------
class ObserverHello(_Message):
    """First frame of an observer; he answers as a desk does."""

    type: Literal["hello"]
    token: Id
    page: Id


# --- caller ----------------------------------------------------------------------------------------
class CallerHello(_Message):
    """First frame of a phone."""

    type: Literal["hello"]
    token: Id
    page: Id
    language: Annotated[str, StringConstraints(max_length=16, pattern=r"^[A-Za-z-]*$")] | None = (
        None
    )


class Camera(_Message):
    """What happened to the camera."""

    type: Literal["camera"]
    state: Literal[
        "asking",
        "granted",
        "denied",
        "system",
        "dismissed",
        "none",
        "busy",
        "insecure",
        "in_app",
        "unable",
        "timeout",
    ]


class SignalOffer(_Message):
    """The phone offers."""

    type: Literal["signal.offer"]
    peer: Id
    sdp: Sdp


class CallerCandidate(_Message):
    """The phone's ICE candidate."""

    type: Literal["signal.candidate"]
    peer: Id
    candidate: Candidate | None


class CallerMedia(_Message):
    """The picture as the phone sees it."""

    type: Literal["media.report"]
    camera: Literal["live", "muted", "ended", "busy", "refused", "gone", "still"]


class Visibility(_Message):
    """The page went to the background or came back."""

    type: Literal["visibility"]
    hidden: bool


class Facing(_Message):
    """Which camera is on."""

    type: Literal["facing"]
    facing: Literal["environment", "user"]


class Language(_Message):
    """The caller took another language."""

    type: Literal["language"]
    language: LanguageCode


class Ladder(_Message):
    """The phone went up or down the ladder, and why."""

    type: Literal["ladder"]
    rung: Literal["video", "stills", "photo"]
    why: Literal["slow", "lost", "asked", "recovered", "stills_slow"]


class Zoom(BaseModel):
    """How far the camera zooms."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min: Annotated[float, Field(ge=0, le=MOST_ZOOM, allow_inf_nan=False)]
    max: Annotated[float, Field(ge=0, le=MOST_ZOOM, allow_inf_nan=False)]
    step: Annotated[float, Field(ge=0, le=MOST_ZOOM, allow_inf_nan=False)]
    value: Annotated[float, Field(ge=0, le=MOST_ZOOM, allow_inf_nan=False)]


class Abilities(_Message):
    """What the camera can do."""

    type: Literal["abilities"]
    cameras: Annotated[int, Field(ge=0, le=64)]
    lens: Literal["main", "rear", "wide", "tele", "front", "other"] | None = None
    place: Annotated[int, Field(ge=1, le=64)] | None = None
    facing: Literal["environment", "user"]
    width: Pixels | None = None
    height: Pixels | None = None
    fps: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None = None
    torch: bool | None
    lit: bool
    zoom: Zoom | None = None
    prefer: Literal["balanced", "detail", "motion"]


class HelpDone(_Message):
    """What became of an order."""

    type: Literal["help.done"]
    order: Id
    outcome: Literal["done", "refused"]
    why: Literal["none", "failed", "busy", "off", "hidden"] | None = None


Reached = Annotated[int, Field(ge=0, le=60_000)] | Literal[False] | None


class Network(_Message):
    """What the phone's network lets through."""

    type: Literal["network"]
    socket: Reached
    stun: Reached
    udp: Reached
    tcp: Reached
    tls: Reached


class Leave(_Message):
    """The caller ended."""

    type: Literal["leave"]


# --- self-test -------------------------------------------------------------------------------------
class SelftestHello(_Message):
    """First frame of a self-test: asks for the ICE servers."""

    type: Literal["hello"]


class SelftestPing(_Message):
    """Come back at once."""

    type: Literal["ping"]
    n: Annotated[int, Field(ge=0, le=999)]


class SelftestUp(_Message):
    """Bytes that only weigh something."""

    type: Literal["up"]
    n: Annotated[int, Field(ge=0, le=999)]
    data: Annotated[str, StringConstraints(max_length=49_152, pattern=r"^0*$")]


class SelftestDown(_Message):
    """Ask for as many bytes."""

    type: Literal["down"]
    n: Annotated[int, Field(ge=0, le=999)]
    size: Annotated[int, Field(ge=1, le=49_152)]


DeskMessage = (
    DeskHello
    | Invite
    | CodeMake
    | InvitationResend
    | InvitationRevoke
    | InvitationMove
    | SessionWatch
    | SessionEnd
    | SessionsRecent
    | LinkChoose
    | LinkManual
    | LinkNone
    | CallerLanguage
    | SignalAnswer
    | DeskCandidate
    | SignalRestart
    | DeskMedia
    | Webcam
    | LadderAsked
    | HelpCamera
    | HelpTorch
    | HelpZoom
    | HelpPrefer
    | HelpMessage
    | HelpPoint
    | ObserverInvite
    | ObserverRemove
    | SessionOfferTo
    | SessionAccept
    | StationList
)
ObserverMessage = ObserverHello | SignalAnswer | DeskCandidate | SignalRestart
CallerMessage = (
    CallerHello
    | Camera
    | SignalOffer
    | CallerCandidate
    | CallerMedia
    | Visibility
    | Facing
    | Language
    | Ladder
    | Abilities
    | HelpDone
    | Network
    | Leave
)
SelftestMessage = SelftestHello | SelftestPing | SelftestUp | SelftestDown

DESK: TypeAdapter[DeskMessage] = TypeAdapter(Annotated[DeskMessage, Field(discriminator="type")])
OBSERVER: TypeAdapter[ObserverMessage] = TypeAdapter(
    Annotated[ObserverMessage, Field(discriminator="type")]
)
CALLER: TypeAdapter[CallerMessage] = TypeAdapter(
    Annotated[CallerMessage, Field(discriminator="type")]
)

SELFTEST: TypeAdapter[SelftestMessage] = TypeAdapter(
    Annotated[SelftestMessage, Field(discriminator="type")]
)


def parse(adapter: TypeAdapter[M], frame: str | bytes) -> M:
    """Turn one frame into a message, or raise which rule it breaks."""
    if len(frame) > MAX_FRAME or (isinstance(frame, str) and _bytes(frame) > MAX_FRAME):
        raise MessageTooLarge
    if isinstance(frame, bytes):
        raise MessageMalformed("binary")
    try:
        value: Any = json.loads(frame)
    except (ValueError, RecursionError) as malformed:
        raise MessageMalformed("json") from malformed
    try:
        return adapter.validate_python(value)
    except ValidationError as wrong:
        raise _refusal(wrong) from None


def _bytes(frame: str) -> int:
    return len(frame.encode("utf-8", "surrogatepass"))


def _refusal(wrong: ValidationError) -> MessageMalformed | MessageUnknown | SdpTooLarge:
    first = wrong.errors(include_input=False, include_url=False)[0]
    if first["type"] == "union_tag_invalid":
        return MessageUnknown()
    if first["type"] == "string_too_long" and first["loc"][-1:] == ("sdp",):
        return SdpTooLarge()
    return MessageMalformed(first["type"])
