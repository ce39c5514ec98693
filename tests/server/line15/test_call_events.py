"""POST /api/v1/telephony/events: who may speak, what is durable, what is said twice."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from server.app.wiring import build
from server.core.errors import StorageUnavailable
from server.line15.domain.feed_words import why_refused
from server.line15.service.call_events import MESSAGES_AT_ONCE
from server.line15.service.ingest import CallIngest
from server.line15.store.facts import FactStore
from server.line15.web.event_bodies import EventResults, schema
from telephony import Answered, HungUp
from telephony.runner import Runner
from tests.lab.process import until
from tests.server.line15.signed import PATH, Cti, code, mac
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITTEN = Path(__file__).resolve().parents[3] / "docs" / "call-events.schema.json"


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


@pytest.fixture
def cti(io_loop: Any, house: Running) -> Cti:
    made: Cti = io_loop.run_sync(lambda: Cti.of(house))
    return made


async def restarted(house: Running) -> None:
    await house.server.stop()
    house.server = build(house.server.settings.model_copy(update={"port": 0}), house.clock)
    await house.server.start()


def body(*events: Any) -> bytes:
    return json.dumps({"events": events}).encode()


async def test_a_pasted_number_is_read(house: Running, cti: Cti) -> None:
    """The call-centre software keeps what somebody pasted into its address book."""
    regulator = await house.signed_in("regulator")
    desk = await house.desk(regulator)
    event = cti.event(
        "answered",
        caller="\u202a06\u202f12\u202f34\u202f56\u202f78\u202c",
        called="15",
        station="201",
    )
    assert [r["status"] for r in await cti.tell(event)] == ["accepted"]
    view = await desk.hear("view")
    while not view["calls"]:
        view = await desk.hear("view")
    assert view["calls"][0]["number"] == "06 12 34 56 78"


async def test_a_call_comes_to_the_desk_and_its_recording_finds_the_video(
    house: Running, cti: Cti
) -> None:
    regulator = await house.signed_in("regulator")
    desk = await house.desk(regulator)
    answered = cti.event("answered", caller="+33612345678", called="15", station="201")
    recording = cti.event("recording_started", recording="REC-2026-0001.wav")
    name = cti.event("alias", alias={"type": "sip_call_id", "value": "abc@pbx"}, dossier="a.b.c.d")
    results = await cti.tell(name, recording, answered)
    assert [r["status"] for r in results] == ["accepted"] * 3
    assert len({r["call"] for r in results}) == 1
    view = await desk.hear("view")
    while not view["calls"] or view["line15"]["state"] != "connected":
        view = await desk.hear("view")
    (call,) = view["calls"]
    assert (call["id"], call["number"], call["state"]) == (
        results[0]["call"],
        "06 12 34 56 78",
        "talking",
    )
    assert view["line15"]["state"] == "connected"
    session = await house.invite(desk)
    auditor = await house.signed_in("auditor", None)
    for alias in ("REC-2026-0001.wav", "abc@pbx", "a.b.c.d", "17"):
        answer = await auditor.get(f"/api/v1/calls?alias={alias}")
        assert answer.code == 200, alias
        (record,) = json.loads(answer.body)["calls"]
        assert record["call"]["id"] == call["id"]
        assert [s["id"] for s in record["sessions"]] == [session]
    (link,) = record["sessions"][0]["links"]
    assert (link["certainty"], link["evidence"]) == ("inferred", "sole_talking_call")


async def test_a_launch_that_came_first_is_confirmed(house: Running, cti: Cti) -> None:
    browser = await house.signed_in("regulator")
    target = (await browser.get(cti.launch())).headers["Location"]
    desk = await house.desk(browser, launch=target.partition("=")[2])
    session = await house.invite(desk)
    (result,) = await cti.tell(cti.event("ringing", call="pop-17", station="202"))
    links = await house.rows(
        f"SELECT call, certainty FROM session_link WHERE session = '{session}' ORDER BY id"  # noqa: S608
    )
    assert (links[-1]["call"], links[-1]["certainty"]) == (result["call"], "certain")


async def test_what_is_accepted_survives_a_restart(house: Running, cti: Cti) -> None:
    (first,) = await cti.tell(cti.event("answered", station="201"))
    await restarted(house)
    rivage = house.sites["rivage"].id
    await until(lambda: house.server.lines.state(rivage) == "quiet", "it is known to be connected")
    assert house.server.lines.state(house.sites["montagne"].id) == "none"
    held, again = await cti.tell(cti.event("held", seconds=5), cti.event("answered", station="201"))
    assert (held["status"], held["call"]) == ("accepted", first["call"])
    assert (again["status"], again["call"]) == ("repeated", first["call"])
    assert await house.rows("SELECT state FROM call") == [{"state": "held"}]


async def link_of(house: Running, session: str) -> tuple[str | None, str, str]:
    rows = await house.rows(
        f"SELECT call, certainty, evidence FROM session_link WHERE session = '{session}' ORDER BY id"  # noqa: S608
    )
    return rows[-1]["call"], rows[-1]["certainty"], rows[-1]["evidence"]


async def test_a_call_of_before_a_restart_is_nobodys_sole_call_until_it_is_heard_of(
    house: Running, cti: Cti
) -> None:
    """It may be over: the doctor is asked, and one that is confirmed is linked as ever."""
    (old,) = await cti.tell(cti.event("answered", caller="+33612345678", station="201"))
    await restarted(house)
    desk = await house.connect("/ws/desk", await house.signed_in("regulator"))
    await desk.say("hello", peer="desk-peer-1")
    view = await desk.hear("view")
    (call,) = view["calls"]
    assert (call["state"], call["certain"]) == ("talking", False)
    first = await house.invite(desk, "command-1")
    assert await link_of(house, first) == (None, "unlinked", "unconfirmed_call")
    view = await desk.hear("view")
    while not view["sessions"]:
        view = await desk.hear("view")
    assert view["sessions"][0]["link"]["pick"] is True, "the doctor picks"
    # Another call is answered there: the one of before stands in nobody's way.
    (new,) = await cti.tell(
        cti.event("answered", call="18", caller="+33698765432", station="201", seconds=1)
    )
    second = await house.invite(desk, "command-2", new_session=True)
    assert await link_of(house, second) == (new["call"], "inferred", "sole_talking_call")
    # And it comes back with a message of its own.
    await cti.tell(
        cti.event("ended", call="18", seconds=2),
        cti.event("held", seconds=3),
        cti.event("resumed", seconds=4),
    )
    third = await house.invite(desk, "command-3", new_session=True)
    assert await link_of(house, third) == (old["call"], "inferred", "sole_talking_call")


async def test_what_is_read_otherwise_after_a_restart_is_stored(house: Running, cti: Cti) -> None:
    """The facts say that it is over, the row of an older release that it goes on: nobody else would end it."""
    (told,) = await cti.tell(cti.event("answered", station="201"))
    site, now = house.sites["rivage"].id, house.clock.now()
    async with house.server.transactions() as uow:
        ((_, known),) = [
            each
            for each in await FactStore(uow).of_live(site, now - timedelta(hours=1))
            if isinstance(each[1], Answered)
        ]
        end = HungUp(known.leg, now + timedelta(seconds=9), known.source, "ended")
        await FactStore(uow).add(site, [(told["call"], end)], now)
        await uow.commit()
    await restarted(house)
    assert await house.rows("SELECT state FROM call") == [{"state": "ended"}]


async def test_the_answer_waits_for_the_storage(
    house: Running, cti: Cti, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing can be stored nothing is acknowledged; sent again, it waits for the first delivery."""
    real, broken = CallIngest._save, True

    async def save(self: CallIngest, *values: Any) -> None:
        if broken:
            raise StorageUnavailable("test")
        await real(self, *values)

    monkeypatch.setattr(CallIngest, "_save", save)
    monkeypatch.setattr("server.line15.service.lines.PUSH_SECONDS", 0.2)
    sent = body(cti.event("answered", station="201"))
    for _ in range(2):
        answer = await cti.send(sent, Idempotency_Key="k1")
        assert code(answer) == (503, "storage_unavailable")
    assert await house.rows("SELECT id FROM call") == []
    broken = False
    monkeypatch.setattr("server.line15.service.lines.PUSH_SECONDS", 10.0)
    answer = await cti.send(sent, Idempotency_Key="k1")
    assert answer.code == 202
    assert json.loads(answer.body)["results"][0]["status"] in {"accepted", "repeated"}
    assert len(await house.rows("SELECT id FROM call")) == 1


