"""`preset = "twilio"`: an API of Twilio's shape: a form with Basic authorization, and signed status call-backs."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr

from server.core.clock import Clock
from server.delivery.carriers.carrier import NamedCarrier, WebAddress
from server.delivery.carriers.http import CarrierAnswer, CarrierHttp, foreign, sender_for
from server.delivery.domain.messages import MessageState
from server.delivery.domain.outgoing import CarrierCallback, OutgoingSms, Receipt
from server.delivery.errors import CarrierRefused, CarrierUnavailable

_STATES: Final[Mapping[str, MessageState]] = {
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "undelivered": MessageState.FAILED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.FAILED,
}
_BAD_REQUEST, _LIMIT = 400, 300
_SIGNATURE: Final = "X-Twilio-Signature"


class TwilioSettings(NamedCarrier):
    """An API of Twilio's shape; `from_service` stands for a messaging service instead of a sender."""

    receipt_query: ClassVar[str | None] = ""

    preset: Literal["twilio"]
    url: WebAddress = "https://api.twilio.com"
    account: str = Field(pattern=r"^[A-Za-z0-9]+$")
    token: SecretStr
    key: str | None = None
    key_secret: SecretStr | None = None
    from_service: str | None = None
    validity_seconds: int = Field(default=900, ge=1, le=14400)

    @property
    def address(self) -> str:
        """Where the API is."""
        return self.url

    def client(self, base: str, clock: Clock) -> TwilioSms:
        """Ask the API; it signs the address of its receipts, so that this address must be known."""
        del clock
        return TwilioSms(self, base)


class TwilioSms:
    """Asks a Twilio account; `base` is where its call-backs reach us."""

    def __init__(self, settings: TwilioSettings, base: str) -> None:
        """Keep keys and address."""
        self._settings = settings
        self._base = base
        self._gateway = CarrierHttp(settings.timeout)

    async def send(self, sms: OutgoingSms) -> str | None:
        """Hand one message over; return its sid."""
        settings = self._settings
        form = {"To": sms.to, "Body": sms.text, "ValidityPeriod": str(settings.validity_seconds)}
        if settings.from_service:
            form["MessagingServiceSid"] = settings.from_service
        else:
            form["From"] = sender_for(sms, settings.senders, settings.sender)
        if sms.receipt_url:
            form["StatusCallback"] = sms.receipt_url
        url = f"{settings.url}/2010-04-01/Accounts/{settings.account}/Messages.json"
        kind = "application/x-www-form-urlencoded"
        answer = await self._gateway.ask(
            url, "POST", urlencode(form), Authorization=self._basic(), Content_Type=kind
        )
        return self._read(answer)

    def _basic(self) -> str:
        settings = self._settings
        user, secret = settings.account, settings.token
        if settings.key and settings.key_secret:
            user, secret = settings.key, settings.key_secret
        pair = f"{user}:{secret.get_secret_value()}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    @staticmethod
    def _read(answer: CarrierAnswer) -> str:
        """400 refuses this message; anything else without a sid was not taken, whatever its status."""
        if answer.status == _BAD_REQUEST:
            raise CarrierRefused("http_400")
        if answer.status >= _LIMIT:
            raise CarrierUnavailable(f"http_{answer.status}")
        value = answer.json()
        sid = value.get("sid")
        if not isinstance(sid, str) or value.get("error_code") or value.get("status") in _STATES:
            raise CarrierUnavailable("not_accepted")
        return sid[:128]

    def read(self, callback: CarrierCallback) -> Receipt:
        """Read MessageStatus, signed: base64(HMAC-SHA1(token, address + each field's name and value, by name))."""
        fields = "".join(f"{name}{callback.form[name]}" for name in sorted(callback.form))
        claimed = callback.headers.get(_SIGNATURE, "").encode()
        texts = [f"{base}{callback.path}{fields}" for base in _spellings(self._base)]
        if not any(hmac.compare_digest(self._signature(text), claimed) for text in texts):
            raise foreign()
        return Receipt(_STATES.get(callback.form.get("MessageStatus", "")), ref=callback.secret)

    def _signature(self, text: str) -> bytes:
        token = self._settings.token.get_secret_value().encode()
        return base64.b64encode(hmac.new(token, text.encode(), hashlib.sha1).digest())

    def close(self) -> None:
        """Close the connections."""
        self._gateway.close()


def _spellings(base: str) -> Sequence[str]:
    """Write our address with its port and without: Twilio signs either, and its own libraries try both."""
    parts = urlsplit(base)
    bare = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return [parts._replace(netloc=host).geturl() for host in (bare, f"{bare}:{port}")]
