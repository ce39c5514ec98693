"""The composition root: the only place where adapters are built and wired."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from tornado.netutil import bind_sockets
from tornado.web import Application

from server.app import tls
from server.app.preload import preload
from server.app.routes import Services, make_app
from server.app.settings.settings import Settings, SmtpSettings
from server.app.synthetic import CallerProcesses
from server.audit.service.lookup import AuditLookup
from server.core import resources
from server.core.bus import Changed, MemoryBus
from server.core.clock import Clock, SystemClock, SystemIds
from server.core.errors import AppError, Unavailable
from server.core.net.hosts import host_of, is_this_machine, known
from server.core.seal import FernetSeal
from server.core.words.catalogues import Spoken
from server.delivery.domain.outgoing import Mailer
from server.delivery.mail import SmtpMailer
from server.delivery.outbox import Outbox, OutboxMailer
from server.delivery.service.delivery import DeliveryService
from server.delivery.service.sms_counts import SmsCounts
from server.delivery.wire import build_fleet, costs
from server.desk.service.handover import HandOver
from server.desk.service.recent import Recent
from server.desk.service.view import DeskView
from server.identity.domain.sign_in import by_role
from server.identity.passwords import Argon2Passwords
from server.identity.service.login import Login
from server.identity.service.sign_ins import SignIns
from server.identity.web.signed_in import SignInWeb
from server.incidents.service.feedback import Feedback
from server.incidents.service.incidents import Incidents
from server.invitations.service import hooks as invitation_hooks
from server.invitations.service.invitations import Invitations
from server.invitations.service.links import Links
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.call_events import KIND as TOLD_BY_EVENTS
from server.line15.service.call_events import Webhook
from server.line15.service.health import LineHealthReader
from server.line15.service.ingest import Line15
from server.line15.service.launch import Launch
from server.line15.service.lines import TelephonyCalls
from server.observers.service import Observers, release_observers
from server.reconcile.service.reconciler import Reconciler
from server.reconcile.service.relinking import Linking
from server.reconcile.service.review import Review
from server.recordings.files import FolderAudio, watch
from server.recordings.service import Catalogue, Listening
from server.storage import schema
from server.storage.demonstration import check_demonstration
from server.storage.engine import make_engine
from server.storage.presence import file_of
from server.storage.private import close_to_others
from server.storage.transactions import SqlTransactions
from server.video.domain.session import BEFORE_ASKING
from server.video.service.following import Following, relink
from server.video.service.help import Help
from server.video.service.ice import IceServers
from server.video.service.ladder import Ladder
from server.video.service.languages import Languages
from server.video.service.photos import Photos
from server.video.service.rooms import Rooms
from server.video.service.running import running_videos
from server.video.service.sessions import Sessions
from server.video.service.signalling import Signalling
from server.video.service.snapshots import Snapshots
from server.web.http.accepting import Summary
from server.web.http.connections import Connections, Limits, file_limit, limits
from server.web.http.forwarded import ProxiedServer, networks
from server.web.http.strangers import Strangers
from server.web.metrics import Metrics
from server.web.operations import Readiness
from server.web.pages import Pages
from server.web.sockets.audience import Audience
from telephony import FeedState, FoundRecording
from telephony.sources.recordings.feed import RecordingsFeed
from telephony.supervisor import Supervisor

SWEEP_SECONDS = 5.0
SIGN_INS_SECONDS = 30.0
RECONCILE_SECONDS = 1.0
LINES_SECONDS = 1.0
RECORDINGS_SECONDS = 60.0
LATE_SECONDS = 1.0
SCRAPE_SECONDS = 5.0  # Prometheus waits ten
DRAIN_SECONDS = 5.0
_log = structlog.get_logger("server")


@dataclass(slots=True)
class Server:
    """A built server: its application, and what runs beside it."""

    settings: Settings
    engine: AsyncEngine
    app: Application
    transactions: SqlTransactions
    calls: TelephonyCalls
    delivery: DeliveryService
    sessions: Sessions
    reconciler: Reconciler
    clock: Clock
    bus: MemoryBus
    spoken: SpokenCodes
    sign_ins: SignIns
    audience: Audience
    metrics: Metrics
    catalogue: Catalogue
    supervisor: Supervisor
    pages: Pages
    closers: tuple[Callable[[], object], ...] = ()
    http: ProxiedServer | None = None
    folders: tuple[tuple[str, RecordingsFeed], ...] = ()
    certificate: tls.Reloader | None = None
    port: int = 0
    _lanes: tuple["asyncio.Task[None]", ...] = ()
    _lines_told: dict[str, str] = field(default_factory=dict)

    async def start(self) -> None:
        """Refuse a wrong schema, bring line 15 back, then listen."""
        secure = self._tls()
        self._close_files()
        await schema.check(self.engine)
        if self.settings.demo:
            await check_demonstration(self.engine)
        await self._wire_lines()
        await self.calls.start()
        self._start_loops()
        sockets = bind_sockets(self.settings.port, self.settings.listen)
        self.port = sockets[0].getsockname()[1]
        self.http = ProxiedServer(
            self.app,
            ssl_options=secure,
            max_buffer_size=2 * 1024 * 1024,
            max_body_size=1024 * 1024,
            max_header_size=32 * 1024,
            idle_connection_timeout=120,
            body_timeout=30,
        )
        self.http.trusted = networks(self.settings.trusted_proxies)
        self._accept(self.http, sockets)
        self._watch_certificate()
        _log.info("server.started", url=self.settings.public_url, port=self.port)

    def preload(self) -> None:
        """Read what libraries would read at the first use; before anybody waits, and while files can be opened."""
        preload(self.pages)

    def _accept(self, http: ProxiedServer, sockets: Sequence[socket.socket]) -> None:
        """Take connections, within limits below the limit of open files."""
        settings, summary = self.settings, Summary()

        def closed(reason: str) -> None:
            self.metrics.connection_refused(reason)
            if reason != "late":  # a browser opens connections that it may never use
                summary.note(reason)

        connections = Connections(_limits(settings), closed)
        self.metrics.follow_connections(lambda: len(connections))
        http.serve(sockets, connections)
        self.supervisor.start("connections", lambda: _every(LATE_SECONDS, http.close_late))
        self.closers += (summary.close,)

    def _close_files(self) -> None:
        """Take the database's files from other users of this machine: an earlier release left them open."""
        file = file_of(self.engine.url)
        if file is not None and (closed := close_to_others(file)):
            _log.warning("database.closed_to_others", files=len(closed))

    def _tls(self) -> ssl.SSLContext | None:
        certificate, key = self.settings.tls_certificate, self.settings.tls_key
        return tls.context(certificate, key) if certificate and key else None

    def _watch_certificate(self) -> None:
        certificate, key, http = self.settings.tls_certificate, self.settings.tls_key, self.http
        if certificate and key and http is not None:

            def serve(made: ssl.SSLContext) -> None:
                http.ssl_options = made
                self.metrics.certificate(self.port, reloader.end)

            self.certificate = reloader = tls.Reloader(certificate, key, serve)
            self.metrics.certificate(self.port, reloader.end)
            if reloader.end <= datetime.now(UTC):
                # Started all the same: desks that are open come back, whatever phones think of it.
                _log.error("tls.expired", until=reloader.end.isoformat())
            self.supervisor.start("tls.watch", reloader.run)

    async def _wire_lines(self) -> None:
        following = Following()
        async with self.transactions(write=False) as uow:
            for site in await uow.sites.all():
                feeds = [feed for feed in self.settings.feeds if feed.site == site.key]
                stations = await uow.sites.stations(site.id)
                line = Line15(
                    site.id,
                    self.transactions,
                    self.clock,
                    self.bus,
                    on_merged=(relink,),
                    on_saved=(self.catalogue.told,),
                    on_folded=(following.accompany,),
                    touched=self.reconciler.touch,
                )
                self.calls.add(site.id, site.key, stations, feeds, line)
                if site.policy.get(TOLD_BY_EVENTS):
                    self.calls.connect(site.id)

    def _start_loops(self) -> None:
        """Start what runs beside the requests: each by itself, so that none that fails stops another."""
        start, grace = self.supervisor.start, timedelta(seconds=self.settings.grace_seconds)
        self._lanes = tuple(
            start(f"delivery.{channel}", run) for channel, run in self.delivery.loops().items()
        )
        start(
            "sweep",
            lambda: _every(SWEEP_SECONDS, lambda: self.sessions.sweep(grace), "sweep.postponed"),
        )
        start("spoken", lambda: _every(SWEEP_SECONDS, self.spoken.sweep, "sweep.postponed"))
        start("sign_ins", lambda: _every(SIGN_INS_SECONDS, self.sign_ins.sweep, "sweep.postponed"))
        start(
            "reconcile", lambda: _every(RECONCILE_SECONDS, self._reconcile, "reconcile.postponed")
        )
        start("line15.states", lambda: _every(LINES_SECONDS, self._tell_lines, "line15.postponed"))
        start("recordings", self._check_recordings)
        for site, feed in self.folders:
            start(f"recordings.{site}.{feed.name}", partial(self._watch_folder, site, feed))

    async def _check_recordings(self) -> None:
        """Look whether the files of recordings are there: some each minute, each once an hour."""
        await _postponing(self.catalogue.check, "recordings.postponed")
        await _every(RECORDINGS_SECONDS, self.catalogue.check, "recordings.postponed")

    async def _watch_folder(self, site: str, feed: RecordingsFeed) -> None:
        """Hand what comes into a folder to the catalogue; what it could not take comes again."""

        async def take(found: Sequence[FoundRecording]) -> Collection[str]:
            try:
                return await self.catalogue.take(site, feed.name, found)
            except AppError as refused:
                _log.warning("recordings.postponed", site=site, code=refused.code)
                return ()

        await feed.run(take)

    async def _reconcile(self) -> None:
        """Match videos that have no call with what line 15 told since."""
        await self.reconciler.due(list(self.calls.states()))

    def _tell_lines(self) -> None:
        """Line 15 that falls silent or comes back is a change that no call reports."""
        for site, state in self.calls.states().items():
            if self._lines_told.get(site, state) != state:
                self.bus.publish(Changed(site, frozenset()))
            self._lines_told[site] = state

    async def stop(self) -> None:
        """Stop taking requests, tell the pages, let what runs finish, close every part."""
        if self.http is not None:
            self.http.stop()
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self.audience.dismiss(Unavailable("stopping"))
                    await self.http.close_all_connections()
            except TimeoutError:
                _log.warning("server.drain_timeout")
        self.supervisor.close()
        self.delivery.close()
        if self._lanes:
            await asyncio.wait(self._lanes, timeout=DRAIN_SECONDS)
        await self.calls.drain()
        await self.supervisor.stop()
        for close in self.closers:
            close()
        await self.engine.dispose()
        _log.info("server.stopped")


