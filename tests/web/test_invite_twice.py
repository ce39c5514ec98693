"""What a tired person asks twice is done once: one contact of one call has one session, unless a second is wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.house import a_call
from tests.web.running import MOBILE, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.web.running import Page

OTHER = "06 99 88 77 66"
EMAIL = "Temoin@example.org"


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def ask(desk: Page, kind: str, command: str, **fields: Any) -> dict[str, Any]:
    """Send a command; its result, or the refusal."""
    await desk.say(kind, id=command, **fields)
    async with asyncio.timeout(15):
        while True:
            answer = await desk.hear_any("done", "error")
            if answer.get("id") == command:
                return dict(answer["result"]) if answer["type"] == "done" else answer


async def count(house: Running, table: str) -> int:
    return len(await house.all_of(table))


async def test_a_second_enter_is_told_of_the_first_session(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk, mobile=MOBILE)
    refused = await ask(desk, "invite", "command-0002", mobile="+33 6 12 34 56 78")
    assert refused["code"] == "already_invited"
    assert (refused["session"], refused["station"]) == (session, "201")
    assert refused["by"] == "Prénom regulator"
    assert (await count(house, "session"), await count(house, "message")) == (1, 1)
    assert (await house.actions()).count("session.created") == 1


async def test_a_second_session_is_made_on_purpose(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    first = await house.invite(desk, mobile=MOBILE)
    second = await ask(desk, "invite", "command-0002", mobile=MOBILE, new_session=True)
    assert second["session"] not in {None, first}
    # The same word again, as after a lost answer.
    again = await ask(desk, "invite", "command-0002", mobile=MOBILE, new_session=True)
    assert again == second
    assert await count(house, "session") == 2


async def test_the_same_command_is_answered_with_its_own_session(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk, "command-0001", mobile=MOBILE)
    assert await house.invite(desk, "command-0001", mobile=MOBILE) == session
    assert await count(house, "message") == 1


async def test_either_contact_counts_and_another_contact_does_not(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk, mobile=MOBILE, email=EMAIL)
    by_email = await ask(desk, "invite", "command-0002", mobile=OTHER, email=EMAIL.lower())
    assert (by_email["code"], by_email["session"]) == ("already_invited", session)
    other = await ask(desk, "invite", "command-0003", mobile=OTHER)
    assert other["session"] != session


async def test_two_desks_at_once_make_one_session(house: Running) -> None:
    """The ARM and the doctor press Enter together: one sends, the other reads whose it is."""
    arm = await house.desk(await house.signed_in("arm", "202"), "desk-peer-2")
    doctor = await house.desk(await house.signed_in("regulator"))
    answers = await asyncio.gather(
        ask(arm, "invite", "command-arm-1", mobile=MOBILE),
        ask(doctor, "invite", "command-doc-1", mobile=MOBILE),
    )
    [made] = [one for one in answers if "code" not in one]
    [refused] = [one for one in answers if "code" in one]
    assert (refused["code"], refused["session"]) == ("already_invited", made["session"])
    first = ("Prénom arm", "202") if answers[0] is made else ("Prénom regulator", "201")
    assert (refused["by"], refused["station"]) == first
    assert await count(house, "message") == 1


async def test_a_session_that_is_over_or_whose_link_was_withdrawn_is_in_nobodys_way(
    house: Running,
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    first = await house.invite(desk, mobile=MOBILE)
    await ask(desk, "session.end", "command-end1", session=first)
    second = await ask(desk, "invite", "command-0002", mobile=MOBILE)
    assert second["session"] != first
    # The wrong device: its link is withdrawn, the address of the same session goes on.
    third = await ask(desk, "invite", "command-0003", mobile=OTHER, email=EMAIL)
    view = await desk.hear("view")
    while third["session"] not in {one["id"] for one in view["sessions"]}:
        view = await desk.hear("view")
    shown = next(one for one in view["sessions"] if one["id"] == third["session"])
    sms = next(one["id"] for one in shown["invitations"] if one["channel"] == "sms")
    await ask(desk, "invitation.revoke", "command-revo", invitation=sms)
    assert "code" not in await ask(desk, "invite", "command-0004", mobile=OTHER)


async def test_two_known_calls_of_one_number_are_two_sessions(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    for call in ("call1", "call2"):
        await a_call(house, id_=call, aliases=())
    first = await ask(desk, "invite", "command-0001", mobile=MOBILE, call="call1")
    assert "code" not in first
    same = await ask(desk, "invite", "command-0002", mobile=MOBILE, call="call1")
    assert same["code"] == "already_invited"
    # Two calls talk and none is named: it may be either.
    unknown = await ask(desk, "invite", "command-0003", mobile=MOBILE)
    assert unknown["code"] == "already_invited"
    other = await ask(desk, "invite", "command-0004", mobile=MOBILE, call="call2")
    assert "code" not in other


async def test_another_site_is_never_told(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk, mobile=MOBILE)
    user = house.users["ailleurs"]
    async with house.server.transactions(write=False) as uow:
        lookups = [house.seal.lookup("number", "+33612345678")]
        assert len(await uow.sessions.invited(house.sites["rivage"].id, lookups)) == 1
        assert await uow.sessions.invited(user.site, lookups) == []
