"""The auditor finds a call by any of its names, sees everything, only of the own site, and leaves a trace doing so."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from server.audit.store.audit import AuditStore
from server.core.audit_entries import Actor, canonical
from server.core.journal.append import Journal
from server.core.journal.verbs import VERBS
from server.core.personal import PersonalStore
from server.line15.store.calls import CallStore
from telephony import CallState, Related, StationSpan, StationState
from tests.server.house import CALL_ID, NUMBER, Browser, House, a_call, a_video
from tests.server.stray import stray
from tests.server.told_verbs import entries

if TYPE_CHECKING:
    from collections.abc import Callable

NATIONAL = "06 12 34 56 79"


async def api(browser: Browser, alias: str) -> tuple[int, dict[str, Any]]:
    response = await browser.get(f"/api/v1/calls?{urlencode({'alias': alias})}")
    return response.code, json.loads(response.body)


@pytest.mark.parametrize("name", [CALL_ID, "linked-call1", "call1"])
async def test_a_call_is_found_by_any_name(house: House, browser: Browser, name: str) -> None:
    await a_call(house)
    await a_video(house)
    await browser.sign_in(house, "auditor")
    page = await browser.get(f"/audit?q={name}")
    assert page.code == 200
    assert "/audit/calls/call1" in page.body.decode()
    status, found = await api(browser, name)
    assert status == 200
    (record,) = found["calls"]
    assert record["call"]["number"] == NUMBER
    assert record["call"]["id"] == "call1"


async def test_the_record_tells_everything(house: House, browser: Browser) -> None:
    await a_call(house)
    await a_video(house)
    await browser.sign_in(house, "auditor")
    _, found = await api(browser, CALL_ID)
    (record,) = found["calls"]
    assert {(a["type"], a["value"], a["why"]) for a in record["aliases"]} == {
        ("sip_call_id", CALL_ID, "INVITE"),
        ("linkedid", "linked-call1", "X-Linkedid"),
    }
    assert [one["station"] for one in record["stations"]] == ["201"]
    assert len(record["holds"]) == 1
    (session,) = record["sessions"]
    assert (session["by"], session["station"]) == ("Prénom regulator", "201")
    (link,) = session["links"]
    assert (link["evidence"], link["certainty"], link["by"]) == (
        "chosen",
        "certain",
        "Prénom regulator",
    )
    assert link["reason"]
    (invitation,) = session["invitations"]
    assert (invitation["channel"], invitation["to"]) == ("sms", NUMBER)
    created, viewed = record["events"]
    assert (created["action"], created["address"]) == ("session.created", "192.0.2.77")
    assert (viewed["action"], viewed["actor"]) == ("audit.viewed", "Prénom auditor")
    assert record["chain"]["verified"]
    page = (await browser.get("/audit/calls/call1")).body.decode()
    assert 'data-verified="true"' in page
    assert CALL_ID in page


async def test_an_id_used_twice_gives_a_dated_list(house: House, browser: Browser) -> None:
    await a_call(house)
    house.clock.pass_(days=1)
    await a_call(house, id_="call2")
    await browser.sign_in(house, "auditor")
    _, found = await api(browser, CALL_ID)
    assert [record["call"]["id"] for record in found["calls"]] == ["call1", "call2"]
    page = (await browser.get(f"/audit?q={CALL_ID}")).body.decode()
    assert page.index("/audit/calls/call1") < page.index("/audit/calls/call2")


@pytest.mark.parametrize(
    "typed", [NATIONAL, "0612345679", NUMBER, "0033612345679", "\u202d+33 6 12 34 56 79\u202c"]
)
async def test_a_number_is_found_however_written(
    house: House, browser: Browser, typed: str
) -> None:
    await a_call(house)
    await browser.sign_in(house, "auditor")
    page = await browser.post("/audit", {"number": typed})
    assert page.code == 200
    assert "/audit/calls/call1" in page.body.decode()


async def test_what_is_no_number_is_said_so(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "auditor")
    for number in ("15", "", "x" * 1000):
        page = await browser.post("/audit", {"number": number})
        assert page.code == 400
        assert "numéro" in page.body.decode()


@pytest.mark.parametrize("day", ["2026-02-30", "hier", "9999-12-31", "0000-01-01"])
async def test_what_is_no_day_is_said_so(house: House, browser: Browser, day: str) -> None:
    await browser.sign_in(house, "auditor")
    assert (await browser.get(f"/audit?day={day}")).code == 400


async def test_a_day_is_the_day_of_paris_and_shows_videos_without_a_call(
    house: House, browser: Browser
) -> None:
    house.clock.pass_(hours=15, minutes=30)  # 23:30 UTC: already tomorrow in Paris
    await a_call(house)
    await a_video(house, call=None)
    await browser.sign_in(house, "auditor")
    today = (await browser.get("/audit?day=2026-03-01")).body.decode()
    tomorrow = (await browser.get("/audit?day=2026-03-02")).body.decode()
    assert "/audit/calls/call1" not in today
    assert "/audit/calls/call1" in tomorrow
    assert "/audit/sessions/video1" in tomorrow
    page = await browser.get("/audit/sessions/video1")
    assert page.code == 200
    assert "Session sans appel" in page.body.decode()


async def test_a_video_is_found_by_its_own_id(house: House, browser: Browser) -> None:
    await a_video(house, call=None)
    await browser.sign_in(house, "auditor")
    assert "/audit/sessions/video1" in (await browser.get("/audit?q=video1")).body.decode()


async def test_an_erased_number_leaves_the_call(house: House, browser: Browser) -> None:
    await a_call(house)
    async with house.server.transactions() as uow:
        (person,) = await house.rows("SELECT id FROM personal WHERE kind = 'number'")
        await PersonalStore(uow).erase(house.sites["rivage"].id, person["id"], house.clock.now())
        await uow.commit()
    await browser.sign_in(house, "auditor")
    _, found = await api(browser, CALL_ID)
    assert found["calls"][0]["call"]["number"] is None
    page = await browser.post("/audit", {"number": NUMBER})
    assert "/audit/calls/call1" not in page.body.decode()


# --- sites are sealed (I7) -----------------------------------------------------------------------


async def test_another_site_s_calls_and_videos_do_not_exist(
    house: House, open_browser: Callable[[], Browser]
) -> None:
    await a_call(house)
    await a_video(house)
    stranger = open_browser()
    await stranger.sign_in(house, "ailleurs")
    for path in (
        "/audit/calls/call1",
        "/audit/sessions/video1",
        f"/api/v1/calls?alias={CALL_ID}",
        "/api/v1/calls?alias=call1",
        "/api/v1/calls?alias=video1",
    ):
        foreign = await stranger.get(path)
        missing = await stranger.get(
            path.replace("call1", "callX").replace("video1", "videoX").replace("a84b", "b84b")
        )
        assert foreign.code == missing.code == 404
        assert len(foreign.body) == len(missing.body)
    for path in (f"/audit?q={CALL_ID}", "/audit?q=video1", "/audit?day=2026-03-01"):
        page = (await stranger.get(path)).body.decode()
        assert "/audit/calls/" not in page
        assert "/audit/sessions/" not in page
    page = await stranger.post("/audit", {"number": NUMBER})
    assert "/audit/calls/" not in page.body.decode()


async def test_the_same_id_on_two_sites_shows_each_its_own(
    house: House, open_browser: Callable[[], Browser]
) -> None:
    await a_call(house)
    await a_call(house, "montagne", "call2")
    for identifier, expected in (("auditor", "call1"), ("ailleurs", "call2")):
        browser = open_browser()
        await browser.sign_in(house, identifier)
        _, found = await api(browser, CALL_ID)
        assert [record["call"]["id"] for record in found["calls"]] == [expected]


@pytest.mark.parametrize("role", ["arm", "regulator", "admin"])
async def test_who_does_not_audit_is_refused(house: House, browser: Browser, role: str) -> None:
    await a_call(house)
    await browser.sign_in(house, role)
    for path in ("/audit", "/audit/calls/call1", "/audit/sessions/x", "/api/v1/calls?alias=x"):
        assert (await browser.get(path)).code == 403
    assert (await browser.post("/audit", {"number": NUMBER})).code == 403


async def test_nobody_is_sent_to_sign_in_and_comes_back(house: House, browser: Browser) -> None:
    await a_call(house)
    refused = await browser.get("/audit/calls/call1")
    assert refused.code == 302
    await browser.get(refused.headers["Location"])
    assert (await browser.sign_in(house, "auditor")).headers["Location"] == "/audit/calls/call1"
    browser.cookies.pop("v15_session")
    status, answer = await api(browser, "call1")
    assert (status, answer["error"]["code"]) == (401, "not_signed_in")


async def test_a_search_by_number_needs_the_page_s_token(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "auditor")
    refused = await browser.fetch("/audit", method="POST", body="number=0612345679")
    assert refused.code == 403


# --- every look-up leaves a trace ----------------------------------------------------------------


async def test_every_look_up_is_audited_without_what_was_typed(
    house: House, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_call(house)
    await a_video(house)
    await browser.sign_in(house, "auditor")
    before = len(await house.actions())
    await browser.get("/audit")
    await browser.get(f"/audit?q={NATIONAL.replace(' ', '')}")
    await browser.post("/audit", {"number": NATIONAL})
    await browser.get("/audit?day=2026-03-01")
    await browser.get("/audit/calls/call1")
    await browser.get("/audit/sessions/video1")
    await browser.get("/audit/calls/0612345679")
    assert (await house.actions())[before:] == [
        *["audit.searched"] * 3,
        *["audit.viewed"] * 2,
        "audit.missed",
    ]
    chain = repr(await house.rows("SELECT * FROM audit"))
    payloads = repr(await house.rows("SELECT * FROM audit_payload"))
    logged = "".join(capsys.readouterr())
    for secret in ("0612345679", "612345679", "127.0.0.1", "192.0.2.77"):
        assert secret not in chain
        assert secret not in payloads
        assert secret not in logged
    async with house.server.transactions(write=False) as uow:
        site = house.sites["rivage"].id
        rows = [row async for row in AuditStore(uow).chain(site)]
        by_number = next(row for row in rows if row.data.get("by") == "number")
        payload = await AuditStore(uow).payload(site, by_number.seq)
    assert payload is not None
    assert json.loads(payload[1]) == {"value": NUMBER, "address": "127.0.0.1"}


async def test_a_broken_chain_is_shown(house: House, browser: Browser) -> None:
    await a_call(house)
    await browser.sign_in(house, "auditor")
    async with house.server.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE audit SET source = 'server' WHERE seq = 2")
    page = (await browser.get("/audit/calls/call1")).body.decode()
    assert 'data-verified="false"' in page
    assert "rompu" in page
    _, found = await api(browser, CALL_ID)
    assert not found["calls"][0]["chain"]["verified"]
    assert found["calls"][0]["chain"]["broken_at"] in {2, 3}


@pytest.mark.parametrize("alias", ["", "x" * 256, "a\nb", "a\u2028b"])
async def test_an_unreadable_alias_is_refused(house: House, browser: Browser, alias: str) -> None:
    await browser.sign_in(house, "auditor")
    status, answer = await api(browser, alias)
    assert (status, answer["error"]["code"]) == (400, "alias_malformed")


@pytest.mark.parametrize("alias", ["' OR 1=1 --", "<script>alert(1)</script>", "%", "_____", "é😀"])
async def test_an_alias_is_only_ever_a_value(house: House, browser: Browser, alias: str) -> None:
    await a_call(house)
    await browser.sign_in(house, "auditor")
    assert (await api(browser, alias))[0] == 404
    page = (await browser.get(f"/audit?q={quote(alias)}")).body.decode()
    assert "/audit/calls/" not in page
    assert "<script>alert" not in page


async def test_an_ended_call_shows_how_sure_its_end_is(house: House, browser: Browser) -> None:
    ended = house.clock.now()
    await a_call(house, state=CallState.ENDED, ended=ended, end_certain=False)
    await browser.sign_in(house, "auditor")
    _, found = await api(browser, CALL_ID)
    assert found["calls"][0]["call"]["end_certain"] is False
    assert "déduite" in (await browser.get("/audit/calls/call1")).body.decode()


async def test_a_record_holds_what_the_picture_needs(house: House, browser: Browser) -> None:
    """Stations, who handed to whom, kin on both sides, and the states of the video."""
    start = house.clock.now()
    at = [start + timedelta(seconds=second) for second in range(30)]
    stays = (
        StationSpan("201", start, at[9]),
        StationSpan("202", at[5], at[6], StationState.RINGING),
        StationSpan("202", at[6], at[23]),
    )
    await a_call(house, stations=stays, answered=at[1])
    kin = (Related("call1", "in conference", at[6], at[8]), Related("call1", "same number again"))
    await a_call(house, id_="call2", related=kin)
    await a_video(house)
    await browser.sign_in(house, "auditor")
    _, found = await api(browser, "call1")
    (record,) = (one for one in found["calls"] if one["call"]["id"] == "call1")
    assert [(one["station"], one["state"]) for one in record["stations"]] == [
        ("201", "talking"),
        ("202", "ringing"),
        ("202", "talking"),
    ]
    (move,) = record["moves"]
    assert (move["origin"], move["target"]) == ("201", "202")
    assert move["at"] == at[9].isoformat()
    assert {(one["call"], one["why"]) for one in record["related"]} == {
        ("call2", "in conference"),
        ("call2", "same number again"),
    }
    (phase,) = record["sessions"][0]["phases"]
    assert (phase["state"], phase["end"]) == ("invited", None)
    _, found = await api(browser, "linked-call2")
    joined = {one["why"]: one["start"] for one in found["calls"][0]["related"]}
    assert joined == {"in conference": at[6].isoformat(), "same number again": None}
    page = (await browser.get("/audit/calls/call1")).body.decode()
    for words in ("transfert vers 202", "/audit/calls/call2"):
        assert words in page
    table = re.sub(r"(\s|<[^>]+>)+", " ", page[page.index("facts-table") :])
    for words in ("poste 202 sonne", "poste 202 a l’appel"):
        assert words in table


async def test_a_start_told_otherwise_later_does_not_leave_the_first_open_for_ever(
    house: House, browser: Browser
) -> None:
    """Capture dates the ring, then the switchboard dates it better: one stay, and what was read before is shown."""
    start = house.clock.now()
    better, end = start - timedelta(milliseconds=5), start + timedelta(seconds=9)
    await a_call(house)
    await a_call(house, stations=(StationSpan("201", better),))
    await a_call(house, stations=(StationSpan("201", better, end), StationSpan("202", end)))
    async with house.server.transactions(write=False) as uow:
        assert (await CallStore(uow).get(house.sites["rivage"].id, "call1")).stations == ("202",)
    await browser.sign_in(house, "auditor")
    _, found = await api(browser, CALL_ID)
    stay, _ = found["calls"][0]["stations"]
    assert (stay["start"], stay["end"]) == (better.isoformat(), end.isoformat())
    assert stay["earlier"] == [start.isoformat()]


#: What a row may hold under any name: what is written today, what releases before wrote, and what nobody wrote yet.
SHAPES: tuple[Any, ...] = (
    *(None, True, 0, -1.5, "", "live", "ended", "201", "2026-03-01T08:00:00+00:00"),
    *("abcd-abcde?T", "\x00<b>", [], ["202"], ["live", "ended"], [[1], {"a": None}]),
    *({}, {"to": "live"}, {"from": ["x"]}),
)


async def test_every_row_the_product_writes_can_be_shown(house: House, browser: Browser) -> None:
    """Whatever it holds: the record of a call must open on the day it is asked for."""
    await a_call(house)
    await a_video(house)
    actions = [*sorted(VERBS), "session.cloned"]  # and one of a later release
    actor = Actor("desk", house.sites["rivage"].id, None, "192.0.2.77")
    async with house.server.transactions() as uow:
        for number, (before, after) in enumerate(product(SHAPES, repeat=2)):
            data = {"from": before, "to": after, "reason": after, "by": before, "tries": after}
            action = actions[number % len(actions)]
            event = stray(action, "session:video1", "video1", "call1", data)
            await Journal(uow).append(actor, event, house.clock.now())
        change = {"from": "connecting", "to": "live"}
        event = stray("picture.flowing", "session:video1", "video1", "call1", change)
        await Journal(uow).append(actor, event, house.clock.now())
        await uow.commit()
    assert len(SHAPES) ** 2 >= len(actions)
    await browser.sign_in(house, "auditor")
    for page in ("/audit/calls/call1", "/audit/sessions/video1", "/audit?q=call1"):
        assert (await browser.get(page)).code == 200, page
    status, found = await api(browser, CALL_ID)
    assert status == 200
    [record] = found["calls"]
    [video] = record["sessions"]
    states = [phase["state"] for phase in video["phases"]]
    assert states == ["invited", "live"], "only a verb of one makes a change of state"
    assert record["chain"]["verified"]


async def test_every_verb_is_read_back_on_the_page_and_in_the_record(
    house: House, browser: Browser
) -> None:
    await a_call(house)
    told = [one.of_call("call1") for _, one in entries()]
    actor = Actor("desk", house.sites["rivage"].id, None, "192.0.2.77")
    async with house.server.transactions() as uow:
        for entry in told:
            await Journal(uow).append(actor, entry, house.clock.now())
        await uow.commit()
    await browser.sign_in(house, "auditor")
    _, found = await api(browser, CALL_ID)
    [record] = found["calls"]
    *events, viewed = record["events"]
    assert [(one["action"], one["said"], one["subject"]) for one in events] == [
        (one.verb.action, one.verb.said, one.subject) for one in told
    ]
    stored = [json.loads(canonical(one.payload.data())) for one in told]
    assert [one["data"] for one in events] == stored
    assert viewed["said"] == "Consultation"
    assert record["chain"]["verified"]
    page = (await browser.get("/audit/calls/call1")).body.decode()
    rows = page[page.index('id="events"') :].split("<tr data-event=")[1:]
    for row, entry in zip(rows, told, strict=False):
        assert f"<td>{entry.verb.said}<br><code" in row
        assert f">{entry.verb.action}</code>" in row
        for key, value in entry.payload.data().items():
            assert value is None or f"<span>{key} <b>" in row
