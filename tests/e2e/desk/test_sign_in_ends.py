"""A sign-in ends during a video: told before, renewed in place, and at its end the picture goes on (ADR 27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import CODE, House, house, until_text
from tests.e2e.layout import PASSWORD
from tests.e2e.seen import mark, more_frames, unchanged
from tests.lab.browsers.browser import axe

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

#: The shortest life there may be: told a quarter of it before.
SHORT = {"sign_in": {"desk": {"absolute_minutes": 1, "idle_minutes": 60}}}
PATIENCE = 90_000


async def renew(home: House, desk: Page) -> None:
    """Password and code in the sheet, by the keyboard."""
    await desk.wait_for_selector("#sign-in[open] #sign-in-password:focus")
    await desk.keyboard.type(PASSWORD)
    await desk.keyboard.press("Enter")
    await desk.wait_for_selector("#sign-in-code:focus")
    mail = await home.smtp.next(to=home.mailbox("regulateur"))
    code = CODE.search(mail.text)
    assert code, mail.text
    await desk.keyboard.type(code.group(1))
    await desk.keyboard.press("Enter")
    await desk.wait_for_selector("#sign-in-banner", state="hidden")
    await desk.wait_for_selector("#server-state[data-state=open]")


async def test_a_video_outlives_the_sign_in_of_its_desk() -> None:
    async with house(extra=SHORT) as home:
        desk = await home.desk()
        await home.film(desk)
        await mark(desk)
        await desk.fill("#email", "suivant@example.org")  # half typed: it stays
        # Told before the end; renewed beside the picture, which does not notice.
        await desk.wait_for_selector("#sign-in-act:text('Renouveler')", timeout=PATIENCE)
        await desk.click("#sign-in-act")
        assert not await axe(desk)
        await renew(home, desk)
        await unchanged(desk, peers=1)
        await more_frames(desk)
        assert await desk.input_value("#email") == "suivant@example.org"
        # Not renewed: the picture goes on, nothing else is begun.
        await desk.wait_for_selector("#sign-in-act:text('Se reconnecter')", timeout=PATIENCE)
        await unchanged(desk, peers=1)
        await more_frames(desk)
        await desk.click("#invite")
        await until_text(desk, "#invite-error", "Votre connexion est terminée")
        await desk.click("#end")
        await desk.wait_for_selector("body[data-signed-out] #sign-in[open]")
        assert not await desk.is_visible("#email")
        assert not await axe(desk)
        # Signed in again in the same page: everything is there as it was.
        await renew(home, desk)
        await unchanged(desk, peers=0)
        assert await desk.input_value("#email") == "suivant@example.org"
        for client in home.browser.clients:
            client.allow("401")
        home.browser.assert_clean(home.url)
