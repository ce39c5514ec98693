"""How often strangers may say what is written down: a phone or observer that repeats itself fills no audit."""

from datetime import datetime
from itertools import islice
from typing import Final

from server.core.limits.token_bucket import Bucket, filled, take
from server.web.errors import MessageFlood

MOST_KNOWN: Final = 10_000
AT_ONCE: Final = 2  # forgotten for each that speaks: more than are added


class RateLimiter:
    """One bucket a name, which outlives a connection: coming again refills nothing."""

    def __init__(self, detail: str, *, a_second: float, burst: int) -> None:
        """Start with every bucket full."""
        self._detail = detail
        self._a_second = a_second
        self._burst = burst
        self._buckets: dict[str, Bucket] = {}

    def check(self, name: str, now: datetime) -> None:
        """Raise MessageFlood when this one says too much."""
        before = self._buckets.pop(name, None)
        left = take(before, now, a_second=self._a_second, burst=self._burst)
        # The last that spoke stands last: who is forgotten has been silent longest.
        self._buckets[name] = left or before or Bucket(0, now)
        self._forget(now)
        if left is None:
            raise MessageFlood(self._detail)

    def _forget(self, now: datetime) -> None:
        """Drop the oldest while they are full again: a caller who has gone leaves nothing behind."""
        for name in tuple(islice(self._buckets, AT_ONCE)):
            full = filled(self._buckets[name], now, a_second=self._a_second, burst=self._burst)
            if full < self._burst and len(self._buckets) <= MOST_KNOWN:
                return
            del self._buckets[name]
