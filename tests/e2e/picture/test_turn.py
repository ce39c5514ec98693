"""The picture through the hospital's relay alone, as behind a firewall that lets nothing else pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import house
from tests.lab.browsers.browser import candidate_types, moving_picture, no_audio
from tests.lab.coturn import coturn

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

TTL = 90
_NOTE = """(() => {
  window.__given = [];
  const Real = window.RTCPeerConnection;
  // One without any finds out whether this browser makes connections at all, and makes none.
  const copy = (value) => JSON.parse(JSON.stringify(value));
  const note = (configuration) => { if (configuration) window.__given.push(copy(configuration)); };
  window.RTCPeerConnection = class extends Real {
    constructor(configuration) { note(configuration); super(configuration); }
    setConfiguration(configuration) { note(configuration); super.setConfiguration(configuration); }
  };
})()"""


async def given(page: Page) -> list[dict[str, Any]]:
    """Every configuration the page gave to a connection."""
    found: list[dict[str, Any]] = await page.evaluate("() => window.__given")
    return found


async def test_the_picture_passes_through_the_relay_alone() -> None:
    """Relayed on both sides, by UDP; the credentials live minutes and are not the secret."""
    async with coturn() as relay:
        ice = {
            "turn": list(relay.urls),
            "turn_secret": relay.secret,
            "relay_only": True,
            "ttl": TTL,
        }
        async with house(extra={"ice": ice}) as home:
            client = await home.browser.desk()
            await client.context.add_init_script(_NOTE)
            desk = await client.context.new_page()
            await home.open_desk(desk)
            caller = await home.browser.caller()
            await caller.context.add_init_script(_NOTE)
            phone = await caller.open(await home.invite(desk))
            await phone.wait_for_selector("body[data-ready=true]")
            await phone.tap("#tap")
            await moving_picture(desk, "#patient")
            assert await candidate_types(desk) == {"relay"}
            assert await candidate_types(phone) == {"relay"}
            assert relay.allocations() >= 2
            await no_audio(desk, peers=1)
            for page in (desk, phone):
                configurations = await given(page)
                # What only finds out which ways are open is told of one way each.
                assert any(
                    one["iceServers"][0]["urls"] == list(relay.urls) for one in configurations
                )
                for one in configurations:
                    assert one["iceTransportPolicy"] == "relay"
                    (server,) = one["iceServers"]
                    expiry = int(server["username"].partition(":")[0])
                    assert time.time() < expiry <= time.time() + TTL
                    assert set(server["urls"]) <= set(relay.urls)
                    assert relay.secret not in str(one)
            assert relay.secret not in home.server.logs()
            home.browser.assert_clean(home.url)
