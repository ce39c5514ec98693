"""Builds what the administrator changes from the command line."""

from dataclasses import dataclass

from server.administration.service.admin import Admin
from server.administration.service.site_secrets import SiteSecrets
from server.identity.passwords import Passwords
from server.storage.wire import Foundation


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrationParts:
    """What others may use of the administration."""

    admin: Admin
    secrets: SiteSecrets


def wire_administration(base: Foundation, passwords: Passwords) -> AdministrationParts:
    """Build it."""
    return AdministrationParts(
        admin=Admin(base.transactions, base.clock, base.ids, passwords),
        secrets=SiteSecrets(base.transactions, base.clock, base.ids),
    )
