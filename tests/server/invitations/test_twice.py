"""What a tired person asks twice is done once: one contact of one call has one session, unless a second is wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from server.invitations.store.invitations import InvitationStore
from tests.server.house import a_call
from tests.server.running import MOBILE, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished
    from tests.server.running import Page

OTHER = "06 99 88 77 66"
EMAIL = "Temoin@example.org"


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def ask(desk: Page, kind: str, command: str, **fields: Any) -> dict[str, Any]:
    """Send a command; its result, or the refusal."""
    answer = await desk.answer(kind, command, **fields)
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
        assert len(await InvitationStore(uow).sessions(house.sites["rivage"].id, lookups)) == 1
        assert await InvitationStore(uow).sessions(user.site, lookups) == []


async def sms_of(desk: Page, session: str) -> str:
    """The invitation by SMS of a session, from the view that shows it."""
    view = await desk.hear("view")
    while not (found := [one for one in view["sessions"] if one["id"] == session]):
        view = await desk.hear("view")
    return next(str(one["id"]) for one in found[0]["invitations"] if one["channel"] == "sms")


async def test_a_command_whose_answer_was_lost_sends_and_withdraws_once(house: Running) -> None:
    """The desk says it again when it is back: one more SMS, one row of the audit."""
    desk = await house.desk(await house.signed_in("regulator"))
    invitation = await sms_of(desk, await house.invite(desk))
    for _ in range(3):
        assert await ask(desk, "invitation.resend", "command-again", invitation=invitation) == {}
    assert (await house.actions()).count("invitation.resent") == 1
    assert await ask(desk, "invitation.resend", "command-later", invitation=invitation) == {}
    assert (await house.actions()).count("invitation.resent") == 2
    for command in ("command-rev-1", "command-rev-1", "command-rev-2"):
        assert await ask(desk, "invitation.revoke", command, invitation=invitation) == {}
    assert (await house.actions()).count("invitation.revoked") == 1


async def test_a_session_that_was_moved_stays_with_the_phone_that_took_it(house: Running) -> None:
    """The order to move it, said again after a lost answer, does not take it from that phone."""
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    invitation = await sms_of(desk, session)
    [token] = await house.tokens()
    await house.tapped(token)
    assert await ask(desk, "invitation.move", "command-move1", invitation=invitation) == {}
    await house.tapped(token)
    assert await ask(desk, "invitation.move", "command-move1", invitation=invitation) == {}
    third = house.browser()
    await third.get(f"/v/{token}")
    assert (await third.post_json(f"/v/{token}/tap", {})).code == 409


async def test_the_same_choice_of_a_call_is_one_link(house: Running) -> None:
    """A double click on a call, or an answer that was lost: the history of links has one row more."""
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    await a_call(house, id_="call1", aliases=())
    for command in ("command-ch-1", "command-ch-1", "command-ch-2"):
        await ask(desk, "link.choose", command, session=session, call="call1")
    assert await count(house, "session_link") == 2
    for command in ("command-no-1", "command-no-2"):
        await ask(desk, "link.none", command, session=session)
    for command in ("command-id-1", "command-id-2"):
        await ask(desk, "link.manual", command, session=session, value="dossier-77")
    assert await count(house, "session_link") == 4


async def test_a_session_that_runs_is_shown_however_many_came_after(house: Running) -> None:
    """Twelve short ones ended since: the one whose phone is still waited for has its row and its tab."""
    desk = await house.desk(await house.signed_in("regulator"))
    first = await house.invite(desk)
    house.clock.pass_(seconds=1)
    for number in range(12):
        made = await ask(
            desk, "invite", f"command-1{number:03d}", mobile=f"06 12 00 00 {number:02d}"
        )
        await ask(desk, "session.end", f"command-2{number:03d}", session=made["session"])
        house.clock.pass_(seconds=1)
    other = await house.connect("/ws/desk", await house.signed_in("arm", "201"))
    await other.say("hello", peer="desk-peer-9", take=True)
    view = await other.hear("view")
    assert first in {one["id"] for one in view["sessions"]}
