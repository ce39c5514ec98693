"""A person is forgotten: no sealed place holds the number any more, and the proof of what happened stays whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from server.core.audit_entries import Actor
from server.core.personal import PersonalStore
from server.delivery.domain.messages import Message
from server.delivery.errors import NumberImpossible
from server.delivery.store import MessageStore
from server.invitations.store.invitations import InvitationStore
from server.line15.store.facts import FactStore
from server.video.store.sessions import SessionStore
from telephony import Rang
from tests.server.house import CALL_ID, NUMBER, a_call, a_video

if TYPE_CHECKING:
    from tests.server.house import Browser, House


async def test_a_number_is_forgotten_everywhere(house: House, browser: Browser) -> None:
    await a_call(house)
    await a_video(house)
    await browser.sign_in(house, "auditor")
    await browser.post("/audit", {"number": NUMBER})
    site = house.sites["rivage"].id
    erasure = house.erasure
    counts = await erasure.forget(Actor("cli", site), "06 12 34 56 79")
    assert counts["values"] == 2
    assert counts["calls"] == 1
    assert counts["invitations"] == 1
    for table in ("personal", "audit_payload", "message", "call_fact"):
        for row in await house.all_of(table):
            if row["sealed"] is not None:
                assert NUMBER not in house.seal.open(row["sealed"]), table
    assert not [row for row in await house.all_of("personal") if row["erased"] and row["lookup"]]
    verdict, _ = await house.chain.verify(site)
    assert verdict.intact
    assert "personal.erased" in await house.actions()
    # The call is still found by its ids, without its number.
    page = await browser.get(f"/api/v1/calls?alias={CALL_ID}")
    assert page.code == 200
    assert NUMBER.encode() not in page.body
    again = await erasure.forget(Actor("cli", site), NUMBER)
    assert again["values"] == 0


async def test_what_was_sent_and_told_goes_and_what_a_call_s_other_video_holds(
    house: House,
) -> None:
    """That video was sent to somebody else's number; it shows the caller all the same."""
    await a_call(house)
    await a_video(house)
    await a_video(house, id_="video2")
    site, now = house.sites["rivage"].id, house.clock.now()
    async with house.server.transactions() as uow:
        text = house.seal.close(f"for {NUMBER}")
        sent = Message("m", site, "invitation", "sms", "i-video1", text, "ref", now, now)
        await MessageStore(uow).add(sent)
        await FactStore(uow).add(site, [("call1", Rang("leg", now, "hep"))], now)
        other = await PersonalStore(uow).add(site, "number", "+33600000001", now)
        link = await InvitationStore(uow).get(site, "i-video2")
        await InvitationStore(uow).save(replace(link, contact=other))
        session = await SessionStore(uow).get(site, "video2")
        await SessionStore(uow).save(replace(session, language="ar"))
        await uow.commit()
    counts = await house.erasure.forget(Actor("cli", site), NUMBER)
    assert counts["invitations"] == 1
    for table in ("message", "call_fact"):
        assert [row["sealed"] for row in await house.all_of(table)] == [None], table
    assert [row["language"] for row in await house.all_of("session")] == [None, None]
    [made] = await house.rows("SELECT seq FROM audit WHERE session = 'video2'")
    [payload] = [one for one in await house.all_of("audit_payload") if one["seq"] == made["seq"]]
    assert (payload["salt"], payload["sealed"]) == (None, None)


@pytest.mark.parametrize(
    ("remark", "forgotten"),
    [
        ("Rappeler le 06 12 34 56 79 svp", True),
        ("+33 6.12.34.56.79", True),
        ("0033-612345679", True),
        ("06\u202f12\u202f34\u202f56\u202f79", True),
        ("rappeler le 06\u201112\u201134\u201156\u201179", True),
        ("\u202a+33 6 12 34\n56 79\u202c", True),
        ("٠٦١٢٣٤٥٦٧٩", True),
        ("06 12 34 56 78", False),
        ("Rien de personnel.", False),
    ],
)
async def test_a_remark_that_names_the_number_is_forgotten(
    house: House, browser: Browser, remark: str, *, forgotten: bool
) -> None:
    """With its mail; the row of the incident stays."""
    await browser.sign_in(house, "regulator")
    sent = {"kind": "remark", "remark": remark, "context": {}}
    assert (await browser.post_json("/feedback", sent)).code == 201
    erasure = house.erasure
    counts = await erasure.forget(Actor("cli", house.sites["rivage"].id), NUMBER)
    assert counts["remarks"] == int(forgotten)
    [incident] = await house.rows("SELECT mail FROM feedback")
    [mail] = [m for m in await house.all_of("message") if m["id"] == incident["mail"]]
    assert (mail["sealed"] is None) == forgotten


async def test_another_sites_caller_is_not_touched(house: House) -> None:
    await a_call(house)
    await a_call(house, site="montagne", id_="call2")
    async with house.server.transactions() as uow:
        for site in house.sites.values():
            await PersonalStore(uow).add(site.id, "remark", f"call {NUMBER}", house.clock.now())
        await uow.commit()
    erasure = house.erasure
    await erasure.forget(Actor("cli", house.sites["rivage"].id), NUMBER)
    kept = [row for row in await house.all_of("personal") if row["sealed"] is not None]
    montagne = house.sites["montagne"].id
    assert sorted((row["site"], row["kind"]) for row in kept) == [
        (montagne, "number"),
        (montagne, "remark"),
    ]


async def test_what_is_no_contact_is_refused(house: House) -> None:
    erasure = house.erasure
    with pytest.raises(NumberImpossible):
        await erasure.forget(Actor("cli", house.sites["rivage"].id), "15")
