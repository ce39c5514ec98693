"""Every route, in one place; settings that make the whole application safe by default."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from tornado.httputil import HTTPServerRequest
from tornado.routing import Rule
from tornado.web import Application, RequestHandler

from server.app import openapi, outbox
from server.app.caller_processes import CallerProcesses
from server.app.features import Features
from server.audit.web import audit, reconcile
from server.caller.web import photos, spoken
from server.caller.web import routes as caller
from server.core.bus import Bus
from server.delivery import web as receipts
from server.desk.web import routes as desk
from server.identity.web import auth
from server.identity.web.signed_in import SignInWeb
from server.incidents.web import feedback, incidents, kiosk
from server.line15.web import call_events
from server.line15.web import health as line_health
from server.observers import web as observers_web
from server.recordings import web as recordings_web
from server.selftest import web as selftest_web
from server.video import web as video_web
from server.web import operations
from server.web.base import XSRF_COOKIE, Elsewhere, Missing
from server.web.operations import Readiness
from server.web.sockets.page_socket import MAX_SOCKET_FRAME
from server.web.static_files import Static

_log = structlog.get_logger("web")


class KnownHostsOnly(Application):
    """Our application, for requests under our names; pages, files, sockets and machines' pages alike."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Choose the handler of the path, unless the name is somebody else's."""
        web: SignInWeb = self.settings["default_handler_args"]["web"]
        if not web.hosts.knows(request.host):
            return self.get_handler_delegate(request, Elsewhere, {"web": web})
        return super().find_handler(request, **kwargs)


def every_route(
    web: SignInWeb,
    features: Features,
    *,
    bus: Bus,
    callers: CallerProcesses | None,
    ready: Callable[[], Awaitable[Readiness]],
    refresh: Callable[[], Awaitable[None]],
) -> list[Rule]:
    """List every path; nothing is served that is not listed here."""
    line15, video, delivery = features.line15, features.video, features.delivery
    invitations, desk_parts, reporting = features.invitations, features.desk, features.incidents
    return [
        *operations.routes(web, ready=ready, refresh=refresh),
        *receipts.routes(web, delivery=delivery.service, readers=delivery.readers),
        *desk.routes(
            web,
            launch=line15.launch,
            bus=bus,
            view=desk_parts.view,
            recent=desk_parts.recent,
            invitations=invitations.invitations,
            languages=video.languages,
            spoken=invitations.spoken,
            observers=features.observers,
            handover=desk_parts.handover,
            call_links=features.reconcile.call_links,
            sessions=video.sessions,
            signalling=video.signalling,
            help=video.help,
            rooms=video.rooms,
            ice=video.ice,
            ladder=video.ladder,
            photos=video.photos,
        ),
        *caller.routes(
            web,
            links=invitations.links,
            rooms=video.rooms,
            ice=video.ice,
            sessions=video.sessions,
            signalling=video.signalling,
            languages=video.languages,
            help=video.help,
            ladder=video.ladder,
        ),
        *photos.routes(web, links=invitations.links, photos=video.photos),
        *spoken.routes(web, spoken=invitations.spoken, links=invitations.links),
        *observers_web.routes(
            web,
            observers=features.observers,
            signalling=video.signalling,
            rooms=video.rooms,
            bus=bus,
            ice=video.ice,
        ),
        *auth.routes(web),
        *kiosk.routes(web, incidents=reporting.incidents),
        *audit.routes(web, lookup=features.lookup),
        *recordings_web.routes(web, listening=features.recordings.listening),
        *video_web.routes(web, snapshots=video.snapshots),
        *reconcile.routes(web, lookup=features.lookup, review=features.reconcile.review),
        *call_events.routes(web, webhook=line15.webhook),
        *line_health.routes(web, line_health=line15.health),
        *openapi.routes(web),
        *feedback.routes(web, feedback=reporting.reporting, incidents=reporting.incidents),
        *incidents.routes(web, incidents=reporting.incidents),
        *selftest_web.routes(web, ice=video.ice),
        *outbox.routes(web, outbox=delivery.outbox, callers=callers),
    ]


def make_app(web: SignInWeb, rules: list[Rule]) -> Application:
    """Build the application that serves these paths."""
    return KnownHostsOnly(
        rules,
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
