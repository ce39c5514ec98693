"""Every route, in one place; settings that make the whole application safe by default."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

from server.app import openapi, outbox
from server.app.caller_processes import CallerProcesses
from server.audit.service.lookup import AuditLookup
from server.audit.web import audit, reconcile
from server.caller.web import photos, spoken
from server.caller.web import routes as caller
from server.core.bus import Bus
from server.delivery import web as receipts
from server.delivery.domain.outgoing import ReceiptReader
from server.delivery.outbox import Outbox
from server.delivery.service.delivery import DeliveryService
from server.desk.service.handover import HandOvers
from server.desk.service.recent import Recent
from server.desk.service.view import DeskView
from server.desk.web import routes as desk
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
from server.web import operations
from server.web.base import XSRF_COOKIE, Elsewhere, Missing
from server.web.operations import Readiness
from server.web.sockets.page_socket import MAX_SOCKET_FRAME
from server.web.static_files import Static

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
    routes: list[Any] = [
        *operations.routes(web, ready=services.ready, refresh=services.refresh_metrics),
        *receipts.routes(web, delivery=services.delivery, readers=services.receipt_readers),
        *desk.routes(
            web,
            launch=services.launch,
            bus=services.bus,
            view=services.desk_view,
            recent=services.recent,
            invitations=services.invitations,
            languages=services.languages,
            spoken=services.spoken,
            observers=services.observers,
            handover=services.handover,
            call_links=services.call_links,
            sessions=services.sessions,
            signalling=services.signalling,
            help=services.help,
            rooms=services.rooms,
            ice=services.ice,
            ladder=services.ladder,
            photos=services.photos,
        ),
        *caller.routes(
            web,
            links=services.links,
            rooms=services.rooms,
            ice=services.ice,
            sessions=services.sessions,
            signalling=services.signalling,
            languages=services.languages,
            help=services.help,
            ladder=services.ladder,
        ),
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
        *outbox.routes(web, outbox=services.outbox, callers=services.callers),
    ]
    return KnownHostsOnly(
        routes,
        default_handler_class=Missing,
        default_handler_args={"web": web},
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
