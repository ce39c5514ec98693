"""A video goes on by itself: closed, killed, hidden, muted, opened twice, loaded again; at most one tap (ADR 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import House, house, until_text
from tests.e2e.seen import KEEP_SOCKETS, cut, hide, mark, mend, more_frames, session_id, unchanged
from tests.lab.browsers.browser import PIXEL, Client, moving_picture, no_audio, open_cameras
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

FLOWING = "#stage[data-picture=flowing]"
LIVE = "body[data-phase=live]"
SEEN = "#message[data-state=seen]"

#: A screen lock that the system takes back when the page is hidden, as systems do.
_LOCKS = """(() => {
  window.__locks = [];
  const request = async () => {
    const lock = Object.assign(new EventTarget(), {released: false, release: async () => { lock.released = true; }});
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden || lock.released) return;
      lock.released = true;
      lock.dispatchEvent(new Event('release'));
    });
    window.__locks.push(lock);
    return lock;
  };
  Object.defineProperty(navigator, 'wakeLock', {value: {request}, configurable: true});
})()"""
#: A browser that asks each time, as Safari does.
_ASKS = """(() => {
  navigator.permissions.query = async () => Object.assign(new EventTarget(), {state: 'prompt'});
})()"""
_LOCKED = "() => window.__locks.map((lock) => !lock.released)"
_MUTE = """() => {
  const track = document.querySelector('#self').srcObject.getVideoTracks()[0];
  Object.defineProperty(track, 'muted', {value: true, configurable: true});
  track.dispatchEvent(new Event('mute'));
}"""
_CACHED = """() => {
  dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}));
}"""
_RENEWED = """() => {
  const server = {urls: ['turn:10.99.0.1:9'], username: 'later', credential: 'later'};
  const ice = {iceServers: [server], iceTransportPolicy: 'all'};
  for (const socket of window.__sockets) socket.onmessage?.({data: JSON.stringify({type: 'ice', ice})});
  return [...window.__visio15.peers].map((peer) => peer.getConfiguration().iceServers.map((server) => server.username));
}"""


async def flows(desk: Page) -> None:
    """The picture moves, now."""
    await desk.wait_for_selector(FLOWING)
    await moving_picture(desk, "#patient")


async def resumed(client: Client, link: str, desk: Page) -> Page:
    """The link is touched again in the same browser: the picture comes without another tap."""
    page = await client.open(link)
    await page.wait_for_selector(LIVE)
    await flows(desk)
    await page.wait_for_selector(SEEN)
    return page


async def filmed(home: House) -> tuple[Client, str, Page, Page]:
    """A caller with a lockable screen films; return the browser, the link, the desk and the page."""
    desk = await home.desk()
    client = await home.browser.caller(PIXEL)
    for script in (KEEP_SOCKETS, _LOCKS):
        await client.context.add_init_script(script)
    link = await home.invite(desk)
    phone = await client.open(link)
    await phone.wait_for_selector("body[data-ready=true]")
    # A link that nobody has tapped never starts by itself, whatever the browser would allow.
    assert await phone.get_attribute("body", "data-phase") == "invite"
    await phone.tap("#tap")
    await flows(desk)
    return client, link, desk, phone


async def on_one_page(desk: Page, phone: Page) -> None:
    """The screen locked, the camera taken, credentials renewed, the connection given up."""
    # Another app is in front: the lock on the screen is taken back, then held again.
    assert await phone.evaluate(_LOCKED) == [True]
    await hide(phone)
    assert await phone.evaluate(_LOCKED) == [False]
    await hide(phone, hidden=False)
    await phone.wait_for_function("() => window.__locks.length === 2")
    assert await phone.evaluate(_LOCKED) == [False, True]
    await flows(desk)
    # A telephone call took the camera, and the system never gives it back.
    await phone.evaluate(_MUTE)
    await phone.wait_for_selector("#message[data-state=muted]")
    await phone.wait_for_selector(SEEN)
    await flows(desk)
    # The relay's credentials are renewed under a picture that flows.
    await mark(phone)
    assert await phone.evaluate(_RENEWED) == [["later"]]
    await more_frames(desk)
    await unchanged(phone, peers=1)
    # The browser gave up the connection: nothing can be restarted, a whole new one is made.
    await phone.evaluate("() => { for (const peer of window.__visio15.peers) peer.close(); }")
    await desk.wait_for_selector("#stage:not([data-picture=flowing])")
    await flows(desk)
    await no_audio(desk, peers=1)


async def on_page_after_page(client: Client, link: str, desk: Page, phone: Page) -> None:
    """Killed, out of the browser's cache, in two tabs."""
    # The tab is killed, the link in the message touched again.
    await phone.close()
    await desk.wait_for_selector("#stage:not([data-picture=flowing])")
    phone = await resumed(client, link, desk)
    # The page comes out of the browser's cache, as Safari does after "back".
    await phone.evaluate(_CACHED)
    await phone.wait_for_function(
        "() => performance.getEntriesByType('navigation')[0].type === 'reload'"
    )
    await phone.wait_for_selector(SEEN)
    await flows(desk)
    # A second tab of the same caller: the newer one films, the older one says so and lets the camera go.
    newer = await resumed(client, link, desk)
    await phone.wait_for_selector("body[data-phase=ended]")
    await until_text(phone, "#ended-title", "ailleurs")
    await until(lambda: _dark(phone), "the older tab lets the camera go")
    assert await open_cameras(newer) == 1
    for page in (phone, newer):
        await page.close()


async def test_a_video_goes_on_by_itself() -> None:
    """Everything that happens to a page in two minutes; and where the browser asks each time, one touch."""
    async with house() as home:
        client, link, desk, phone = await filmed(home)
        session = await session_id(desk)
        await on_one_page(desk, phone)
        await on_page_after_page(client, link, desk, phone)
        asking = await client.context.new_page()
        await asking.add_init_script(_ASKS)
        await asking.goto(link)
        await asking.wait_for_selector("body[data-ready=true]")
        await until_text(asking, "#tap-text", "Reprendre")
        assert await asking.get_attribute("body", "data-phase") == "invite"
        await asking.tap("#tap")
        await asking.wait_for_selector(SEEN)
        await flows(desk)
        # All of it was one video.
        assert await session_id(desk) == session
        assert await desk.locator("#sessions li").count() == 1
        await desk.click("#end")
        await asking.wait_for_selector("body[data-phase=ended]")
        assert await asking.evaluate(_LOCKED) == [False]
        home.browser.assert_clean(home.url)


async def test_who_leaves_without_a_network_is_let_go_at_once() -> None:
    async with house() as home:
        client, _, desk, phone = await filmed(home)
        await phone.wait_for_selector(SEEN)
        client.allow("ERR_INTERNET_DISCONNECTED")
        await cut(phone)
        await phone.tap("#leave")
        await phone.wait_for_selector("body[data-phase=ended]")
        await until(lambda: _dark(phone), "the camera is let go")
        assert await phone.evaluate(_LOCKED) == [False]
        await mend(phone)
        await desk.wait_for_selector("#stage[data-session=ended]")
        home.browser.assert_clean(home.url)


async def _dark(page: Page) -> bool:
    return await open_cameras(page) == 0
