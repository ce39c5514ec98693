"""Builds every part of the server and gives each what it needs: the only place that knows them all."""

from datetime import timedelta
from functools import partial

from server.app.caller_processes import CallerProcesses
from server.app.loops import delivery_loops, housekeeping_loops, line15_loops, recordings_loops
from server.app.routes import Services, make_app
from server.app.runtime.database import check_database
from server.app.runtime.lifecycle import LifeCycle
from server.app.runtime.listener import Listener, connection_limits, listen_settings
from server.app.runtime.readiness import ReadinessReader
from server.app.runtime.runtime import Runtime
from server.app.runtime.scrape import Scrape
from server.app.server import Server
from server.app.settings.settings import Settings
from server.app.site_lines import connect_sites
from server.audit.service.lookup import AuditLookup
from server.core import resources
from server.core.bus import Bus
from server.core.clock import Clock, Ids, SystemClock
from server.core.net.hosts import host_of, is_this_machine, known
from server.core.seal import Seal
from server.core.words.translations import ReadAloudTranslator
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
from server.identity.domain.sign_in import by_role
from server.identity.passwords import Passwords
from server.identity.service.login import Login
from server.identity.service.sign_ins import SignIns
from server.identity.web.signed_in import SignInWeb
from server.incidents.service.feedback import IncidentReporting
from server.incidents.service.incidents import Incidents
from server.invitations.service import hooks as invitation_hooks
from server.invitations.service.invitations import Invitations
from server.invitations.service.links import InvitationLinks
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.call_events import Webhook
from server.line15.service.health import LineHealthReader
from server.line15.service.launch import Launch
from server.line15.service.lines import Lines
from server.line15.service.states import LineStates
from server.observers.service import Observers, release_observers
from server.reconcile.service.reconciler import Reconciler
from server.reconcile.service.relinking import CallLinks
from server.reconcile.service.review import Review
from server.recordings.files import FolderAudio, watch
from server.recordings.service import Listening, RecordingCatalogue
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
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
        about=invitation_hooks.about,
        needless=invitation_hooks.needless,
        publish=sessions.refresh,
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
    life = LifeCycle()
    readiness = ReadinessReader(
        life=life,
        engine=engine,
        transactions=transactions,
        delivery=delivery,
        supervisor=supervisor,
    )
    scrape = Scrape(
        metrics=metrics,
        readiness=readiness,
        supervisor=supervisor,
        lines=lines,
        catalogue=catalogue,
        folders=folders,
    )
    services = Services(
        bus=bus,
        rooms=rooms,
        sessions=sessions,
        invitations=invitations,
        languages=Languages(transactions, clock, sessions, rooms),
        spoken=spoken,
        observers=observers,
        handover=HandOvers(transactions, clock, bus),
        links=InvitationLinks(transactions, clock, sessions, rooms),
        call_links=CallLinks(transactions, clock, ids, sessions),
        launch=Launch(transactions, clock, ids, seal),
        signalling=Signalling(
            *(transactions, clock, rooms, metrics.refused),
            one_machine=is_this_machine(host_of(settings.public_url)),
        ),
        help=RemoteHelp(transactions, clock, rooms),
        snapshots=Snapshots(transactions, clock, ids, rooms),
        delivery=delivery,
        receipt_readers=carriers.readers,
        desk_view=DeskView(
            transactions, clock, lines, rooms, ReadAloudTranslator(resources.root())
        ),
        recent=Recent(transactions, clock),
        ice=_ice(settings, clock),
        ladder=Ladder(transactions, clock, bus, rooms, sessions),
        photos=Photos(transactions, clock, ids, rooms),
        audit=AuditLookup(transactions, clock, seal),
        listening=Listening(transactions, clock, audio, catalogue),
        review=Review(transactions, clock, bus, seal, mobiles_of=invitation_hooks.mobiles_of),
        feedback=IncidentReporting(
            *(transactions, clock, ids, seal),
            pages=pages,
            public_url=settings.public_url,
            wake=delivery.wake,
        ),
        incidents=Incidents(transactions, clock),
        webhook=Webhook(transactions, clock, lines, bus),
        line_health=LineHealthReader(lines, clock),
        ready=readiness.read,
        refresh_metrics=scrape.refresh,
        outbox=outbox,
        callers=callers,
    )
    reconciler = Reconciler(
        *(transactions, clock, bus, seal, metrics.item_failed),
        mobiles_of=invitation_hooks.mobiles_of,
    )
    states = LineStates(lines, bus)
    app = make_app(web, services)
    runtime = Runtime(
        life=life,
        supervisor=supervisor,
        engine=engine,
        storage_works=readiness.storage_works,
        listener=Listener(
            settings=listen_settings(settings),
            app=app,
            metrics=metrics,
            open_sockets=web.open_sockets,
        ),
        loops=(
            *delivery_loops(delivery),
            *housekeeping_loops(
                sessions=sessions,
                grace=timedelta(seconds=settings.grace_seconds),
                spoken=spoken,
                sign_ins=sign_ins,
            ),
            *line15_loops(lines=lines, states=states, reconciler=reconciler),
            *recordings_loops(catalogue, folders),
        ),
        starting=(
            partial(check_database, engine, demo=settings.demo),
            partial(
                connect_sites,
                transactions=transactions,
                clock=clock,
                bus=bus,
                lines=lines,
                sources=settings.feeds,
                catalogue=catalogue,
                reconciler=reconciler,
            ),
            lines.start,
        ),
        draining=(lines.drain,),
        closing=(audio.close, *carriers.closers, *((callers.close,) if callers else ())),
    )
    return Server(
        settings=settings,
        engine=engine,
        transactions=transactions,
        app=app,
        pages=pages,
        bus=bus,
        open_sockets=web.open_sockets,
        delivery=delivery,
        sign_ins=sign_ins,
        lines=lines,
        line_states=states,
        sessions=sessions,
        spoken=spoken,
        reconciler=reconciler,
        catalogue=catalogue,
        folders=folders,
        runtime=runtime,
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
