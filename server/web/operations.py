"""For machines and operators: liveness, readiness, metrics, and the carriers' receipts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from server.errors import NotFound
from server.ports import ReceiptCall, ReceiptReader
from server.services.delivery import DeliveryService
from server.web.base import BaseHandler


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which parts work, and the names of the background loops that fail again and again."""

    parts: Mapping[str, bool]
    away: Sequence[str] = ()


class Healthz(BaseHandler):
    """GET /healthz: the process answers."""

    wants_json = True

    async def prepare(self) -> None:
        """Need nobody signed in and no database."""

    def get(self) -> None:
        """Say so."""
        self.json({"status": "ok"})


class Readyz(BaseHandler):
    """GET /readyz: database, schema, delivery and background loops work."""

    wants_json = True
    ready: Callable[[], Awaitable[Readiness]]

    async def prepare(self) -> None:
        """Need nobody signed in."""

    async def get(self) -> None:
        """Say what is ready and what is not."""
        found = await self.ready()
        whole = all(found.parts.values())
        self.json(
            {
                "status": "ready" if whole else "not_ready",
                "parts": dict(found.parts),
                "away": list(found.away),
            },
            200 if whole else 503,
        )


class MetricsPage(BaseHandler):
    """GET /metrics."""

    refresh: Callable[[], Awaitable[None]]

    async def prepare(self) -> None:
        """Need nobody signed in; the proxy keeps it inside (docs/operations.md)."""

    async def get(self) -> None:
        """Render the exposition format."""
        await self.refresh()
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(self.web.metrics.text())


class SmsReceipt(BaseHandler):
    """GET or POST /receipts/CARRIER/SECRET: a carrier's delivery report, in the form of its preset.

    `sms` is the carrier of the shorthand. SECRET is the message's reference, or a key of the carrier.
    """

    wants_json = True
    delivery: DeliveryService
    readers: Mapping[str, ReceiptReader]

    async def prepare(self) -> None:
        """Need nobody signed in: the secret, and the preset's signature, say who speaks."""

    def check_xsrf_cookie(self) -> None:
        """A gateway has no page of ours."""

    async def get(self, carrier: str, secret: str) -> None:
        """Fold the receipt in."""
        reader = self.readers.get(carrier)
        if reader is None:
            raise NotFound("carrier")
        call = ReceiptCall(
            secret,
            self.request.path,
            {k: v[-1].decode("utf-8", "replace") for k, v in self.request.query_arguments.items()},
            {k: v[-1].decode("utf-8", "replace") for k, v in self.request.body_arguments.items()},
            self.request.headers.get("X-Twilio-Signature"),
        )
        await self.delivery.receipt(carrier, reader.read(call), self.request.remote_ip)
        self.json({})

    async def post(self, carrier: str, secret: str) -> None:
        """Do the same for gateways that POST."""
        await self.get(carrier, secret)


class Root(BaseHandler):
    """GET /."""

    async def prepare(self) -> None:
        """Need nobody signed in."""

    def get(self) -> None:
        """Lead to the kiosk."""
        self.redirect("/kiosk")