# --- who may speak ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"X_Visio15_Signature": None}, "webhook_unsigned"),
        ({"X_Visio15_Timestamp": None}, "webhook_unsigned"),
        ({"X_Visio15_Site": None}, "webhook_unsigned"),
        ({"X_Visio15_Signature": "v1=" + "0" * 64}, "webhook_signature_wrong"),
        ({"X_Visio15_Signature": "v2=" + "0" * 64}, "webhook_signature_wrong"),
        ({"X_Visio15_Signature": "é, v1=é,,v1=,"}, "webhook_signature_wrong"),
        ({"X_Visio15_Site": "montagne"}, "webhook_signature_wrong"),
        ({"X_Visio15_Site": "nulle-part"}, "webhook_signature_wrong"),
        ({"X_Visio15_Timestamp": "1772352009"}, "webhook_signature_wrong"),
        ({"X_Visio15_Timestamp": "demain"}, "webhook_signature_wrong"),
    ],
)
async def test_who_may_not_speak(
    house: Running, cti: Cti, headers: dict[str, str | None], refusal: str
) -> None:
    answer = await cti.send(body(cti.event("answered")), **headers)
    assert code(answer) == (401, refusal)
    assert house.counted(refusal) == 1
    assert await house.rows("SELECT id FROM call_fact") == []


