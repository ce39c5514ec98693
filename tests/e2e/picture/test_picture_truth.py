"""I6: a still is never taken for live. What stops the picture is shown within a second, what does not is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house, until_text
from tests.e2e.seen import (
    cut,
    diary,
    hide,
    keep_diary,
    mark,
    mend,
    more_frames,
    shown_within_a_second,
    unchanged,
)
from tests.lab.browsers.browser import moving_picture
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

CUT = "WebSocket|ERR_(CONNECTION|INTERNET|NETWORK)|Failed to (load|fetch)"
FLOWING = "#stage[data-picture=flowing]"
CLEAR = "#overlay[data-shown='']"

_TRACK = "document.querySelector('#self').srcObject.getVideoTracks()[0]"
_STOP = f"() => {_TRACK}.stop()"
_TAKEN = (
    f"() => {{ const track = {_TRACK}; track.stop(); track.dispatchEvent(new Event('ended')); }}"
)
_COVERED, _BARE = (f"() => {{ {_TRACK}.enabled = {on}; }}" for on in ("false", "true"))
_BLACK = """() => {
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d');
  const video = document.querySelector('#patient');
  const frame = () => { window.__black += 1; video.requestVideoFrameCallback(frame); };
  window.__black = 0;
  setInterval(() => pen.fillRect(0, 0, 2, 2), 30);
  video.srcObject = canvas.captureStream();
  video.requestVideoFrameCallback(frame);
  return video.play();
}"""
_MUTED, _UNMUTED = (
    f"""() => {{
      const track = {_TRACK};
      Object.defineProperty(track, 'muted', {{value: {muted}, configurable: true}});
      track.dispatchEvent(new Event('{word}'));
    }}"""
    for muted, word in (("true", "mute"), ("false", "unmute"))
)


async def flowing(desk: Page) -> None:
    """The picture moves and nothing lies over it."""
    await desk.wait_for_selector(FLOWING)
    await desk.wait_for_selector(CLEAR, state="attached")
    await moving_picture(desk, "#patient")


async def over(desk: Page, *states: str, text: str) -> None:
    """One of these states is shown, with words over the picture."""
    wanted = ", ".join(f"#stage[data-picture={state}]" for state in states)
    await desk.wait_for_selector(wanted)
    await until_text(desk, "#overlay-text", text)
    await desk.wait_for_selector("#overlay[data-shown]:not([data-shown=''])")


async def test_what_stops_the_picture_is_shown_within_a_second() -> None:
    """The page hidden, the camera taken, cut, or covered; and each time the way back."""
    async with house() as home:
        desk = await home.desk()
        phone = await home.film(desk)
        await flowing(desk)
        await until_text(desk, "#age-value", "0,")
        # The caller looks at another app: the page is hidden, the system stops its camera.
        await keep_diary(desk)
        await hide(phone)
        await phone.evaluate(_STOP)
        await over(desk, "hidden", "lost", text="Page masquée")
        await shown_within_a_second(desk)
        await hide(phone, hidden=False)
        await flowing(desk)
        # The camera gives nothing more, and nobody says so: the page finds out, and takes it back.
        await keep_diary(desk)
        await phone.evaluate(_STOP)
        await until(lambda: _interrupted(desk), "the desk no longer calls it live")
        await shown_within_a_second(desk)
        await flowing(desk)
        # The system says that it took the camera: the page takes it back by itself.
        await phone.evaluate(_TAKEN)
        await flowing(desk)
        # The telephone mutes it: the last frames may still be fresh, the word of the phone counts.
        await phone.evaluate(_MUTED)
        await over(desk, "frozen", text="Caméra coupée")
        await phone.wait_for_selector("#message[data-state=muted]")
        await phone.evaluate(_UNMUTED)
        await phone.wait_for_selector("#message[data-state=seen]")
        await flowing(desk)
        # A thumb on the lens: frames come, and all are black.
        await phone.evaluate(_COVERED)
        await until_text(desk, "#overlay-text", "Image noire")
        await until_text(desk, "#say", "L’image reçue est noire")
        await phone.evaluate(_BARE)
        await flowing(desk)
        await until_text(desk, "#say", "Je vous vois")
        # The phone dies without a word.
        await keep_diary(desk)
        home.browser.clients[-1].allow("crashed")
        await crash(phone)
        await over(desk, "lost", text="Image interrompue")
        await shown_within_a_second(desk)
        await until_text(desk, "#overlay-more", "Dernière image il y a")
        home.browser.assert_clean(home.url)


async def _interrupted(desk: Page) -> bool:
    return any(each["state"] != "flowing" for each in (await diary(desk))["states"])


async def crash(page: Page) -> None:
    """End the page as a battery does."""
    gone = asyncio.Event()
    page.on("crash", lambda _page: gone.set())
    session = await page.context.new_cdp_session(page)
    order = asyncio.get_running_loop().create_task(session.send("Page.crash"))
    await gone.wait()
    order.cancel()


async def test_what_does_not_touch_the_picture_leaves_it_alone() -> None:
    """The sockets are cut on either side, or the server is gone: the picture goes on, the desk says what is missing."""
    async with house() as home:
        desk = await home.desk()
        phone = await home.film(desk)
        for client in home.browser.clients:
            client.allow(CUT)
        await flowing(desk)
        await mark(desk)
        await mark(phone)
        # The phone's socket: what the desk says meanwhile is said again when it is back.
        await cut(phone)
        await desk.click("#webcam")
        await more_frames(desk, 15)
        assert await phone.locator("#doctor").is_hidden()
        await mend(phone)
        await moving_picture(phone, "#doctor")
        # The desk's socket.
        await cut(desk)
        await desk.wait_for_selector("#server-state:not([data-state=open])")
        await more_frames(desk, 15)
        await mend(desk)
        await desk.wait_for_selector("#server-state[data-state=open]")
        # The server.
        home.server.kill()
        await desk.wait_for_selector("#server-state[data-state=waiting]")
        await until_text(desk, "#server-text", "injoignable")
        await more_frames(desk, 15)
        await home.server.start()
        await desk.wait_for_selector("#server-state[data-state=open]")
        await unchanged(desk, peers=1)
        await unchanged(phone, peers=1)
        # Both ends are heard again.
        await phone.evaluate(_MUTED)
        await over(desk, "frozen", text="Caméra coupée")
        await phone.evaluate(_UNMUTED)
        await flowing(desk)
        await desk.click("#end")
        await phone.wait_for_selector("body[data-phase=ended]")
        home.browser.assert_clean(home.url)


async def black_frames(desk: Page) -> None:
    """What the browser presents by itself, as Chromium does in the place of a track that ended, is no picture."""
    await desk.evaluate(_BLACK)

    async def presented() -> bool:
        return int(await desk.evaluate("() => window.__black")) > 20

    await until(presented, "twenty frames of the browser's own")
    assert await desk.get_attribute("#stage", "data-picture") == "none"
    await desk.evaluate("() => { document.querySelector('#patient').srcObject = null; }")
    await until_text(desk, "#say-cause", "a refusé la caméra")


async def test_a_refused_camera_is_told_and_granted_later() -> None:
    """Denied, busy, missing: each has its sentence on both sides; then the picture, without a touch."""
    async with house() as home:
        desk = await home.desk()
        phone = await home.phone(await home.invite(desk), camera=False)
        await phone.tap("#tap")
        await phone.wait_for_selector("body[data-phase=trouble]")
        await until_text(phone, "#trouble-title", "pas autorisée")
        await desk.wait_for_selector("#steps li[data-step=permission][data-state=failed]")
        await until_text(desk, "#say", "autorisez la caméra")
        await until_text(desk, "#say-cause", "a refusé la caméra")
        await black_frames(desk)
        for name, title, said in (
            ("NotReadableError", "déjà utilisée", "Fermez les autres applications"),
            ("NotFoundError", "Aucune caméra", "Avez-vous un autre téléphone"),
        ):
            await phone.evaluate(
                """(name) => {
                  const devices = navigator.mediaDevices;
                  window.__real ??= devices.getUserMedia;
                  devices.getUserMedia = () => Promise.reject(new DOMException('', name));
                }""",
                name,
            )
            await phone.tap("#retry")
            await until_text(phone, "#trouble-title", title)
            await until_text(desk, "#say", said)
        await phone.evaluate("() => { navigator.mediaDevices.getUserMedia = window.__real; }")
        # Once it is allowed, the page asks again by itself.
        await phone.context.grant_permissions(["camera"])
        await moving_picture(desk, "#patient")
        await desk.wait_for_selector("#steps li[data-step=image][data-state=done]")

        async def glad() -> bool:
            return "Je vous vois" in (await desk.text_content("#say") or "")

        await until(glad, "the sentence of a live picture")
        home.browser.assert_clean(home.url)
