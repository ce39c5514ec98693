"""The pages in WebKit, as far as Debian's makes them: sign-in, page B, the caller's page and its camera.

This WebKit makes no peer connections: the camera works, its picture cannot leave the phone, and both ends say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house, until_text
from tests.lab.browser import moving_picture
from tests.lab.webkitgtk import webkitgtk

if TYPE_CHECKING:
    from tests.lab.webkitgtk import WebKitTab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

BUTTONS = """() => [...document.querySelectorAll('button')]
  .filter((button) => button.getClientRects().length).map((button) => button.id)"""

KEEP_ERRORS = """() => {
  window.__errors = [];
  addEventListener('error', (event) => window.__errors.push(event.message));
  addEventListener('unhandledrejection', (event) => window.__errors.push(String(event.reason)));
}"""

# The product's own camera, in a page that carries the product's policies.
OPEN_CAMERA = """async () => {
  const {Camera} = await import('/static/js/camera.js');
  const video = document.body.appendChild(document.createElement('video'));
  video.id = 'tried';
  video.muted = video.playsInline = true;
  window.__tracks = [];
  window.__camera = new Camera({
    onTrack: (track) => {
      window.__tracks.push(track);
      video.srcObject = window.__camera.stream;
      video.play();
    },
    onMute: () => undefined,
    onLost: () => undefined,
  });
  await window.__camera.start();
}"""
SIDE = "() => window.__camera.track.getSettings().facingMode"
KINDS = "() => window.__tracks.map((track) => `${track.kind} ${track.readyState}`)"


async def test_the_pages_and_the_camera() -> None:
    async with house() as home:
        async with webkitgtk() as desk:
            await home.open_desk(desk)
            assert await desk.evaluate("() => typeof RTCPeerConnection") == "undefined"
            await until_text(desk, "#notice", "Ce navigateur ne peut pas montrer la vidéo")
        desk = await home.desk()
        link = await home.invite(desk)
        async with webkitgtk() as phone:
            await phone.goto(link)
            await phone.wait_for_selector("body[data-ready=true]")
            await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
            await phone.evaluate(KEEP_ERRORS)
            # Known without a touch: the link is bound to nobody, another browser may take it.
            await phone.wait_for_selector("body[data-phase=trouble]")
            await until_text(phone, "#trouble-title", "This browser cannot send the video")
            assert await phone.evaluate(BUTTONS) == ["retry", "copy"]
            await until_text(desk, "#say-cause", "Ce navigateur ne sait pas envoyer de vidéo")
            await the_camera_works(phone)
            assert await phone.evaluate("() => window.__errors") == []
        home.browser.assert_clean(home.url)


async def the_camera_works(page: WebKitTab) -> None:
    """The product's camera, asked for in this engine: the back one, the front one, and let go."""
    await page.evaluate(OPEN_CAMERA)
    await moving_picture(page, "#tried")
    assert await page.evaluate(SIDE) == "environment"
    assert await page.evaluate("() => window.__camera.turn()") == "user"
    await moving_picture(page, "#tried")
    assert await page.evaluate(SIDE) == "user"
    assert await page.evaluate(KINDS) == ["video ended", "video live"]
    await page.evaluate("() => window.__camera.stop()")
    assert await page.evaluate(KINDS) == ["video ended", "video ended"]
