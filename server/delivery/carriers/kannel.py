"""`preset = "kannel"`: Kannel's sendsms interface (user guide, "SMS push"): GET, and a receipt address with %d."""

from __future__ import annotations

from typing import ClassVar, Literal
from urllib.parse import urlencode

from pydantic import SecretStr

from server.core.clock import Clock
from server.delivery.carriers.carrier import NamedCarrier, WebAddress
from server.delivery.carriers.http import CarrierHttp, NumberedReceipts, sender_for
from server.delivery.domain.outgoing import OutgoingSms
from server.delivery.errors import CarrierRefused, CarrierUnavailable

ALL_RECEIPTS = 31  # 1 delivered + 2 failed + 4 buffered + 8 handed over + 16 rejected
_CLIENT_ERROR = 400


class KannelSettings(NamedCarrier):
    """Kannel's sendsms interface."""

    receipt_query: ClassVar[str | None] = ""

    preset: Literal["kannel"]
    url: WebAddress = "http://127.0.0.1:13013/cgi-bin/sendsms"
    username: str
    password: SecretStr
    smsc: str | None = None

    @property
    def address(self) -> str:
        """Where the smsbox is."""
        return self.url

    def client(self, base: str, clock: Clock) -> KannelSms:
        """Ask the smsbox; each message carries the address of its receipts."""
        del base, clock
        return KannelSms(self)


class KannelSms(NumberedReceipts):
    """Asks a Kannel smsbox."""

    def __init__(self, settings: KannelSettings) -> None:
        """Keep address and password."""
        self._settings = settings
        self._gateway = CarrierHttp(settings.timeout)

    async def send(self, sms: OutgoingSms) -> str | None:
        """Hand one message over: `0: Accepted …` or `3: Queued …`; Kannel gives no reference."""
        settings = self._settings
        query = {
            "username": settings.username,
            "password": settings.password.get_secret_value(),
            "to": sms.to,
            "from": sender_for(sms, settings.senders, settings.sender),
            "text": sms.text,
            "charset": "UTF-8",
            "coding": "0",
        }
        if sms.receipt_url:
            query |= {"dlr-mask": str(ALL_RECEIPTS), "dlr-url": f"{sms.receipt_url}?status=%d"}
        if settings.smsc:
            query["smsc"] = settings.smsc
        answer = await self._gateway.ask(f"{settings.url}?{urlencode(query)}")
        if answer.status < _CLIENT_ERROR and answer.text.startswith(("0: ", "3: ")):
            return None
        if answer.status == _CLIENT_ERROR or answer.text.startswith(("1: ", "2: ")):
            raise CarrierRefused(f"http_{answer.status}")
        raise CarrierUnavailable(
            "not_accepted" if answer.status < _CLIENT_ERROR else f"http_{answer.status}"
        )

    def close(self) -> None:
        """Close the connections."""
        self._gateway.close()
