"""What the carriers share: one request with a deadline; faults become CarrierUnavailable or CarrierRefused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from server.core.errors import Forbidden, Invalid
from server.delivery.domain.messages import NO_ANSWER, MessageState
from server.delivery.domain.outgoing import CarrierCallback, OutgoingSms, Receipt
from server.delivery.errors import CarrierUnavailable

#: Kannel's numbers, which OVHcloud uses too: 8 (handed to the operator) and 0 (pending) are no news.
NUMBERED: Mapping[int, MessageState | None] = {
    0: None,
    1: MessageState.DELIVERED,
    2: MessageState.FAILED,
    4: MessageState.BUFFERED,
    8: None,
    16: MessageState.FAILED,
}

NO_STATUS = 599  # Tornado's number for what brought no answer
_NEVER_LEFT = ("Timeout while connecting", "Timeout in request queue")


@dataclass(frozen=True, slots=True)
class CarrierAnswer:
    """A carrier's answer, whatever its status."""

    status: int
    text: str

    def json(self) -> dict[str, Any]:
        """Return the answer as a JSON object; CarrierUnavailable when it is none."""
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            raise CarrierUnavailable("not_json") from None
        if not isinstance(value, dict):
            raise CarrierUnavailable("not_json")
        return value


class CarrierHttp:
    """One carrier's HTTP connection."""

    def __init__(self, timeout: float) -> None:
        """Give every request `timeout` seconds as a whole."""
        self._timeout = timeout
        self._client = AsyncHTTPClient(force_instance=True)

    async def ask(
        self, url: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> CarrierAnswer:
        """Send one request; CarrierUnavailable when no answer comes. `Content_Type` stands for Content-Type."""
        request = HTTPRequest(
            url,
            method=method,
            body=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            request_timeout=self._timeout,
            connect_timeout=self._timeout,
            follow_redirects=False,
        )
        try:
            response = await self._client.fetch(request, raise_error=False)
        except HTTPClientError as fault:
            raise CarrierUnavailable(unanswered(fault)) from None
        except (OSError, ValueError) as fault:
            raise CarrierUnavailable(type(fault).__name__.lower()) from None
        return CarrierAnswer(response.code, response.body.decode("utf-8", "replace"))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def unanswered(fault: HTTPClientError) -> str:
    """Name a fault: `no_answer` if the request may have been read, so that the carrier may have taken the message."""
    before = fault.code != NO_STATUS or str(fault.message).startswith(_NEVER_LEFT)
    return f"http_{fault.code}" if before else NO_ANSWER


def sender_for(sms: OutgoingSms, senders: Mapping[str, str], default: str | None) -> str:
    """Return this carrier's sender for the site: its own, the carrier's, else the site's everywhere."""
    return senders.get(sms.site) or default or sms.sender


class NumberedReceipts:
    """Reads `…?status=N` behind an unguessable reference (Kannel, raw gateways)."""

    def read(self, callback: CarrierCallback) -> Receipt:
        """Return what the number means; an unknown number is no news."""
        text = callback.query.get("status") or callback.form.get("status") or ""
        return Receipt(NUMBERED.get(number(text)), ref=callback.secret)


def number(text: str) -> int:
    """Read a status number; Invalid when it is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > 3:  # noqa: PLR2004 - three digits at most
        raise Invalid("receipt_status")
    return int(text)


def foreign() -> Forbidden:
    """Return the refusal of a call-back that does not prove where it comes from."""
    return Forbidden("receipt_signature")
