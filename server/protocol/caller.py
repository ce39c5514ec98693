"""What a caller's phone may send."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from server.protocol.message import (
    MOST_ZOOM,
    IceCandidate,
    Id,
    LanguageCode,
    Message,
    MessagePart,
    Pixels,
    Sdp,
)


class CallerHello(Message):
    """First frame of a phone."""

    type: Literal["hello"]
    token: Id
    page: Id
    language: Annotated[str, StringConstraints(max_length=16, pattern=r"^[A-Za-z-]*$")] | None = (
        None
    )


class Camera(Message):
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


class SignalOffer(Message):
    """The phone offers."""

    type: Literal["signal.offer"]
    peer: Id
    sdp: Sdp


class CallerIceCandidate(Message):
    """The phone's ICE candidate."""

    type: Literal["signal.candidate"]
    peer: Id
    candidate: IceCandidate | None


class CallerMedia(Message):
    """The picture as the phone sees it."""

    type: Literal["media.report"]
    camera: Literal["live", "muted", "ended", "busy", "refused", "gone", "still"]


class Visibility(Message):
    """The page went to the background or came back."""

    type: Literal["visibility"]
    hidden: bool


class Facing(Message):
    """Which camera is on."""

    type: Literal["facing"]
    facing: Literal["environment", "user"]


class LanguageChosen(Message):
    """The caller took another language."""

    type: Literal["language"]
    language: LanguageCode


class RungChanged(Message):
    """The phone went up or down the ladder, and why."""

    type: Literal["ladder"]
    rung: Literal["video", "stills", "photo"]
    why: Literal["slow", "lost", "asked", "recovered", "stills_slow"]


class Zoom(MessagePart):
    """How far the camera zooms."""

    min: Annotated[float, Field(ge=0, le=MOST_ZOOM, allow_inf_nan=False)]
    max: Annotated[float, Field(ge=0, le=MOST_ZOOM, allow_inf_nan=False)]
    step: Annotated[float, Field(ge=0, le=MOST_ZOOM, allow_inf_nan=False)]
    value: Annotated[float, Field(ge=0, le=MOST_ZOOM, allow_inf_nan=False)]


class Abilities(Message):
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


class HelpDone(Message):
    """What became of an order."""

    type: Literal["help.done"]
    order: Id
    outcome: Literal["done", "refused"]
    why: Literal["none", "failed", "busy", "off", "hidden"] | None = None


Reached = Annotated[int, Field(ge=0, le=60_000)] | Literal[False] | None


class NetworkReport(Message):
    """What the phone's network lets through."""

    type: Literal["network"]
    socket: Reached
    stun: Reached
    udp: Reached
    tcp: Reached
    tls: Reached


class Leave(Message):
    """The caller ended."""

    type: Literal["leave"]


CallerMessage = (
    CallerHello
    | Camera
    | SignalOffer
    | CallerIceCandidate
    | CallerMedia
    | Visibility
    | Facing
    | LanguageChosen
    | RungChanged
    | Abilities
    | HelpDone
    | NetworkReport
    | Leave
)
CALLER_MESSAGES: TypeAdapter[CallerMessage] = TypeAdapter(
    Annotated[CallerMessage, Field(discriminator="type")]
)
