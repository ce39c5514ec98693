"""A built server: its features, and the runtime that starts and stops them."""

from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from tornado.web import Application

from server.app.features import Features
from server.app.runtime import tls
from server.app.runtime.runtime import Runtime
from server.app.runtime.warm_up import warm_up
from server.app.settings.settings import Settings
from server.core.bus import Bus
from server.delivery.service.delivery import DeliveryService
from server.identity.service.sign_ins import SignIns
from server.identity.web.signed_in import SignInWeb
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.lines import Lines
from server.reconcile.service.reconciler import Reconciler
from server.recordings.service import RecordingCatalogue
from server.storage.transactions import Transactions
from server.storage.wire import Foundation
from server.video.service.sessions import Sessions
from server.web.http.forwarded import ProxiedServer
from server.web.sockets.open_sockets import OpenSockets
from telephony.supervisor import Supervisor

_log = structlog.get_logger("server")


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """What `build` returns; nothing is opened before `start`."""

    settings: Settings
    base: Foundation
    features: Features
    web: SignInWeb
    app: Application
    runtime: Runtime

    # --- short names for what is used most
    @property
    def engine(self) -> AsyncEngine:
        """The database."""
        return self.base.engine

    @property
    def transactions(self) -> Transactions:
        """What begins a transaction."""
        return self.base.transactions

    @property
    def bus(self) -> Bus:
        """What tells the desks."""
        return self.base.bus

    @property
    def delivery(self) -> DeliveryService:
        """What sends messages."""
        return self.features.delivery.service

    @property
    def sign_ins(self) -> SignIns:
        """Who is signed in."""
        return self.features.sign_in.sign_ins

    @property
    def lines(self) -> Lines:
        """Line 15 of each site."""
        return self.features.line15.lines

    @property
    def sessions(self) -> Sessions:
        """The way a session changes."""
        return self.features.video.sessions

    @property
    def spoken(self) -> SpokenCodes:
        """Codes read aloud."""
        return self.features.invitations.spoken

    @property
    def reconciler(self) -> Reconciler:
        """What finds the call of a video afterwards."""
        return self.features.reconcile.reconciler

    @property
    def catalogue(self) -> RecordingCatalogue:
        """Where the sound of a call is."""
        return self.features.recordings.catalogue

    @property
    def open_sockets(self) -> OpenSockets:
        """Every connected page."""
        return self.web.open_sockets

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
        warm_up(self.web.pages)

    async def start(self) -> None:
        """Come up, then listen (`Runtime.start`)."""
        await self.runtime.start()
        _log.info("server.started", url=self.settings.public_url, port=self.port)

    async def stop(self) -> None:
        """Go down (`Runtime.stop`)."""
        await self.runtime.stop()
