"""For machines and operators: liveness, readiness, metrics, and the carriers' receipts."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from server.errors import Invalid
from server.services.delivery import HANDED_TO_SMSC, DeliveryService
from server.web.base import BaseHandler

STATUS: Final = re.compile(r"[0-9]{1,3}")


class Healthz(BaseHandler):
    """GET /healthz: the process answers."""

    wants_json = True

    async def prepare(self) -> None:
        """Need nobody signed in and no database."""

    def get(self) -> None:
        """Say so."""
        self.json({"status": "ok"})


class Readyz(BaseHandler):
    """GET /readyz: database, schema and delivery are up."""

    wants_json = True
    ready: Callable[[], Awaitable[dict[str, bool]]]

    async def prepare(self) -> None:
        """Need nobody signed in."""

    async def get(self) -> None:
        """Say what is ready and what is not."""
        parts = await self.ready()
        whole = all(parts.values())
        self.json(
            {"status": "ready" if whole else "not_ready", "parts": parts}, 200 if whole else 503
        )


class MetricsPage(BaseHandler):
    """GET /metrics."""

    refresh: Callable[[], None]

    async def prepare(self) -> None:
        """Need nobody signed in; the proxy keeps it inside (docs/operations.md)."""

    def get(self) -> None:
        """Render the exposition format."""
        self.refresh()
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(self.web.metrics.text())


class SmsReceipt(BaseHandler):
    """GET or POST /receipts/sms/REF?status=N: Kannel's delivery report (1, 2, 4, 8, 16)."""

    wants_json = True
    delivery: DeliveryService

    async def prepare(self) -> None:
        """Need nobody signed in: the reference is the secret."""

    def check_xsrf_cookie(self) -> None:
        """A gateway has no page of ours."""

    async def get(self, ref: str) -> None:
        """Fold the receipt in."""
        text = self.get_argument("status", "")
        if not STATUS.fullmatch(text):
            raise Invalid("receipt_status")
        if int(text) != HANDED_TO_SMSC:
            await self.delivery.receipt(ref, int(text), self.request.remote_ip)
        self.json({})

    async def post(self, ref: str) -> None:
        """Do the same for gateways that POST."""
        await self.get(ref)


class Root(BaseHandler):
    """GET /."""

    async def prepare(self) -> None:
        """Need nobody signed in."""

    def get(self) -> None:
        """Lead to the kiosk."""
        self.redirect("/kiosk")
