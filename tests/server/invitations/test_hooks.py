"""What an invitation means to its session, to the messages with its link, and to who looks for its call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from server.core.bus import SiteChanged
from server.core.personal import PersonalStore
from server.delivery.domain.messages import Message
from server.delivery.service.delivery import Subject
from server.invitations.domain.invitation import Invitation
from server.invitations.service import hooks
from server.invitations.store.invitations import InvitationStore
from server.video.domain.session import SessionState
from server.video.store.sessions import SessionStore
from tests.server.house import NUMBER, a_call, a_video

if TYPE_CHECKING:
    from server.core.db.unit_of_work import UnitOfWork
    from server.video.domain.session import Session
    from tests.server.house import House

LINK = "i-video1"  # of a_video


def a_message(house: House, invitation: str | None) -> Message:
    site, now = house.sites["rivage"].id, house.clock.now()
    return Message("m", site, "invitation", "sms", invitation, b"", "ref", now, now)


async def change_link(house: House, uow: UnitOfWork, **changes: Any) -> Invitation:
    links = InvitationStore(uow)
    return await links.save(replace(await links.get(house.sites["rivage"].id, LINK), **changes))


async def another_link(
    house: House, uow: UnitOfWork, id_: str, channel: str, contact: str | None, **changes: Any
) -> None:
    now = house.clock.now()
    kind = "email" if channel == "email" else "number"
    known = (
        await PersonalStore(uow).add(house.sites["rivage"].id, kind, contact, now)
        if contact
        else None
    )
    link = Invitation(
        id_, house.sites["rivage"].id, "video1", channel, known, f"hash-{id_}", now, now
    )
    await InvitationStore(uow).add(replace(link, **changes))


async def change_session(house: House, uow: UnitOfWork, **changes: Any) -> Session:
    session = await SessionStore(uow).get(house.sites["rivage"].id, "video1")
    return await SessionStore(uow).save(replace(session, **changes))


async def test_the_delivery_learns_of_which_session_and_call_a_message_is(house: House) -> None:
    await a_call(house)
    await a_video(house)
    async with house.server.transactions(write=False) as uow:
        session = await SessionStore(uow).get(house.sites["rivage"].id, "video1")
        change = SiteChanged(session.site, frozenset({str(session.station)}), "video1")
        settled = await hooks.on_settled(uow, a_message(house, LINK))
        assert settled == Subject("video1", "call1", change)
        assert await hooks.on_settled(uow, a_message(house, None)) == Subject()
        assert not await hooks.needless(uow, a_message(house, LINK))
        assert not await hooks.needless(uow, a_message(house, None))


@pytest.mark.parametrize("mark", ["opened", "tapped", "revoked"])
async def test_a_link_that_did_its_work_or_may_not_needs_no_second_carrier(
    house: House, mark: str
) -> None:
    await a_video(house, call=None)
    async with house.server.transactions() as uow:
        await change_link(house, uow, **{mark: house.clock.now()})
        assert await hooks.needless(uow, a_message(house, LINK))


async def test_nor_does_the_link_of_a_session_that_ended(house: House) -> None:
    await a_video(house, call=None)
    async with house.server.transactions() as uow:
        await change_session(house, uow, state=SessionState.ENDED)
        assert await hooks.needless(uow, a_message(house, LINK))


async def test_the_links_of_a_session_are_over_when_each_is_too_old_or_withdrawn(
    house: House,
) -> None:
    await a_video(house, call=None)
    async with house.server.transactions() as uow:
        session, now = (
            await SessionStore(uow).get(house.sites["rivage"].id, "video1"),
            house.clock.now(),
        )
        await change_link(house, uow, expires=now)
        assert await hooks.links_over(uow, session, now)
        later = now + timedelta(seconds=1)
        await another_link(house, uow, "other", "email", "a@example.org", expires=later)
        assert not await hooks.links_over(uow, session, now)
        assert await hooks.links_over(uow, session, later)
        await change_link(house, uow, expires=later, revoked=now)
        assert not await hooks.links_over(uow, session, now)
        other = await InvitationStore(uow).get(house.sites["rivage"].id, "other")
        await InvitationStore(uow).save(replace(other, revoked=now))
        assert await hooks.links_over(uow, session, now)


@pytest.mark.parametrize(("reason", "withdrawn"), [("revoked", True), ("quit", False)])
async def test_a_session_that_was_withdrawn_takes_its_links_along(
    house: House, reason: str, *, withdrawn: bool
) -> None:
    await a_video(house, call=None)
    async with house.server.transactions() as uow:
        session = await change_session(house, uow, state=SessionState.ENDED, end_reason=reason)
        await hooks.release(uow, session, house.clock.now())
        assert (
            (await InvitationStore(uow).get(house.sites["rivage"].id, LINK)).revoked is not None
        ) is withdrawn


async def test_the_numbers_a_session_was_sent_to(house: House) -> None:
    """Each once, in a fixed order; no address, nothing erased, nothing of another session."""
    await a_video(house, call=None)
    async with house.server.transactions() as uow:
        for id_, channel, contact in (
            ("again", "sms", NUMBER),
            ("first", "sms", "+33600000001"),
            ("erased", "sms", "+33600000002"),
            ("mail", "email", "a@example.org"),
            ("code", "code", None),
        ):
            await another_link(house, uow, id_, channel, contact)
        gone = (await InvitationStore(uow).get(house.sites["rivage"].id, "erased")).contact
        assert gone is not None
        await PersonalStore(uow).erase(house.sites["rivage"].id, gone, house.clock.now())
        assert await hooks.mobiles_of(uow, house.sites["rivage"].id, "video1") == [
            "+33600000001",
            NUMBER,
        ]
        assert await hooks.mobiles_of(uow, house.sites["rivage"].id, "video2") == []
