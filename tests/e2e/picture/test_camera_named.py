"""A camera that gives nothing from the start, as a telephone call leaves it: the desk names it, never the network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house, until_text

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

#: The track is muted when it is given, no frame comes, and no event ever tells (w3c/mediacapture-main 685).
_HELD = """(() => {
  if (!navigator.mediaDevices) return;
  navigator.mediaDevices.getUserMedia = async () => {
    const stream = document.createElement('canvas').captureStream(0);
    Object.defineProperty(stream.getVideoTracks()[0], 'muted', {get: () => true});
    return stream;
  };
})()"""
#: Every sentence and title that this desk has shown.
_KEEP = """() => {
  window.told = [];
  const parts = ['say', 'say-cause', 'waiting-title', 'waiting-line', 'overlay-text', 'overlay-more'];
  const note = () => {
    for (const id of parts) window.told.push(document.getElementById(id).textContent);
  };
  const changes = {subtree: true, childList: true, characterData: true};
  new MutationObserver(note).observe(document.body, changes);
}"""
BLAME = re.compile(r"réseau|Wi-Fi|L’image arrive|Je vous vois", re.IGNORECASE)


async def told_since(desk: Page) -> set[str]:
    return set(await desk.evaluate("() => window.told"))


async def test_a_camera_that_is_muted_from_the_start_is_named() -> None:
    async with house() as home:
        desk = await home.desk()
        phone = await home.phone(await home.invite(desk), script=_HELD)
        await phone.tap("#tap")
        await until_text(desk, "#waiting-title", "Caméra coupée")
        await desk.evaluate(_KEEP)
        await until_text(desk, "#say", "Votre téléphone a coupé la caméra")
        await until_text(desk, "#say-cause", "autre appel, ou autre application")
        # Past the fifteen seconds after which the network was blamed: another way is tried, not another network.
        await desk.wait_for_function(
            "() => document.querySelector('#say').textContent.includes('Rouvrez le message')"
        )
        assert not [text for text in await told_since(desk) if BLAME.search(text)]
        assert await desk.get_attribute("#stage", "data-picture") == "none"
        home.browser.assert_clean(home.url)
