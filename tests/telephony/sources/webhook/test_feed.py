"""What a call-centre software says becomes facts about one leg; an id that rings again is another call."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from telephony import (
    Alias,
    AliasType,
    Call,
    CallState,
    CtiEvent,
    Direction,
    Fact,
    FeedState,
    RecordingSpan,
)
from telephony.correlate.correlation import CallsChanged, Correlator
from telephony.runner import Runner
from telephony.sources.webhook.feed import WebhookFeed

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class Line:
    """A feed and its correlator, without a loop."""

    def __init__(self) -> None:
        ids = count(1)
        self.correlator = Correlator((), lambda: f"call{next(ids)}")
        self.feed = WebhookFeed("webhook", self.correlator.find, clock=lambda: T0)

    def say(self, type_: str, seconds: float, call: str = "17", **more: object) -> None:
        for _, facts in self.feed.read([CtiEvent(type_, call, at(seconds), **more)]):  # type: ignore[arg-type]
            for fact in facts:
                self.correlator.receive(fact)

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.correlator.calls()


def test_a_call_from_ring_to_end() -> None:
    line = Line()
    line.say("ringing", 0, caller="06 12 34 56 78", called="15", station="1501")
    line.say("answered", 5, station="1501")
    line.say("held", 10)
    line.say("resumed", 12)
    line.say("recording_started", 6, recording="REC-1")
    line.say("alias", 7, alias=Alias(AliasType.SIP_CALL_ID, "a@b"), dossier="fr.health.samu.1")
    line.say("moved", 20, station="1601")
    assert [c.state for c in line.calls] == [CallState.TALKING]
    assert line.calls[0].current_stations == ("1601",)
    line.say("recording_stopped", 29, recording="REC-1")
    line.say("ended", 30, cause="rejected by nobody")
    (call,) = line.calls
    assert (call.state, call.ended, call.answered) == (CallState.ENDED, at(30), at(5))
    assert call.caller is not None
    assert call.caller.e164 == "+33612345678"
    assert call.recordings == (RecordingSpan("REC-1", at(6), at(29)),)
    names = {(r.alias.type.value, r.alias.value) for r in call.aliases}
    assert names == {
        ("cti_call_id", "17"),
        ("recording", "REC-1"),
        ("sip_call_id", "a@b"),
        ("dossier", "fr.health.samu.1"),
    }


def test_order_and_repetition_do_not_matter() -> None:
    def told(order: list[int]) -> tuple[object, ...]:
        line = Line()
        story = [("ringing", 0), ("answered", 5), ("held", 8), ("resumed", 9), ("ended", 30)]
        for index in order:
            line.say(*story[index])
        (call,) = line.calls
        return (call.started, call.answered, call.ended, call.holds, call.state)

    assert told([0, 1, 2, 3, 4]) == told([4, 3, 2, 1, 0]) == told([1, 1, 3, 0, 2, 4, 0, 1])


def test_answered_alone_makes_the_call() -> None:
    line = Line()
    line.say("held", 1)
    line.say("ended", 9, call="other")
    assert line.calls == ()
    line.say("answered", 0, caller="withheld", station="1501")
    assert [(c.state, c.caller) for c in line.calls] == [(CallState.HELD, None)]


def test_an_id_that_rings_again_is_another_call() -> None:
    line = Line()
    line.say("ringing", 0, station="1501")
    line.say("ended", 30)
    line.say("ringing", 60, station="1601")
    line.say("answered", 65, station="1601")
    line.say("alias", 29, dossier="late.for.the.first")
    line.say("ringing", 0, station="1501")
    line.say("ringing", 60, station="1601")
    first, second = line.calls
    assert (first.ended, second.state) == (at(30), CallState.TALKING)
    assert "late.for.the.first" in {r.alias.value for r in first.aliases}
    line.say("ended", 90)
    assert line.calls[1].ended == at(90)


def test_ids_that_look_alike_are_not_mixed() -> None:
    line = Line()
    for call in ("17", "17#2", "cti:17"):
        line.say("answered", 0, call=call)
    assert len(line.calls) == 3


def test_it_is_the_same_call_as_capture_sees_when_a_name_says_so() -> None:
    line = Line()
    for call in ("17", "18"):
        line.say("answered", 0, call=call, alias=Alias(AliasType.SIP_CALL_ID, "a@b"))
    assert len(line.calls) == 1


def test_a_call_back_goes_to_whom_it_dials() -> None:
    line = Line()
    line.say("answered", 0, called="0612345678", direction=Direction.OUTGOING)
    number = line.calls[0].number
    assert number is not None
    assert number.e164 == "+33612345678"


async def test_a_sender_that_waits_is_told_after_the_delivery() -> None:
    line = Line()
    delivered: list[Fact] = []
    gate = asyncio.Event()

    async def take(changes: object) -> None:
        await gate.wait()
        for change in changes:  # type: ignore[attr-defined]
            assert isinstance(change, CallsChanged)
            delivered.extend(change.facts)

    runner = Runner([line.feed], line.correlator, take, lambda: T0, queue_size=8)
    assert line.feed.health().state is FeedState.STARTING
    task = asyncio.get_running_loop().create_task(runner.run())
    while not line.feed.listening:  # noqa: ASYNC110 - a flag that is read, not waited for
        await asyncio.sleep(0)
    assert line.feed.health().state is FeedState.QUIET
    events = [CtiEvent("answered", "17", at(0)), CtiEvent("alias", "x", at(0), dossier="a.b.c.d")]
    facts = [fact for _, several in line.feed.read(events) for fact in several]
    told = runner.submit(facts)
    with pytest.raises(asyncio.QueueFull):
        runner.submit(facts * 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(told), 0.05)
    gate.set()
    assert await told == ["", "", "", "no call for this leg yet"]
    assert delivered == facts[:3]
    assert await runner.submit(facts[:1]) == ["repeated"]
    given_up = runner.submit(facts[:1])
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert await runner.submit(facts[:1]) == ["repeated"]
    assert line.feed.health().state is FeedState.CONNECTED
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert line.feed.health().state is FeedState.DOWN
