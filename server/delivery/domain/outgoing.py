"""What carriers and relays are given, and what they report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from server.delivery.domain.messages import MessageState


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One text message; `receipt_url` is called back with the delivery receipt."""

    to: str
    text: str
    sender: str
    receipt_url: str | None
    site: str = ""  # its key: a carrier may have a sender for each
    reference: str = ""  # names this sending, the same when it is repeated for want of an answer


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One e-mail in text and HTML."""

    to: str
    subject: str
    text: str
    html: str | None
    reply_to: str | None = None
    reference: str = ""  # the Message-ID's: the same when it is repeated for want of an answer


class SmsCarrier(Protocol):
    """A carrier. Raises CarrierUnavailable (try again) or CarrierRefused (never)."""

    async def send(self, sms: OutgoingSms) -> str | None:
        """Hand the message over; return the carrier's own reference."""


@dataclass(frozen=True, slots=True)
class CarrierCallback:
    """A carrier's call-back as it came: `secret` is the last part of its path; `headers` may hold a signature."""

    secret: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a carrier says of one message, named by our reference or by its own; `state` None: nothing new."""

    state: MessageState | None
    ref: str | None = None
    carrier_ref: str | None = None


class ReceiptReader(Protocol):
    """Reads one carrier's call-backs. Raises Invalid for what it cannot read, Forbidden for a foreign one."""

    def read(self, callback: CarrierCallback) -> Receipt:
        """Read one."""


class Mailer(Protocol):
    """A mail relay. Raises CarrierUnavailable or CarrierRefused."""

    async def send(self, mail: OutgoingMail) -> None:
        """Hand the mail over."""
