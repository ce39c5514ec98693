"""What every message is made of, and how a frame is read.

Nothing is coerced and nothing extra is let through: a page of ours never sends it, so whoever does is not a page of
ours.
"""

import json
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from server.protocol.errors import MessageMalformed, MessageTooLarge, MessageUnknown, SdpTooLarge

MAX_FRAME: Final = 65_536  # bytes
MAX_SDP: Final = 32_768  # characters, all ASCII; an honest one-video offer is 2 to 6 kB
MOST_ZOOM: Final = 1000
M = TypeVar("M")
Id = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Contact = Annotated[str, StringConstraints(max_length=254)]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Place = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Pixels = Annotated[int, Field(ge=0, le=65_535)]
Sdp = Annotated[str, StringConstraints(max_length=MAX_SDP)]


class MessagePart(BaseModel):
    """An object within a message: nothing is coerced, nothing extra is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Message(MessagePart):
    """A message as the page sends it."""


class IceCandidate(MessagePart):
    """RTCIceCandidateInit; the m-line is always the first."""

    candidate: Annotated[str, StringConstraints(max_length=1024)]
    sdpMid: Annotated[str, StringConstraints(max_length=16)] | None = None
    sdpMLineIndex: Annotated[int, Field(ge=0, le=0)] | None = None
    usernameFragment: Annotated[str, StringConstraints(max_length=256)] | None = None


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
