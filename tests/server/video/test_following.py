"""A call turns out to be another one: the videos that are linked to it go with it, as sure as they were (I2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.audit.store.audit import AuditStore
from server.core.audit_entries import Actor
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.service.ingest import CallMerged
from server.video.service.following import relink
from server.video.store.sessions import SessionStore
from tests.server.house import a_call, a_video

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.server.house import House

SURE, INFERRED = Certainty.CERTAIN, Certainty.INFERRED


async def a_video_of_call1(house: House) -> None:
    """A video, its call, and another call."""
    await a_call(house)
    await a_call(house, id_="call2", aliases=())
    await a_video(house)


async def append(house: House, call: str | None, certainty: Certainty, evidence: Evidence) -> None:
    async with house.server.transactions() as uow:
        link = CallLink("video1", call, certainty, evidence, None, house.clock.now())
        await SessionStore(uow).add_link(house.sites["rivage"].id, link)
        await uow.commit()


async def merge(house: House, evidence: Evidence) -> Sequence[CallLink]:
    """Say that call1 is call2; return the links of the video."""
    site, now = house.sites["rivage"].id, house.clock.now()
    async with house.server.transactions() as uow:
        merged = CallMerged(
            site=site,
            former="call1",
            call="call2",
            evidence=evidence,
            actor=Actor("feed", site),
            at=now,
        )
        await relink(uow, merged)
        await uow.commit()
        return await SessionStore(uow).links(site, "video1")


@pytest.mark.parametrize(
    ("before", "evidence", "after"),
    [
        (SURE, Evidence.MERGED, SURE),
        (INFERRED, Evidence.MERGED, INFERRED),
        (INFERRED, Evidence.LAUNCH_CONTEXT, SURE),
    ],
)
async def test_a_video_goes_with_its_call_and_the_audit_has_it(
    house: House, before: Certainty, evidence: Evidence, after: Certainty
) -> None:
    await a_video_of_call1(house)
    await append(house, "call1", before, Evidence.SOLE_TALKING_CALL)
    link = (await merge(house, evidence))[-1]
    assert (link.call, link.certainty, link.evidence) == ("call2", after, evidence)
    async with house.server.transactions(write=False) as uow:
        row = (await AuditStore(uow).of_session(house.sites["rivage"].id, "video1"))[-1]
    assert (row.source, row.action, row.call) == ("feed", "session.linked", "call2")
    assert row.data == {"certainty": after.value, "evidence": evidence.value}


@pytest.mark.parametrize("call", ["call2", None])
async def test_a_video_that_was_given_another_call_or_none_stays_with_it(
    house: House, call: str | None
) -> None:
    await a_video_of_call1(house)
    certainty = SURE if call else Certainty.UNLINKED
    await append(house, call, certainty, Evidence.REVIEWED if call else Evidence.DECLINED)
    rows = await house.actions()
    assert len(await merge(house, Evidence.MERGED)) == 2
    assert await house.actions() == rows
