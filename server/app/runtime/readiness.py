"""Whether the server can do its work now."""

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from server.app.runtime.lifecycle import LifeCycle
from server.core.errors import AppError
from server.delivery.service.delivery import DeliveryService
from server.storage import schema
from server.storage.transactions import Transactions
from server.web.operations import Readiness
from telephony.supervisor import Supervisor

_log = structlog.get_logger("server")


class ReadinessReader:
    """Says which parts work. A database is ready when it can be read and written, at this release's schema."""

    def __init__(
        self,
        *,
        life: LifeCycle,
        engine: AsyncEngine,
        transactions: Transactions,
        delivery: DeliveryService,
        supervisor: Supervisor,
    ) -> None:
        """Take the parts to ask."""
        self._life = life
        self._engine = engine
        self._transactions = transactions
        self._delivery = delivery
        self._supervisor = supervisor
        self._away = False

    async def read(self) -> Readiness:
        """Ask each part now."""
        away = self._supervisor.away()
        parts = {
            "database": await self.storage_works(),
            "delivery": self._delivery.ready,
            "loops": not away,
        }
        return Readiness(parts, away, state=self._life.state)

    async def storage_works(self) -> bool:
        """Tell whether the database is ready. Whatever is wrong, the log tells why, once an outage."""
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
