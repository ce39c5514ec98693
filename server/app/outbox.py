"""The outbox page: what a carrier would have sent. Only routed in demo mode."""

import re
from typing import Any
from urllib.parse import urlsplit

import segno
from markupsafe import Markup
from tornado.routing import URLSpec

from server.app.caller_processes import CallerProcesses
from server.core.errors import NotFound
from server.delivery.outbox import Kept, Outbox
from server.identity.web.signed_in import MaybeSignedIn, SignInWeb
from server.web.routing import Asked, path

LINK = re.compile(r"https?://\S+/v/[A-Za-z0-9_-]+")


class OutboxPage(MaybeSignedIn):
    """GET /outbox."""

    def __init__(
        self, *asked: *Asked, web: SignInWeb, outbox: Outbox, callers: CallerProcesses
    ) -> None:
        super().__init__(*asked, web=web)
        self.outbox = outbox
        self.callers = callers

    def get(self) -> None:
        """List the messages; the link also as a QR code for a real phone."""
        self.page(
            "demo/outbox.html", messages=[self._message(kept) for kept in self.outbox.messages()]
        )

    def _message(self, kept: Kept) -> dict[str, Any]:
        found = LINK.search(kept.text)
        link = found.group(0) if found else None
        return {
            "id": kept.id,
            "at": kept.at.isoformat(),
            "channel": kept.channel,
            "to": kept.to,
            "text": kept.text,
            "link": urlsplit(link).path if link else None,
            "qr_svg": _qr(link) if link else None,
            "caller_running": bool(link and self.callers.running(link)),
        }


class OutboxCaller(MaybeSignedIn):
    """POST /outbox/ID/caller."""

    def __init__(
        self, *asked: *Asked, web: SignInWeb, outbox: Outbox, callers: CallerProcesses
    ) -> None:
        super().__init__(*asked, web=web)
        self.outbox = outbox
        self.callers = callers

    async def post(self, id_: str) -> None:
        """Start the synthetic caller on this message's link."""
        kept = next((k for k in self.outbox.messages() if k.id == id_), None)
        found = LINK.search(kept.text) if kept else None
        if found is None:
            raise NotFound("outbox")
        await self.callers.start(found.group(0))
        self.redirect("/outbox", status=303)


def _qr(link: str) -> Markup:
    svg = segno.make(link, error="m").svg_inline(scale=4, border=2, dark="#000", light="#fff")
    return Markup(svg)  # noqa: S704 - segno's own drawing of our own link


def routes(
    web: SignInWeb, *, outbox: Outbox | None, callers: CallerProcesses | None
) -> list[URLSpec]:
    """List the paths of the outbox; none outside a demonstration."""
    if not web.demo or outbox is None or callers is None:
        return []
    caller = r"/outbox/([A-Za-z0-9]{1,40})/caller"
    return [
        path(r"/outbox", OutboxPage, web=web, outbox=outbox, callers=callers),
        path(caller, OutboxCaller, web=web, outbox=outbox, callers=callers),
    ]
