"""What a kind of carrier is to the rest of the product: its settings, and what may be asked of them.

Each module of this folder that a configuration may name has one `NamedCarrier`, and one line in registry.py
(docs/adr/0035-rooms.md).
"""

import re
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Annotated, ClassVar, Protocol

from pydantic import AfterValidator, Field

from server.core.clock import Clock
from server.core.settings import SettingsGroup
from server.delivery.domain.carrier_order import Carrier
from server.delivery.domain.outgoing import ReceiptReader, SmsCarrier

SHORTHAND = "sms"  # the name of the carrier of `sms`; nobody in `carriers` may have it


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", value) or value == SHORTHAND:
        message = f"un nom court en minuscules, chiffres et tirets, autre que {SHORTHAND}"
        raise ValueError(message)
    return value


def _prefix(value: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", value):
        message = "un préfixe international, par exemple +33 ou +336"
        raise ValueError(message)
    return value


def _web(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        message = "une adresse de la forme https://sms.example"
        raise ValueError(message)
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web)]
Name = Annotated[str, AfterValidator(_slug)]
Prefix = Annotated[str, AfterValidator(_prefix)]


class SmsClient(SmsCarrier, ReceiptReader, Protocol):
    """Speaks to one carrier, and reads what that carrier reports."""

    def close(self) -> None:
        """Close the connections."""


class CarrierSettings(SettingsGroup, ABC):
    """The settings of one carrier; frozen, unknown keys refused."""

    #: Whether requests are signed with the time, so that our clock and the carrier's have to agree.
    signs_time: ClassVar[bool] = False
    #: What follows the reference in the receipt address that each message carries; None: none is given, because
    #: the carrier has one address for all, and names a message by its own id.
    #: Each carrier says it: a wrong answer makes a message in doubt wait for a receipt that never comes.
    receipt_query: ClassVar[str | None]

    @property
    @abstractmethod
    def address(self) -> str:
        """Where requests go; may hold a secret."""

    @abstractmethod
    def planned(self) -> Carrier:
        """Return its place in the order: for whom, and how long its receipt is waited for."""

    @abstractmethod
    def client(self, base: str, clock: Clock) -> SmsClient:
        """Make what speaks to the carrier; `base` is where its receipts reach us."""

    def reports(self) -> bool:
        """Tell whether it reports under our reference, so also on what it took when we did not hear its answer."""
        return self.receipt_query is not None

    def once(self) -> bool:
        """Tell whether it takes the same reference a single time; none does, but a gateway of which that is said."""
        return False


class NamedCarrier(CarrierSettings):
    """What every carrier of `carriers` has; `cost`: euros an SMS, for the metrics; `receipt_timeout` 0: never waits."""

    name: Name
    prefixes: tuple[Prefix, ...] = ()
    receipt_timeout: float = Field(default=45.0, ge=0, le=900)
    sender: str | None = Field(default=None, max_length=40)
    senders: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    cost: float = Field(default=0.0, ge=0)
    timeout: float = Field(default=10.0, gt=0, le=60)
    receipt_base: WebAddress | None = None

    def planned(self) -> Carrier:
        """As it was configured."""
        wait = timedelta(seconds=self.receipt_timeout) if self.receipt_timeout else None
        return Carrier(
            name=self.name,
            prefixes=self.prefixes,
            receipt_timeout=wait,
            receipts=self.reports(),
            once=self.once(),
        )
