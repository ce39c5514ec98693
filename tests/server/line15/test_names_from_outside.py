"""Whatever a switchboard calls a call, it can be stored and found, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from server.line15.store.calls import CallStore
from telephony import Alias, AliasType, Call, CallState, DatedAlias, RecordingSpan

if TYPE_CHECKING:
    from tests.server.house import House

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", ["a\0b", "é" * 300, "\ud7ff\uffff", "'; DROP TABLE call; --", " "])
async def test_a_name_from_outside_never_stops_the_feed(house: House, name: str) -> None:
    site = house.sites["rivage"].id
    record = DatedAlias(Alias(AliasType.SIP_CALL_ID, name), "hep", AT, None, name)
    call = Call(
        *("call1", None, CallState.TALKING, AT),
        aliases=(record,),
        recordings=(RecordingSpan(name, AT),),
        evidence=(f"same sip_call_id {name}",),
    )
    async with house.server.transactions() as uow:
        await CallStore(uow).save(site, call, AT)
        await uow.commit()
    async with house.server.transactions(write=False) as uow:
        (found,) = (await CallStore(uow).get(site, "call1")).aliases
    assert found.value == name.replace("\0", "\N{REPLACEMENT CHARACTER}")[:255]
