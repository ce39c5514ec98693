"""The auditor sees a transfer as it was: who had the caller, when he waited, who handed him to whom."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from telephony.sources.ami.codec import AmiMessage
from tests.e2e.house import CALLER, House, house
from tests.lab.browsers.browser import axe
from tests.lab.process import until
from tests.telephony.sources.ami.player import AmiServer, serving
from tests.telephony.traces import ami_messages

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

_SHAPES = """() => {
  const box = (selector) => [...document.querySelectorAll(selector)].map((one) => {
    const {left, right, top, bottom} = one.getBoundingClientRect();
    return {left, right, top, bottom};
  });
  return {stations: box('#timeline .bar-station'), holds: box('#timeline .bar-hold'), talk: box('#timeline .bar-talk'),
          shaft: box('#timeline .arrow .shaft'), head: box('#timeline .arrow .head'),
          names: [...document.querySelectorAll('#timeline .name')].map((one) => one.textContent),
          wide: document.documentElement.scrollWidth - document.documentElement.clientWidth};
}"""


def just_now(messages: list[AmiMessage]) -> list[AmiMessage]:
    """The same events, the last of them a second ago, as far from each other as they were."""
    stamped = [each for each in messages if each.event and each.get("Timestamp")]
    shift = time.time() - 1 - float(stamped[-1].get("Timestamp"))
    return [
        replace(
            each,
            fields=each.fields | {"timestamp": (f"{float(each.get('Timestamp')) + shift:.6f}",)},
        )
        for each in stamped
    ]


async def the_record(home: House, page: Page) -> None:
    await home.sign_in(page, "auditeur")
    await page.goto(f"{home.url}/audit")

    async def over() -> bool:
        await page.fill("#number", CALLER)
        await page.press("#number", "Enter")
        await page.wait_for_load_state()
        return await page.locator("#results td:has-text('terminé')").count() == 1

    await until(over, "the call is stored, and over")
    await page.click("#results a")
    await page.wait_for_selector("#timeline .arrow")


async def test_an_attended_transfer_is_two_lanes_a_hatched_hold_and_an_arrow() -> None:
    pbx = AmiServer()
    async with serving(pbx):
        feed = {"kind": "ami", "site": "samu37", "port": pbx.port, "username": pbx.username}
        extra = {"feeds": [{**feed, "secret": pbx.secret}]}
        async with house(extra=extra, switchboard={"hep": None}) as home:
            await until(lambda: pbx.actions.count("CoreShowChannels") == 1, "the feed asked")
            pbx.play(just_now(ami_messages("asterisk-22-attended_transfer")))
            page = await (await home.browser.desk("auditor")).context.new_page()
            await the_record(home, page)
            shown = await page.evaluate(_SHAPES)
            names = ["Correspondant", "Poste 1501", "Poste 1601", "Enregistrement 1"]
            assert shown["names"] == names
            (hold,), (talk,), (shaft,), (head,) = (
                shown[kind] for kind in ("holds", "talk", "shaft", "head")
            )
            arm, doctor = shown["stations"]
            # The hold lies on the talk, ends with the ARM's stay, and there the arrow leads to the doctor.
            assert talk["left"] < hold["left"] < hold["right"] < talk["right"]
            assert abs(hold["right"] - arm["right"]) < 2
            assert abs((shaft["left"] + shaft["right"]) / 2 - arm["right"]) < 2
            assert arm["top"] < shaft["top"] < arm["bottom"] < head["top"] < head["bottom"]
            assert abs(head["bottom"] - doctor["top"]) < 2
            assert doctor["left"] < arm["right"] < doctor["right"]
            assert shown["wide"] <= 0
            # The same in words, for who cannot see the picture, by the keyboard.
            await page.focus("#timeline-alt summary")
            await page.keyboard.press("Enter")
            table = await page.inner_text("#facts-table")
            for words in ("poste 1501", "poste 1601", "transfert vers 1601", "en attente"):
                assert words in table
            assert not await axe(page)
            home.browser.assert_clean(home.url)
