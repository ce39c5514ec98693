"""`kind = "dialog-info"`: a presence server that tells one account the dialogs of the site's stations (RFC 4235)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from pydantic import Field, SecretStr

from telephony.sources.dialog_info.feed import PORT, Account, DialogInfoFeed
from telephony.sources.source import HERE, Live, Network, Port, Switchboard, nobody


class DialogInfoSource(Switchboard):
    """An account that may subscribe to each station."""

    kind: Literal["dialog-info"]
    name: str = "dialog-info"
    port: int = Field(default=PORT, ge=1, le=65535)
    transport: Literal["udp", "tcp"] = "udp"
    username: str
    password: SecretStr
    domain: str
    bind: str = ""
    bind_port: int = Field(default=0, ge=0, le=65535)
    allow: tuple[Network, ...] = HERE
    heartbeat: float = Field(default=3.0, ge=1.0, le=60.0)

    def feed(self, stations: Sequence[str], live: Live) -> DialogInfoFeed:
        """Subscribe to the stations."""
        return DialogInfoFeed(
            self.name,
            self.host,
            self.port,
            Account(self.username, self.password.get_secret_value(), self.domain),
            stations=stations,
            transport=self.transport,
            bind=(self.bind, self.bind_port),
            allow=self.allow,
            live=partial(live, self.name),
            heartbeat=self.heartbeat,
        )

    async def probe(self) -> str:
        """Ask from a port of its own: the feed may be running."""
        free = self.model_copy(update={"bind_port": 0})
        return await free.feed((), nobody).probe()

    def ports(self) -> Sequence[Port]:
        """We subscribe; over TCP the notifications come back on our connection."""
        us, use = self.bind or "Visio15", f"présence SIP ({self.site})"
        ours = Port(us, self.host, f"{self.port}/{self.transport}", use)
        if self.transport == "tcp":
            return (ours,)
        back = f"{self.bind_port}/udp" if self.bind_port else "éphémère/udp"
        return ours, Port(", ".join(self.allow), us, back, use)

    def senders(self) -> Sequence[str] | None:
        """List who is heard over UDP."""
        return self.allow if self.transport == "udp" else None
