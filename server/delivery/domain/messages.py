"""Outgoing messages decided in pure code: retries with back-off until they expire, receipts in any order.

A message is marked as asked before its request leaves. A mark that a dead process left is a doubt: it may have left
or not. It is sent again with the same link, and that is written down (docs/adr/0019).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FIRST_RETRY: Final = timedelta(seconds=1)
LONGEST_RETRY: Final = timedelta(seconds=30)
#: How long what a crash interrupted waits for its receipt, counted from when it was asked.
PATIENCE: Final = timedelta(seconds=20)
HANDED: Final = "handed"
REFUSED: Final = "refused"
UNAVAILABLE: Final = "unavailable"
NO_ANSWER: Final = "no_answer"
IN_DOUBT: Final = "in_doubt"
SENT_AGAIN: Final = "sent_again"
RESENT: Final = "resent"
_DOUBTS: Final = frozenset({NO_ANSWER, IN_DOUBT})
_ANSWERS: Final = frozenset({HANDED, REFUSED, UNAVAILABLE, RESENT})
_RECEIPTS: Final = frozenset({"delivered", "failed"})


class MessageState(StrEnum):
    """Where a message is."""

    QUEUED = "queued"
    HANDED = "handed"
    BUFFERED = "buffered"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One step with one carrier: `outcome` is handed, no_receipt, failed, delivered, refused or unavailable.

    `no_answer` and `in_doubt` (we died) leave open whether it took the message; `sent_again` is what followed then.
    `ref` is the carrier's own reference. The outcome `resent`, without carrier, starts a new round.
    """

    carrier: str
    outcome: str
    at: datetime
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS or e-mail; `sealed` holds recipient and body and is cleared once it can never be needed again.

    `asked` and `asked_of` tell since when it is being handed over, and to whom.
    """

    id: str
    site: str
    kind: str
    channel: str
    invitation: str | None
    sealed: bytes | None
    receipt_ref: str
    created: datetime
    expires: datetime
    state: MessageState = MessageState.QUEUED
    attempts: int = 0
    due: datetime | None = None
    carrier_ref: str | None = None
    error: str | None = None
    handed: datetime | None = None
    delivered: datetime | None = None
    version: int = 1
    carrier: str | None = None
    history: tuple[DeliveryEvent, ...] = ()
    asked: datetime | None = None
    asked_of: str | None = None


def asking(message: Message, name: str, now: datetime, *, once: bool = False) -> Message:
    """Mark it, before the request leaves; what may arrive twice is written down.

    `once`: the carrier takes the same reference a single time, so that nothing can arrive twice.
    """
    history = message.history
    if doubt(message) is not None and not once:
        history = (*history, DeliveryEvent(name, SENT_AGAIN, now))
    return replace(message, asked=now, asked_of=name, history=history)


def landed(message: Message) -> Message:
    """What came of the request is known: take the mark away."""
    return replace(message, asked=None, asked_of=None)


def left_by_another(message: Message, begun: datetime, now: datetime) -> bool:
    """Tell whether the process that was handing it over is dead: our own marks lie between our start and now."""
    return message.asked is not None and not begun <= message.asked <= now


def interrupted(message: Message, patience: timedelta, now: datetime) -> Message:
    """The process died while it was handing it over: its receipt may come, and after `patience` it is sent again."""
    if message.asked is None:
        return message
    after = landed(message)
    if message.due is None:
        return after
    since = min(message.asked, now)
    history = (*message.history, DeliveryEvent(message.asked_of or "", IN_DOUBT, now))
    return replace(after, history=history, error=IN_DOUBT, due=max(now, since + patience))


def this_round(message: Message) -> tuple[DeliveryEvent, ...]:
    """Return the steps since the link was last sent again by hand."""
    starts = [i for i, h in enumerate(message.history) if h.outcome == RESENT]
    return message.history[starts[-1] + 1 :] if starts else message.history


def doubt(message: Message) -> DeliveryEvent | None:
    """Return the last try, if nobody knows whether the carrier took it."""
    told: set[str] = set()
    for step in reversed(this_round(message)):
        if step.outcome not in _RECEIPTS:
            return step if step.outcome in _DOUBTS and step.carrier not in told else None
        told.add(step.carrier)
    return None


def maybe_twice(message: Message) -> bool:
    """Tell whether the person may have got it twice, without anybody having asked for that."""
    return any(step.outcome == SENT_AGAIN for step in this_round(message))


def reference(message: Message) -> str:
    """Return what names one sending: the same until an answer is known, so that a repetition can be dropped."""
    answers = sum(step.outcome in _ANSWERS for step in message.history)
    return f"{message.id}-{answers + 1}"


def accepted(message: Message, carrier_ref: str | None, now: datetime) -> Message:
    """The carrier took it. A receipt that overtook this news keeps its place.

    Only an invitation may be sent again; what a code or a remark said is not kept.
    """
    message = landed(message)
    if message.state is MessageState.HANDED:
        return message
    state = MessageState.HANDED if message.state is MessageState.QUEUED else message.state
    return replace(
        message,
        state=state,
        handed=message.handed or now,
        carrier_ref=carrier_ref,
        due=None,
        error=None,
        attempts=message.attempts + 1,
        sealed=message.sealed if message.kind == "invitation" else None,
    )


def postponed(message: Message, error: str, now: datetime) -> Message:
    """The carrier did not answer: again after 1, 2, 4 … 30 s, until the message expires.

    A receipt may have overtaken the answer that was lost: then the carrier has it, and it is not sent twice.
    """
    message = landed(message)
    if message.state is not MessageState.QUEUED:
        return message
    wait = min(FIRST_RETRY * 2 ** min(message.attempts, 10), LONGEST_RETRY)
    if now + wait >= message.expires:
        return failed(message, "expired")
    return replace(message, attempts=message.attempts + 1, due=now + wait, error=error)


def failed(message: Message, error: str) -> Message:
    """It will never arrive; only what still waits can fail so, what the carrier has is told by its receipts."""
    message = landed(message)
    if message.state is not MessageState.QUEUED:
        return message
    return replace(
        message,
        state=MessageState.FAILED,
        attempts=message.attempts + 1,
        due=None,
        error=error,
        sealed=None,
    )


def dropped(message: Message, error: str) -> Message:
    """Nobody waits for it any more: what is still queued does not leave, and what was in it is not kept."""
    if message.state is MessageState.QUEUED:
        message = failed(message, error)
    return message if message.sealed is None else replace(message, sealed=None)


def again(message: Message, now: datetime, expires: datetime) -> Message:
    """The regulator sends the same link again; what still waits goes at once."""
    if message.state is MessageState.QUEUED:
        return replace(message, due=now, expires=expires)
    return replace(
        message,
        state=MessageState.QUEUED,
        due=now,
        expires=expires,
        error=None,
        attempts=0,
        handed=None,
        delivered=None,
        history=(*message.history, DeliveryEvent("", RESENT, now)),
    )


_RANK: Final = {
    MessageState.QUEUED: 0,
    MessageState.HANDED: 1,
    MessageState.BUFFERED: 2,
    MessageState.FAILED: 3,
    MessageState.DELIVERED: 4,
}


def receipt(message: Message, state: MessageState, now: datetime) -> Message:
    """Fold a receipt in; receipts repeat and overtake each other, "delivered" wins over all."""
    if _RANK[state] <= _RANK[message.state]:
        return message
    if state is not MessageState.BUFFERED:
        message = landed(message)
    return replace(
        message,
        state=state,
        due=None,
        handed=message.handed or now,
        delivered=now if state is MessageState.DELIVERED else None,
        error="carrier_failed" if state is MessageState.FAILED else None,
    )
