"""Builds the foundation from the settings: for a server, or for a command, which needs little else."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from server.app.settings.settings import Settings
from server.core.clock import Clock
from server.core.housekeeping import Failed
from server.storage import schema
from server.storage.wire import Foundation, lay_foundation


def foundation(
    settings: Settings, *, clock: Clock | None = None, failed: Failed = lambda _job: None
) -> Foundation:
    """Build the foundation; nothing is connected yet."""
    secret = settings.secret_key.get_secret_value()
    return lay_foundation(settings.database_url, secret, clock=clock, failed=failed)


@asynccontextmanager
async def opened_foundation(settings: Settings) -> AsyncIterator[Foundation]:
    """Build it and close it again; refuses a database of another release."""
    async with aclosing(foundation(settings)) as base:
        await schema.check(base.engine)
        yield base