async def test_another_site_s_secret(house: Running, cti: Cti) -> None:
    foreign = await Cti.of(house, "montagne")
    sent = body(cti.event("answered"))
    signed = f"v1={mac(foreign.secret, cti.now().encode() + b'.' + sent)}"
    answer = await cti.send(sent, X_Visio15_Signature=signed)
    assert code(answer) == (401, "webhook_signature_wrong")
    await foreign.tell(foreign.event("answered"))
    assert {row["site"] for row in await house.rows("SELECT site FROM call")} == {
        house.sites["montagne"].id
    }


async def test_a_changed_body(cti: Cti) -> None:
    sent = body(cti.event("answered", caller="+33612345678"))
    signed = f"v1={mac(cti.secret, cti.now().encode() + b'.' + sent)}"
    answer = await cti.send(sent.replace(b"678", b"679"), X_Visio15_Signature=signed)
    assert code(answer) == (401, "webhook_signature_wrong")


@pytest.mark.parametrize(("skew", "status"), [(300, 202), (-300, 202), (301, 401), (-301, 401)])
async def test_clocks_may_differ_by_five_minutes(cti: Cti, skew: int, status: int) -> None:
    answer = await cti.send(body(), cti.now(skew))
    assert answer.code == status
    if status == 401:
        assert code(answer) == (401, "webhook_expired")
    health = cti.house.server.lines._lines[cti.house.sites["rivage"].id].webhook.health()
    assert dict(health.rejected) == ({} if status == 202 else {"webhook_expired": 1})


async def test_a_flood_is_counted_and_harms_no_other_site(house: Running, cti: Cti) -> None:
    other = await Cti.of(house, "montagne")
    for _ in range(MESSAGES_AT_ONCE):
        assert (await cti.send(b"not even JSON")).code == 400
    late = body(cti.event("answered"))
    assert code(await cti.send(late)) == (429, "webhook_flood")
    assert house.counted("webhook_flood") == 1
    unsigned = await cti.send(body(), X_Visio15_Site="montagne")
    assert code(unsigned) == (401, "webhook_signature_wrong")
    await other.tell(other.event("answered"))
    house.clock.pass_(seconds=1)
    assert (await cti.send(late)).code == 202


async def test_both_secrets_while_one_is_replaced(house: Running, cti: Cti) -> None:
    new = await Cti.of(house)
    sent = body()
    both = [f"v1={mac(one.secret, one.now().encode() + b'.' + sent)}" for one in (cti, new)]
    assert (await cti.send(sent, X_Visio15_Signature=", ".join(both))).code == 202
    await new.tell(new.event("answered"))
    await cti.tell(cti.event("held"))
    await Cti.of(house)
    answer = await cti.send(body(cti.event("resumed")))
    assert code(answer) == (401, "webhook_signature_wrong")


