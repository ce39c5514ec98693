"""How many SMS may be sent in an hour."""

from datetime import datetime

from server.core.db.unit_of_work import UnitOfWork
from server.core.limits.throttle import hourly
from server.core.limits.throttle_store import ThrottleStore
from server.core.seal import Seal
from server.delivery.errors import TooManyMessages


class SmsCounts:
    """Invitations by SMS of one hour, per site and per number: against a runaway bill and against harassment.

    An hour begins with its first SMS; sign-in codes have limits of their own (identity) and do not count.
    """

    def __init__(self, seal: Seal, site_hour: int, number_hour: int) -> None:
        """Take the limits; 0 means none."""
        self._seal = seal
        self._site_hour = site_hour
        self._number_hour = number_hour

    async def count(self, uow: UnitOfWork, site: str, number: str | None, now: datetime) -> None:
        """Count one SMS, or raise TooManyMessages before it is written anywhere; no number: nothing to count."""
        if number is None:
            return
        keys = (
            (self._seal.lookup("sms-site", site), self._site_hour, "site"),
            (self._seal.lookup("sms-number", f"{site}:{number}"), self._number_hour, "number"),
        )
        for key, most, which in keys:
            if not most:
                continue
            before = await ThrottleStore(uow).get(key)
            after = hourly(before, key, now)
            if after.count > most:
                raise TooManyMessages(which)
            await ThrottleStore(uow).save(after)
