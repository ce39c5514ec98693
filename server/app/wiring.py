"""Builds every part of the server and gives each what it needs: the only place that knows them all."""

from datetime import timedelta

from tornado.routing import Rule

from server.app import openapi
from server.app import outbox as outbox_pages
from server.app.caller_processes import CallerProcesses
from server.app.readiness import ReadinessReader, refresh
from server.app.routes import make_app
from server.app.runtime import Server, connection_limits
from server.app.settings.settings import Settings
from server.audit.service.lookup import AuditLookup
from server.audit.web import audit as audit_pages
from server.audit.web import reconcile as reconcile_pages
from server.caller.web import photos as photo_pages
from server.caller.web import spoken as spoken_pages
from server.caller.web.routes import routes as caller_routes
from server.caller.web.socket import CallerServices
from server.core import resources
from server.core.bus import Bus
from server.core.clock import Clock, Ids, SystemClock
from server.core.net.hosts import host_of, is_this_machine, known
from server.core.seal import Seal
from server.core.words.translations import ReadAloudTranslator
from server.delivery import web as receipts
from server.delivery.domain.outgoing import Mailer
from server.delivery.mail import SmtpMailer
from server.delivery.outbox import Outbox, OutboxMailer
from server.delivery.service.delivery import DeliveryService
from server.delivery.service.sms_counts import SmsCounts
from server.delivery.settings import SmtpSettings
from server.delivery.wire import build_carriers, costs
from server.desk.service.handover import HandOvers
from server.desk.service.recent import Recent
from server.desk.service.view import DeskView
from server.desk.web.routes import routes as desk_routes
from server.desk.web.services import DeskServices
from server.identity.domain.sign_in import by_role
from server.identity.passwords import Passwords
from server.identity.service.login import Login
from server.identity.service.sign_ins import SignIns
from server.identity.web import auth
from server.identity.web.signed_in import SignInWeb
from server.incidents.service.feedback import IncidentReporting
from server.incidents.service.incidents import Incidents
from server.incidents.web import feedback as feedback_pages
from server.incidents.web import incidents as incident_pages
from server.incidents.web import kiosk
from server.invitations.service import hooks as invitation_hooks
from server.invitations.service.invitations import Invitations
from server.invitations.service.links import InvitationLinks
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.call_events import Webhook
from server.line15.service.health import LineHealthReader
from server.line15.service.launch import Launch
from server.line15.service.lines import Lines
from server.line15.web import call_events
from server.line15.web import health as health_pages
from server.observers import web as observer_pages
from server.observers.service import Observers, release_observers
from server.observers.web import ObserverServices
from server.reconcile.service.reconciler import Reconciler
from server.reconcile.service.relinking import CallLinks
from server.reconcile.service.review import Review
from server.recordings import web as recording_pages
from server.recordings.files import FolderAudio, watch
from server.recordings.service import Listening, RecordingCatalogue
from server.selftest import web as selftest_pages
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from server.video import web as video_pages
from server.video.domain.session import BEFORE_ASKING
from server.video.service.ice import IceServers
from server.video.service.ladder import Ladder
from server.video.service.languages import Languages
from server.video.service.photos import Photos
from server.video.service.remote_help import RemoteHelp
from server.video.service.rooms import Rooms
from server.video.service.running import running_videos
from server.video.service.sessions import Sessions
from server.video.service.signalling import Signalling
from server.video.service.snapshots import Snapshots
from server.web import operations
from server.web.http.strangers import Strangers
from server.web.metrics import Metrics
from server.web.pages import Pages
from telephony.supervisor import Supervisor


