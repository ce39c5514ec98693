"""Every lens of a phone, in turn; the main rear one first, and the same one again for as long as the video lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import House, house, until_text
from tests.lab.browsers.browser import moving_picture, open_cameras
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

#: A phone with three lenses that opens one at a time, and hands out the ultra-wide one for "environment", as in
#: mozmorris/react-webcam#365. Its ids change with each page (SamsungInternet/support#122) once CHANGING is set.
_PHONE = """(() => {
  if (origin === 'null') return;
  const LABELS = {ultra: 'camera2 2, facing back', main: 'camera2 0, facing back', front: 'camera2 1, facing front'};
  const page = localStorage.getItem('changing') ? String(Math.random()) : '';
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  const {getSettings} = MediaStreamTrack.prototype;
  const lens = new WeakMap();
  const label = Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, 'label').get;
  let on = null;
  window.__opened = [];
  MediaStreamTrack.prototype.getSettings = function () {
    const name = lens.get(this);
    if (!name) return getSettings.call(this);
    return {...getSettings.call(this), deviceId: name + page, facingMode: name === 'front' ? 'user' : 'environment'};
  };
  Object.defineProperty(MediaStreamTrack.prototype, 'label', {
    get() { return LABELS[lens.get(this)] ?? label.call(this); },
  });
  devices.enumerateDevices = async () => Object.entries(LABELS).map(
    ([name, text]) => ({kind: 'videoinput', deviceId: name + page, groupId: '', label: text}));
  devices.getUserMedia = async ({video, audio}) => {
    if (audio || !video) return ask({video, audio});
    const named = (id) => Object.keys(LABELS).find((name) => name + page === id);
    const exact = video.deviceId?.exact;
    if (exact && !named(exact)) throw new DOMException('no such camera', 'OverconstrainedError');
    const side = video.facingMode?.exact ?? video.facingMode?.ideal;
    const name = named(exact ?? video.deviceId?.ideal) ?? (side === 'user' ? 'front' : 'ultra');
    if (on?.readyState === 'live') throw new DOMException('one at a time', 'NotReadableError');
    const stream = await ask({video: true, audio: false});
    [on] = stream.getVideoTracks();
    lens.set(on, name);
    window.__opened.push(name);
    return stream;
  };
})();"""
#: The second camera opens and stays black.
_BLACK = """() => {
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  window.__black = 0;
  devices.getUserMedia = async (wish) => {
    const stream = await ask(wish);
    const [track] = stream.getVideoTracks();
    if (track.label !== 'fake_device_1') return stream;
    track.stop();
    window.__black += 1;
    return document.createElement('canvas').captureStream(0);
  };
}"""
_PLUGGED = """() => {
  const list = navigator.mediaDevices.enumerateDevices;
  navigator.mediaDevices.enumerateDevices = async () =>
    [...await list(), {kind: 'videoinput', deviceId: 'usb', groupId: '', label: 'Endoscope'}];
  navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
}"""
_LENS = "() => document.querySelector('#self').srcObject?.getVideoTracks()[0]?.getSettings().deviceId ?? ''"
_KEPT = "() => Object.keys(sessionStorage)"


async def lens_is(phone: Page, name: str) -> None:
    seen: list[str] = [""]

    async def on() -> bool:
        seen[0] = await phone.evaluate(_LENS)
        return seen[0].startswith(name)

    await until(on, f"the lens {name!r}", explain=lambda: repr(seen[0]))


async def other_lens(phone: Page) -> str:
    """Press the caller's button; return the lens it led to."""
    before = await phone.evaluate(_LENS)
    await phone.tap("#switch:enabled")

    async def turned() -> bool:
        return await phone.evaluate(_LENS) not in {"", before}

    await until(turned, f"another lens than {before}")
    await phone.wait_for_selector("#switch:enabled")
    lens: str = await phone.evaluate(_LENS)
    return lens


async def every_lens_in_turn(desk: Page, phone: Page) -> None:
    """The main one by itself, once the first picture is there; then all of them, none twice before the others."""
    await lens_is(phone, "main")
    assert await phone.evaluate("() => window.__opened") == ["ultra", "main"]
    await desk.wait_for_selector("#help-camera[title*='principale · 1 sur 3']")
    assert [await other_lens(phone) for _ in range(4)] == ["front", "ultra", "main", "front"]
    await desk.wait_for_selector("#help-camera[title*='avant · 2 sur 3']")
    # The regulator goes on where the caller stopped.
    await desk.keyboard.press("Alt+k")
    await until_text(desk, "#help-said", "Caméra changée : arrière · 3 sur 3")
    await lens_is(phone, "ultra")
    await moving_picture(desk, "#patient")
    assert await open_cameras(phone) == 1
    await a_camera_on_a_cable(desk, phone)


async def the_same_lens_again(desk: Page, phone: Page) -> None:
    """A page loaded again takes the lens that was chosen, though the ids of all of them may have changed."""
    await phone.reload()
    await phone.wait_for_selector("body[data-phase=live]")
    await moving_picture(desk, "#patient")
    await lens_is(phone, "ultra")
    assert await phone.evaluate("() => window.__opened") == ["ultra"]
    assert await other_lens(phone) == "main"
    await phone.evaluate("() => localStorage.setItem('changing', 'yes')")
    await phone.reload()
    await phone.wait_for_selector("body[data-phase=live]")
    await lens_is(phone, "main0.")
    await moving_picture(desk, "#patient")
    # The camera was taken, and is got back.
    assert (await other_lens(phone)).startswith("front0.")
    await phone.evaluate(
        "() => { const [track] = document.querySelector('#self').srcObject.getVideoTracks();"
        " track.stop(); track.dispatchEvent(new Event('ended')); }"
    )
    await lens_is(phone, "front0.")
    await moving_picture(desk, "#patient")
    await desk.click("#end")
    await phone.wait_for_selector("body[data-phase=ended]")
    assert await phone.evaluate(_KEPT) == []


async def a_lens_that_stays_black(home: House, desk: Page) -> None:
    """Of Chromium's own three cameras the second gives no frame: the others come in turn, it is tried twice in all."""
    phone = await home.phone(await home.invite(desk))
    await phone.evaluate(_BLACK)
    await phone.tap("#tap")
    await moving_picture(desk, "#patient")
    label = "() => document.querySelector('#self').srcObject.getVideoTracks()[0].label"
    assert await phone.evaluate(label) == "fake_device_0"
    for wanted in ("fake_device_2", "fake_device_0", "fake_device_2"):
        await other_lens(phone)
        assert await phone.evaluate(label) == wanted
    await moving_picture(desk, "#patient")
    assert await phone.evaluate("() => window.__black") == 2
    assert await open_cameras(phone) == 1


async def a_camera_on_a_cable(desk: Page, phone: Page) -> None:
    """Plugged in during the video: the desk counts it at once, and it takes its turn."""
    await phone.evaluate(_PLUGGED)
    await desk.wait_for_selector("#help-camera[title*='sur 4']")
    await desk.wait_for_selector("#help-camera[data-lens='3/4']")


async def test_every_lens_of_a_phone() -> None:
    async with house() as home:
        desk = await home.desk()
        phone = await home.film(desk, script=_PHONE)
        await every_lens_in_turn(desk, phone)
        await the_same_lens_again(desk, phone)
        await a_lens_that_stays_black(home, desk)
        home.browser.assert_clean(home.url)
