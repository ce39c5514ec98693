"""Builds a server: foundation, features, routes, and the runtime that starts and stops them."""

from datetime import timedelta
from functools import partial

from server.app.caller_processes import CallerProcesses
from server.app.features import Features, wire_features
from server.app.foundation import foundation
from server.app.loops import delivery_loops, housekeeping_loops, line15_loops, recordings_loops
from server.app.routes import make_app
from server.app.rules import every_rule
from server.app.runtime.database import check_database
from server.app.runtime.lifecycle import LifeCycle
from server.app.runtime.listener import Listener, connection_limits, listen_settings
from server.app.runtime.readiness import ReadinessReader
from server.app.runtime.runtime import Runtime
from server.app.runtime.scrape import Scrape
from server.app.server import Server
from server.app.settings.settings import Settings
from server.app.site_lines import connect_sites
from server.core import resources
from server.core.clock import Clock
from server.core.loops import Loop
from server.core.net.hosts import known
from server.identity.web.signed_in import SignInWeb
from server.storage.wire import Foundation
from server.video.domain.session import BEFORE_ASKING
from server.web.http.strangers import Strangers
from server.web.metrics import Metrics
from server.web.pages import Pages
from telephony.supervisor import Supervisor


def build(settings: Settings, clock: Clock | None = None) -> Server:
    """Wire everything; nothing is opened before `start`."""
    pages, metrics = Pages(resources.root()), Metrics(BEFORE_ASKING)
    supervisor = Supervisor(metrics.loop_restarted)
    base = foundation(settings, clock=clock, failed=metrics.item_failed)
    features = wire_features(base, settings, pages=pages, metrics=metrics, supervisor=supervisor)
    web = _web(settings, base, features, pages=pages, metrics=metrics)
    callers = CallerProcesses(settings.tls_certificate) if settings.demo else None
    life = LifeCycle()
    readiness = ReadinessReader(
        life=life,
        engine=base.engine,
        transactions=base.transactions,
        delivery=features.delivery.service,
        supervisor=supervisor,
    )
    scrape = Scrape(
        metrics=metrics,
        readiness=readiness,
        supervisor=supervisor,
        lines=features.line15.lines,
        catalogue=features.recordings.catalogue,
        folders=features.recordings.folders,
    )
    rules = every_rule(
        web,
        features,
        bus=base.bus,
        callers=callers,
        ready=readiness.read,
        refresh=scrape.refresh,
    )
    app = make_app(web, rules)
    runtime = Runtime(
        life=life,
        supervisor=supervisor,
        engine=base.engine,
        storage_works=readiness.storage_works,
        listener=Listener(
            settings=listen_settings(settings),
            app=app,
            metrics=metrics,
            open_sockets=web.open_sockets,
        ),
        loops=_loops(features, timedelta(seconds=settings.grace_seconds)),
        starting=(
            partial(check_database, base.engine, demo=settings.demo),
            partial(
                connect_sites,
                transactions=base.transactions,
                lines=features.line15.lines,
                sources=settings.feeds,
                ingest_for=features.ingest_for,
            ),
            features.line15.lines.start,
        ),
        draining=(features.line15.lines.drain,),
        closing=(
            features.recordings.close,
            *features.delivery.closers,
            *((callers.close,) if callers else ()),
        ),
    )
    return Server(
        settings=settings, base=base, features=features, web=web, app=app, runtime=runtime
    )


def _loops(features: Features, grace: timedelta) -> tuple[Loop, ...]:
    """List what runs beside the requests."""
    line15, recordings = features.line15, features.recordings
    return (
        *delivery_loops(features.delivery.service),
        *housekeeping_loops(
            sessions=features.video.sessions,
            grace=grace,
            spoken=features.invitations.spoken,
            sign_ins=features.sign_in.sign_ins,
        ),
        *line15_loops(
            lines=line15.lines, states=line15.states, reconciler=features.reconcile.reconciler
        ),
        *recordings_loops(recordings.catalogue, recordings.folders),
    )


def _web(
    settings: Settings, base: Foundation, features: Features, *, pages: Pages, metrics: Metrics
) -> SignInWeb:
    """Return what every handler has."""
    return SignInWeb(
        pages=pages,
        login=features.sign_in.login,
        sign_ins=features.sign_in.sign_ins,
        transactions=base.transactions,
        clock=base.clock,
        ids=base.ids,
        metrics=metrics,
        public_url=settings.public_url,
        secure=settings.secure,
        demo=settings.demo,
        origins=frozenset({settings.public_url, *settings.extra_origins}),
        strangers=Strangers(connection_limits(settings).total),
        hosts=known(settings.addresses, settings.allowed_hosts),
    )
