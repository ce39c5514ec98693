"""The desk's own browser or network stands in the way: it names itself, never the caller, and says what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import House, house, until_text
from tests.e2e.seen import hide
from tests.e2e.upgrades import filtered
from tests.lab.browsers.browser import browser, moving_picture
from tests.lab.browsers.firefox import firefox
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.lab.browsers.firefox import FirefoxTab

pytestmark = pytest.mark.e2e

# "Block Audio and Video" in the settings: a page nobody has touched plays nothing.
HOLDING = {"media.autoplay.default": 5, "media.autoplay.blocking_policy": 0}
# A browser that plays nothing, not even the page's own camera, until it is touched.
HELD = """(() => {
  const play = HTMLMediaElement.prototype.play;
  window.__held = true;
  HTMLMediaElement.prototype.play = function () {
    return window.__held ? Promise.reject(new DOMException('', 'NotAllowedError')) : play.call(this);
  };
  document.addEventListener('DOMContentLoaded', () => {
    for (const video of document.querySelectorAll('video')) video.autoplay = false;
  });
})()"""
# Firefox's fake camera moves slowly.
SLOW = 1.0
OURS = "Cela vient de ce poste, ni du correspondant ni de son réseau."
STATE = "() => document.querySelector('#stage').dataset.picture"

# A decoder that is broken: each frame of these codecs comes whole, and its bytes are none of a picture.
# `__order`: each format, and the desk's word, when first met.
BROKEN = """(codecs) => {
  const Real = window.RTCPeerConnection;
  window.__order = [];
  const note = (what) => { if (what && !window.__order.includes(what)) window.__order.push(what); };
  window.RTCPeerConnection = class extends Real {
    constructor(configuration) {
      super({...configuration, encodedInsertableStreams: true});
      this.addEventListener('track', ({receiver}) => {
        const {readable, writable} = receiver.createEncodedStreams();
        const spoil = new TransformStream({transform(frame, out) {
          const {mimeType = ''} = frame.getMetadata();
          note(mimeType.toLowerCase());
          if (codecs.some((one) => mimeType.toLowerCase() === one)) frame.data = new ArrayBuffer(frame.data.byteLength);
          out.enqueue(frame);
        }});
        readable.pipeThrough(spoil).pipeTo(writable);
      });
    }
  };
  document.addEventListener('DOMContentLoaded', () => {
    const overlay = document.querySelector('#overlay');
    if (overlay) new MutationObserver(() => {
      if (overlay.dataset.own === 'undecoded') note('undecoded');
    }).observe(overlay, {attributes: true});
  });
}"""
NEVER_DRAWN = "HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0;"
WITHOUT = {
    "missing": "delete window.RTCPeerConnection;",
    "forbidden": """window.RTCPeerConnection = class {
      constructor() { throw new DOMException('by policy', 'NotAllowedError'); }
    };""",
}


async def own_words(desk: Page | FirefoxTab, text: str) -> None:
    """The desk speaks of itself, wherever it usually speaks of the caller."""
    await until_text(desk, "#overlay-text", text)
    await until_text(desk, "#say", OURS)
    for place in ("#say", "#say-cause", "#overlay-more"):
        assert "Wi-Fi" not in (await desk.text_content(place) or "")
    assert await desk.evaluate("() => document.querySelector('#steps').dataset.stalled") is None
    assert await desk.evaluate("() => document.querySelector('#network-box').hidden")


async def never_flowed(desk: Page | FirefoxTab) -> None:
    """The server was never told that this desk shows the picture: it is still on its way."""
    assert await desk.evaluate(STATE) == "none"
    assert await desk.get_attribute("#stage", "data-session") == "connecting"


async def chromium_desk(home: House, script: str) -> Page:
    """Open a desk whose browser is not what it should be."""
    client = await home.browser.desk()
    await client.context.add_init_script(script)
    page = await client.context.new_page()
    await home.open_desk(page)
    return page


async def tapped(home: House, desk: Page | FirefoxTab) -> Page:
    """Invite, open, tap; return the phone's page."""
    phone = await home.phone(await home.invite(desk))
    await phone.tap("#tap")
    await phone.wait_for_selector("body[data-phase=live]")
    return phone


async def test_a_browser_that_holds_the_video_says_so_and_plays_at_the_next_gesture() -> None:
    async with house() as home, firefox(HOLDING) as fox:
        desk = await fox.person("desk")
        await home.open_desk(desk)
        link = await home.invite(desk)
        # A page that was loaded again has not been touched.
        await desk.goto(f"{home.url}/desk")
        await desk.wait_for_selector("#server-state[data-state=open]")
        phone = await home.phone(link)
        await phone.tap("#tap")
        await own_words(desk, "Ce navigateur retient la vidéo")
        await never_flowed(desk)
        await desk.click("#overlay-act")
        await moving_picture(desk, "#patient", gap=SLOW)
        await desk.wait_for_selector("#stage[data-picture=flowing]")
        await until_text(desk, "#say", "Je vous vois")
        # And at a letter typed anywhere.
        await desk.goto(f"{home.url}/desk")
        await own_words(desk, "Ce navigateur retient la vidéo")
        assert await desk.evaluate(STATE) == "none"
        keys = [{"type": kind, "value": "a"} for kind in ("keyDown", "keyUp")]
        await desk.act([{"type": "key", "id": "hands", "actions": keys}])
        await moving_picture(desk, "#patient", gap=SLOW)
        # And at a press anywhere.
        await desk.goto(f"{home.url}/desk")
        await own_words(desk, "Ce navigateur retient la vidéo")
        await desk.click("#steps-title")
        await moving_picture(desk, "#patient", gap=SLOW)
        home.browser.assert_clean(home.url)
        fox.assert_clean(home.url)