def _limits(settings: Settings) -> Limits:
    """Return how many connections there may be."""
    return limits(file_limit(), settings.connections, settings.connections_per_address)


async def _every(seconds: float, work: Callable[[], object], event: str = "") -> None:
    """Do `work` each `seconds`, for ever."""
    while True:
        await asyncio.sleep(seconds)
        await _postponing(work, event)


async def _postponing(work: Callable[[], object], event: str) -> None:
    """Do `work` once; while the database is away it waits for its next turn, and the log has `event`."""
    try:
        done = work()
        if isinstance(done, Awaitable):
            await done
    except AppError as away:
        _log.warning(event, code=away.code)


def build(settings: Settings, clock: Clock | None = None) -> Server:
    """Wire everything; nothing is opened before `start`."""
    clock = clock or SystemClock()
    ids = SystemIds()
    secret = settings.secret_key.get_secret_value()
    seal = FernetSeal(secret)
    engine = make_engine(settings.database_url)
    transactions = SqlTransactions(engine, seal)
    pages = Pages(resources.root())
    bus, rooms, metrics = MemoryBus(), Rooms(), Metrics(BEFORE_ASKING)
    supervisor = Supervisor(metrics.loop_restarted)
    calls = TelephonyCalls(transactions, clock, ids, supervisor)
    sessions = Sessions(
        *(transactions, clock, bus, rooms, metrics.item_failed),
        on_ended=(release_observers, invitation_hooks.release),
        links_over=invitation_hooks.links_over,
    )
    outbox = Outbox(clock, ids) if settings.demo else None
    fleet = build_fleet(settings, clock, outbox)
    prices = costs(settings)
    delivery = DeliveryService(
        transactions=transactions,
        clock=clock,
        seal_open=seal.open,
        carriers=fleet.carriers(lambda name, what: metrics.sms(name, what, prices.get(name, 0.0))),
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
        passwords=Argon2Passwords(),
        render=pages,
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
        strangers=Strangers(_limits(settings).total),
        hosts=known(settings.addresses, settings.allowed_hosts),
    )
    invitations = Invitations(
        transactions=transactions,
        clock=clock,
        ids=ids,
        seal=seal,
        calls=calls,
        render=pages,
        sessions=sessions,
        wake=delivery.wake,
        public_url=settings.public_url,
        life=timedelta(minutes=settings.link_minutes),
        limits=SmsCounts(seal, settings.sms_limits.site_hour, settings.sms_limits.number_hour),
    )
    limits = SmsCounts(seal, settings.sms_limits.site_hour, settings.sms_limits.number_hour)
    observers = Observers(
        transactions=transactions,
        clock=clock,
        ids=ids,
        seal=seal,
        render=pages,
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
    catalogue = Catalogue(transactions, clock, ids, seal, audio, metrics.item_failed)
    folders = tuple(watch(settings.recordings, clock))
    callers = CallerProcesses(settings.tls_certificate) if settings.demo else None
    readiness = ReadinessReader(engine, transactions, delivery, supervisor)
    services = Services(
        bus=bus,
        rooms=rooms,
        sessions=sessions,
        invitations=invitations,
        languages=Languages(transactions, clock, sessions, rooms),
        spoken=spoken,
        observers=observers,
        handover=HandOver(transactions, clock, bus),
        links=Links(transactions, clock, sessions, rooms),
        linking=Linking(transactions, clock, ids, sessions),
        launch=Launch(transactions, clock, ids, seal),
        signalling=Signalling(
            *(transactions, clock, rooms, metrics.refused),
            one_machine=is_this_machine(host_of(settings.public_url)),
        ),
        help=Help(transactions, clock, rooms),
        snapshots=Snapshots(transactions, clock, ids, rooms),
        delivery=delivery,
        receipt_readers=fleet.readers,
        desk_view=DeskView(transactions, clock, calls, rooms, Spoken(resources.root())),
        recent=Recent(transactions, clock),
        ice=_ice(settings, clock),
        ladder=Ladder(transactions, clock, bus, rooms, sessions),
        photos=Photos(transactions, clock, ids, rooms),
        audit=AuditLookup(transactions, clock, seal),
        listening=Listening(transactions, clock, audio, catalogue),
        review=Review(transactions, clock, bus, seal, mobiles_of=invitation_hooks.mobiles_of),
        feedback=Feedback(
            *(transactions, clock, ids, seal),
            render=pages,
            public_url=settings.public_url,
            wake=delivery.wake,
        ),
        incidents=Incidents(transactions, clock),
        webhook=Webhook(transactions, clock, calls, bus),
        line_health=LineHealthReader(calls, clock),
        ready=readiness.read,
        refresh_metrics=lambda: _refresh(
            *(metrics, calls, catalogue, folders, supervisor), readiness.read()
        ),
        outbox=outbox,
        callers=callers,
    )
    closers = (audio.close, *fleet.closers, *((callers.close,) if callers else ()))
    return Server(
        settings,
        engine,
        make_app(web, services),
        transactions,
        calls,
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
        web.audience,
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


class ReadinessReader:
    """Says which parts work. A database is ready when it can be read and written, at this release's schema."""

    def __init__(
        self,
        engine: AsyncEngine,
        transactions: SqlTransactions,
        delivery: DeliveryService,
        supervisor: Supervisor,
    ) -> None:
        self._engine = engine
        self._transactions = transactions
        self._delivery = delivery
        self._supervisor = supervisor
        self._away = False

    async def read(self) -> Readiness:
        """Ask each part now."""
        away = self._supervisor.away()
        parts = {
            "database": await self._database(),
            "delivery": self._delivery.ready,
            "loops": not away,
        }
        return Readiness(parts, away)

    async def _database(self) -> bool:
        """Whatever is wrong, the answer is "not ready"; the log tells why, once an outage."""
        try:
            await schema.check(self._engine)
            writable = await self._transactions.writable()
        except Exception as fault:  # noqa: BLE001 - the errors of a database are many
            if not self._away:
                ours = fault if not isinstance(fault, AppError) else None
                _log.warning("readiness.database_away", error=type(fault).__name__, exc_info=ours)
            self._away = True
            return False
        if self._away:
            _log.info("readiness.database_back")
        self._away = False
        return writable


async def _refresh(
    metrics: Metrics,
    calls: TelephonyCalls,
    catalogue: Catalogue,
    folders: Sequence[tuple[str, RecordingsFeed]],
    supervisor: Supervisor,
    readiness: Awaitable[Readiness],
) -> None:
    """Read what is asked for at each scrape; a database that hangs is not ready, and holds up no scrape."""
    try:
        async with asyncio.timeout(SCRAPE_SECONDS):
            metrics.ready((await readiness).parts)
    except TimeoutError:
        metrics.ready({"database": False})
    metrics.loops(supervisor.up())
    for site, feed in folders:
        metrics.folder(site, feed.name, up=feed.health().state is FeedState.CONNECTED)
    with suppress(AppError, TimeoutError):
        async with asyncio.timeout(SCRAPE_SECONDS):
            metrics.recordings(calls.healths(), await catalogue.counts(), catalogue.unattached)
    for site, feeds in calls.healths().items():
        for health in feeds:
            metrics.feed(
                site,
                health.name,
                up=health.state in {"connected", "quiet"},
                received=health.received,
                rejected=dict(health.rejected),
                lag=health.lag,
                resynced=health.resynced,
                lost={"kernel": health.dropped, "queue": health.overflow},
            )
