"""POST /api/v1/telephony/events: the one way in for call-centre software; its signature is its sign-in."""

from typing import Any

from tornado.routing import URLSpec

from server.core.errors import AppError, Unavailable
from server.core.sites import Site
from server.line15.service.call_events import SignedRequest, Webhook
from server.line15.web.event_bodies import answer_of, parse, schema
from server.web.base import BaseHandler, Web
from server.web.routing import Asked, path
from telephony import CtiEvent


class TelephonyEvents(BaseHandler):
    """Takes a signed batch of call events."""

    wants_json = True

    def __init__(self, *asked: *Asked, web: Web, webhook: Webhook) -> None:
        super().__init__(*asked, web=web)
        self.webhook = webhook
        self.sender: Site | None = None

    async def prepare(self) -> None:
        """Need nobody signed in: the message is signed."""

    def check_xsrf_cookie(self) -> None:
        """A call-centre software has no page of ours."""

    async def post(self) -> None:
        """Answer once everything accepted is durable (I3)."""
        headers = self.request.headers
        signed = SignedRequest(
            site=headers.get("X-Visio15-Site", ""),
            timestamp=headers.get("X-Visio15-Timestamp", ""),
            signature=headers.get("X-Visio15-Signature", ""),
            key=headers.get("Idempotency-Key", ""),
            body=self.request.body,
        )
        site = self.sender = await self.webhook.authenticate(signed)
        parsed = parse(signed.body, self.web.clock.now())
        if (known := await self.webhook.known(site, signed)) is not None:
            self.json(dict(known), 202)
            return
        events = [one for one in parsed if isinstance(one, CtiEvent)]
        outcomes = await self.webhook.push(site, events)
        answer = answer_of(parsed, [(outcome.status, outcome.call) for outcome in outcomes])
        await self.webhook.settle(site, signed, answer)
        self.json(answer, 202)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Count what an authentic sender did wrong in its feed's health too."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, AppError) and not isinstance(error, Unavailable) and self.sender:
            self.webhook.refused(self.sender, error.code)
        super().write_error(status_code, **kwargs)


class TelephonySchema(BaseHandler):
    """GET /api/v1/telephony/events.schema.json."""

    wants_json = True

    async def prepare(self) -> None:
        """Need nobody signed in: it says nothing of anybody."""

    def get(self) -> None:
        """Answer with the schema."""
        self.json(schema())


def routes(web: Web, *, webhook: Webhook) -> list[URLSpec]:
    """List the paths of the call events."""
    return [
        path(r"/api/v1/telephony/events", TelephonyEvents, web=web, webhook=webhook),
        path(r"/api/v1/telephony/events\.schema\.json", TelephonySchema, web=web),
    ]
