"""Prometheus counters and gauges in a registry of their own, so that tests may build many applications."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import product
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from server.core.errors import walk
from server.web.http.connections import REASONS
from server.web.sockets.transports import SOCKET


class Metrics:
    """What operations watch; labels are stable slugs, never ids."""

    def __init__(self, why_cannot: Iterable[str] = ()) -> None:
        """Register every metric; `why_cannot`: what a caller's page may say of itself, counted from zero on."""
        self.registry = CollectorRegistry()
        self._refused = Counter(
            "visio15_refused_total", "Refusals by stable code", ["code"], registry=self.registry
        )
        self._requests = Histogram(
            "visio15_request_seconds",
            "Time to answer",
            ["handler", "status"],
            registry=self.registry,
        )
        self._sockets = Gauge("visio15_sockets", "Open sockets", ["kind"], registry=self.registry)
        self._polled = Gauge(
            "visio15_polled_pages",
            "Pages connected by requests, where no socket comes up",
            ["kind"],
            registry=self.registry,
        )
        self._polled.labels("caller")
        self._frames = Counter(
            "visio15_socket_messages_total",
            "Frames received",
            ["kind", "type"],
            registry=self.registry,
        )
        self._feed = Gauge(
            "visio15_feed_up",
            "1 while the feed is connected",
            ["site", "feed"],
            registry=self.registry,
        )
        self._feed_received = Gauge(
            "visio15_feed_received", "Messages received", ["site", "feed"], registry=self.registry
        )
        self._feed_rejected = Gauge(
            "visio15_feed_rejected",
            "Messages refused, by reason",
            ["site", "feed", "reason"],
            registry=self.registry,
        )
        self._feed_lost = Gauge(
            "visio15_feed_lost",
            "What came and was lost: before it was read (kernel), or for want of room (queue)",
            ["site", "feed", "where"],
            registry=self.registry,
        )
        self._feed_lag = Gauge(
            "visio15_feed_lag_seconds",
            "How old the last message was by its sender's clock",
            ["site", "feed"],
            registry=self.registry,
        )
        self._feed_resync = Gauge(
            "visio15_feed_resync_timestamp_seconds",
            "When the switchboard last told all that it has",
            ["site", "feed"],
            registry=self.registry,
        )
        self._messages = Counter(
            "visio15_messages_total",
            "Outgoing messages by channel and outcome",
            ["channel", "outcome"],
            registry=self.registry,
        )

        self._sms = Counter(
            "visio15_sms_total",
            "What each SMS carrier did",
            ["carrier", "outcome"],
            registry=self.registry,
        )
        self._sms_cost = Counter(
            "visio15_sms_cost_euros_total",
            "Price of the SMS each carrier took, from its setting cost",
            ["carrier"],
            registry=self.registry,
        )
        self._ready = Gauge(
            "visio15_ready", "1 while this part works", ["part"], registry=self.registry
        )
        self._loops = Gauge(
            "visio15_loop_up",
            "0 while this background loop fails again and again",
            ["loop"],
            registry=self.registry,
        )
        self._loop_restarts = Counter(
            "visio15_loop_restarts_total",
            "Restarts of a background loop that ended by a fault",
            ["loop"],
            registry=self.registry,
        )
        self._connections = Gauge("visio15_connections", "Open connections", registry=self.registry)
        self._connections_refused = Counter(
            "visio15_connections_refused_total",
            "Connections not let in or closed by us, by reason",
            ["reason"],
            registry=self.registry,
        )
        for reason in REASONS:
            self._connections_refused.labels(reason)
        self._certificate = Gauge(
            "visio15_certificate_end_timestamp_seconds",
            "When the certificate that is served ends",
            ["port"],
            registry=self.registry,
        )

        self._recordings = Gauge(
            "visio15_recordings",
            "References to recordings, by what the last look at the file told",
            ["site", "status"],
            registry=self.registry,
        )
        self._loose = Gauge(
            "visio15_recordings_unattached",
            "Files of the last look that no call could be found for",
            ["site", "folder"],
            registry=self.registry,
        )
        self._folder = Gauge(
            "visio15_recordings_folder_up",
            "1 while the folder of recordings can be read",
            ["site", "folder"],
            registry=self.registry,
        )

        self._items = Counter(
            "visio15_items_failed_total",
            "Items that a background job could not do in one of its rounds",
            ["job"],
            registry=self.registry,
        )

        self._cannot = Counter(
            "visio15_page_cannot_total",
            "Callers' pages that could not do their work, by why",
            ["why"],
            registry=self.registry,
        )

        # From zero on, so that the first of them is a rise that an alert sees.
        for error in walk():
            self._refused.labels(error.code)
        for channel, outcome in product(
            ("sms", "email"),
            ("handed", "retried", "refused", "expired", "in_doubt", "sent_again"),
        ):
            self._messages.labels(channel, outcome)
        for job in ("sweep", "spoken", "sign_ins", "recordings", "reconcile"):
            self._items.labels(job)
        for why in why_cannot:
            self._cannot.labels(why)

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._refused.labels(code).inc()

    def page_cannot(self, why: str) -> None:
        """Count a caller's page that said so of itself."""
        self._cannot.labels(why).inc()

    def answered(self, handler: str, status: int, seconds: float) -> None:
        """Time an answer."""
        self._requests.labels(handler, str(status)).observe(seconds)

    def page(self, kind: str, transport: str, change: int) -> None:
        """Count a page that is connected (+1) or has gone (-1)."""
        (self._sockets if transport == SOCKET else self._polled).labels(kind).inc(change)

    def frame(self, kind: str, type_: str) -> None:
        """Count a received frame by its known type."""
        self._frames.labels(kind, type_).inc()

    def feed(
        self,
        site: str,
        name: str,
        *,
        up: bool,
        received: int,
        rejected: Mapping[str, int],
        lag: float | None = None,
        resynced: datetime | None = None,
        lost: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Show a feed's health; what is not known of it has no sample."""
        if lag is not None:
            self._feed_lag.labels(site, name).set(lag)
        if resynced is not None:
            self._feed_resync.labels(site, name).set(resynced.timestamp())
        self._feed.labels(site, name).set(1 if up else 0)
        self._feed_received.labels(site, name).set(received)
        for reason, count in rejected.items():
            self._feed_rejected.labels(site, name, reason).set(count)
        for where, count in lost.items():
            self._feed_lost.labels(site, name, where).set(count)

    def recordings(
        self,
        sites: Iterable[str],
        counts: Mapping[tuple[str, str], int],
        loose: Mapping[tuple[str, str], int],
    ) -> None:
        """Show how many recordings are where they should be."""
        for site, status in product(sites, ("present", "missing", "unknown")):
            self._recordings.labels(site, status).set(counts.get((site, status), 0))
        for (site, folder), files in loose.items():
            self._loose.labels(site, folder).set(files)

    def folder(self, site: str, name: str, *, up: bool) -> None:
        """Show whether a folder of recordings can be read."""
        self._folder.labels(site, name).set(1 if up else 0)

    def item_failed(self, job: str) -> None:
        """Count an item that a background job could not do."""
        self._items.labels(job).inc()

    def message(self, channel: str, outcome: str) -> None:
        """Count a delivery attempt's outcome."""
        self._messages.labels(channel, outcome).inc()

    def sms(self, carrier: str, outcome: str, cost: float) -> None:
        """Count what a carrier did, and what it costs once it took a message."""
        self._sms.labels(carrier, outcome).inc()
        if outcome == "handed":
            self._sms_cost.labels(carrier).inc(cost)

    def ready(self, parts: Mapping[str, bool]) -> None:
        """Show what /readyz says."""
        for part, works in parts.items():
            self._ready.labels(part).set(1 if works else 0)

    def follow_connections(self, count: Callable[[], int]) -> None:
        """Show how many connections are open."""
        self._connections.set_function(count)

    def connection_refused(self, reason: str) -> None:
        """Count a connection that was not let in, or was closed to make room."""
        self._connections_refused.labels(reason).inc()

    def loops(self, up: Mapping[str, bool]) -> None:
        """Show which background loops work; each restart counter is there from zero on."""
        for name, works in up.items():
            self._loops.labels(name).set(1 if works else 0)
            self._loop_restarts.labels(name)

    def loop_restarted(self, name: str) -> None:
        """Count a background loop that ended by a fault."""
        self._loop_restarts.labels(name).inc()

    def certificate(self, port: int, end: datetime) -> None:
        """Show how long the certificate of our own listener is good."""
        self._certificate.labels(str(port)).set(end.timestamp())

    def text(self) -> bytes:
        """Render the exposition format."""
        return generate_latest(self.registry)
