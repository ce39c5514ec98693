"""The SMS carrier behind a templated HTTP gateway (Kannel and its like)."""

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.iostream import UnsatisfiableReadError

from server.delivery.carriers.client import sender_for, unanswered
from server.delivery.domain.outgoing import OutgoingSms
from server.delivery.errors import CarrierRefused, CarrierUnavailable
from server.delivery.settings import RawSettings, SmsSettings

_SERVER_ERROR = 500
_TOO_MANY = 429


class HttpSms:
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
