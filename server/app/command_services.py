"""What a command of the administrator works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from server.administration.service.admin import Admin
from server.administration.service.site_secrets import SiteSecrets
from server.app.settings.settings import Settings
from server.audit.service.chain import ChainVerification
from server.audit.service.erasure import Erasure
from server.core.clock import Ids, SystemClock
from server.core.seal import Seal
from server.identity.passwords import Passwords
from server.identity.service.login_limits import LoginLimits
from server.identity.service.unlock import Unlock
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions


@dataclass(frozen=True, slots=True)
class CommandServices:
    """What a command works with."""

    admin: Admin
    chain: ChainVerification
    erasure: Erasure
    secrets: SiteSecrets
    unlock: Unlock


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[CommandServices]:
    """Open the database of these settings; refuses one of another release."""
    engine = make_engine(settings.database_url)
    try:
        await schema.check(engine)
        seal = Seal(settings.secret_key.get_secret_value())
        transactions = Transactions(engine, seal)
        clock, ids = SystemClock(), Ids()
        admin = Admin(transactions, clock, ids, Passwords())
        secrets = SiteSecrets(transactions, clock, ids)
        unlock = Unlock(transactions, clock, LoginLimits(seal))
        yield CommandServices(
            admin, ChainVerification(transactions), Erasure(transactions, clock), secrets, unlock
        )
    finally:
        await engine.dispose()
