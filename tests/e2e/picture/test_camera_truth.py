"""The phone says that the doctor sees only what he sees, and never gives its camera up (ADR 28)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import House, house
from tests.e2e.seen import hide
from tests.lab.browsers.browser import moving_picture
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.e2e

SEEN = "#message[data-state=seen]"
TRACK = "document.querySelector('#self').srcObject.getVideoTracks()[0]"
#: getUserMedia as `answer(n, real)` gives it, n being how often it was asked before; and each sentence that was shown.
_SCRIPT = """(() => {
  if (!navigator.mediaDevices) return;
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const answer = %s;
  window.asked = 0;
  navigator.mediaDevices.getUserMedia = async (wanted) => answer(window.asked++, () => real(wanted));
  const permission = Object.assign(new EventTarget(), {state: 'prompt'});
  window.permit = (state) => { permission.state = state; permission.dispatchEvent(new Event('change')); };
  navigator.permissions.query = async () => permission;
  window.said = [];
  const note = () => {
    const message = document.querySelector('#message');
    const {phase} = document.body.dataset;
    const state = message && phase === 'live' ? message.dataset.state : phase;
    if (window.said.at(-1)?.state === state) return;
    window.said.push({state, at: performance.timeOrigin + performance.now()});
  };
  const changes = {attributes: true, subtree: true, attributeFilter: ['data-state', 'data-phase']};
  new MutationObserver(note).observe(document, changes);
})()"""
#: The first cameras are muted and give no frame, and no event ever tells: a telephone call, on some phones.
_HELD = """async (n, real) => {
  if (window.freed) return real();
  const stream = document.createElement('canvas').captureStream(0);
  Object.defineProperty(stream.getVideoTracks()[0], 'muted', {get: () => true});
  return stream;
}"""
_MUTED_THEN_NOT = """async (n, real) => {
  const stream = await real();
  window.held = true;
  Object.defineProperty(stream.getVideoTracks()[0], 'muted', {get: () => window.held});
  return stream;
}"""
_BUSY = """async (n, real) => {
  if (n === 1 || n === 2) throw new DOMException('Could not start video source', 'NotReadableError');
  return real();
}"""
_BUSY_FIRST = """async (n, real) => {
  if (n < 2) throw new DOMException('Could not start video source', 'NotReadableError');
  return real();
}"""
_ASKED_AGAIN = """async (n, real) => {
  if (n > 0) await new Promise((answered) => { window.allow = answered; });
  return real();
}"""
_REFUSED_FIRST = """async (n, real) => {
  if (n === 0) throw new DOMException('Permission denied', 'NotAllowedError');
  return real();
}"""
_REFUSED = """async (n, real) => {
  if (n > 0 && !window.allowed) throw new DOMException('Permission denied', 'NotAllowedError');
  return real();
}"""
_LOST = f"() => {{ const track = {TRACK}; track.stop(); track.dispatchEvent(new Event('ended')); }}"
#: The desk's picture stands, as where a browser stops a video that nobody started.
_STAND = """() => {
  const video = document.querySelector('#patient');
  video.play = async () => { throw new DOMException('not now', 'NotAllowedError'); };
  video.pause();
  return performance.timeOrigin + performance.now();
}"""
_PLAY = "() => { const video = document.querySelector('#patient'); delete video.play; return video.play(); }"


async def film(home: House, desk: Page, answer: str) -> Page:
    """Invite; open the link in a browser with this camera; tap."""
    phone = await home.phone(await home.invite(desk), script=_SCRIPT % answer)
    await phone.tap("#tap")
    return phone


async def over(desk: Page, phone: Page) -> None:
    """The doctor ends it."""
    await desk.click("#end")
    await phone.wait_for_selector("body[data-phase=ended]")
    await phone.context.close()


async def said(phone: Page) -> list[str]:
    """Every sentence and screen so far."""
    found: list[dict[str, Any]] = await phone.evaluate("() => window.said")
    return [one["state"] for one in found]


async def asked(phone: Page, times: int) -> None:
    """The camera was asked for so often."""

    async def enough() -> bool:
        return bool(await phone.evaluate("() => window.asked") >= times)

    await until(enough, f"the camera is asked for {times} times")


async def test_a_camera_that_gives_nothing_is_never_said_to_be_seen() -> None:
    """Muted when it is given, without a frame, without a word; then free; and muted for a moment only."""
    async with house() as home:
        desk = await home.desk()
        phone = await film(home, desk, _HELD)
        await phone.wait_for_selector("#message[data-state=muted]")
        await asked(phone, 2)
        assert "seen" not in await said(phone), await said(phone)
        # The telephone call ends, and nobody says so: the page finds out.
        await phone.evaluate("() => { window.freed = true; }")
        await phone.wait_for_selector(SEEN)
        await moving_picture(desk, "#patient")
        assert "trouble" not in await said(phone)
        await over(desk, phone)
        phone = await film(home, desk, _MUTED_THEN_NOT)
        await phone.wait_for_selector("#message[data-state=muted]")
        await phone.evaluate(
            f"() => {{ window.held = false; {TRACK}.dispatchEvent(new Event('unmute')); }}"
        )
        await phone.wait_for_selector(SEEN)
        assert await phone.evaluate("() => window.asked") == 1
        await over(desk, phone)


async def test_a_camera_that_was_lost_is_asked_for_until_it_comes() -> None:
    """Taken by another application, which keeps it for a while."""
    async with house() as home:
        desk = await home.desk()
        phone = await film(home, desk, _BUSY)
        await phone.wait_for_selector(SEEN)
        await phone.evaluate(_LOST)
        await phone.wait_for_selector("#message[data-state=taken]")
        await phone.wait_for_selector(SEEN)
        await moving_picture(desk, "#patient")
        assert await phone.evaluate("() => window.asked") == 4
        assert "trouble" not in await said(phone)
        await over(desk, phone)


async def test_a_camera_in_use_before_the_first_picture_comes_by_itself() -> None:
    """In use when it is first asked for; and lost later, where the browser then asks the caller again."""
    async with house() as home:
        desk = await home.desk()
        phone = await film(home, desk, _BUSY_FIRST)
        await phone.wait_for_selector("body[data-phase=trouble] #guide:not([hidden])")
        await phone.wait_for_selector(SEEN)
        await over(desk, phone)
        phone = await film(home, desk, _ASKED_AGAIN)
        await phone.wait_for_selector(SEEN)
        await phone.evaluate(_LOST)
        await phone.wait_for_selector("body[data-phase=asking]")
        await phone.evaluate("() => window.allow()")
        await phone.wait_for_selector(SEEN)
        assert await phone.evaluate("() => window.asked") == 2
        await over(desk, phone)


async def test_a_refusal_in_mid_call_brings_no_storm_of_questions() -> None:
    """The guide, one more question on return, and the picture by itself once the camera is allowed."""
    async with house() as home:
        desk = await home.desk()
        phone = await film(home, desk, _REFUSED)
        await phone.wait_for_selector(SEEN)
        await phone.evaluate(_LOST)
        # The guide of this phone, with its button.
        await phone.wait_for_selector("body[data-phase=trouble] #guide:not([hidden])")
        await asked(phone, 2)
        for sign in ("focus", "pageshow", "orientationchange", "online"):
            await phone.evaluate(f"() => dispatchEvent(new Event('{sign}'))")
        # He comes back from the settings: asked once more, however often he comes.
        for _ in range(3):
            await hide(phone)
            await hide(phone, hidden=False)
        await asked(phone, 3)
        await phone.evaluate("() => { window.permit('denied'); window.permit('prompt'); }")
        assert await phone.evaluate("() => window.asked") == 3
        # The permission is given in the settings: nobody touches anything.
        await phone.evaluate("() => { window.allowed = true; window.permit('granted'); }")
        await phone.wait_for_selector(SEEN)
        await moving_picture(desk, "#patient")
        await over(desk, phone)


async def test_a_tap_that_fails_late_undoes_no_other() -> None:
    """Its request hangs, the camera is refused, the second tap comes through; then the first one fails."""
    async with house() as home:
        desk = await home.desk()
        phone = await home.phone(await home.invite(desk), script=_SCRIPT % _REFUSED_FIRST)
        home.browser.clients[-1].allow("ERR_")
        held: list[Route] = []

        async def hold_the_first(route: Route) -> None:
            held.append(route)
            if len(held) > 1:
                await route.continue_()

        await phone.route("**/tap", hold_the_first)
        await phone.tap("#tap")
        await phone.wait_for_selector("body[data-phase=trouble] #guide:not([hidden])")
        await phone.tap("#retry")
        await phone.wait_for_selector(SEEN)
        async with phone.expect_event("requestfailed"):
            await held[0].abort()
        await phone.evaluate("() => new Promise((done) => setTimeout(done))")
        assert await phone.get_attribute("body", "data-phase") == "live"
        await moving_picture(desk, "#patient")
        await over(desk, phone)


async def test_the_doctor_sees_only_what_his_screen_shows() -> None:
    """His picture stands, and the connection goes on: the caller reads it within a second and a half."""
    async with house() as home:
        desk = await home.desk()
        phone = await film(home, desk, "async (n, real) => real()")
        await phone.wait_for_selector(SEEN)
        # "seen" comes after the picture, never before.
        assert (await said(phone))[-2:] == ["wait", "seen"], await said(phone)
        stopped = await desk.evaluate(_STAND)
        await phone.wait_for_selector("#message[data-state=unshown]")
        last = (await phone.evaluate("() => window.said"))[-1]
        assert last["state"] == "unshown", json.dumps(last)
        assert last["at"] - stopped < 1500
        assert await phone.evaluate(
            "() => [...window.__visio15.peers].every((peer) => peer.connectionState === 'connected')"
        )
        await desk.evaluate(_PLAY)
        await phone.wait_for_selector(SEEN)
