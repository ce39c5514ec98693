"""A network that gets worse: video, stills, one photo; each step by itself, marked, reversible and in the audit."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house, until_text
from tests.e2e.seen import session_id
from tests.lab.browsers.browser import axe, moving_picture, no_audio, screenshot
from tests.lab.process import until
from tests.pictures import jpeg, with_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Page

    from tests.e2e.house import House

pytestmark = pytest.mark.e2e

FRESH = "#stage[data-still=fresh]"
INSTAGRAM = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 7; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/129.0.6668.70 Mobile Safari/537.36 Instagram 352.1.0.41.100 Android"
)
LIVE = "#stage[data-picture=flowing][data-still=none]"
MARK = re.compile(r"IMAGE FIXE · il y a (\d+),(\d) s · \d\d:\d\d:\d\d")
_ENCODES = """() => [...window.__visio15.peers].some(
  (peer) => peer.getTransceivers()[0].sender.getParameters().encodings[0].active)"""
_SWALLOW = """(on) => {
  for (const socket of window.__sockets) {
    if (on) socket.send = (data) => typeof data === 'string' && WebSocket.prototype.send.call(socket, data);
    else delete socket.send;
  }
}"""
_PIXELS = """() => {
  const canvas = document.querySelector('#still-picture');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i]) % 1000003;
  return [canvas.width, canvas.height, sum];
}"""


@contextmanager
def media_dropped(share: float = 1) -> Iterator[None]:
    """Drop datagrams to the only interface of this namespace: all of them, as a strict firewall does, or a share."""
    some = ["-m", "statistic", "--mode", "random", "--probability", str(share)] if share < 1 else []
    rule = ["INPUT", "-d", "10.99.0.1", "-p", "udp", *some, "-j", "DROP"]
    _iptables("-A", *rule)
    try:
        yield
    finally:
        _iptables("-D", *rule)


def _iptables(*words: str) -> None:
    subprocess.run(["/usr/sbin/iptables", "-w", *words], check=True, timeout=10)


async def stills_flow(desk: Page, *, timeout: float = 30) -> None:
    """The desk is shown one still after the other, young, and marked as such."""
    await desk.wait_for_selector(FRESH, timeout=timeout * 1000)
    seen: list[object] = []

    async def several() -> bool:
        now = await desk.evaluate(_PIXELS)
        if now not in seen:
            seen.append(now)
        return len(seen) >= 4

    await until(several, "four different stills")
    words = await desk.text_content("#still-mark")
    found = MARK.fullmatch((words or "").replace("\N{NO-BREAK SPACE}", " "))
    assert found, words
    assert int(found.group(1)) < 4


async def test_video_gives_way_to_stills_and_comes_back_and_a_photo_is_sent() -> None:
    """UDP does not pass, then it does, then half of it is lost; a desk asks for a photo; one phone has no camera."""
    async with house() as home:
        desk = await home.desk()
        with media_dropped():
            phone = await home.phone(await home.invite(desk))
            await phone.tap("#tap")
            await stills_flow(desk)
            assert await desk.get_attribute("#stage", "data-picture") == "none"
            await until_text(desk, "#say-cause", "images fixes")
            await until_text(desk, "#sessions li:first-child", "images fixes")
            await desk.wait_for_selector("#steps li[data-step=image][data-state=done]")
            await phone.wait_for_selector("#weak:visible")
            await until_text(phone, "#weak-text", "le médecin voit des photos")
            await screenshot(desk, "desk-stills")
            await screenshot(phone, "caller-stills")
            assert not await axe(desk)
        await desk.wait_for_selector(LIVE)
        await moving_picture(desk, "#patient")
        await phone.wait_for_selector("#weak", state="hidden")
        await phone.wait_for_selector("#message[data-state=seen]")
        assert await phone.evaluate(_ENCODES)
        # One good photo on the desk's wish, while the video goes on.
        await desk.keyboard.press("Alt+KeyV")
        await phone.wait_for_selector("#photo-take:visible")
        await screenshot(phone, "caller-photo")
        await photographed(desk, phone)
        await moving_picture(desk, "#patient")
        await stills_for_the_asking(desk, phone)
        with media_dropped(0.6):
            await stills_flow(desk)
            await until(
                lambda: _not(phone, _ENCODES), "the encoder leaves the uplink to the stills"
            )
            await nothing_acknowledged(desk, phone)
        await no_audio(phone)
        await no_audio(desk)
        session = await session_id(desk)
        await desk.click("#end")
        await phone.wait_for_selector("body[data-phase=ended]")
        await desk.wait_for_selector("#still", state="hidden")
        await without_camera(home, desk)
        await audited(home, session)
        home.browser.assert_clean(home.url)


async def stills_for_the_asking(desk: Page, phone: Page) -> None:
    """The desk wants stills on a good network: turned, frozen and taken back as the video is."""
    await desk.keyboard.press("Alt+KeyA")
    await stills_flow(desk)
    assert await desk.get_attribute("#stills-ask", "aria-pressed") == "true"
    await until_text(phone, "#weak-text", "Le médecin vous voit")
    await until_text(desk, "#say-cause", "à la demande d")
    await desk.keyboard.press("Alt+KeyR")
    await desk.wait_for_selector("#stage[data-turn='90']")
    await desk.keyboard.press("Alt+KeyF")
    await until_text(desk, "#still-mark", "le direct : IMAGE FIXE")
    frozen = await desk.text_content("#frozen-mark")
    one, another = [await desk.get_attribute("#still-picture", "data-taken"), ""]

    async def goes_on() -> bool:
        nonlocal another
        another = await desk.get_attribute("#still-picture", "data-taken")
        return another != one

    await until(goes_on, "another still behind the frozen one")
    assert await desk.text_content("#frozen-mark") == frozen
    assert await desk.evaluate("() => document.querySelector('#frozen').width > 0")
    await screenshot(desk, "desk-still-frozen")
    await desk.keyboard.press("Alt+KeyF")
    for _ in range(3):
        await desk.keyboard.press("Alt+KeyR")
    await desk.keyboard.press("Alt+KeyA")
    await desk.wait_for_selector(LIVE)
    await desk.wait_for_selector("#stills-ask[aria-pressed=false][aria-busy=false]")
    await moving_picture(desk, "#patient")


async def nothing_acknowledged(desk: Page, phone: Page) -> None:
    """What is sent through the socket no longer arrives: one photo is asked for, and passes beside it."""
    await phone.evaluate(_SWALLOW, arg=True)
    await desk.wait_for_selector("#stage[data-still=frozen]")
    await until_text(desk, "#still-mark", "IMAGE FIGÉE")
    await phone.wait_for_selector("#photo-take:visible")
    await until_text(phone, "#photo-text", "trop faible")
    await until_text(desk, "#say-cause", "une photo lui est demandée")
    assert not await axe(phone)
    await photographed(desk, phone)
    await phone.evaluate(_SWALLOW, arg=False)
    await stills_flow(desk)
    await phone.wait_for_selector("#photo", state="hidden")


async def photographed(desk: Page, phone: Page) -> None:
    """The caller takes a photo; the desk has it, enlarges it, puts it away."""
    await phone.tap("#photo-take")
    await desk.wait_for_selector("#photo:visible")
    await until_text(desk, "#photo-mark", "PHOTO · prise à")
    await photo_shown(desk)
    await until_text(phone, "#photo-text", "Le médecin a votre photo")
    await screenshot(desk, "desk-photo")
    await desk.click("#photo-large")
    await desk.wait_for_selector("#photo.large")
    await desk.click("#photo-close")
    await desk.wait_for_selector("#photo", state="hidden")


async def _not(page: Page, script: str) -> bool:
    return not await page.evaluate(script)


async def without_camera(home: House, desk: Page) -> None:
    """Inside an application that gives no camera, the phone's own takes one photo, sent as a file."""
    link = await home.invite(desk, "+33612345679")
    phone = await home.phone(link, camera=False, user_agent=INSTAGRAM)
    await phone.wait_for_selector("body[data-phase=trouble]")
    await phone.wait_for_selector("#photo-instead:visible")
    await screenshot(phone, "caller-photo-instead")
    assert not await axe(phone)
    file = {
        "name": "IMG_0001.jpg",
        "mimeType": "image/jpeg",
        "buffer": with_place(jpeg(1600, 1200)),
    }
    await phone.set_input_files("#photo-file", files=[file])  # type: ignore[arg-type]
    await desk.wait_for_selector("#photo:visible")
    await photo_shown(desk)
    await until_text(phone, "#instead-text", "Le médecin a votre photo")


async def photo_shown(desk: Page) -> None:
    """The photo was fetched and decoded."""

    async def there() -> bool:
        return bool(
            await desk.evaluate(
                "() => document.querySelector('#photo-picture').naturalWidth >= 600"
            )
        )

    await until(there, "the photo is shown")


async def audited(home: House, session: str) -> None:
    """The auditor reads each step of the ladder."""
    client = await home.browser.desk("auditor")
    page = await client.context.new_page()
    await home.sign_in(page, "auditeur")
    await page.goto(f"{home.url}/audit/sessions/{session}")
    text = await page.inner_text("main")
    for event in ("picture.rung", "picture.still", "picture.asked", "photo.received"):
        assert event in text, event
