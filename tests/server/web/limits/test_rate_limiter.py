"""Who repeats himself is refused, and who has gone is forgotten: nothing stays of a caller."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.web.errors import MessageFlood
from server.web.sockets import rate_limiter as paces
from server.web.sockets.rate_limiter import RateLimiter

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def made() -> RateLimiter:
    return RateLimiter("words", a_second=1.0, burst=3)


def test_who_repeats_himself_is_refused_until_the_bucket_fills() -> None:
    found = made()
    for _ in range(3):
        found.check("a", NOW)
    with pytest.raises(MessageFlood):
        found.check("a", NOW)
    found.check("a", NOW + timedelta(seconds=1))


def test_who_has_gone_is_forgotten_and_was_owed_nothing() -> None:
    found = made()
    for number in range(2_000):
        found.check(f"caller-{number}", NOW + number * timedelta(seconds=1))
    assert len(found._buckets) <= 3
    for _ in range(2):
        found.check("caller-1999", NOW + timedelta(seconds=1_999))
    with pytest.raises(MessageFlood):
        found.check("caller-1999", NOW + timedelta(seconds=1_999))


def test_in_a_rush_no_more_are_known_than_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "MOST_KNOWN", 50)
    found = made()
    for number in range(200):
        found.check(f"caller-{number}", NOW)
    assert len(found._buckets) == 50
