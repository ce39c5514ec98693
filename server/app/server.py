"""A built server: its features, and the runtime that starts and stops them."""

from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from tornado.web import Application

from server.app import tls
from server.app.runtime.runtime import Runtime
from server.app.settings.settings import Settings
from server.app.warm_up import warm_up
from server.core.bus import Bus
from server.delivery.service.delivery import DeliveryService
from server.identity.service.sign_ins import SignIns
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.lines import Lines
from server.line15.service.states import LineStates
from server.reconcile.service.reconciler import Reconciler
from server.recordings.service import RecordingCatalogue
from server.storage.transactions import Transactions
from server.video.service.sessions import Sessions
from server.web.http.forwarded import ProxiedServer
from server.web.pages import Pages
from server.web.sockets.open_sockets import OpenSockets
from telephony.sources.recordings.feed import RecordingsFeed
from telephony.supervisor import Supervisor

_log = structlog.get_logger("server")


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """What `build` returns; nothing is opened before `start`."""

    settings: Settings
    engine: AsyncEngine
    transactions: Transactions
    app: Application
    pages: Pages
    bus: Bus
    open_sockets: OpenSockets
    delivery: DeliveryService
    sign_ins: SignIns
    lines: Lines
    line_states: LineStates
    sessions: Sessions
    spoken: SpokenCodes
    reconciler: Reconciler
    catalogue: RecordingCatalogue
    folders: tuple[tuple[str, RecordingsFeed], ...]
    runtime: Runtime

    @property
    def supervisor(self) -> Supervisor:
        """What keeps the loops running."""
        return self.runtime.supervisor

    @property
    def http(self) -> ProxiedServer | None:
        """The HTTP server, once it listens."""
        return self.runtime.listener.http

    @property
    def certificate(self) -> tls.Reloader | None:
        """What keeps the certificate fresh, once it has been read."""
        return self.runtime.listener.certificate

    @property
    def port(self) -> int:
        """Where it listens; 0 before."""
        return self.runtime.listener.port

    def warm_up(self) -> None:
        """Read what libraries would read at the first use; before anybody waits, and while files can be opened."""
        warm_up(self.pages)

    async def start(self) -> None:
        """Come up, then listen (`Runtime.start`)."""
        await self.runtime.start()
        _log.info("server.started", url=self.settings.public_url, port=self.port)

    async def stop(self) -> None:
        """Go down (`Runtime.stop`)."""
        await self.runtime.stop()
