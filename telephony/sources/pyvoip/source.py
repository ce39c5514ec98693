"""`kind = "pyvoip"`: a dedicated extension that receives notification calls; off unless listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import SecretStr

from telephony.sources.pyvoip.feed import PyVoipAccount, PyVoipFeed
from telephony.sources.source import HERE, Live, Network, Port, Source


class PyVoipSource(Source):
    """An account of the switchboard, registered by a child process."""

    kind: Literal["pyvoip"]
    name: str = "pyvoip"
    server: str
    port: int = 5060
    extension: str
    password: SecretStr
    bind: str = "127.0.0.1"
    bind_port: int = 5062
    rtp_low: int = 16000
    rtp_high: int = 16099
    allow: tuple[Network, ...] = HERE

    def feed(self, stations: Sequence[str], live: Live) -> PyVoipFeed:
        """Register the extension in a child process."""
        del live  # nobody can be asked what is still there
        account = PyVoipAccount(
            server=self.server,
            username=self.extension,
            password=self.password.get_secret_value(),
            port=self.port,
            my_ip=self.bind,
            sip_port=self.bind_port,
            rtp_low=self.rtp_low,
            rtp_high=self.rtp_high,
            allow=self.allow,
        )
        return PyVoipFeed(self.name, account, stations=stations)

    def ports(self) -> Sequence[Port]:
        """We register, the switchboard calls; its sound is not read."""
        use, media = f"poste SIP ({self.site})", f"{self.rtp_low}-{self.rtp_high}/udp"
        return (
            Port(self.bind, self.server, f"{self.port}/udp", use),
            Port(self.server, self.bind, f"{self.bind_port}/udp", use),
            Port(self.server, self.bind, media, "média, ignoré"),
        )

    def listens(self) -> tuple[str, int]:
        """Tell where the switchboard calls."""
        return self.bind, self.bind_port

    def senders(self) -> Sequence[str]:
        """List the switchboards."""
        return self.allow