async def test_a_format_that_is_not_decoded_is_named_and_another_one_taken() -> None:
    async with house() as home:
        desk = await chromium_desk(home, f"({BROKEN})(['video/vp8'])")
        await tapped(home, desk)
        await until_text(desk, "#overlay-more", "un autre format est essayé")
        await moving_picture(desk, "#patient")
        came, said, *others = await desk.evaluate("() => window.__order")
        assert (came, said) == ("video/vp8", "undecoded")
        assert others
        await desk.wait_for_selector("#stage[data-picture=flowing]")
        await desk.wait_for_selector("#overlay[data-shown='']", state="attached")
        home.browser.assert_clean(home.url)


async def test_a_browser_that_decodes_nothing_says_what_to_do() -> None:
    async with house() as home:
        every = "['video/vp8', 'video/vp9', 'video/h264', 'video/av1']"
        desk = await chromium_desk(home, f"({BROKEN})({every})")
        await tapped(home, desk)
        await own_words(desk, "Ce poste ne décode pas la vidéo")
        await until_text(desk, "#overlay-verb", "Recharger la page")
        await never_flowed(desk)
        await desk.evaluate("() => { window.__same = true; }")
        await desk.click("#overlay-act")

        async def again() -> bool:
            return bool(await desk.evaluate("() => window.__same !== true"))

        await until(again, "the page loaded again")


async def test_a_picture_that_is_decoded_and_not_drawn_is_this_desks_trouble() -> None:
    async with house() as home:
        desk = await chromium_desk(home, NEVER_DRAWN)
        await tapped(home, desk)
        await own_words(desk, "Ce poste n’affiche pas la vidéo")
        await until_text(desk, "#overlay-verb", "Recharger la page")
        await never_flowed(desk)


async def test_a_phone_whose_browser_holds_its_own_picture_says_what_to_touch() -> None:
    async with house() as home:
        desk = await home.desk()
        phone = await home.film(desk, script=HELD)
        await until_text(phone, "#hint", "Touchez l’écran pour voir l’image")
        await phone.evaluate("() => { window.__held = false; }")
        await phone.tap("#message")
        await moving_picture(phone, "#self")
        await until_text(phone, "#hint", "Haut-parleur")
        home.browser.assert_clean(home.url)


@pytest.mark.parametrize("way", list(WITHOUT))
async def test_a_browser_without_connections_says_so_before_the_first_call(way: str) -> None:
    async with house() as home:
        desk = await chromium_desk(home, WITHOUT[way])
        await until_text(desk, "#desk-trouble", "Ce navigateur ne peut pas montrer la vidéo")
        assert await desk.get_attribute("#desk-trouble a", "href") == "/selftest"
        await tapped(home, desk)
        await own_words(desk, "Ce navigateur ne peut pas montrer la vidéo")
        await desk.click("#overlay-act:has-text('Images fixes')")
        await desk.wait_for_selector("#stage[data-still=fresh]")
        home.browser.assert_clean(home.url)


async def test_a_browser_whose_policy_leaves_it_no_path_says_so() -> None:
    # As the policy WebRtcIPHandling of a managed PC: no packet but through a proxy, and there is none.
    async with (
        house() as home,
        browser("--webrtc-ip-handling-policy=disable_non_proxied_udp") as pc,
    ):
        client = await pc.desk()
        desk = await client.context.new_page()
        await home.open_desk(desk)
        phone = await tapped(home, desk)
        await own_words(desk, "Ce poste n’a aucun chemin pour la vidéo")
        await never_flowed(desk)
        await until_text(desk, "#say", "Demandez des images fixes ou une photo")
        # What the phone says of itself comes first: his page is what is missing now.
        await hide(phone)
        await until_text(desk, "#waiting-title", "Page masquée")
        assert await desk.locator("#waiting").is_visible()
        assert "Cela vient de ce poste" not in (await desk.text_content("#say") or "")
        await hide(phone, hidden=False)
        await own_words(desk, "Ce poste n’a aucun chemin pour la vidéo")
        await desk.click("#overlay-act:has-text('Images fixes')")
        await desk.wait_for_selector("#stage[data-still=fresh]")
        client.assert_clean(home.url)
        home.browser.assert_clean(home.url)


@pytest.mark.parametrize("mode", ["refuse", "hang", "swallow"])
async def test_a_network_that_stops_the_socket_is_named(mode: str) -> None:
    async with house() as home, filtered(home.url) as network:
        client = await home.browser.desk()
        client.allow("WebSocket")
        desk = await client.context.new_page()
        await home.open_desk(desk)
        # The same desk behind another network: cookies know no port.
        network.mode = mode
        await desk.goto(f"{network.url}/desk")
        await until_text(desk, "#desk-trouble", "bloque la liaison avec le serveur (WebSocket)")
        await until_text(desk, "#server-text", "liaison bloquée")
        assert network.upgrades
        # It lets them through at last.
        network.mode = "open"
        network.cut()
        await desk.wait_for_selector("#server-state[data-standing=open]")
        assert await desk.locator("#desk-trouble").is_hidden()
