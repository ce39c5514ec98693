"""Outgoing messages decided in pure code: retries with back-off until they expire, receipts in any order."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FIRST_RETRY: Final = timedelta(seconds=1)
LONGEST_RETRY: Final = timedelta(seconds=30)


class Delivery(StrEnum):
    """Where a message is."""

    QUEUED = "queued"
    HANDED = "handed"
    BUFFERED = "buffered"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Handover:
    """One try with one carrier: `outcome` is handed, no_receipt, failed, delivered, refused or unavailable.

    `ref` is the carrier's own reference. The outcome `resent`, without carrier, starts a new round.
    """

    carrier: str
    outcome: str
    at: datetime
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS or e-mail; `sealed` holds recipient and body and is cleared once it can never be needed again."""

    id: str
    site: str
    kind: str
    channel: str
    invitation: str | None
    sealed: bytes | None
    receipt_ref: str
    created: datetime
    expires: datetime
    state: Delivery = Delivery.QUEUED
    attempts: int = 0
    due: datetime | None = None
    carrier_ref: str | None = None
    error: str | None = None
    handed: datetime | None = None
    delivered: datetime | None = None
    version: int = 1
    carrier: str | None = None
    history: tuple[Handover, ...] = ()


def accepted(message: Message, carrier_ref: str | None, now: datetime) -> Message:
    """The carrier took it. A receipt that overtook this news keeps its place.

    Only an invitation may be sent again; what a code or a remark said is not kept.
    """
    if message.state is Delivery.HANDED:
        return message
    state = Delivery.HANDED if message.state is Delivery.QUEUED else message.state
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
    if message.state is not Delivery.QUEUED:
        return message
    wait = min(FIRST_RETRY * 2 ** min(message.attempts, 10), LONGEST_RETRY)
    if now + wait >= message.expires:
        return failed(message, "expired", now)
    return replace(message, attempts=message.attempts + 1, due=now + wait, error=error)


def failed(message: Message, error: str, now: datetime) -> Message:
    """It will never arrive; only what still waits can fail so, what the carrier has is told by its receipts."""
    del now
    if message.state is not Delivery.QUEUED:
        return message
    return replace(
        message,
        state=Delivery.FAILED,
        attempts=message.attempts + 1,
        due=None,
        error=error,
        sealed=None,
    )


def again(message: Message, now: datetime, expires: datetime) -> Message:
    """The regulator sends the same link again."""
    return replace(
        message,
        state=Delivery.QUEUED,
        due=now,
        expires=expires,
        error=None,
        attempts=0,
        handed=None,
        delivered=None,
        history=(*message.history, Handover("", "resent", now)) if message.history else (),
    )


_RANK: Final = {
    Delivery.QUEUED: 0,
    Delivery.HANDED: 1,
    Delivery.BUFFERED: 2,
    Delivery.FAILED: 3,
    Delivery.DELIVERED: 4,
}


def receipt(message: Message, state: Delivery, now: datetime) -> Message:
    """Fold a receipt in; receipts repeat and overtake each other, "delivered" wins over all."""
    if _RANK[state] <= _RANK[message.state]:
        return message
    return replace(
        message,
        state=state,
        due=None,
        handed=message.handed or now,
        delivered=now if state is Delivery.DELIVERED else None,
        error="carrier_failed" if state is Delivery.FAILED else None,
    )
