"""The caller's page before the tap is light: everything over the wire counted by the browser itself."""

from __future__ import annotations

import pytest

from tests.bench.figures.caller_page import MOST_BYTES, READY, a_link, loaded
from tests.bench.house import house
from tests.lab.browsers.browser import browser

pytestmark = pytest.mark.e2e

MOST_REQUESTS = 30


async def test_the_page_before_the_tap_is_light() -> None:
    """At most 60 kB with heads and all modules, few requests, nothing from elsewhere, and something painted."""
    async with house() as home, browser() as chromium:
        link = await a_link(home, chromium)
        async with loaded(chromium, link, ready=READY, slow=False) as load:
            assert load.weight <= MOST_BYTES, (load.weight, load.largest())
            assert load.requests <= MOST_REQUESTS, sorted(load.begun.values())
            assert not load.failed
            assert all(url.startswith(home.url) for url in load.begun.values())
            assert load.painted > 0
        chromium.assert_clean(home.url)
