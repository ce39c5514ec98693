"""`kind = "esl"`: a FreeSWITCH's event socket."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr

from telephony.sources.esl.feed import PORT, EslFeed
from telephony.sources.source import Live, Port, Switchboard, nobody


def _one_line(value: SecretStr) -> SecretStr:
    if not value.get_secret_value() or not value.get_secret_value().isprintable():
        raise ValueError("le mot de passe ne peut être ni vide ni sur plusieurs lignes")
    return value


class EslSource(Switchboard):
    """The event socket knows no account but one password."""

    account: ClassVar[Sequence[str]] = ("password",)

    kind: Literal["esl"]
    name: str = "esl"
    port: int = Field(default=PORT, ge=1, le=65535)
    password: Annotated[SecretStr, AfterValidator(_one_line)]
    private_headers: tuple[str, ...] = ("X-Line15-Call-ID",)
    emergency: str = ""

    def feed(self, stations: Sequence[str], live: Live) -> EslFeed:
        """Connect to the event socket."""
        return EslFeed(
            self.name,
            self.host,
            self.port,
            self.password.get_secret_value(),
            stations=stations,
            private_headers=self.private_headers,
            emergency=self.emergency,
            live=partial(live, self.name),
        )

    async def probe(self) -> str:
        """Sign in and leave."""
        return await self.feed((), nobody).probe()

    def ports(self) -> Sequence[Port]:
        """We connect."""
        return (Port("Visio15", self.host, f"{self.port}/tcp", f"ESL du standard ({self.site})"),)
