"""What a desk may send."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from server.protocol.message import (
    MOST_ZOOM,
    CallId,
    Contact,
    IceCandidate,
    Id,
    LanguageCode,
    Message,
    Place,
    Sdp,
)


class DeskHello(Message):
    """First frame of a desk."""

    type: Literal["hello"]
    peer: Id
    launch: Id | None = None
    watch: Id | None = None
    station: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = None
    chosen: bool = False
    take: bool = False
    accept: bool = False


class Invite(Message):
    """Create a session and its invitations."""

    type: Literal["invite"]
    id: Id
    mobile: Contact | None = None
    email: Contact | None = None
    call: CallId | None = None
    new_session: bool = False


class SpokenCodeMake(Message):
    """Make a code to be read aloud."""

    type: Literal["code.make"]
    id: Id
    session: Id | None = None
    call: CallId | None = None


class InvitationResend(Message):
    """Send the same link again."""

    type: Literal["invitation.resend"]
    id: Id
    invitation: Id


class InvitationRevoke(Message):
    """Withdraw a link."""

    type: Literal["invitation.revoke"]
    id: Id
    invitation: Id


class InvitationMove(Message):
    """Move the session to another device."""

    type: Literal["invitation.move"]
    id: Id
    invitation: Id


class SessionWatch(Message):
    """Show a session here."""

    type: Literal["session.watch"]
    id: Id
    session: Id


class SessionEnd(Message):
    """Quit the video."""

    type: Literal["session.end"]
    id: Id
    session: Id


class SessionsRecent(Message):
    """Ask for the sessions of the shift."""

    type: Literal["sessions.recent"]
    id: Id


class CallLinkChoose(Message):
    """Link to another call."""

    type: Literal["link.choose"]
    id: Id
    session: Id
    call: CallId


class CallLinkManual(Message):
    """Link to a typed call id."""

    type: Literal["link.manual"]
    id: Id
    session: Id
    value: Annotated[str, StringConstraints(max_length=512)]


class CallLinkNone(Message):
    """Link to no call."""

    type: Literal["link.none"]
    id: Id
    session: Id


class CallerLanguage(Message):
    """Let the caller's page speak another language."""

    type: Literal["caller.language"]
    id: Id
    session: Id
    language: LanguageCode


class SignalAnswer(Message):
    """Answer the phone's offer."""

    type: Literal["signal.answer"]
    session: Id
    page: Id
    sdp: Sdp


class DeskIceCandidate(Message):
    """A desk's ICE candidate."""

    type: Literal["signal.candidate"]
    session: Id
    page: Id
    candidate: IceCandidate | None


class SignalRestart(Message):
    """Ask the phone for an ICE restart."""

    type: Literal["signal.restart"]
    session: Id


class DeskMedia(Message):
    """What this desk sees."""

    type: Literal["media.report"]
    session: Id
    state: Literal["flowing", "frozen", "hidden", "lost"]
    age_ms: Annotated[int, Field(ge=0, le=86_400_000)] | None = None


class Webcam(Message):
    """The regulator's own picture."""

    type: Literal["webcam"]
    session: Id
    on: bool


class RungAsked(Message):
    """The desk wants stills, one photo, or that the phone decides by itself again."""

    type: Literal["ladder"]
    session: Id
    rung: Literal["auto", "stills", "photo"]


class HelpCamera(Message):
    """The phone goes over to its other camera."""

    type: Literal["help.camera"]
    id: Id
    session: Id


class HelpTorch(Message):
    """The phone's lamp."""

    type: Literal["help.torch"]
    id: Id
    session: Id
    on: bool


class HelpZoom(Message):
    """The phone's zoom."""

    type: Literal["help.zoom"]
    id: Id
    session: Id
    zoom: Annotated[float, Field(gt=0, le=MOST_ZOOM, allow_inf_nan=False)]


class HelpPrefer(Message):
    """What to keep when the network is short."""

    type: Literal["help.prefer"]
    id: Id
    session: Id
    prefer: Literal["balanced", "detail", "motion"]


class HelpMessage(Message):
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


class HelpPoint(Message):
    """Where the regulator points, in the picture as it is sent."""

    type: Literal["help.point"]
    session: Id
    x: Place
    y: Place


class HandOverOffer(Message):
    """Offer a session to a station by hand, or take the offer back."""

    type: Literal["session.offer_to"]
    id: Id
    session: Id
    station: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None


class HandOverAccept(Message):
    """Take a session that is offered to this station."""

    type: Literal["session.accept"]
    id: Id
    session: Id


class StationList(Message):
    """Ask which stations there are, and where somebody sits."""

    type: Literal["station.list"]
    id: Id


class ObserverInvite(Message):
    """Invite somebody to look."""

    type: Literal["observer.invite"]
    id: Id
    session: Id
    name: Annotated[str, StringConstraints(max_length=64)] | None = None
    mobile: Contact | None = None
    email: Contact | None = None
    listed: Annotated[str, StringConstraints(max_length=64)] | None = None


class ObserverRemove(Message):
    """Take the picture from an observer."""

    type: Literal["observer.remove"]
    id: Id
    observer: Id


DeskMessage = (
    DeskHello
    | Invite
    | SpokenCodeMake
    | InvitationResend
    | InvitationRevoke
    | InvitationMove
    | SessionWatch
    | SessionEnd
    | SessionsRecent
    | CallLinkChoose
    | CallLinkManual
    | CallLinkNone
    | CallerLanguage
    | SignalAnswer
    | DeskIceCandidate
    | SignalRestart
    | DeskMedia
    | Webcam
    | RungAsked
    | HelpCamera
    | HelpTorch
    | HelpZoom
    | HelpPrefer
    | HelpMessage
    | HelpPoint
    | ObserverInvite
    | ObserverRemove
    | HandOverOffer
    | HandOverAccept
    | StationList
)
DESK_MESSAGES: TypeAdapter[DeskMessage] = TypeAdapter(
    Annotated[DeskMessage, Field(discriminator="type")]
)
