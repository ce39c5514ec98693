"""What a kind of source is to the rest of the product: its settings, and what may be asked of them.

Each folder of telephony/sources that a configuration may name has one `Source` in its `source.py`, and one line in
telephony/registry.py (docs/adr/0033-a-source-is-a-folder.md).
"""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from telephony.sources.feed import CallFeed

#: Lists the legs of the named feed that the product believes alive.
Live = Callable[[str], Sequence[str]]


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("une adresse ou un réseau, par exemple 192.0.2.0/24") from None
    return value


Network = Annotated[str, AfterValidator(_network)]
#: Who is heard unless the configuration says otherwise.
HERE: tuple[str, ...] = ("127.0.0.1/32",)


class Port(NamedTuple):
    """One line of the firewall's table: who connects to whom, to which port, and what for."""

    sender: str
    receiver: str
    port: str
    use: str


class AuthorityUnreadableError(OSError):
    """The authority named for a switchboard's certificate is no PEM file that this process may read."""


class Source(BaseModel, ABC):
    """The settings of one source of one site; frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Whether many messages come at once, so that a small receive buffer loses some.
    bursts: ClassVar[bool] = False

    kind: str
    site: str
    name: str

    @abstractmethod
    def feed(self, stations: Sequence[str], live: Live) -> CallFeed:
        """Make what the runner keeps alive. Raises OSError when a file that is named cannot be read."""

    def ports(self) -> Sequence[Port]:
        """List what a firewall has to let through."""
        return ()

    def listens(self) -> tuple[str, int] | None:
        """Tell which UDP address and port of this machine must be free; None: any will do, or none is opened."""
        return None

    def senders(self) -> Sequence[str] | None:
        """List the networks that are heard; None: nobody sends unasked."""
        return None

    def forgeable(self) -> bool:
        """Tell whether another machine could make up what this source reports, because no key is asked for."""
        return False


class Switchboard(Source):
    """A source that signs in to a switchboard, and may ask it something at any time."""

    #: The settings that a switchboard which refuses the account should be compared with.
    account: ClassVar[Sequence[str]] = ("username", "password")

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)

    @abstractmethod
    async def probe(self) -> str:
        """Sign in and leave; return what the switchboard says it is.

        Raises FeedRefusedError, FeedCutError, AuthorityUnreadableError, OSError.
        """


def nobody(_name: str) -> Sequence[str]:
    """Know of no leg: for a feed that only asks a question."""
    return ()
