"""`preset = "raw"`, and the shorthand `sms`: any HTTP gateway, by a template (Kannel and its like)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr, model_validator
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.iostream import UnsatisfiableReadError

from server.core.clock import Clock
from server.delivery.carriers.carrier import SHORTHAND, CarrierSettings, NamedCarrier, WebAddress
from server.delivery.carriers.http import NumberedReceipts, sender_for, unanswered
from server.delivery.domain.carrier_order import Carrier
from server.delivery.domain.outgoing import OutgoingSms
from server.delivery.errors import CarrierRefused, CarrierUnavailable

_SERVER_ERROR = 500
_TOO_MANY = 429


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error:
        message = "cette expression régulière n'est pas lisible"
        raise ValueError(message) from None
    return value


class SmsSettings(CarrierSettings):
    """A templated HTTP gateway: `{to} {text} {sender} {receipt_url} {reference}` are URL-encoded into `url` or `body`.

    `{reference}` may stand in a header, too. `idempotent`: the gateway takes the same reference a single time.
    """

    receipt_query: ClassVar[str | None] = "?status=%d"  # Kannel replaces %d

    url: SecretStr
    method: Literal["GET", "POST"] = "GET"
    body: SecretStr | None = None
    content_type: str = "application/x-www-form-urlencoded"
    headers: dict[str, SecretStr] = {}  # noqa: RUF012 - pydantic copies it
    accepted: Annotated[str, AfterValidator(_expression)] = r"^0: Accepted"
    timeout: float = 10.0
    receipt_base: str | None = None
    idempotent: bool = False

    @model_validator(mode="after")
    def _refers(self) -> Self:
        if self.idempotent and not self.mentions("{reference}"):
            message = "idempotent demande {reference} dans url, body ou headers"
            raise ValueError(message)
        return self

    def mentions(self, placeholder: str) -> bool:
        """Tell whether the request has this placeholder."""
        parts = (self.url, *([self.body] if self.body else []), *self.headers.values())
        return any(placeholder in part.get_secret_value() for part in parts)

    @property
    def address(self) -> str:
        """Where the gateway is, with its password."""
        return self.url.get_secret_value()

    def planned(self) -> Carrier:
        """For every number; its receipt is not waited for."""
        return Carrier(SHORTHAND, receipts=self.reports(), once=self.once())

    def client(self, base: str, clock: Clock) -> HttpSms:
        """Fill the template; a message may carry the address of its receipts."""
        del base, clock
        return HttpSms(self)

    def reports(self) -> bool:
        """Only when it is told where."""
        return self.mentions("{receipt_url}")

    def once(self) -> bool:
        """As it was said."""
        return self.idempotent


class RawSettings(NamedCarrier, SmsSettings):
    """Any other gateway, by template."""

    preset: Literal["raw"]
    timeout: float = Field(default=10.0, gt=0, le=60)
    receipt_base: WebAddress | None = None


class HttpSms(NumberedReceipts):
    """Fills `{to} {text} {sender} {receipt_url} {reference}` into the configured request.

    Acceptance is what `accepted` matches.
    """

    def __init__(self, settings: SmsSettings) -> None:
        """Keep the templates; the URL is a secret (it carries the password)."""
        self._settings = settings
        self._accepted = re.compile(settings.accepted)
        # Tornado's ten at once would let the eleventh wait behind a gateway that hangs.
        self._client = AsyncHTTPClient(force_instance=True, max_clients=64)

    async def send(self, sms: OutgoingSms) -> str | None:
        """Hand one message to the gateway."""
        values = {
            "to": sms.to,
            "text": sms.text,
            "sender": self._sender(sms),
            "receipt_url": sms.receipt_url or "",
            "reference": sms.reference,
        }
        request = HTTPRequest(
            _fill(self._settings.url.get_secret_value(), values, "url"),
            method=self._settings.method,
            headers=self._headers(sms.reference),
            body=self._body(values),
            request_timeout=self._settings.timeout,
            connect_timeout=self._settings.timeout,
            follow_redirects=False,
        )
        try:
            response = await self._client.fetch(request)
        except HTTPClientError as fault:
            if fault.code < _SERVER_ERROR and fault.code != _TOO_MANY:
                raise CarrierRefused(f"http_{fault.code}") from None
            raise CarrierUnavailable(unanswered(fault)) from None
        except (OSError, ValueError, UnsatisfiableReadError) as fault:
            raise CarrierUnavailable(type(fault).__name__.lower()) from None
        return self._read(response.body.decode("utf-8", "replace"))

    def _read(self, answer: str) -> str | None:
        """A 200 with an error in its body is a refusal for now: tried again until the link expires."""
        found = self._accepted.search(answer)
        if found is None:
            raise CarrierUnavailable("not_accepted")
        reference = found.group(1) if found.groups() else None  # a group may also match nothing
        return reference[:128] if reference else None

    def _sender(self, sms: OutgoingSms) -> str:
        if isinstance(self._settings, RawSettings):
            return sender_for(sms, self._settings.senders, self._settings.sender)
        return sms.sender

    def _headers(self, reference: str) -> dict[str, str]:
        given = self._settings.headers
        headers = {
            name: value.get_secret_value().replace("{reference}", reference)
            for name, value in given.items()
        }
        if self._settings.method == "POST":
            headers["Content-Type"] = self._settings.content_type
        return headers

    def _body(self, values: Mapping[str, str]) -> str | None:
        if self._settings.body is None:
            return "" if self._settings.method == "POST" else None
        kind = "json" if "json" in self._settings.content_type else "url"
        return _fill(self._settings.body.get_secret_value(), values, kind)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _fill(template: str, values: Mapping[str, str], kind: str) -> str:
    """Replace `{name}`, quoted for where it stands; braces of JSON stay as they are."""
    for name, value in values.items():
        quoted = json.dumps(value)[1:-1] if kind == "json" else quote(value, safe="")
        template = template.replace("{" + name + "}", quoted)
    return template
