"""Line 12 of the reference procedure: an incident or a remark reaches the référent with what helps to understand it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import CALLER, House, house
from tests.e2e.layout import SAMU37
from tests.e2e.record import verified
from tests.e2e.seen import session_id
from tests.lab import sipp
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

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
            await desk.click("#feedback-cancel")
            # The relay is out of order: what was said is kept, and goes when it is back.
            home.smtp.answer = "451 4.3.0 try later"
            tried = home.smtp.attempts
            await report(desk, "incident", REMARK)
            await until(lambda: home.smtp.attempts > tried, "the relay was asked")
            home.smtp.answer = None
            mail = await home.smtp.next(to=SAMU37.referent)
            await phone.tap("#leave")
            await line.hang_up()
        assert mail.subject == "Visio15, SAMU 37 : incident"
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
        ):
            assert known in text, text
        assert CALLER not in text
        # An auditor, about one call.
        auditor = await (await home.browser.desk("auditor")).context.new_page()
        await home.sign_in(auditor, "auditeur")
        await auditor.goto(f"{home.url}/audit/calls/{call}")
        await report(auditor, "remark", "Rien à signaler.")
        mail = await home.smtp.next(to=SAMU37.referent)
        assert mail.subject == "Visio15, SAMU 37 : remarque"
        assert f"Page : /audit/calls/{call}" in mail.text
        # Recorded, and in the chain; what was written stands sealed beside it.
        kept = rows(home, "SELECT kind, context FROM feedback ORDER BY created")
        assert [kind for kind, _ in kept] == ["incident", "remark"]
        assert json.loads(kept[0][1])["session"] == session
        assert rows(home, "SELECT count(*) FROM audit WHERE action = 'feedback.sent'") == [(2,)]
        assert "figée" not in str(rows(home, "SELECT sealed FROM personal WHERE kind = 'remark'"))
        home.browser.assert_clean(home.url)
        await verified(home)