async def test_messages_that_overtake_each_other_end_as_they_happened(
    house: Running, cti: Cti
) -> None:
    """Signed in one order, received in another: each is authentic, and the times of the events decide."""
    first, then = body(cti.event("answered")), body(cti.event("held", seconds=2))
    signed_then, signed_last = cti.now(2), cti.now(4)
    last = body(cti.event("ended", seconds=4))
    for sent, stamp in ((last, signed_last), (then, signed_then), (first, cti.now())):
        assert (await cti.send(sent, stamp)).code == 202
    [row] = await house.rows("SELECT state FROM call")
    assert row["state"] == "ended"
    [hold] = await house.rows("SELECT count(*) AS n FROM call_span WHERE kind = 'hold'")
    assert hold["n"] >= 1


# --- said twice ------------------------------------------------------------------------------------
async def test_the_same_message_twice_also_after_a_restart(house: Running, cti: Cti) -> None:
    sent, now = body(cti.event("answered")), cti.now()
    assert (await cti.send(sent, now)).code == 202
    assert code(await cti.send(sent, now)) == (409, "webhook_replayed")
    assert code(await cti.send(sent, now, Idempotency_Key="new")) == (409, "webhook_replayed")
    await restarted(house)
    assert code(await cti.send(sent, now)) == (409, "webhook_replayed")
    house.clock.pass_(seconds=301)
    assert code(await cti.send(sent, now)) == (401, "webhook_expired")
    answer = await cti.send(sent)
    assert json.loads(answer.body)["results"][0]["status"] == "repeated"


async def test_a_key_gets_its_answer_again_also_after_a_restart(house: Running, cti: Cti) -> None:
    sent, now = body(cti.event("answered"), {"type": "?"}), cti.now()
    first = await cti.send(sent, now, Idempotency_Key="k1")
    for moment in (now, cti.now(10)):
        assert (await cti.send(sent, moment, Idempotency_Key="k1")).body == first.body
    other = body(cti.event("held"))
    assert code(await cti.send(other, Idempotency_Key="k1")) == (409, "webhook_body_conflict")
    await restarted(house)
    assert (await cti.send(sent, cti.now(20), Idempotency_Key="k1")).body == first.body
    assert code(await cti.send(other, Idempotency_Key="k1")) == (409, "webhook_body_conflict")
    house.clock.pass_(hours=24, seconds=1)
    fresh = body(cti.event("held", call="18"))
    assert (await cti.send(fresh, Idempotency_Key="k1")).code == 202


async def test_the_key_of_another_site_is_another_key(house: Running, cti: Cti) -> None:
    foreign = await Cti.of(house, "montagne")
    await cti.tell(cti.event("answered"), Idempotency_Key="k1")
    (result,) = await foreign.tell(foreign.event("answered", call="other"), Idempotency_Key="k1")
    assert result["status"] == "accepted"


async def test_twice_at_once(house: Running, cti: Cti) -> None:
    sent = body(cti.event("answered", station="201"))
    answers = await asyncio.gather(*(cti.send(sent, Idempotency_Key="k1") for _ in range(5)))
    assert {answer.code for answer in answers} == {202}
    assert len(await house.rows("SELECT id FROM call")) == 1


@pytest.mark.parametrize("key", ["é", "k" * 256])
async def test_a_key_that_is_none(cti: Cti, key: str) -> None:
    answer = await cti.send(body(), Idempotency_Key=key)
    assert code(answer) == (400, "webhook_key_malformed")


# --- bodies ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"events"',
        b"{}",
        b'{"events": {}}',
        b'{"events": [], "more": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"events": ' + b"9" * 5000 + b"}",
    ],
)
async def test_what_is_no_message(cti: Cti, sent: bytes) -> None:
    assert code(await cti.send(sent)) == (400, "webhook_malformed")


