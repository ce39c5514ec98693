"""Every path, in one place: when two match, the first one in the list answers."""

from collections.abc import Awaitable, Callable

from tornado.routing import Rule

from server.app import openapi, outbox
from server.app.caller_processes import CallerProcesses
from server.app.features import Features
from server.audit.web import audit, reconcile
from server.caller.web import photos, spoken
from server.caller.web import routes as caller
from server.caller.web.socket import CallerServices
from server.core.bus import Bus
from server.delivery import web as receipts
from server.desk.web import routes as desk
from server.desk.web.services import DeskServices
from server.identity.web import auth
from server.identity.web.signed_in import SignInWeb
from server.incidents.web import feedback, incidents, kiosk
from server.line15.web import call_events
from server.line15.web import health as line_health
from server.observers import web as observers_web
from server.observers.web import ObserverServices
from server.recordings import web as recordings_web
from server.selftest import web as selftest_web
from server.video import web as video_web
from server.web import operations
from server.web.operations import Readiness


def every_rule(
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
    links, reporting = features.invitations.links, features.incidents
    return [
        *operations.routes(web, ready=ready, refresh=refresh),
        *receipts.routes(web, delivery=delivery.service, readers=delivery.readers),
        *desk.routes(web, _desk(features, bus)),
        *caller.routes(web, _caller(features)),
        *photos.routes(web, links=links, photos=video.photos),
        *spoken.routes(web, spoken=features.invitations.spoken, links=links),
        *observers_web.routes(web, _observer(features, bus)),
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


def _desk(features: Features, bus: Bus) -> DeskServices:
    desk, video, invitations = features.desk, features.video, features.invitations
    return DeskServices(
        bus=bus,
        view=desk.view,
        recent=desk.recent,
        launch=features.line15.launch,
        invitations=invitations.invitations,
        languages=video.languages,
        spoken=invitations.spoken,
        observers=features.observers,
        handover=desk.handover,
        call_links=features.reconcile.call_links,
        sessions=video.sessions,
        signalling=video.signalling,
        remote_help=video.remote_help,
        rooms=video.rooms,
        ice=video.ice,
        ladder=video.ladder,
        photos=video.photos,
    )


def _caller(features: Features) -> CallerServices:
    video = features.video
    return CallerServices(
        links=features.invitations.links,
        sessions=video.sessions,
        signalling=video.signalling,
        languages=video.languages,
        remote_help=video.remote_help,
        rooms=video.rooms,
        ice=video.ice,
        ladder=video.ladder,
    )


def _observer(features: Features, bus: Bus) -> ObserverServices:
    video = features.video
    return ObserverServices(
        observers=features.observers,
        signalling=video.signalling,
        rooms=video.rooms,
        bus=bus,
        ice=video.ice,
    )
