"""`kind = "ami"`: an Asterisk's manager interface."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from telephony.sources.ami.feed import PORT, AmiFeed
from telephony.sources.source import AuthorityUnreadableError, Live, Port, Switchboard, nobody


class AmiSource(Switchboard):
    """An account of manager.conf, in clear or by TLS."""

    account: ClassVar[Sequence[str]] = ("username", "secret")

    kind: Literal["ami"]
    name: str = "ami"
    port: int = Field(default=PORT, ge=1, le=65535)
    username: str
    secret: SecretStr
    tls: bool = False
    tls_ca: Path | None = None
    sip_call_id: str = "SIPCALLID"
    emergency: str = "EMERGENCYCALLID"

    def feed(self, stations: Sequence[str], live: Live) -> AmiFeed:
        """Connect to the manager interface."""
        return AmiFeed(
            self.name,
            self.host,
            self.port,
            self.username,
            self.secret.get_secret_value(),
            tls=ssl.create_default_context(cafile=self.tls_ca) if self.tls else None,
            stations=stations,
            sip_call_id=self.sip_call_id,
            emergency=self.emergency,
            live=partial(live, self.name),
        )

    async def probe(self) -> str:
        """Sign in and leave; the authority is read even where TLS is off: it is there to be used one day."""
        try:
            ssl.create_default_context(cafile=self.tls_ca)
        except OSError:
            raise AuthorityUnreadableError(str(self.tls_ca)) from None
        return await self.feed((), nobody).probe()

    def ports(self) -> Sequence[Port]:
        """We connect."""
        return (Port("Visio15", self.host, f"{self.port}/tcp", f"AMI du standard ({self.site})"),)
