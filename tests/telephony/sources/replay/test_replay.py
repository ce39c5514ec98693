"""Replays: the same conversations, as new calls happening now."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from telephony import AliasType, CallState, FeedState
from telephony.correlate.same_number import AGAIN
from telephony.sip.message import parse
from telephony.sources.feed import utc_now
from telephony.sources.replay.feed import (
    ABANDONED,
    PACKAGED,
    ReplayFeed,
    load_trace,
    packaged_trace,
    stretched,
)
from telephony.sources.replay.remint import Reminter
from tests.telephony.shell import running, until
from tests.telephony.traces import MORE

IDENTIFIERS = {AliasType.SIP_CALL_ID, AliasType.NENA_CALLID, AliasType.NENA_INCIDENTID}


def test_every_round_is_new_calls_happening_now() -> None:
    async def scenario() -> None:
        started = utc_now()
        feed = ReplayFeed("replay", speed=300)
        async with running([feed]) as (runner, _facts):
            await until(lambda: feed.rounds == 2, 30)
            await runner.drained()
            calls = [call for call in runner.correlator.calls() if call.state is CallState.ENDED]
            assert len(calls) >= 10
            assert all(len(call.legs) == 2 for call in calls)
            assert {each.why for call in calls for each in call.related} == {AGAIN}
            names = [r.alias for call in calls for r in call.aliases if r.alias.type in IDENTIFIERS]
            assert len(names) == len(set(names))
            assert all(started <= call.started <= utc_now() for call in calls)
            assert {call.stations[0].station for call in calls} == {"1501"}
            assert feed.health().state is FeedState.CONNECTED
            assert feed.health().rejected == {}

    asyncio.run(scenario())


def test_played_once_as_recorded_it_tells_exactly_what_was_recorded() -> None:
    async def scenario() -> None:
        feed = ReplayFeed(
            "replay", [MORE / "freeswitch-1.10-simple"], loop=False, speed=1000, gap=0
        )
        origin = load_trace(MORE / "freeswitch-1.10-simple").origin
        async with running([feed], clock=lambda: origin) as (runner, _facts):
            await until(lambda: feed.health().state is FeedState.DOWN)
            await runner.drained()
            (call,) = runner.correlator.calls()
            assert call.started == origin

    asyncio.run(scenario())


def test_a_call_is_ringing_talking_or_just_ended_at_1501_at_every_moment() -> None:
    """In recorded time: the longest time without a call is the gap and what a trace adds to it."""
    idle = []
    for name in (*PACKAGED, ABANDONED):
        trace = packaged_trace(name)
        ends = [p.time for p in trace.packets if p.payload.startswith((b"BYE", b"CANCEL"))]
        starts = [p.time for p in trace.packets if p.payload.startswith(b"INVITE sip:1501")]
        idle += [min(starts) - trace.origin, trace.packets[-1].time - max(ends)]
    assert max(idle) < timedelta(seconds=1.5)


def test_one_message_keeps_agreeing_with_the_next() -> None:
    trace = packaged_trace("asterisk-22-simple")
    minter = Reminter()
    for packet in trace.packets:
        if packet.protocol != 1:
            continue
        old, new = parse(packet.payload), parse(minter.payload(packet.payload))
        again = parse(minter.payload(packet.payload))
        assert new == again
        assert new.call_id != old.call_id
        assert new.body == old.body
        assert (new.from_.user, new.to.user, new.cseq) == (old.from_.user, old.to.user, old.cseq)
        assert new.from_.tag != old.from_.tag
        assert (new.to.tag == "") == (old.to.tag == "")
        assert [branch[:7] for branch in new.branches] == [branch[:7] for branch in old.branches]
        assert new.branches != old.branches
        assert len(new.session_ids) == len(old.session_ids)
        assert not set(new.session_ids) & set(old.session_ids)
        assert minter.packet(packet, packet.time).correlation_id == new.call_id


def test_private_headers_are_minted_anew_too() -> None:
    raw = b"INVITE sip:x SIP/2.0\r\nX-Site: 42\r\nX-Line15-Call-ID: urn:emergency:uid:callid:1:h\r\n\r\n"
    new = parse(Reminter(["X-Site", "X-Line15-Call-ID"]).payload(raw))
    assert new.first("x-site") not in {"", "42"}
    assert new.first("x-line15-call-id").startswith("urn:emergency:uid:callid:")
    assert not new.first("x-line15-call-id").endswith(":1:h")


def test_a_trace_can_be_stretched_to_a_conversation() -> None:
    trace = packaged_trace("asterisk-22-simple")
    long = stretched(trace, 60)
    assert long.packets[-1].time - trace.packets[-1].time > timedelta(seconds=50)
    assert long.packets[5].time == trace.packets[5].time
    assert stretched(trace, 1) == trace


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[" * 9000, "nonsense", json.dumps({"hep3_b64": "é"})]
)
def test_what_is_no_trace_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "hep.jsonl").write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011 -- several reasons, one type
        load_trace(tmp_path)


def test_a_missing_trace_is_an_operating_system_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        ReplayFeed("replay", [tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="forward"):
        ReplayFeed("replay", speed=0)
