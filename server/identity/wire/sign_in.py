"""Builds how people sign in, and how long they stay so."""

from collections.abc import Callable
from dataclasses import dataclass

from server.identity.service.login import Login
from server.identity.service.sign_ins import ReadRunning, SignIns
from server.identity.settings import SignInSettings
from server.identity.wire.accounts import AccountParts
from server.storage.wire import Foundation
from server.web.pages import Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInParts:
    """What others may use of sign-ins."""

    login: Login
    sign_ins: SignIns


def wire_sign_in(
    base: Foundation,
    accounts: AccountParts,
    settings: SignInSettings,
    *,
    pages: Pages,
    running: ReadRunning,
    wake: Callable[[], None],
) -> SignInParts:
    """Build it; `wake` starts the delivery of codes."""
    lives = settings.by_role()
    return SignInParts(
        login=Login(
            transactions=base.transactions,
            clock=base.clock,
            ids=base.ids,
            seal=base.seal,
            passwords=accounts.passwords,
            limits=accounts.limits,
            pages=pages,
            lives=lives,
            wake=wake,
        ),
        sign_ins=SignIns(
            transactions=base.transactions,
            clock=base.clock,
            lives=lives,
            running=running,
            failed=base.failed,
        ),
    )
