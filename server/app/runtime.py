"""A built server: what runs beside its requests, its start and its end."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from tornado.netutil import bind_sockets
from tornado.web import Application

from server.app import tls
from server.app.features import Features
from server.app.settings.settings import Settings
from server.app.warm_up import warm_up
from server.core.bus import Bus, SiteChanged
from server.core.clock import Clock
from server.core.errors import AppError, Unavailable
from server.core.sites import SiteStore
from server.delivery.service.delivery import DeliveryService
from server.identity.service.sign_ins import SignIns
from server.identity.web.signed_in import SignInWeb
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.lines import Lines
from server.reconcile.service.reconciler import Reconciler
from server.recordings.service import RecordingCatalogue
from server.storage import schema
from server.storage.database_guard import file_of
from server.storage.demonstration_mark import check_demonstration
from server.storage.file_modes import close_to_others
from server.storage.transactions import Transactions
from server.storage.wire import Foundation
from server.video.service.sessions import Sessions
from server.web.http.accepting import Summary
from server.web.http.connections import ConnectionLimits, Connections, file_limit, limits
from server.web.http.forwarded import ProxiedServer, networks
from server.web.metrics import Metrics
from server.web.pages import Pages
from server.web.sockets.open_sockets import OpenSockets
from telephony import FoundRecording
from telephony.sources.recordings.feed import RecordingsFeed
from telephony.supervisor import Supervisor

SWEEP_SECONDS = 5.0
SIGN_INS_SECONDS = 30.0
RECONCILE_SECONDS = 1.0
LINES_SECONDS = 1.0
RECORDINGS_SECONDS = 60.0
LATE_SECONDS = 1.0
DRAIN_SECONDS = 5.0
_log = structlog.get_logger("server")


@dataclass(slots=True, kw_only=True)
class Server:
    """A built server: its application, and what runs beside it."""

    settings: Settings
    base: Foundation
    features: Features
    web: SignInWeb
    engine: AsyncEngine
    app: Application
    transactions: Transactions
    lines: Lines
    delivery: DeliveryService
    sessions: Sessions
    reconciler: Reconciler
    clock: Clock
    bus: Bus
    spoken: SpokenCodes
    sign_ins: SignIns
    open_sockets: OpenSockets
    metrics: Metrics
    catalogue: RecordingCatalogue
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
        await self.lines.start()
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

    def warm_up(self) -> None:
        """Read what libraries would read at the first use; before anybody waits, and while files can be opened."""
        warm_up(self.pages)

    def _accept(self, http: ProxiedServer, sockets: Sequence[socket.socket]) -> None:
        """Take connections, within limits below the limit of open files."""
        settings, summary = self.settings, Summary()

        def closed(reason: str) -> None:
            self.metrics.connection_refused(reason)
            if reason != "late":  # a browser opens connections that it may never use
                summary.note(reason)

        connections = Connections(connection_limits(settings), closed)
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
        async with self.transactions(write=False) as uow:
            for site in await SiteStore(uow).all():
                site.check_policy()
                feeds = [feed for feed in self.settings.feeds if feed.site == site.key]
                stations = await SiteStore(uow).stations(site.id)
                ingest = self.features.ingest_for(site.id)
                self.lines.add(site.id, site.key, stations, feeds, ingest)
                if site.policy.webhook:
                    self.lines.connect(site.id)

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
        await self.reconciler.due(list(self.lines.states()))

    def _tell_lines(self) -> None:
        """Line 15 that falls silent or comes back is a change that no call reports."""
        for site, state in self.lines.states().items():
            if self._lines_told.get(site, state) != state:
                self.bus.publish(SiteChanged(site, frozenset()))
            self._lines_told[site] = state

    async def stop(self) -> None:
        """Stop taking requests, tell the pages, let what runs finish, close every part."""
        if self.http is not None:
            self.http.stop()
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self.open_sockets.dismiss(Unavailable("stopping"))
                    await self.http.close_all_connections()
            except TimeoutError:
                _log.warning("server.drain_timeout")
        self.supervisor.close()
        self.delivery.close()
        if self._lanes:
            await asyncio.wait(self._lanes, timeout=DRAIN_SECONDS)
        await self.lines.drain()
        await self.supervisor.stop()
        for close in self.closers:
            close()
        await self.engine.dispose()
        _log.info("server.stopped")


def connection_limits(settings: Settings) -> ConnectionLimits:
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