def build(settings: Settings, clock: Clock | None = None) -> Server:
    """Wire everything; nothing is opened before `start`."""
    clock = clock or SystemClock()
    ids = Ids()
    secret = settings.secret_key.get_secret_value()
    seal = Seal(secret)
    engine = make_engine(settings.database_url)
    transactions = Transactions(engine, seal)
    pages = Pages(resources.root())
    bus, rooms, metrics = Bus(), Rooms(), Metrics(BEFORE_ASKING)
    supervisor = Supervisor(metrics.loop_restarted)
    lines = Lines(transactions, clock, ids, supervisor)
    sessions = Sessions(
        *(transactions, clock, bus, rooms, metrics.item_failed),
        on_ended=(release_observers, invitation_hooks.release),
        links_over=invitation_hooks.links_over,
    )
    outbox = Outbox(clock, ids) if settings.demo else None
    carriers = build_carriers(settings.sms, settings.carriers, settings.public_url, clock, outbox)
    prices = costs(settings.carriers)
    delivery = DeliveryService(
        transactions=transactions,
        clock=clock,
        seal_open=seal.open,
        carriers=carriers.carriers(
            lambda name, what: metrics.sms(name, what, prices.get(name, 0.0))
        ),
        mailer=_mailer(settings, outbox),
        on_settled=invitation_hooks.on_settled,
        needless=invitation_hooks.needless,
        bus=bus,
        count=metrics.message,
    )
    kept = settings.sign_in
    lives = by_role(kept.desk.lives, kept.reading.lives, kept.administration.lives)
    sign_ins = SignIns(transactions, clock, lives, running_videos, metrics.item_failed)
    login = Login(
        transactions,
        clock,
        ids,
        seal,
        passwords=Passwords(),
        pages=pages,
        lives=lives,
        wake=delivery.wake,
    )
    web = SignInWeb(
        pages=pages,
        login=login,
        sign_ins=sign_ins,
        transactions=transactions,
        clock=clock,
        ids=ids,
        metrics=metrics,
        public_url=settings.public_url,
        secure=settings.secure,
        demo=settings.demo,
        origins=frozenset({settings.public_url, *settings.extra_origins}),
        strangers=Strangers(connection_limits(settings).total),
        hosts=known(settings.addresses, settings.allowed_hosts),
    )
    limits = SmsCounts(seal, settings.sms_limits.site_hour, settings.sms_limits.number_hour)
    invitations = Invitations(
        transactions=transactions,
        clock=clock,
        ids=ids,
        seal=seal,
        lines=lines,
        pages=pages,
        sessions=sessions,
        wake=delivery.wake,
        public_url=settings.public_url,
        life=timedelta(minutes=settings.link_minutes),
        limits=limits,
    )
    observers = Observers(
        transactions=transactions,
        clock=clock,
        ids=ids,
        seal=seal,
        pages=pages,
        sessions=sessions,
        rooms=rooms,
        wake=delivery.wake,
        public_url=settings.public_url,
        life=timedelta(minutes=settings.link_minutes),
        limits=limits,
    )
    spoken = SpokenCodes(
        transactions=transactions,
        clock=clock,
        ids=ids,
        seal=seal,
        invitations=invitations,
        sessions=sessions,
        address=settings.spoken,
        life=timedelta(minutes=settings.link_minutes),
        failed=metrics.item_failed,
    )
    audio = FolderAudio(settings.recordings)
    catalogue = RecordingCatalogue(transactions, clock, ids, seal, audio, metrics.item_failed)
    folders = tuple(watch(settings.recordings, clock))
    callers = CallerProcesses(settings.tls_certificate) if settings.demo else None
    readiness = ReadinessReader(engine, transactions, delivery, supervisor)
    languages = Languages(transactions, clock, sessions, rooms)
    links = InvitationLinks(transactions, clock, sessions, rooms)
    signalling = Signalling(
        *(transactions, clock, rooms, metrics.refused),
        one_machine=is_this_machine(host_of(settings.public_url)),
    )
    remote_help = RemoteHelp(transactions, clock, rooms)
    ice = _ice(settings, clock)
    ladder = Ladder(transactions, clock, bus, rooms, sessions)
    photos = Photos(transactions, clock, ids, rooms)
    lookup = AuditLookup(transactions, clock, seal)
    incidents = Incidents(transactions, clock)
    rules: list[Rule] = [
        *operations.routes(
            web,
            ready=readiness.read,
            refresh=lambda: refresh(
                *(metrics, lines, catalogue, folders, supervisor), readiness.read()
            ),
        ),
        *receipts.routes(web, delivery=delivery, readers=carriers.readers),
        *desk_routes(
            web,
            DeskServices(
                bus=bus,
                view=DeskView(
                    transactions, clock, lines, rooms, ReadAloudTranslator(resources.root())
                ),
                recent=Recent(transactions, clock),
                launch=Launch(transactions, clock, ids, seal),
                invitations=invitations,
                languages=languages,
                spoken=spoken,
                observers=observers,
                handover=HandOvers(transactions, clock, bus),
                call_links=CallLinks(transactions, clock, ids, sessions),
                sessions=sessions,
                signalling=signalling,
                remote_help=remote_help,
                rooms=rooms,
                ice=ice,
                ladder=ladder,
                photos=photos,
            ),
        ),
        *caller_routes(
            web,
            CallerServices(
                links=links,
                sessions=sessions,
                signalling=signalling,
                languages=languages,
                remote_help=remote_help,
                rooms=rooms,
                ice=ice,
                ladder=ladder,
            ),
        ),
        *photo_pages.routes(web, links=links, photos=photos),
        *spoken_pages.routes(web, spoken=spoken, links=links),
        *observer_pages.routes(
            web,
            ObserverServices(
                observers=observers, signalling=signalling, rooms=rooms, bus=bus, ice=ice
            ),
        ),
        *auth.routes(web),
        *kiosk.routes(web, incidents=incidents),
        *audit_pages.routes(web, lookup=lookup),
        *recording_pages.routes(web, listening=Listening(transactions, clock, audio, catalogue)),
        *video_pages.routes(web, snapshots=Snapshots(transactions, clock, ids, rooms)),
        *reconcile_pages.routes(
            web,
            lookup=lookup,
            review=Review(transactions, clock, bus, seal, mobiles_of=invitation_hooks.mobiles_of),
        ),
        *call_events.routes(web, webhook=Webhook(transactions, clock, lines, bus)),
        *health_pages.routes(web, line_health=LineHealthReader(lines, clock)),
        *openapi.routes(web),
        *feedback_pages.routes(
            web,
            feedback=IncidentReporting(
                *(transactions, clock, ids, seal),
                pages=pages,
                public_url=settings.public_url,
                wake=delivery.wake,
            ),
            incidents=incidents,
        ),
        *incident_pages.routes(web, incidents=incidents),
        *selftest_pages.routes(web, ice=ice),
        *outbox_pages.routes(web, outbox=outbox, callers=callers),
    ]
    closers = (audio.close, *carriers.closers, *((callers.close,) if callers else ()))
    return Server(
        settings,
        engine,
        make_app(web, rules),
        transactions,
        lines,
        delivery,
        sessions,
        Reconciler(
            *(transactions, clock, bus, seal, metrics.item_failed),
            mobiles_of=invitation_hooks.mobiles_of,
        ),
        clock,
        bus,
        spoken,
        sign_ins,
        web.open_sockets,
        metrics,
        catalogue,
        supervisor,
        pages,
        closers,
        folders=folders,
    )


def _mailer(settings: Settings, outbox: Outbox | None) -> Mailer:
    """Return the relay; the outbox stands in only in demo mode, and only for what is not configured."""
    if settings.smtp is None and outbox is not None:
        return OutboxMailer(outbox)
    return SmtpMailer(settings.smtp or SmtpSettings())


def _ice(settings: Settings, clock: Clock) -> IceServers:
    ice = settings.ice
    secret = ice.turn_secret.get_secret_value() if ice.turn_secret else None
    return IceServers(clock, ice.stun, ice.turn, secret, ice.ttl, ice.relay_only)
