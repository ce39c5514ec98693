"""`kind = "hep"`: a HEP3 capture feed of one site (docs/telephony.md)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from telephony.sources.hep.facts import DEFAULT_HEADERS
from telephony.sources.hep.feed import HepFeed
from telephony.sources.source import HERE, Live, Network, Port, Source


class HepSource(Source):
    """A port of this machine, to which capture agents send copies of their SIP."""

    bursts: ClassVar[bool] = True

    kind: Literal["hep"]
    name: str = "hep"
    host: str = "127.0.0.1"
    port: int = Field(default=9060, ge=0, le=65535)
    auth_key: SecretStr | None = None
    allow: tuple[Network, ...] = HERE
    private_headers: tuple[str, ...] = DEFAULT_HEADERS
    quiet_after: float = 90.0

    def feed(self, stations: Sequence[str], live: Live) -> HepFeed:
        """Listen for capture agents."""
        del live  # nobody can be asked what is still there
        return HepFeed(
            self.name,
            self.host,
            self.port,
            auth_key=self.auth_key.get_secret_value() if self.auth_key else None,
            allow=self.allow,
            private_headers=self.private_headers,
            stations=stations,
            quiet_after=self.quiet_after,
        )

    def ports(self) -> Sequence[Port]:
        """Agents send to us."""
        use = f"capture HEP ({self.site})"
        return (Port(", ".join(self.allow), self.host, f"{self.port}/udp", use),)

    def listens(self) -> tuple[str, int]:
        """Tell where agents send."""
        return self.host, self.port

    def senders(self) -> Sequence[str]:
        """List the agents."""
        return self.allow

    def forgeable(self) -> bool:
        """A packet of another machine is believed when no key is asked for."""
        return self.auth_key is None and any(not ip_network(n).is_loopback for n in self.allow)