async def test_sizes(cti: Cti) -> None:
    events = [cti.event("answered", call=f"c{index}") for index in range(101)]
    assert code(await cti.send(body(*events))) == (400, "webhook_too_many")
    results = await cti.tell(*events[:100])
    assert {result["status"] for result in results} == {"accepted"}
    assert len({result["call"] for result in results}) == 100
    assert code(await cti.send(b" " * 300_000)) == (400, "webhook_too_large")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "exploded"}, "type"),
        ({"call": ""}, "call"),
        ({"call": "a\nb"}, "call"),
        ({"call": "\ud800"}, "call"),
        ({"call": "x" * 256}, "call"),
        ({"call": 17}, "call"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-03-01T08:00:00"}, "at"),
        ({"at": 1772352000}, "at"),
        ({"at": "9999-12-31T23:59:59-12:00"}, "at"),
        ({"at": "2026-02-20T08:00:00Z"}, ""),
        ({"at": "2026-03-01T08:05:09Z"}, ""),
        ({"type": "moved"}, ""),
        ({"type": "alias"}, ""),
        ({"type": "recording_started"}, ""),
        ({"alias": {"type": "call", "value": "x"}}, "alias.type"),
        ({"alias": {"type": "sip_call_id"}}, "alias.value"),
        ({"dossier": "a b c d"}, "dossier"),
        ({"station": "x" * 33}, "station"),
        ({"surprise": "secret-value"}, "surprise"),
    ],
)
async def test_a_wrong_event_costs_only_itself(
    cti: Cti, changes: dict[str, Any], field: str
) -> None:
    wrong = {**cti.event("answered", call="wrong"), **changes}
    good, refused, last = await cti.tell(cti.event("answered"), wrong, cti.event("held"))
    assert (good["status"], refused["status"], last["status"]) == (
        "accepted",
        "refused",
        "accepted",
    )
    assert refused["errors"][0]["field"] == field
    assert "secret-value" not in json.dumps(refused["errors"][0]["message"])
    EventResults.model_validate({"accepted": 2, "results": [good, refused, last]})


@pytest.mark.parametrize("event", [None, 1, "x", [], {}])
async def test_what_is_no_event(cti: Cti, event: Any) -> None:
    (refused,) = await cti.tell(event)
    assert refused["status"] == "refused"


async def test_events_of_a_call_nobody_has_seen_wait(house: Running, cti: Cti) -> None:
    dossier = cti.event("alias", dossier="a.b.c.d")
    assert [r["status"] for r in await cti.tell(dossier)] == ["waiting"]
    assert [r["status"] for r in await cti.tell(dossier, cti.event("ended"))] == ["waiting"] * 2
    assert await house.rows("SELECT id FROM call_fact") == []
    await cti.tell(cti.event("ringing", seconds=-3))
    house.clock.pass_(seconds=1)
    assert [r["status"] for r in await cti.tell(dossier)] == ["repeated"]
    names = {row["value"] for row in await house.rows("SELECT value FROM call_alias")}
    assert names == {"17", "a.b.c.d"}
    assert await house.rows("SELECT state FROM call") == [{"state": "ended"}]


async def test_nothing_personal_is_stored_in_clear(house: Running, cti: Cti) -> None:
    await cti.tell(cti.event("answered", caller="+33612345678"), Idempotency_Key="k1")
    for table in ("call_fact", "webhook_answer", "used_once", "audit", "call"):
        assert "612345678" not in str(await house.all_of(table)), table


async def test_a_site_without_a_line_says_so(house: Running, cti: Cti) -> None:
    await house.admin.add_site("nouveau", "SAMU", "r@example.org", "SAMU15")
    fresh = await Cti.of(house, "nouveau")
    answer = await fresh.send(body(fresh.event("answered")))
    assert code(answer) == (503, "webhook_not_ready")


async def test_a_message_without_room_is_refused_counted_and_taken_when_it_comes_again(
    house: Running, cti: Cti, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cti.tell()
    event = cti.event("answered", station="201")
    with monkeypatch.context() as full:
        full.setattr(Runner, "submit", no_room)
        assert code(await cti.send(body(event))) == (503, "webhook_not_ready")
    (health,) = house.server.lines.healths()["rivage"]
    assert health.rejected == {"webhook_queue_full": 1}
    assert health.overflow == 0
    assert why_refused("webhook_queue_full").startswith("file pleine")
    assert [r["status"] for r in await cti.tell(event)] == ["accepted"]
    assert await house.rows("SELECT certain FROM call") == [{"certain": 1}]


def no_room(_runner: Runner, _facts: object) -> None:
    raise asyncio.QueueFull


async def test_a_get_is_no_message(house: Running) -> None:
    assert (await house.browser().get(PATH)).code == 405


async def test_the_schema_is_served_and_written(house: Running, cti: Cti) -> None:
    answer = await house.browser().get("/api/v1/telephony/events.schema.json")
    served = json.loads(answer.body)
    assert served == schema() == json.loads(WRITTEN.read_text())
    Draft202012Validator.check_schema(served)
    valid = Draft202012Validator(served)
    assert valid.is_valid({"events": [cti.event("answered", station="201", dossier="a.b.c.d")]})
    assert not valid.is_valid({"events": [cti.event("exploded")]})
