"""Every route, in one place; settings that make the whole application safe by default."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from tornado.httputil import HTTPServerRequest
from tornado.routing import Rule
from tornado.web import Application, RequestHandler, url

from server.app import openapi
from server.app.caller_processes import CallerProcesses
from server.app.outbox import OutboxCaller, OutboxPage
from server.audit.service.lookup import AuditLookup
from server.audit.web import audit, reconcile
from server.caller.web import photos, polling, spoken
from server.caller.web.page import (
    GESTURES_A_SECOND,
    GESTURES_BURST,
    CallerCannot,
    CallerOpen,
    CallerPage,
    CallerPageAsSent,
    CallerRelease,
    CallerTap,
    CallerWords,
)
from server.caller.web.socket import WORDS_A_SECOND, WORDS_BURST, CallerSocket
from server.core.bus import Bus
from server.delivery.domain.outgoing import ReceiptReader
from server.delivery.outbox import Outbox
from server.delivery.service.delivery import DeliveryService
from server.delivery.web import SmsReceipt
from server.desk.service.handover import HandOvers
from server.desk.service.recent import Recent
from server.desk.service.view import DeskView
from server.desk.web.page import LAUNCHES_A_SECOND, LAUNCHES_BURST, DeskPage, DeskStation
from server.desk.web.seats import Seats
from server.desk.web.socket import DeskSocket
from server.identity.web import auth
from server.identity.web.signed_in import SignInWeb
from server.incidents.service.feedback import IncidentReporting
from server.incidents.service.incidents import Incidents
from server.incidents.web import feedback, incidents, kiosk
from server.invitations.service.invitations import Invitations
from server.invitations.service.links import InvitationLinks
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.call_events import Webhook
from server.line15.service.health import LineHealthReader
from server.line15.service.launch import Launch
from server.line15.web import call_events
from server.line15.web import health as line_health
from server.observers import web as observers_web
from server.observers.service import Observers
from server.reconcile.service.relinking import CallLinks
from server.reconcile.service.review import Review
from server.recordings import web as recordings_web
from server.recordings.service import Listening
from server.selftest import web as selftest_web
from server.video import web as video_web
from server.video.service.ice import IceServers
from server.video.service.ladder import Ladder
from server.video.service.languages import Languages
from server.video.service.photos import Photos
from server.video.service.remote_help import RemoteHelp
from server.video.service.rooms import Rooms
from server.video.service.sessions import Sessions
from server.video.service.signalling import Signalling
from server.video.service.snapshots import Snapshots
from server.web.base import XSRF_COOKIE, Elsewhere, Missing
from server.web.link_as_sent import CALLER, TOKEN
from server.web.links import DottedHostMatches, LinkAsSentMatches
from server.web.operations import Healthz, MetricsPage, Readiness, Readyz, Root
from server.web.sockets.page_socket import MAX_SOCKET_FRAME
from server.web.sockets.rate_limiter import RateLimiter
from server.web.static_files import Static

OPAQUE = r"([A-Za-z0-9_-]{20,64})"
CARRIER = r"([a-z][a-z0-9-]{0,31})"
ID = r"([A-Za-z0-9]{1,40})"
_log = structlog.get_logger("web")


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes are wired with."""

    bus: Bus
    rooms: Rooms
    sessions: Sessions
    invitations: Invitations
    languages: Languages
    spoken: SpokenCodes
    observers: Observers
    handover: HandOvers
    links: InvitationLinks
    call_links: CallLinks
    launch: Launch
    signalling: Signalling
    help: RemoteHelp
    snapshots: Snapshots
    delivery: DeliveryService
    receipt_readers: Mapping[str, ReceiptReader]
    desk_view: DeskView
    recent: Recent
    ice: IceServers
    ladder: Ladder
    photos: Photos
    audit: AuditLookup
    listening: Listening
    review: Review
    feedback: IncidentReporting
    incidents: Incidents
    webhook: Webhook
    line_health: LineHealthReader
    ready: Callable[[], Awaitable[Readiness]]
    refresh_metrics: Callable[[], Awaitable[None]]
    outbox: Outbox | None = None
    callers: CallerProcesses | None = None


class KnownHostsOnly(Application):
    """Our application, for requests under our names; pages, files, sockets and machines' pages alike."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Choose the handler of the path, unless the name is somebody else's."""
        web: SignInWeb = self.settings["default_handler_args"]["web"]
        if not web.hosts.knows(request.host):
            return self.get_handler_delegate(request, Elsewhere, {"web": web})
        return super().find_handler(request, **kwargs)


