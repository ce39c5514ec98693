"""Back-off for sign-in, per account and per address: the same reads and writes whether the try was right or wrong."""

from datetime import datetime

from server.core.db.unit_of_work import UnitOfWork
from server.core.limits.throttle import blocked, fail, forgiven
from server.core.limits.throttle_store import ThrottleStore
from server.core.net.addresses import source_of
from server.core.seal import Seal
from server.identity.domain.login import ACCOUNT_FAILURES, ADDRESS_FAILURES, CODES_SENT
from server.identity.errors import LoginThrottled


class LoginLimits:
    """Counts tries under keyed hashes; an unknown account is counted like a known one."""

    def __init__(self, seal: Seal) -> None:
        """Take the seal, whose keyed hash names accounts and addresses."""
        self._seal = seal

    def account(self, identifier: str) -> str:
        """Return the key of an identifier, known or not."""
        return self._seal.lookup("account", identifier)

    def of_account(self, identifier: str) -> tuple[str, str]:
        """Return every key that can block this identifier wherever it is typed."""
        account = self.account(identifier)
        return account, self._codes(account)

    def _address(self, address: str | None) -> str:
        return self._seal.lookup("address", source_of(address))

    def _codes(self, account: str) -> str:
        return self._seal.lookup("codes", account)

    async def check(
        self, uow: UnitOfWork, account: str, address: str | None, now: datetime
    ) -> None:
        """Raise LoginThrottled while the account or the address is blocked."""
        keys = (account, self._address(address), self._codes(account))
        throttles = [await ThrottleStore(uow).get(key) for key in keys]
        if any(blocked(throttle, now) for throttle in throttles):
            raise LoginThrottled

    async def count(
        self,
        uow: UnitOfWork,
        account: str,
        address: str | None,
        now: datetime,
        *,
        wrong: bool,
        codes: bool = False,
    ) -> None:
        """Count a wrong try against account and address, and (`codes`) a code asked for against the account."""
        counted = (
            (account, ACCOUNT_FAILURES, wrong),
            (self._address(address), ADDRESS_FAILURES, wrong),
            (self._codes(account), CODES_SENT, codes),
        )
        for key, free, counts in counted:
            before = await ThrottleStore(uow).get(key)
            after = fail(before, key, now, free) if counts else forgiven(before, key, now)
            await ThrottleStore(uow).save(after)
