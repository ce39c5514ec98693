"""Builds a server: foundation, features, routes, and what runs beside them."""

from server.app.caller_processes import CallerProcesses
from server.app.features import Features, wire_features
from server.app.foundation import foundation
from server.app.readiness import ReadinessReader, refresh
from server.app.routes import make_app
from server.app.rules import every_rule
from server.app.runtime import Server, connection_limits
from server.app.settings.settings import Settings
from server.core import resources
from server.core.clock import Clock
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
    delivery, recordings = features.delivery, features.recordings
    readiness = ReadinessReader(base.engine, base.transactions, delivery.service, supervisor)
    rules = every_rule(
        web,
        features,
        bus=base.bus,
        callers=callers,
        ready=readiness.read,
        refresh=lambda: refresh(
            metrics,
            features.line15.lines,
            recordings.catalogue,
            recordings.folders,
            supervisor,
            readiness.read(),
        ),
    )
    return Server(
        settings=settings,
        base=base,
        features=features,
        web=web,
        engine=base.engine,
        app=make_app(web, rules),
        transactions=base.transactions,
        lines=features.line15.lines,
        delivery=delivery.service,
        sessions=features.video.sessions,
        reconciler=features.reconcile.reconciler,
        clock=base.clock,
        bus=base.bus,
        spoken=features.invitations.spoken,
        sign_ins=features.sign_in.sign_ins,
        open_sockets=web.open_sockets,
        metrics=metrics,
        catalogue=recordings.catalogue,
        supervisor=supervisor,
        pages=pages,
        folders=recordings.folders,
        closers=(recordings.close, *delivery.closers, *((callers.close,) if callers else ())),
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
