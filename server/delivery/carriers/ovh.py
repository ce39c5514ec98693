"""`preset = "ovhcloud"`: an API of OVHcloud's shape: POST /sms/{service}/jobs, signed; receipts at one fixed address.

Signature: `$1$` + SHA-1 of secret + consumer key + method + address + body + timestamp, joined by `+`. The call-back
address is a setting of the service, not of a message: it ends with `receipt_key`, and messages are found by their id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr

from server.core.clock import Clock
from server.delivery.carriers.carrier import NamedCarrier, WebAddress
from server.delivery.carriers.http import (
    NUMBERED,
    CarrierAnswer,
    CarrierHttp,
    foreign,
    number,
    sender_for,
)
from server.delivery.domain.outgoing import CarrierCallback, OutgoingSms, Receipt
from server.delivery.errors import CarrierRefused, CarrierUnavailable

_OK, _BAD_REQUEST = 200, 400


class OvhSettings(NamedCarrier):
    """An API of OVHcloud's shape; `receipt_key` ends the call-back address given to the service."""

    signs_time: ClassVar[bool] = True
    receipt_query: ClassVar[str | None] = None

    preset: Literal["ovhcloud"]
    url: WebAddress = "https://eu.api.ovh.com/1.0"
    service: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    application_key: str
    application_secret: SecretStr
    consumer_key: SecretStr
    receipt_key: SecretStr | None = Field(default=None, min_length=20, max_length=64)
    validity_minutes: int = Field(default=15, ge=1, le=2880)

    @property
    def address(self) -> str:
        """Where the API is."""
        return self.url

    def client(self, base: str, clock: Clock) -> OvhSms:
        """Ask the API; the clock signs each request."""
        del base
        return OvhSms(self, clock)


class OvhSms:
    """Asks an OVHcloud SMS service."""

    def __init__(self, settings: OvhSettings, clock: Clock) -> None:
        """Keep keys and address; the clock signs."""
        self._settings = settings
        self._clock = clock
        self._gateway = CarrierHttp(settings.timeout)

    async def send(self, sms: OutgoingSms) -> str | None:
        """Hand one message over; return the service's id of it."""
        url = f"{self._settings.url}/sms/{self._settings.service}/jobs"
        body = json.dumps(self._job(sms), ensure_ascii=False)
        answer = await self._gateway.ask(url, "POST", body, **self._signed("POST", url, body))
        return self._read(answer)

    def _job(self, sms: OutgoingSms) -> dict[str, Any]:
        sender = sender_for(sms, self._settings.senders, self._settings.sender)
        return {
            "charset": "UTF-8",
            "class": "phoneDisplay",
            "coding": "7bit",
            "message": sms.text,
            "noStopClause": True,
            "priority": "high",
            "receivers": [sms.to],
            "sender": sender,
            "senderForResponse": False,
            "validityPeriod": self._settings.validity_minutes,
        }

    def _signed(self, method: str, url: str, body: str) -> dict[str, str]:
        settings, stamp = self._settings, str(int(self._clock.now().timestamp()))
        consumer = settings.consumer_key.get_secret_value()
        secret = settings.application_secret.get_secret_value()
        text = f"{secret}+{consumer}+{method}+{url}+{body}+{stamp}"
        return {
            "Content_Type": "application/json; charset=utf-8",
            "X_Ovh_Application": settings.application_key,
            "X_Ovh_Consumer": consumer,
            "X_Ovh_Timestamp": stamp,
            "X_Ovh_Signature": "$1$" + hashlib.sha1(text.encode()).hexdigest(),  # noqa: S324 - their rule
        }

    @staticmethod
    def _read(answer: CarrierAnswer) -> str:
        """Only 400 speaks of the message; wrong keys or an empty account are for another carrier meanwhile."""
        if answer.status == _BAD_REQUEST:
            raise CarrierRefused("http_400")
        if answer.status != _OK:
            raise CarrierUnavailable(f"http_{answer.status}")
        value = answer.json()
        if value.get("invalidReceivers"):
            raise CarrierRefused("invalid_receiver")
        ids = value.get("ids")
        if not isinstance(ids, list) or not ids or not value.get("validReceivers"):
            raise CarrierUnavailable("not_accepted")
        return str(ids[0])[:128]

    def read(self, callback: CarrierCallback) -> Receipt:
        """Read `?id=…&ptt=…&date=…&description=N&descriptionDlr=…`; N is numbered as Kannel's receipts."""
        key = self._settings.receipt_key
        if key is None or not hmac.compare_digest(key.get_secret_value(), callback.secret):
            raise foreign()
        given = {**callback.form, **callback.query}
        return Receipt(
            NUMBERED.get(number(given.get("description", ""))),
            carrier_ref=given.get("id", "")[:128],
        )

    def close(self) -> None:
        """Close the connections."""
        self._gateway.close()
