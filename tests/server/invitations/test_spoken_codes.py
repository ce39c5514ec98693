"""A caller without SMS: a code is read aloud, typed on /c, and nobody guesses it or locks others out."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from server.identity.domain.access import Role
from server.invitations.domain.spoken import ADDRESS_WRONG, ALARM_WRONG
from server.invitations.errors import SpokenCodesTooMany
from tests.server.running import Running, running, written_logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.house import Browser
    from tests.server.running import Page

LINK = re.compile(r"/v/([A-Za-z0-9_-]{27})")


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    proxies = {"trusted_proxies": ["127.0.0.1"], "spoken_address": "rivage.example/c"}
    with running(io_loop, furnished_database, tmp_path, **proxies) as house:
        yield house


async def make(desk: Page, command: str = "command-code", **more: str) -> dict[str, Any]:
    await desk.say("code.make", id=command, **more)
    result: dict[str, Any] = (await desk.hear("done", id=command))["result"]
    return result


async def type_code(
    phone: Browser, code: str, address: str = "198.51.100.7", *, query: str = ""
) -> tuple[int, str]:
    """Type a code behind the proxy, on a page with that query; the status and where it leads."""
    if "_xsrf" not in phone.cookies:
        await phone.get("/c")
    form = {"code": code}
    answer = await phone.post(f"/c{query}", form, headers={"X-Forwarded-For": address})
    link = re.compile(LINK.pattern + re.escape(query))
    found = link.fullmatch(answer.headers.get("Location", ""))
    return answer.code, found.group(1) if found else ""


def another(code: str, step: int = 1) -> str:
    return f"{(int(code) + step) % 1_000_000:06d}"


async def row(house: Running, action: str) -> dict[str, Any]:
    [found] = await house.rows(f"SELECT * FROM audit WHERE action = '{action}'")  # noqa: S608
    return found


async def test_from_the_voice_to_the_picture(house: Running) -> None:
    with written_logs() as logs:
        desk = await house.desk(await house.signed_in("regulator"))
        made = await make(desk)
        code = made["code"]
        assert re.fullmatch(r"\d{6}", code)
        assert made["address"] == "rivage.example/c"
        view = await desk.hear("view")
        while not view["sessions"]:
            view = await desk.hear("view")
        [session] = view["sessions"]
        assert session["id"] == made["session"]
        [invitation] = session["invitations"]
        assert (invitation["channel"], invitation["to"]) == ("code", None)
        assert (invitation["state"], invitation["can"]) == ("waiting", ["revoke"])
        steps = [step["key"] for step in session["steps"]]
        assert steps == ["accepted", "read", "opened", "tapped", "permission", "image"]

        phone = house.browser()
        page = (await phone.get("/c", headers={"Accept-Language": "fr"})).body.decode()
        assert 'inputmode="numeric"' in page
        assert 'autocomplete="one-time-code"' in page
        assert "Tapez les 6 chiffres" in page
        assert "<script" not in page
        # As people type it: with spaces, or in the digits of their own script.
        arabic = "".join(chr(0x660 + int(digit)) for digit in code)
        typed = f" {arabic[:3]} {arabic[3:]} "
        status, token = await type_code(phone, typed, query="?lang=ar")
        assert status == 303
        assert (await phone.get(f"/v/{token}")).code == 200
        answer = await phone.post_json(f"/v/{token}/tap", {})
        assert answer.code == 200
        caller = await house.caller(token, phone)
        await caller.say("camera", state="granted")
        while session["state"] != "connecting":
            [session] = (await desk.hear("view"))["sessions"]
        assert session["invitations"][0]["label"] == "ouvert sur un téléphone"
        assert [s["state"] for s in session["steps"]][:5] == ["done"] * 5
        # I5: another browser with the same link.
        assert (await house.tapped_elsewhere(token)).cookies

        kept = json.dumps([await house.all_of(t) for t in ("spoken_code", "audit")], default=str)
        assert code not in kept
        assert token not in kept
        for secret in (code, token):
            assert secret not in logs.getvalue()
    actions = await house.actions()
    assert actions.index("code.created") < actions.index("code.redeemed")
    assert "invitation.bound" in actions


async def test_a_code_works_once_for_one_browser_until_it_taps(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    code = (await make(desk))["code"]
    phone, thief = house.browser(), house.browser()
    status, lost = await type_code(phone, code)
    assert status == 303
    assert (await type_code(thief, code))[0] == 404
    # The answer was lost on the way: the same browser types it again, and the former link is dead.
    status, token = await type_code(phone, code)
    assert status == 303
    assert token != lost
    assert (await phone.get(f"/v/{lost}")).code == 404
    assert (await phone.post_json(f"/v/{token}/tap", {})).code == 200
    assert (await type_code(phone, code))[0] == 404
    assert house.counted("code_wrong") == 2
    # Everybody at once: one has it.
    code = (await make(desk, "command-again"))["code"]
    phones = [house.browser() for _ in range(6)]
    await asyncio.gather(*(one.get("/c") for one in phones))
    answers = await asyncio.gather(
        *(type_code(one, code, f"203.0.113.{n}") for n, one in enumerate(phones))
    )
    assert sorted(status for status, _ in answers) == [303, *[404] * 5]


async def test_a_code_ends_by_time_by_a_newer_one_by_revocation_and_with_its_session(
    house: Running,
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    phone = house.browser()
    first = await make(desk)
    second = await make(desk, "command-0002", session=first["session"])
    assert second["session"] == first["session"]
    assert (await type_code(phone, first["code"]))[0] == 404
    # The same command again: its answer was lost, nobody has read that code.
    third = await make(desk, "command-0002", session=first["session"])
    assert (await type_code(phone, second["code"]))[0] == 404
    house.clock.pass_(minutes=5)
    assert (await type_code(phone, third["code"]))[0] == 404
    assert await house.server.spoken.sweep() == 3
    assert (await house.actions()).count("code.expired") == 3
    assert await house.all_of("spoken_code") == []
    # The session still lives and may have another; withdrawn, it has none.
    fourth = await make(desk, "command-0004", session=first["session"])
    [invitation] = await house.all_of("invitation")
    await desk.say("invitation.revoke", id="command-0005", invitation=invitation["id"])
    await desk.hear("done", id="command-0005")
    assert (await type_code(phone, fourth["code"]))[0] == 404
    await desk.say("code.make", id="command-0006", session=first["session"])
    await desk.refused("session_ended")


async def test_a_code_beside_an_sms_that_does_not_arrive(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    made = await make(desk, session=session)
    assert made["session"] == session
    phone = house.browser()
    _, token = await type_code(phone, made["code"])
    [sms] = await house.tokens()
    assert (await phone.post_json(f"/v/{token}/tap", {})).code == 200
    await house.tapped_elsewhere(sms)
    # Somebody taps: a code would be one more way in.
    await desk.say("code.make", id="command-late", session=session)
    await desk.refused("open_elsewhere")


async def test_another_site_s_session_is_not_there(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = (await make(desk))["session"]
    await house.admin.add_user(
        "loin",
        "une phrase assez longue",
        site_key="montagne",
        name="Loin",
        role=Role.REGULATOR,
        email="loin@example.org",
        mobile=None,
    )
    await house.look_around()
    other = await house.desk(await house.signed_in("loin", "301"), "desk-peer-9")
    await other.say("code.make", id="command-0009", session=session)
    await other.refused("not_found")


async def test_guessing_costs_the_guesser_and_nobody_else(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    code = (await make(desk))["code"]
    thief = house.browser()
    for step in range(1, ADDRESS_WRONG + 2):
        assert (await type_code(thief, another(code, step)))[0] == 404
    # Blocked: even the right one, so that the block tells nothing.
    status, _ = await type_code(thief, code)
    assert status == 429
    answer = await thief.post("/c", {"code": code}, headers={"X-Forwarded-For": "198.51.100.7"})
    assert 'data-code="code_throttled"' in answer.body.decode()
    # A whole /64 is one machine.
    v6 = house.browser()
    for step in range(1, ADDRESS_WRONG + 2):
        assert (await type_code(v6, another(code, step), f"2001:db8::{step:x}"))[0] == 404
    assert (await type_code(v6, another(code), "2001:db8::ffff"))[0] == 429
    assert (await type_code(v6, another(code), "2001:db8:0:1::1"))[0] == 404
    # Five minutes at most, then one try.
    house.clock.pass_(minutes=1, seconds=1)
    assert (await type_code(thief, another(code)))[0] == 404
    assert (await type_code(thief, another(code)))[0] == 429
    # From elsewhere, the right one.
    assert (await type_code(house.browser(), code, "198.51.100.8"))[0] == 303


async def test_an_attack_from_everywhere_stops_only_those_who_erred(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    code = (await make(desk))["code"]
    with written_logs() as logs:
        thief = house.browser()
        for n in range(ALARM_WRONG):
            assert (await type_code(thief, another(code, n + 1), f"203.0.113.{n}"))[0] == 404
        assert logs.getvalue().count("code.alarm") == 1
    # In the alarm one mistake is one too many, but whoever made none goes on.
    assert (await type_code(thief, another(code), "203.0.113.1"))[0] == 429
    assert (await type_code(house.browser(), code, "192.0.2.1"))[0] == 303
    assert house.counted("code_wrong") == ALARM_WRONG
    # The audit has one row for all of them, without any code; nothing more when nothing more came.
    house.clock.pass_(minutes=6)
    await house.server.spoken.sweep()
    await house.server.spoken.sweep()
    refused = await row(house, "code.refused")
    assert json.loads(refused["data"])["wrong"] == ALARM_WRONG
    assert code not in json.dumps(refused, default=str)


async def test_hostile_values_are_wrong_codes(house: Running) -> None:
    phone = house.browser()
    values = ("<script>alert(1)</script>", "", "\0", "²³¹²³¹", "1" * 5000, "'; DROP TABLE x")
    for value in values:
        answer = await phone.post("/c", {"code": value}, headers={"X-Forwarded-For": "192.0.2.9"})
        assert answer.code == 404, value
        assert "alert(" not in answer.body.decode()
    answer = await phone.get("/c?lang=%3Cscript%3E")
    assert "<script" not in answer.body.decode()


async def test_so_many_codes_that_they_could_be_guessed(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.invitations.service.spoken.MOST_LIVE", 2)
    desk = await house.desk(await house.signed_in("regulator"))
    digits = iter(("111111", "111111", "222222", "333333"))
    monkeypatch.setattr(house.server.spoken._ids, "code", lambda: next(digits), raising=False)
    assert (await make(desk))["code"] == "111111"
    assert (await make(desk, "command-0002"))["code"] == "222222", "no two live ones are the same"
    await desk.say("code.make", id="command-0003")
    await desk.refused(SpokenCodesTooMany.code)
    # Nothing of the refused one is left.
    assert await house.rows("SELECT count(*) AS n FROM session") == [{"n": 2}]
