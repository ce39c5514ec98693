"""Builds what the server and the administrator's commands ask of accounts."""

from dataclasses import dataclass

from server.identity.passwords import Passwords
from server.identity.service.login_limits import LoginLimits
from server.identity.service.unlock import Unlock
from server.storage.wire import Foundation


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountParts:
    """What others may use of accounts."""

    passwords: Passwords
    limits: LoginLimits
    unlock: Unlock


def wire_accounts(base: Foundation) -> AccountParts:
    """Build it."""
    limits = LoginLimits(base.seal)
    return AccountParts(
        passwords=Passwords(),
        limits=limits,
        unlock=Unlock(base.transactions, base.clock, limits),
    )