def make_app(web: SignInWeb, services: Services) -> Application:
    """Build the application; nothing is served that is not listed here."""
    base = {"web": web}
    routes: list[Any] = [
        url(r"/", Root, base),
        url(r"/healthz", Healthz, base),
        url(r"/readyz", Readyz, {**base, "ready": services.ready}),
        url(r"/metrics", MetricsPage, {**base, "refresh": services.refresh_metrics}),
        url(
            rf"/receipts/{CARRIER}/{OPAQUE}",
            SmsReceipt,
            {**base, "delivery": services.delivery, "readers": services.receipt_readers},
        ),
        *_desk(web, services),
        *_caller(web, services),
        *photos.routes(web, links=services.links, photos=services.photos),
        *spoken.routes(web, spoken=services.spoken, links=services.links),
        *observers_web.routes(
            web,
            observers=services.observers,
            signalling=services.signalling,
            rooms=services.rooms,
            bus=services.bus,
            ice=services.ice,
        ),
        *auth.routes(web),
        *kiosk.routes(web, incidents=services.incidents),
        *audit.routes(web, lookup=services.audit),
        *recordings_web.routes(web, listening=services.listening),
        *video_web.routes(web, snapshots=services.snapshots),
        *reconcile.routes(web, lookup=services.audit, review=services.review),
        *call_events.routes(web, webhook=services.webhook),
        *line_health.routes(web, line_health=services.line_health),
        *openapi.routes(web),
        *feedback.routes(web, feedback=services.feedback, incidents=services.incidents),
        *incidents.routes(web, incidents=services.incidents),
        *selftest_web.routes(web, ice=services.ice),
        *_outbox(web, services),
    ]
    return KnownHostsOnly(
        routes,
        default_handler_class=Missing,
        default_handler_args=base,
        static_path=str(web.pages.static),
        static_handler_class=Static,
        compress_response=True,
        xsrf_cookies=True,
        xsrf_cookie_name=XSRF_COOKIE,
        xsrf_cookie_kwargs={"samesite": "Lax"},
        websocket_ping_interval=20,
        websocket_ping_timeout=10,
        websocket_max_message_size=MAX_SOCKET_FRAME,
        log_function=_log_request,
    )


def _desk(web: SignInWeb, services: Services) -> list[Any]:
    base = {"web": web, "seats": Seats()}
    launches = RateLimiter("launches", a_second=LAUNCHES_A_SECOND, burst=LAUNCHES_BURST)
    socket = {
        **base,
        "bus": services.bus,
        "view": services.desk_view,
        "recent": services.recent,
        "launch": services.launch,
        "invitations": services.invitations,
        "languages": services.languages,
        "spoken": services.spoken,
        "observers": services.observers,
        "handover": services.handover,
        "call_links": services.call_links,
        "sessions": services.sessions,
        "signalling": services.signalling,
        "help": services.help,
        "rooms": services.rooms,
        "ice": services.ice,
        "ladder": services.ladder,
        "photos": services.photos,
    }
    return [
        url(r"/desk", DeskPage, {**base, "launch": services.launch, "launches": launches}),
        url(r"/desk/station", DeskStation, base),
        url(r"/ws/desk", DeskSocket, socket),
    ]


def _caller(web: SignInWeb, services: Services) -> list[Any]:
    base = {"web": web, "links": services.links}
    gestures = RateLimiter("gestures", a_second=GESTURES_A_SECOND, burst=GESTURES_BURST)
    gesture = {**base, "gestures": gestures}
    line = {
        "links": services.links,
        "sessions": services.sessions,
        "signalling": services.signalling,
        "languages": services.languages,
        "help": services.help,
        "rooms": services.rooms,
        "ice": services.ice,
        "ladder": services.ladder,
        "words": RateLimiter("words", a_second=WORDS_A_SECOND, burst=WORDS_BURST),
    }
    return [
        url(r"/v/words/([a-z]{2})", CallerWords, {"web": web}),
        Rule(DottedHostMatches(CALLER), CallerPageAsSent, base),
        url(rf"/v/({TOKEN})", CallerPage, base),
        # The one page below a link; whatever else is read there with GET is the link with a tail.
        url(rf"/v/({TOKEN})/cannot", CallerCannot, gesture),
        Rule(LinkAsSentMatches(CALLER), CallerPageAsSent, base),
        url(
            rf"/v/{OPAQUE}/open",
            CallerOpen,
            {**gesture, "rooms": services.rooms, "ice": services.ice},
        ),
        url(rf"/v/{OPAQUE}/tap", CallerTap, gesture),
        url(rf"/v/{OPAQUE}/release", CallerRelease, gesture),
        url(r"/ws/caller", CallerSocket, {"web": web, **line}),
        *polling.routes(web, services.links, gestures, line),
    ]


def _outbox(web: SignInWeb, services: Services) -> list[Any]:
    if not web.demo or services.outbox is None:
        return []
    wired = {"web": web, "outbox": services.outbox, "callers": services.callers}
    return [url(r"/outbox", OutboxPage, wired), url(rf"/outbox/{ID}/caller", OutboxCaller, wired)]


def _log_request(handler: RequestHandler) -> None:
    """Log the handler, never the path: a path may hold a token, a query a number (I5)."""
    name, method = type(handler).__name__, handler.request.method
    seconds = handler.request.request_time()
    web = getattr(handler, "web", None)
    if web is not None:
        web.metrics.answered(name, handler.get_status(), seconds)
    _log.debug(
        "request",
        handler=name,
        method=method if method in handler.SUPPORTED_METHODS else "other",
        status=handler.get_status(),
        ms=round(seconds * 1000, 1),
    )
