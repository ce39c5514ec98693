"""The form of the call events that other software posts; each is judged alone: one mistake costs one event."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from server.line15.domain.signing import WINDOW
from server.line15.errors import WebhookMalformed, WebhookTooLarge, WebhookTooMany
from telephony import Alias, AliasType, CtiEvent, Direction, without_marks

MAX_BODY: Final = 256 * 1024
MAX_EVENTS: Final = 100
OLDEST: Final = timedelta(hours=24)
_DOSSIER: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")

EventType = Literal[
    "ringing",
    "answered",
    "held",
    "resumed",
    "moved",
    "ended",
    "alias",
    "recording_started",
    "recording_stopped",
]
#: Names a sender may give; the others are ours.
NameType = Literal[
    "sip_call_id",
    "linkedid",
    "uniqueid",
    "nena_callid",
    "nena_incidentid",
    "private_header",
    "other_header",
    "session_id",
    "freeswitch_uuid",
    "dialog_id",
    "siprec_group",
    "recording",
    "dossier",
]


def _readable(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("printable, without blanks at the ends")
    return value


def _unmarked(value: object) -> object:
    """A number that somebody pasted into the sender's file keeps marks that nobody sees."""
    return without_marks(value) if isinstance(value, str) else value


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("ISO 8601 with its offset, as a string")  # noqa: TRY004 - pydantic reports ValueError
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def _case(value: str) -> str:
    if not _DOSSIER.fullmatch(value):
        raise ValueError("letters, digits, _ and -, in parts separated by full stops")
    return value


Short = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_readable)]
Dialled = Annotated[Short, BeforeValidator(_unmarked)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_readable)]
Dossier = Annotated[str, StringConstraints(min_length=4, max_length=128), AfterValidator(_case)]
Time = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_utc)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EventAlias(_Form):
    """Another name of the call."""

    type: NameType
    value: Name


class CallEvent(_Form):
    """One thing that happened to one call."""

    type: EventType
    call: Name = Field(description="the sender's own id of the call")
    at: Time = Field(description="when it happened, ISO 8601 with its offset")
    caller: Dialled | None = Field(
        default=None, description="telephone number; absent when withheld"
    )
    called: Dialled | None = None
    station: Annotated[Short, Field(max_length=32)] | None = Field(
        default=None, description="extension of the station"
    )
    direction: Literal["incoming", "outgoing", "internal"] | None = None
    alias: EventAlias | None = None
    recording: Name | None = Field(default=None, description="the recorder's own id")
    dossier: Dossier | None = Field(default=None, description="caseId of the regulation software")
    cause: Short | None = None

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        now = (info.context or {}).get("now")
        if self.type == "moved" and self.station is None:
            raise ValueError("moved needs station")
        if self.type == "alias" and self.alias is None and self.dossier is None:
            raise ValueError("alias needs alias or dossier")
        if self.type.startswith("recording") and self.recording is None:
            raise ValueError(f"{self.type} needs recording")
        if now is not None and not now - OLDEST <= self.at <= now + WINDOW:
            raise ValueError("at is more than 24 h old, or more than 300 s ahead")
        return self

    def value(self) -> CtiEvent:
        """Return it as telephony knows it."""
        name = Alias(AliasType(self.alias.type), self.alias.value) if self.alias else None
        return CtiEvent(
            type=self.type,
            call=self.call,
            at=self.at,
            caller=self.caller,
            called=self.called,
            station=self.station,
            direction=Direction(self.direction or "unknown"),
            alias=name,
            recording=self.recording,
            dossier=self.dossier,
            cause=self.cause,
        )


class CallEvents(_Form):
    """What is posted: some events; none is a heartbeat."""

    events: Annotated[list[CallEvent], Field(max_length=MAX_EVENTS)]


class Problem(_Form):
    """What is wrong with one event; never a value."""

    field: str
    message: str


class EventResult(_Form):
    """What became of one event."""

    index: int
    status: Literal["accepted", "repeated", "waiting", "refused"]
    call: str | None
    errors: list[Problem] | None = None


class EventResults(_Form):
    """The answer."""

    accepted: int
    results: list[EventResult]


def parse(body: bytes, now: datetime) -> list[CtiEvent | list[Problem]]:
    """Return each event, or what is wrong with it. Raises WebhookTooLarge, WebhookMalformed, WebhookTooMany."""
    if len(body) > MAX_BODY:
        raise WebhookTooLarge
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookMalformed from None
    if not isinstance(whole, dict) or set(whole) != {"events"}:
        raise WebhookMalformed
    events = whole["events"]
    if not isinstance(events, list):
        raise WebhookMalformed
    if len(events) > MAX_EVENTS:
        raise WebhookTooMany
    return [_event(one, now) for one in events]


def _event(one: Any, now: datetime) -> CtiEvent | list[Problem]:
    try:
        return CallEvent.model_validate(one, context={"now": now}).value()
    except ValidationError as wrong:
        return [
            Problem(field=".".join(str(part) for part in error["loc"]), message=_said(error["msg"]))
            for error in wrong.errors(include_input=False, include_url=False, include_context=False)
        ][:10]


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def answer_of(
    parsed: Sequence[CtiEvent | list[Problem]], became: Sequence[tuple[str, str | None]]
) -> dict[str, Any]:
    """Put the outcomes of the events that were read, and the problems of the others, back in order."""
    outcomes = iter(became)
    results = []
    for index, one in enumerate(parsed):
        if isinstance(one, CtiEvent):
            status, call = next(outcomes)
            results.append({"index": index, "status": status, "call": call})
        else:
            errors = [problem.model_dump() for problem in one]
            results.append({"index": index, "status": "refused", "call": None, "errors": errors})
    accepted = sum(result["status"] == "accepted" for result in results)
    return {"accepted": accepted, "results": results}


def schema() -> dict[str, Any]:
    """Return the JSON schema of the body (2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **CallEvents.model_json_schema(),
    }
