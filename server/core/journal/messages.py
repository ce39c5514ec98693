"""What the audit tells of an SMS or an e-mail."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.core.journal.entries import Entry, entry
from server.core.journal.payload import ABSENT
from server.core.journal.payloads import Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChange:
    """What became of a message: `tries` since the last row, `carrier:outcome` each; None for an e-mail."""

    message: str
    session: str | None
    call: str | None
    channel: str
    attempts: int
    error: str | None
    carrier: str | None
    tries: Sequence[str] | None


def _sent(action: str, change: MessageChange) -> Entry:
    payload = Sent(
        channel=change.channel,
        attempts=change.attempts,
        error=change.error,
        carrier=ABSENT if change.tries is None else change.carrier,
        tries=ABSENT if change.tries is None else tuple(change.tries),
    )
    subject = f"message:{change.message}"
    return entry(action, subject, payload, session=change.session, call=change.call)


def message_queued(change: MessageChange) -> Entry:
    """It waits again to be sent."""
    return _sent("message.queued", change)


def message_handed(change: MessageChange) -> Entry:
    """A carrier or the relay took it."""
    return _sent("message.handed", change)


def message_buffered(change: MessageChange) -> Entry:
    """The carrier waits for the phone."""
    return _sent("message.buffered", change)


def message_delivered(change: MessageChange) -> Entry:
    """The phone has it."""
    return _sent("message.delivered", change)


def message_failed(change: MessageChange) -> Entry:
    """It will not arrive."""
    return _sent("message.failed", change)


def message_retried(change: MessageChange) -> Entry:
    """It was not taken, and will be tried again."""
    return _sent("message.retried", change)


def message_sent_again(change: MessageChange) -> Entry:
    """Nobody knows whether it had left: it was sent once more."""
    return _sent("message.sent_again", change)
