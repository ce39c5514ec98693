"""A video without a call is matched when line 15 tells more: alone when sure, by a person when not (I2)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from server.audit.store.audit import AuditStore
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.video.store.sessions import SessionStore
from telephony import CallsChanged, CallState, Number, Span, StationSpan
from tests.server.house import NUMBER, Browser, House, a_call, a_video
from tests.server.line15.signed import Cti
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from telephony import Call

MINE = "+33612345678"  # whom the tests invite
PAGE = "/audit/reconcile"


@pytest.fixture
def alive(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def links(house: House, session: str) -> list[tuple[str | None, str, str]]:
    async with house.server.transactions(write=False) as uow:
        found = await SessionStore(uow).links(house.sites["rivage"].id, session)
    return [(link.call, link.certainty.value, link.evidence.value) for link in found]


async def linked_rows(house: House) -> list[dict[str, Any]]:
    async with house.server.transactions(write=False) as uow:
        site = house.sites["rivage"].id
        return [
            dict(r.data) async for r in AuditStore(uow).chain(site) if r.action == "session.linked"
        ]


# --- by itself -------------------------------------------------------------------------------------
async def test_what_the_switchboard_tells_late_links_the_video_and_the_desk_sees_it(
    alive: Running, until: Callable[[Callable[[], Any]], Any]
) -> None:
    """Nothing told of line 15 when the caller was invited; the events of then come afterwards, signed."""
    desk = await alive.desk(await alive.signed_in("regulator"))
    session = await alive.invite(desk)
    assert await links(alive, session) == [(None, "unlinked", "no_feed")]
    cti = await Cti.of(alive)
    alive.clock.pass_(minutes=20)
    # All videos are looked at here: from now on, only those that the events touch.
    await alive.server.reconciler.due([alive.sites["rivage"].id])
    told = cti.event("answered", seconds=-1260, caller=MINE, station="201")
    (one,) = await cti.tell(told)
    await cti.tell(cti.event("ended", seconds=-900))

    async def done() -> bool:
        return len(await links(alive, session)) == 2

    await until(done)
    assert (await links(alive, session))[-1] == (one["call"], "certain", "reconciled")
    view = await desk.hear("view")
    while view["sessions"][0]["link"]["evidence"] != "reconciled":
        view = await desk.hear("view")
    assert "après coup" in view["sessions"][0]["link"]["label"]
    assert (await linked_rows(alive))[-1] == {
        "certainty": "certain",
        "evidence": "reconciled",
        "because": ["same_number", "talking_here", "only_one"],
        "told_by": ["webhook"],
        "was": "no_feed",
    }


async def a_loose_video(
    house: House, evidence: Evidence = Evidence.FEED_DOWN, site: str = "rivage", id_: str = "video1"
) -> None:
    """A video of the caller of `a_call`, invited a minute after it began, linked to nothing."""
    house.clock.pass_(minutes=1)
    await a_video(house, site, id_, call=None)
    if evidence is not Evidence.NO_CALL:
        async with house.server.transactions() as uow:
            now = house.clock.now()
            await SessionStore(uow).add_link(
                house.sites[site].id, CallLink(id_, None, Certainty.UNLINKED, evidence, None, now)
            )
            await uow.commit()


async def swept(house: House) -> int:
    house.clock.pass_(minutes=10)
    return await house.server.reconciler.due([site.id for site in house.sites.values()])


async def test_a_call_that_comes_back_is_matched_once_it_is_certain_again(house: House) -> None:
    """A feed that was cut: the call is uncertain until its next word, and so is what it would be linked by."""
    start = house.clock.now()
    call = await a_call(house, certain=False, evidence=(), holds=())
    await a_loose_video(house)
    assert await swept(house) == 0
    line = house.server.reconciler
    site = house.sites["rivage"].id
    line15 = house.server.features.ingest_for(site)
    await line15.receive([CallsChanged((_again(call, start),))])
    assert await line.due([site]) == 1
    assert (await links(house, "video1"))[-1] == ("call1", "certain", "reconciled")
    assert await swept(house) == 0, "linked once, and no more"


def _again(call: Call, start: datetime) -> Call:
    ended = start + timedelta(minutes=5)
    spans = (StationSpan("201", start, ended),)
    return replace(
        call,
        certain=True,
        state=CallState.ENDED,
        ended=ended,
        stations=spans,
        holds=(),
        evidence=(),
    )


async def test_two_candidates_are_offered_with_their_evidence_and_one_is_picked(
    house: House, browser: Browser
) -> None:
    await a_call(house, evidence=(), holds=())
    await a_call(house, id_="call2", caller=Number("+33698765432"), evidence=(), holds=())
    await a_loose_video(house, Evidence.SEVERAL_CALLS)
    assert await swept(house) == 0
    await browser.sign_in(house, "auditor")
    page = (await browser.get(PAGE)).body.decode()
    assert page.index('data-call="call1"') < page.index('data-call="call2"')
    assert "même numéro que l’invitation" in page
    assert "un autre appel est possible" in page
    form = re.search(r'action="/audit/reconcile/video1">\s*(.*?)</form>', page, re.DOTALL)
    assert form
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.group(1)))
    assert fields["decision"] == "call:call1"
    answer = await browser.post(f"{PAGE}/video1", fields)
    assert answer.code == 303, answer.body
    assert (await links(house, "video1"))[-1] == ("call1", "certain", "reviewed")
    after = (await browser.get(answer.headers["Location"])).body.decode()
    assert "Décision inscrite" in after
    assert "Aucune vidéo à rapprocher." in after
    assert "Lié après relecture" in after


async def test_another_site_s_call_cannot_be_chosen_or_named(alive: Running) -> None:
    await a_call(alive, site="montagne")
    desk = await alive.desk(await alive.signed_in("regulator"))
    session = await alive.invite(desk)
    before = await links(alive, session)
    chosen = await desk.answer("link.choose", "command-0002", session=session, call="call1")
    assert chosen["code"] == "call_unknown"
    refused = await desk.answer("invite", "command-0003", mobile="06 99 88 77 66", call="call1")
    assert refused["code"] == "call_unknown"
    assert await links(alive, session) == before


@pytest.mark.parametrize("evidence", [Evidence.DECLINED, Evidence.REVIEWED_NONE])
async def test_who_said_none_is_not_contradicted(
    house: House, browser: Browser, evidence: Evidence
) -> None:
    await a_call(house, evidence=(), holds=())
    await a_loose_video(house, evidence)
    assert await swept(house) == 0
    await browser.sign_in(house, "auditor")
    page = (await browser.get(PAGE)).body.decode()
    assert "Sans appel, sur décision (1)" in page
    assert "Aucune vidéo à rapprocher." in page


async def test_another_site_s_calls_are_never_candidates(
    house: House, browser: Browser, open_browser: Callable[[], Browser]
) -> None:
    await a_call(house, "montagne", evidence=(), holds=())
    await a_loose_video(house)
    assert await swept(house) == 0
    await browser.sign_in(house, "auditor")
    page = (await browser.get(f"{PAGE}/video1")).body.decode()
    assert "call1" not in page
    for name in ("call1", "linked-call1"):
        form = {"decision": "name", "name": name, "seen": "2", "reason": "essai"}
        assert (await browser.post(f"{PAGE}/video1", form)).code == 404
        form = {"decision": f"call:{name}", "seen": "2"}
        assert (await browser.post(f"{PAGE}/video1", form)).code == 404
    stranger = open_browser()
    await stranger.sign_in(house, "ailleurs")
    assert (await stranger.get(f"{PAGE}/video1")).code == 404
    assert "video1" not in (await stranger.get(PAGE)).body.decode()
    form = {"decision": "call:call1", "seen": "2", "reason": "essai"}
    assert (await stranger.post(f"{PAGE}/video1", form)).code == 404
    assert len(await links(house, "video1")) == 2


async def test_an_invitation_to_another_number_or_a_held_call_is_only_offered(house: House) -> None:
    await a_call(house, caller=Number("+33698765432"), evidence=(), holds=())
    await a_loose_video(house)
    assert await swept(house) == 0
    house.clock.pass_(hours=3)
    start = house.clock.now()
    await a_call(house, id_="call2", evidence=(), holds=(Span(start, None),))
    await a_loose_video(house, id_="video2")
    assert await swept(house) == 0


# --- by a person -----------------------------------------------------------------------------------
async def decided(browser: Browser, **form: str) -> tuple[int, str]:
    answer = await browser.post(f"{PAGE}/video1", form, headers={"Accept": "application/json"})
    code = json.loads(answer.body)["error"]["code"] if answer.code >= 400 else ""
    return answer.code, code


async def test_a_wrong_link_is_corrected_by_a_new_one_with_its_reason(
    house: House, browser: Browser
) -> None:
    await a_call(house)
    await a_call(house, id_="call2", caller=None)
    await a_video(house, call="call2")
    await browser.sign_in(house, "referent")
    page = (await browser.get("/audit/sessions/video1")).body.decode()
    assert 'href="/audit/reconcile/video1"' in page
    assert "Corriger le lien" in page
    assert await decided(browser, decision="call:call1", seen="1") == (400, "link_reason_missing")
    long = "x" * 301
    assert (await decided(browser, decision="call:call1", seen="1", reason=long))[0] == 400
    why = f"Le {NUMBER} était l'autre"
    assert await decided(browser, decision="call:call1", seen="1", reason=why) == (303, "")
    assert await decided(browser, decision="none", seen="1", reason=why) == (409, "link_changed")
    assert await links(house, "video1") == [
        ("call2", "certain", "chosen"),
        ("call1", "certain", "reviewed"),
    ]
    assert (await linked_rows(house))[-1] == {
        "certainty": "certain",
        "evidence": "reviewed",
        "was": "chosen",
        "was_call": "call2",
    }
    chain = repr(await house.rows("SELECT * FROM audit"))
    payloads = repr(await house.rows("SELECT * FROM audit_payload"))
    assert "était" not in chain + payloads, "what was typed is sealed"
    record = (await browser.get("/audit/calls/call1")).body.decode()
    assert "était l&#39;autre" in record
    assert await decided(browser, decision="none", seen="2", reason="finalement rien") == (303, "")
    assert (await links(house, "video1"))[-1] == (None, "unlinked", "reviewed_none")


async def test_a_call_that_is_not_offered_is_named(house: House, browser: Browser) -> None:
    await a_call(house)
    house.clock.pass_(days=1)
    await a_call(house, id_="call2")
    await a_video(house, call=None)
    await browser.sign_in(house, "auditor")
    name = {"decision": "name", "seen": "1"}
    assert await decided(browser, **name, name="nothing") == (404, "call_unknown")
    assert await decided(browser, **name, name="") == (400, "alias_malformed")
    assert await decided(browser, **name, name="a84b4c76e66710@pbx.example") == (
        409,
        "call_ambiguous",
    )
    for wrong in ({"seen": "1"}, {"decision": "none"}, {"decision": "none", "seen": "x"}):
        assert await decided(browser, **wrong) == (400, "invalid")
    assert await decided(browser, **name, name="linked-call1") == (303, "")
    assert (await links(house, "video1"))[-1] == ("call1", "certain", "reviewed")


async def test_looking_is_written_down_and_a_day_is_the_site_s(
    house: House, browser: Browser
) -> None:
    await a_loose_video(house)
    await browser.sign_in(house, "auditor")
    before = len(await house.actions())
    assert "video1" in (await browser.get(f"{PAGE}?day=2026-03-01")).body.decode()
    assert "video1" not in (await browser.get(f"{PAGE}?day=2026-03-02")).body.decode()
    assert (await browser.get(f"{PAGE}?day=hier")).code == 400
    await browser.get(f"{PAGE}/video1")
    assert (await house.actions())[before:] == [*["reconciliation.listed"] * 2, "audit.viewed"]
    assert (await browser.fetch(f"{PAGE}/video1", method="POST", body="seen=1")).code == 403
