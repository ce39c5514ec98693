"""Listens for the application: address, certificate, limits of connections."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from tornado.netutil import bind_sockets
from tornado.web import Application

from server.app.runtime import tls
from server.app.settings.settings import Settings
from server.core.errors import Unavailable
from server.core.loops import Loop
from server.web.http.accepting import Summary
from server.web.http.connections import ConnectionLimits, Connections, file_limit, limits
from server.web.http.forwarded import ProxiedServer, networks
from server.web.metrics import Metrics
from server.web.sockets.open_sockets import OpenSockets

LATE_SECONDS = 1.0
DISMISS_SECONDS = 5.0
_log = structlog.get_logger("server")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListenSettings:
    """Where the server listens, and how many connections it takes."""

    port: int
    address: str
    limits: ConnectionLimits
    trusted_proxies: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None


def listen_settings(settings: Settings) -> ListenSettings:
    """Read what concerns the listener from the settings."""
    return ListenSettings(
        port=settings.port,
        address=settings.listen,
        limits=connection_limits(settings),
        trusted_proxies=settings.trusted_proxies,
        certificate=settings.tls_certificate,
        key=settings.tls_key,
    )


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Return how many connections there may be."""
    return limits(file_limit(), settings.connections, settings.connections_per_address)


class Listener:
    """Serves the application from `open` to `close`; closed twice it does no harm."""

    def __init__(
        self,
        *,
        settings: ListenSettings,
        app: Application,
        metrics: Metrics,
        open_sockets: OpenSockets,
    ) -> None:
        """Open nothing yet."""
        self.http: ProxiedServer | None = None
        self.certificate: tls.Reloader | None = None
        self.port = 0
        self._settings = settings
        self._app = app
        self._metrics = metrics
        self._open_sockets = open_sockets
        self._secure: ssl.SSLContext | None = None
        self._refused = Summary()

    def loops(self) -> tuple[Loop, ...]:
        """Declare the loops that the listener needs."""
        late = Loop(name="connections", work=self._close_late, every=LATE_SECONDS)
        if self._settings.certificate and self._settings.key:
            return (late, Loop(name="tls.watch", work=self._watch_certificate))
        return (late,)

    def read_certificate(self) -> None:
        """Read the certificate if there is one. Raises CertificateUnusable."""
        certificate, key = self._settings.certificate, self._settings.key
        if certificate and key:
            self._secure = tls.context(certificate, key)
            self.certificate = tls.Reloader(certificate, key, self._serve_certificate)

    def open(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        connections = Connections(self._settings.limits, self._closed)
        http = ProxiedServer(
            self._app,
            ssl_options=self._secure,
            max_buffer_size=2 * 1024 * 1024,
            max_body_size=1024 * 1024,
            max_header_size=32 * 1024,
            idle_connection_timeout=120,
            body_timeout=30,
        )
        http.trusted = networks(self._settings.trusted_proxies)
        self._metrics.follow_connections(lambda: len(connections))
        sockets = bind_sockets(self._settings.port, self._settings.address)
        self.port = sockets[0].getsockname()[1]
        http.serve(sockets, connections)
        self.http = http
        self._tell_certificate()

    async def close(self) -> None:
        """Accept nothing more, tell the pages, let requests end; not for longer than DISMISS_SECONDS."""
        if self.http is None:
            return
        self.http.stop()
        try:
            async with asyncio.timeout(DISMISS_SECONDS):
                await self._open_sockets.dismiss(Unavailable("stopping"))
                await self.http.close_all_connections()
        except TimeoutError:
            _log.warning("server.drain_timeout")
        finally:
            self._refused.close()

    def _closed(self, reason: str) -> None:
        self._metrics.connection_refused(reason)
        if reason != "late":  # a browser opens connections that it may never use
            self._refused.note(reason)

    def _close_late(self) -> None:
        if self.http is not None:
            self.http.close_late()

    async def _watch_certificate(self) -> None:
        if self.certificate is not None:
            await self.certificate.run()

    def _serve_certificate(self, made: ssl.SSLContext) -> None:
        self._secure = made
        if self.http is not None:
            self.http.ssl_options = made
            self._tell_certificate()

    def _tell_certificate(self) -> None:
        if self.certificate is not None:
            self._metrics.certificate(self.port, self.certificate.end)
            if self.certificate.end <= datetime.now(UTC):
                # Started all the same: desks that are open come back, whatever phones think of it.
                _log.error("tls.expired", until=self.certificate.end.isoformat())
