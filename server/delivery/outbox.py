"""The demonstration's carrier: keeps what would have been sent, for the outbox page. Never wired outside demo mode."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.core.clock import Clock, Ids
from server.delivery.domain.outgoing import OutgoingMail, OutgoingSms


@dataclass(frozen=True, slots=True)
class Kept:
    """One message a carrier would have taken."""

    id: str
    at: datetime
    channel: str
    to: str
    text: str


class Outbox:
    """The last two hundred messages."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        """Start empty."""
        self._clock = clock
        self._ids = ids
        self._kept: deque[Kept] = deque(maxlen=200)

    def keep(self, channel: str, to: str, text: str) -> str:
        """Keep one message; return its id."""
        kept = Kept(id=self._ids.new(), at=self._clock.now(), channel=channel, to=to, text=text)
        self._kept.appendleft(kept)
        return kept.id

    def messages(self) -> Sequence[Kept]:
        """Return the messages, newest first."""
        return tuple(self._kept)


class OutboxSms:
    """A carrier that keeps each SMS in the outbox."""

    def __init__(self, outbox: Outbox) -> None:
        """Write into `outbox`."""
        self._outbox = outbox

    async def send(self, sms: OutgoingSms) -> str | None:
        """Keep the text."""
        return self._outbox.keep("sms", sms.to, sms.text)


class OutboxMailer:
    """A mailer that keeps each mail in the outbox."""

    def __init__(self, outbox: Outbox) -> None:
        """Write into `outbox`."""
        self._outbox = outbox

    async def send(self, mail: OutgoingMail) -> None:
        """Keep subject and text."""
        self._outbox.keep("email", mail.to, f"{mail.subject}\n\n{mail.text}")
