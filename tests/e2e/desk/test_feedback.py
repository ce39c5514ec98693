"""Line 12 of the reference procedure: an incident reaches the référent with its context, and is followed."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import CALLER, House, house
from tests.e2e.layout import SAMU37
from tests.e2e.pages.test_accessibility import tab_to
from tests.e2e.record import verified
from tests.e2e.seen import session_id
from tests.lab.browsers.browser import axe
from tests.lab.process import until
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

REMARK = "L’image s’est figée dès que « le réseau » a faibli.\nDeux fois."


async def report(page: Page, kind: str, remark: str) -> None:
    """Fill the form in and send it; the page says that it is recorded, and is left as it was."""
    await page.click("#feedback-open")
    await page.select_option("#feedback-kind", kind)
    await page.fill("#feedback-remark", remark)
    await page.click("#feedback-form button[type=submit]")
    await page.wait_for_selector("#feedback-sent:not([hidden])")
    await page.click("#feedback-close")
    await page.wait_for_selector("#feedback:not([open])", state="attached")


async def report_by_keyboard(page: Page, remark: str) -> str:
    """The same without a mouse; return the reference that was given."""
    await tab_to(page, "#feedback-open")
    await page.keyboard.press("Enter")
    await tab_to(page, "#feedback-remark")
    await page.keyboard.insert_text(remark)
    await tab_to(page, "#feedback-form button[type=submit]")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#feedback-sent:not([hidden])")
    assert await axe(page) == []
    reference = await page.inner_text("#feedback-reference")
    await tab_to(page, "#feedback-close")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#feedback:not([open])", state="attached")
    return reference


def rows(home: House, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home.folder / "visio15.db")) as db:
        return list(db.execute(query))


async def test_an_incident_reaches_the_referent() -> None:
    """From the desk in a video, while the mail relay refuses; from the audit, as a remark."""
    async with house() as home, sipp.phone(port=home.uas_port):
        desk = await home.desk()
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            await desk.wait_for_selector("#calls li[data-state=talking]")
            phone = await home.film(desk)
            session = await session_id(desk)
            call = await desk.get_attribute("#calls li", "data-call")
            # Nothing is sent that says nothing.
            await desk.click("#feedback-open")
            await desk.click("#feedback-form button[type=submit]")
            await desk.wait_for_selector("#feedback-error:has-text('Écrivez')")
            await desk.keyboard.press("Escape")
            # The relay is out of order: what was said is kept, and goes when it is back.
            home.smtp.answer = "451 4.3.0 try later"
            tried = home.smtp.attempts
            reference = await report_by_keyboard(desk, REMARK)
            await until(lambda: home.smtp.attempts > tried, "the relay was asked")
            home.smtp.answer = None
            mail = await home.smtp.next(to=SAMU37.referent)
            await phone.tap("#leave")
            await line.hang_up()
        assert mail.subject == f"Visio15, SAMU 37 : incident {reference}"
        assert str(mail.message["Reply-To"]) == home.mailbox("regulateur")
        text = mail.text.replace("\r\n", "\n")
        assert REMARK in text
        for known in (
            "Incident signalé sur Visio15, SAMU 37",
            "Par Dr Regulateur",
            "Page : /desk",
            f"Session vidéo : {session}",
            f"Appel : {call}",
            "Poste : 1601",
            "Navigateur : Mozilla/5.0",
            "Fenêtre : 1366x768",
            "Liaison : open",
            "Étapes : live : accepted done",
            "Image : flowing",
            f"Référence : {reference}",
        ):
            assert known in text, text
        assert CALLER not in text
        # An auditor, about one call.
        auditor = await (await home.browser.desk("auditor")).context.new_page()
        await home.sign_in(auditor, "auditeur")
        await auditor.goto(f"{home.url}/audit/calls/{call}")
        await report(auditor, "remark", "Rien à signaler.")
        mail = await home.smtp.next(to=SAMU37.referent)
        assert mail.subject.startswith("Visio15, SAMU 37 : remarque INC-")
        assert f"Page : /audit/calls/{call}" in mail.text
        # Recorded, and in the chain; what was written stands sealed beside it.
        kept = rows(home, "SELECT kind, context FROM feedback ORDER BY created")
        assert [kind for kind, _ in kept] == ["incident", "remark"]
        assert json.loads(kept[0][1])["session"] == session
        assert rows(home, "SELECT count(*) FROM audit WHERE action = 'feedback.sent'") == [(2,)]
        assert "figée" not in str(rows(home, "SELECT sealed FROM personal WHERE kind = 'remark'"))
        await followed(home, reference, f"/audit/sessions/{session}")
        # The author reads where it stands, and changes nothing.
        await tab_to(desk, "#feedback-open")
        await desk.keyboard.press("Enter")
        await tab_to(desk, "#feedback-mine summary")
        await desk.keyboard.press("Enter")
        await desk.wait_for_selector("#feedback-list li[data-state=acknowledged]")
        assert reference in await desk.inner_text("#feedback-list")
        assert await axe(desk) == []
        home.browser.assert_clean(home.url)
        await verified(home)


async def followed(home: House, reference: str, session: str) -> None:
    """The référent finds it from the kiosk, by the keyboard alone, takes it up, and exports the list."""
    page = await (await home.browser.desk("referent")).context.new_page()
    await home.sign_in(page, "referent")
    await page.wait_for_selector("#module-incidents [data-count]:has-text('2 nouveaux')")
    await tab_to(page, "#module-incidents")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#incidents")
    assert await axe(page) == []
    [link] = await page.locator(f"#incidents a:has-text('{reference}')").all()
    await link.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f"#context a[href='{session}']")
    assert REMARK in await page.inner_text("#remark")
    await tab_to(page, "#to-state")
    await page.keyboard.type("Pris")
    await tab_to(page, "#note")
    await page.keyboard.insert_text("Vu avec « le réseau ».")
    await tab_to(page, ".decide button")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#history tr:nth-child(2):has-text('Vu avec')")
    await page.wait_for_selector("#state-now:has-text('Pris en compte')")
    assert await axe(page) == []
    await page.click("a[href='/incidents']")
    await page.select_option("#state", "acknowledged")
    await page.click(".filter button")
    await page.wait_for_selector("#incidents tbody tr:only-child")
    async with page.expect_download() as started:
        await page.click("#export")
    text = Path(await (await started.value).path()).read_bytes().decode("utf-8-sig")
    [kept] = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    assert (kept["Référence"], kept["État"], kept["Texte"]) == (reference, "Pris en compte", REMARK)
    assert kept["Note"] == "Vu avec « le réseau »."
