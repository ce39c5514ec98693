"""The picture on bad networks: no UDP, lost packets, long ways, little room, another address, none at all.

One video goes through all of them: each time the picture moves, and comes back by itself.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import House, house, trusting
from tests.e2e.seen import mark, more_frames, not_reloaded
from tests.lab.browsers.browser import PIXEL, Client, candidate_types, moving_picture, no_audio
from tests.lab.coturn import coturn
from tests.lab.network import HERE, PhoneNetwork, phone_network
from tests.lab.process import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page, WebSocket

pytestmark = pytest.mark.e2e

FLOWING = "#stage[data-picture=flowing]"
SEEN = "#message[data-state=seen]"
#: What a browser complains of when its network goes: no fault of the pages.
CUT = "WebSocket|ERR_(CONNECTION|INTERNET|NETWORK|ADDRESS|TIMED)|Failed to (load|fetch)"
_PROTOCOLS = """async () => {
  const found = [];
  for (const peer of window.__visio15.peers) {
    const stats = await peer.getStats();
    for (const [, row] of stats)
      if (row.type === 'transport' && row.selectedCandidatePairId)
        found.push(stats.get(stats.get(row.selectedCandidatePairId).localCandidateId).relayProtocol ?? '');
  }
  return found;
}"""
_WIDTH = """async () => {
  let width = 0;
  for (const peer of window.__visio15.peers)
    for (const [, row] of await peer.getStats())
      if (row.type === 'outbound-rtp') width = Math.max(width, row.frameWidth ?? 0, row.frameHeight ?? 0);
  return width;
}"""


@dataclass
class Scene:
    """A regulator's desk here, a phone in its own network."""

    home: House
    network: PhoneNetwork
    desk: Page
    caller: Client
    views: list[dict[str, Any]] = field(default_factory=list)

    async def opened(self) -> Page:
        """Invite; open the link on the phone."""
        phone = await self.caller.open(await self.home.invite(self.desk))
        await phone.wait_for_selector("body[data-ready=true]")
        return phone

    def seen(self, socket: WebSocket) -> None:
        """Keep the views the desk is sent."""

        def frame(payload: str | bytes) -> None:
            if isinstance(payload, bytes):
                return  # a still: the phone sends them while its network is poor
            message = json.loads(payload)
            if message["type"] == "view":
                self.views.append(message)

        socket.on("framereceived", frame)

    async def told(self, what: str, wanted: Any) -> None:
        """Wait until the desk knows this of the caller's network."""

        def known() -> Any:
            session = next(iter(self.views[-1]["sessions"] if self.views else []), None)
            return ((session or {"caller": {}})["caller"].get("network") or {}).get(what)

        await until(
            lambda: known() == wanted,
            f"network.{what} is {wanted!r}",
            explain=lambda: repr(known()),
        )


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Everything, with a relay by UDP, TCP and TLS."""
    async with coturn(tls=True) as relay, phone_network() as network:
        ice = {"turn": list(relay.urls), "turn_secret": relay.secret}
        async with house(
            host=HERE, extra={"ice": ice}, flags=("--ignore-certificate-errors",)
        ) as home:
            flags = (*trusting(home.url), "--ignore-certificate-errors")
            async with network.browser(*flags) as chromium:
                caller = await chromium.caller(PIXEL)
                caller.allow(CUT)
                client = await home.browser.desk()
                desk = await client.context.new_page()
                it = Scene(home, network, desk, caller)
                desk.on("websocket", it.seen)
                await home.open_desk(desk)
                try:
                    yield it
                except BaseException:
                    print(caller.problems)  # noqa: T201
                    raise
                home.browser.assert_clean(home.url)
                caller.assert_clean(home.url)


async def moves(desk: Page, frames: int = 12) -> None:
    """The picture moves, now."""
    await desk.wait_for_selector(FLOWING)
    await more_frames(desk, frames)
    await moving_picture(desk, "#patient")


async def test_one_video_through_every_network() -> None:
    """Begun where UDP is shut; then lossy, far, narrow, on another address, on none; and good again."""
    async with scene() as it:
        network, desk = it.network, it.desk
        async with network.path(udp=False):
            phone = await it.opened()
            await mark(phone)
            await phone.tap("#tap")
            await moves(desk)
            assert await candidate_types(phone) == {"relay"}
            assert set(await phone.evaluate(_PROTOCOLS)) <= {"tcp", "tls"}
            await it.told("way", "tls")
            await no_audio(phone, peers=1)
        # The phone goes out of the house: another address, and UDP passes there.
        await network.move(network.mobile)
        await until(lambda: _direct(phone), "the picture takes the direct way")
        await moves(desk)
        await phone.wait_for_selector(SEEN)
        async with network.path(loss=0.02):
            await moves(desk, 40)
        async with network.path(loss=0.1):
            await moves(desk, 40)
        async with network.path(delay=0.3):
            await moves(desk, 40)
        async with network.path(rate=150_000):
            await until(lambda: _small(phone), "size and rate follow the network")
            await moves(desk, 40)
        # Into the cellar, and back home.
        network.leave()
        await phone.wait_for_selector("#message:is([data-state=cut], [data-state=offline])")
        await desk.wait_for_selector("#stage[data-picture=lost]")
        await network.move(network.wifi)
        await moves(desk)
        await phone.wait_for_selector(SEEN)
        await not_reloaded(phone)
        await no_audio(phone, peers=1)
        await desk.click("#end")
        await phone.wait_for_selector("body[data-phase=ended]")


async def _direct(phone: Page) -> bool:
    return "relay" not in await candidate_types(phone)


async def _small(phone: Page) -> bool:
    return bool(0 < await phone.evaluate(_WIDTH) <= 480)
