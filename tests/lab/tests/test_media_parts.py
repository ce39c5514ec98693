"""The relay and the browsers: an allocation, a moving picture between two peers, and the proofs fail when they must."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aioice.stun
import aioice.turn
import pytest
import tornado.httpserver
import tornado.web

from tests.lab.browsers.browser import (
    IPAD,
    PIXEL,
    axe,
    browser,
    candidate_types,
    moving_picture,
    no_audio,
    open_cameras,
    still_or_gone,
)
from tests.lab.coturn import coturn
from tests.lab.ports import free_port
from tests.lab.process import PartFailedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.lab

HERE = "10.99.0.1"

PAGE = """<!doctype html><html lang="fr"><head><title>labo</title><link rel="icon" href="data:,">
<script type="module" src="/page.js"></script></head>
<body><main><h1>Labo</h1><video id="far" autoplay muted playsinline></video></main></body></html>"""

BLANK = PAGE.replace('<script type="module" src="/page.js"></script>', "")

SCRIPT = """
const query = new URLSearchParams(location.search);
const ice = JSON.parse(query.get('ice') || '{}');
const a = new RTCPeerConnection(ice), b = new RTCPeerConnection(ice);
window.__visio15 = {peers: new Set([a, b])};
a.onicecandidate = (e) => e.candidate && b.addIceCandidate(e.candidate);
b.onicecandidate = (e) => e.candidate && a.addIceCandidate(e.candidate);
b.ontrack = (e) => { if (e.track.kind === 'video') document.querySelector('#far').srcObject = e.streams[0]; };
const audio = query.has('audio');
try {
  const media = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}, audio: false});
  a.addTransceiver(media.getVideoTracks()[0], {direction: 'sendrecv', streams: [media]});
  if (audio) a.addTransceiver('audio');
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
} catch (error) { document.title = error.name; }
window.stop = () => { for (const s of a.getSenders()) s.track && s.track.stop(); };
"""


class Text(tornado.web.RequestHandler):
    def initialize(self, body: str, kind: str) -> None:
        self.body, self.kind = body, kind

    def get(self) -> None:
        self.set_header("Content-Type", self.kind)
        self.set_header("Content-Security-Policy", "default-src 'self'; img-src 'self' data:")
        self.write(self.body)


@asynccontextmanager
async def pages() -> AsyncIterator[str]:
    port = free_port()
    site = tornado.httpserver.HTTPServer(
        tornado.web.Application(
            [
                ("/", Text, {"body": PAGE, "kind": "text/html"}),
                ("/page.js", Text, {"body": SCRIPT, "kind": "text/javascript"}),
                ("/blank", Text, {"body": BLANK, "kind": "text/html"}),
                ("/bad", Text, {"body": "<html><img src='data:,'></html>", "kind": "text/html"}),
                (
                    "/out",
                    Text,
                    {"body": "<script src='//other.example/x.js'></script>", "kind": "text/html"},
                ),
            ]
        )
    )
    site.listen(port, "127.0.0.1")
    try:
        yield f"http://localhost:{port}"
    finally:
        site.stop()
        await site.close_all_connections()


def test_runs_in_the_isolated_network() -> None:
    assert os.environ.get("LAB_NETNS") == HERE, (
        "start these tests by scripts/netns (or scripts/test lab)"
    )


async def test_a_moving_silent_picture_between_two_peers() -> None:
    async with pages() as origin, browser() as chromium:
        phone = await chromium.caller()
        page = await phone.open(origin)
        assert await moving_picture(page, "#far") > (100, 100)
        await no_audio(page, peers=2)
        assert await candidate_types(page) == {"host"}
        assert await open_cameras(page) == 1
        await page.evaluate("stop()")
        assert await open_cameras(page) == 0
        await still_or_gone(page, "#far")
        assert await axe(page) == []
        chromium.assert_clean(origin)


GATHERED = """await new Promise((go) => {
  const done = () => pc.iceGatheringState === 'complete' && go();
  pc.onicegatheringstatechange = done; done();
});"""

OFFER = f"""async () => {{
  const pc = window.pc = new RTCPeerConnection();
  window.__visio15 = {{peers: [pc]}};
  const media = await navigator.mediaDevices.getUserMedia({{video: true, audio: false}});
  pc.addTransceiver(media.getVideoTracks()[0], {{direction: 'sendrecv', streams: [media]}});
  await pc.setLocalDescription(); {GATHERED}
  return pc.localDescription.sdp;
}}"""

ANSWER = f"""async (sdp) => {{
  const pc = window.pc = new RTCPeerConnection();
  window.__visio15 = {{peers: [pc]}};
  pc.ontrack = (e) => {{ document.querySelector('#far').srcObject = e.streams[0]; }};
  await pc.setRemoteDescription({{type: 'offer', sdp}});
  await pc.setLocalDescription(); {GATHERED}
  return pc.localDescription.sdp;
}}"""


@pytest.mark.parametrize("device", [PIXEL, IPAD])
async def test_a_desk_without_webcam_sees_a_caller_in_another_context(device: str) -> None:
    async with pages() as origin, browser() as chromium:
        phone = await chromium.caller(device)
        desk = await chromium.desk(camera=False)
        there, here = await phone.open(f"{origin}/blank"), await desk.open(f"{origin}/blank")
        answer = await here.evaluate(ANSWER, await there.evaluate(OFFER))
        await there.evaluate("(sdp) => pc.setRemoteDescription({type: 'answer', sdp})", answer)
        await moving_picture(here, "#far")
        for page in (there, here):
            await no_audio(page, peers=1)
        chromium.assert_clean(origin)


async def test_the_proofs_fail_when_they_must() -> None:
    async with pages() as origin, browser() as chromium:
        desk = await chromium.desk()
        page = await desk.open(f"{origin}/?audio=1")
        await moving_picture(page, "#far")
        with pytest.raises(AssertionError, match="m=audio"):
            await no_audio(page)
        tablet = await chromium.caller(IPAD, camera=False)
        page = await tablet.open(origin)
        await page.wait_for_function("document.title === 'NotAllowedError'")
        with pytest.raises(PartFailedError, match="no decoded frame"):
            await moving_picture(page, "#far", timeout=0.5)
        other = await chromium.desk("other")
        page = await other.open(f"{origin}/bad")
        assert any("image-alt" in line for line in await axe(page))
        await page.goto(f"{origin}/out")
        with pytest.raises(AssertionError, match="complained"):
            other.assert_clean()
        other.allow("Content Security Policy|ERR_")
        other.problems.clear()


async def _allocate(
    host: str, port: int, credentials: tuple[str, str], transport: str
) -> tuple[str, int]:
    class Nothing(asyncio.DatagramProtocol):
        pass

    username, password = credentials
    relay, _ = await aioice.turn.create_turn_endpoint(
        Nothing, server_addr=(host, port), username=username, password=password, transport=transport
    )
    address: tuple[str, int] = relay.get_extra_info("sockname")
    await relay._TurnTransport__inner_protocol.delete()  # type: ignore[attr-defined]
    return address


@pytest.mark.parametrize("host", ["127.0.0.1", HERE])
async def test_the_relay_allocates_for_its_own_credentials_only(host: str) -> None:
    async with coturn(host) as relay:
        for transport in ("udp", "tcp"):
            assert (await _allocate(host, relay.port, relay.credentials(), transport))[0] == host
        assert relay.allocations() == 2
        username, _ = relay.credentials()
        with pytest.raises(aioice.stun.TransactionFailed, match="401"):
            await _allocate(host, relay.port, (username, "wrong"), "udp")
        with pytest.raises(aioice.stun.TransactionFailed, match="401"):
            await _allocate(host, relay.port, relay.credentials(seconds=-60), "udp")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_picture_through_the_relay_alone(transport: str) -> None:
    async with (
        coturn(tls=True) as relay,
        pages() as origin,
        browser("--ignore-certificate-errors") as chromium,
    ):
        urls = dict(zip(("udp", "tcp", "tls"), relay.urls, strict=True))
        username, credential = relay.credentials()
        phone = await chromium.caller()
        page = await phone.context.new_page()
        await page.goto(f"{origin}/page.js")
        link = await page.evaluate(
            "([origin, url, username, credential]) => origin + '/?ice=' + encodeURIComponent(JSON.stringify("
            "{iceTransportPolicy: 'relay', iceServers: [{urls: url, username, credential}]}))",
            [origin, urls[transport], username, credential],
        )
        await page.goto(link)
        await moving_picture(page, "#far")
        assert await candidate_types(page) == {"relay"}
        assert relay.allocations() >= 2
