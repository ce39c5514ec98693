"""What a command of the administrator works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from server.administration.service.admin import Admin
from server.administration.service.site_secrets import SiteSecrets
from server.administration.wire import wire_administration
from server.app.foundation import opened_foundation
from server.app.settings.settings import Settings
from server.identity.service.unlock import Unlock
from server.identity.wire.accounts import AccountParts, wire_accounts
from server.storage.wire import Foundation


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandServices:
    """What a command works with."""

    admin: Admin
    secrets: SiteSecrets
    unlock: Unlock


def command_services(base: Foundation, accounts: AccountParts) -> CommandServices:
    """Build the services on this foundation."""
    administration = wire_administration(base, accounts.passwords)
    return CommandServices(
        admin=administration.admin,
        secrets=administration.secrets,
        unlock=accounts.unlock,
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[CommandServices]:
    """Open the database of these settings; refuses one of another release."""
    async with opened_foundation(settings) as base:
        yield command_services(base, wire_accounts(base))
