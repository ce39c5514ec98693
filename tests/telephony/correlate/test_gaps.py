"""What a feed lost leaves a gap in the order of its facts: no call that spans it is certain, and it is told at once."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections import defaultdict
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony import (
    Answered,
    Call,
    CallsChanged,
    CallState,
    Direction,
    Fact,
    Held,
    HungUp,
    Ignored,
    Number,
    Paired,
    Rang,
    Resumed,
    Seen,
    Unpaired,
)
from telephony.correlate.correlation import MAX_FACTS, Correlator
from telephony.runner import BATCH, Runner
from telephony.sources.feed import Gap, room
from telephony.sources.hep.codec import SIP, encode
from telephony.sources.hep.feed import TURN
from telephony.sources.hep.reader import HepReader
from telephony.sources.receive_buffer import dropped
from tests.telephony.shell import ListFeed, fresh_correlator, in_background, until
from tests.telephony.sources.hep.test_feed import INVITE, KEY, NOW, feed, packet
from tests.telephony.strategies import at
from tests.telephony.traces import trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from telephony.sources.feed import CallFeed
    from telephony.sources.hep.codec import HepPacket
    from telephony.sources.hep.feed import HepFeed

REAL = "sip:real"
CALL: list[Fact] = [Rang(REAL, at(0), "hep", station="1501"), Answered(REAL, at(1), "hep")]
OVER = HungUp(REAL, at(9), "hep", "bye")


class Desk:
    """The subscriber: what it was told last of each call, as slow as it is made."""

    def __init__(self) -> None:
        self.shown: dict[str, Call] = {}
        self.open = asyncio.Event()
        self.open.set()
        self.asked = 0

    async def changed(self, changes: Sequence[CallsChanged]) -> None:
        self.asked += 1
        await self.open.wait()
        self.take(call for change in changes for call in change.calls)

    async def ticked(self, calls: tuple[Call, ...]) -> None:
        self.take(calls)

    def take(self, calls: object) -> None:
        for call in calls:  # type: ignore[attr-defined]
            self.shown[call.legs[0]] = call

    def certain(self, leg: str = REAL) -> bool:
        return self.shown[leg].certain


@asynccontextmanager
async def line(
    feeds: Sequence[CallFeed] = (), *, correlator: Correlator | None = None, **more: object
) -> AsyncIterator[tuple[Runner, Desk]]:
    """A runner whose clock never tells anything: what is told is told at once."""
    desk = Desk()
    settings: dict[str, object] = {
        "tick": 3600.0,
        "restart": (0.01, 0.05),
        "clock": lambda: at(5),
        "on_tick": desk.ticked,
    }
    correlator = correlator or fresh_correlator()
    runner = Runner(feeds, correlator, desk.changed, **(settings | more))  # type: ignore[arg-type]
    async with in_background(runner.run()):
        yield runner, desk


async def until_shown(runner: Runner, desk: Desk) -> None:
    """The call talks, and its desk knows it."""
    for fact in CALL:
        runner.emit(fact)
    await runner.drained()
    assert (desk.shown[REAL].state, desk.certain()) == (CallState.TALKING, True)


async def blocked(runner: Runner, desk: Desk) -> None:
    """The database stands still, with one batch in its hands."""
    desk.open.clear()
    before = desk.asked
    runner.emit(Rang(f"sip:slow {before}", at(2), "hep"))
    await until(lambda: desk.asked > before)


def test_facts_that_waited_before_an_overflow_make_no_call_certain_again() -> None:
    """The attack: the end of a call finds no room, and older words of it are still on their way."""

    async def scenario() -> None:
        async with line(queue_size=3 * BATCH) as (runner, desk):
            await until_shown(runner, desk)
            await blocked(runner, desk)
            for number in range(4 * BATCH):
                runner.emit(Seen(REAL, at(3 + number / 1000), "hep"))
            runner.emit(OVER)
            assert runner.stats.lost["hep"] > BATCH
            desk.open.set()
            await runner.drained()
            assert (desk.shown[REAL].state, desk.certain()) == (CallState.TALKING, False)
            runner.emit(Seen(REAL, at(20), "hep"))
            await runner.drained()
            assert desk.certain()

    asyncio.run(scenario())


def test_while_it_goes_on_overflowing_nothing_is_certain() -> None:
    async def scenario() -> None:
        async with line(queue_size=4) as (runner, desk):
            await until_shown(runner, desk)
            for turn in range(20):
                await blocked(runner, desk)
                for number in range(9):
                    runner.emit(Seen(REAL, at(3 + turn + number / 10), "hep"))
                desk.open.set()
                await runner.drained()
                assert not desk.certain()

    asyncio.run(scenario())


def test_a_call_first_told_of_before_the_overflow_and_folded_in_after_it_is_not_certain() -> None:
    async def scenario() -> None:
        async with line(queue_size=3) as (runner, desk):
            await blocked(runner, desk)
            for fact in (*CALL, OVER):  # one too many
                runner.emit(fact)
            desk.open.set()
            await runner.drained()
            assert (desk.shown[REAL].state, desk.certain()) == (CallState.TALKING, False)

    asyncio.run(scenario())


def test_what_was_told_before_a_crash_confirms_nothing_after_it() -> None:
    class Crashing(ListFeed):
        async def run(self, emit: object) -> None:
            self.starts += 1
            if self.starts > 1:
                await asyncio.Event().wait()
            for fact in CALL:
                emit(fact)  # type: ignore[operator]
            raise ConnectionError("the switchboard left")

    async def scenario() -> None:
        pbx = Crashing("hep")
        async with line([pbx]) as (runner, desk):
            await until(lambda: pbx.starts == 2)
            await runner.drained()
            assert not desk.certain()

    asyncio.run(scenario())


def test_a_capture_clock_that_is_ahead_hides_no_loss() -> None:
    async def scenario() -> None:
        async with line(clock=lambda: at(-30)) as (runner, desk):
            await until_shown(runner, desk)
            runner.emit(Gap("hep"))
            await runner.drained()
            assert not desk.certain()

    asyncio.run(scenario())


def test_a_gap_in_silence_is_told_at_once_and_only_to_the_calls_of_its_feed() -> None:
    async def scenario() -> None:
        async with line() as (runner, desk):
            await until_shown(runner, desk)
            runner.emit(Rang("ami:1", at(0), "ami", station="1601"))
            runner.emit(Gap("hep"))
            await runner.drained()
            assert (desk.certain(), desk.certain("ami:1")) == (False, True)

    asyncio.run(scenario())


def test_the_second_gap_is_told_like_the_first() -> None:
    async def scenario() -> None:
        async with line() as (runner, desk):
            await until_shown(runner, desk)
            for turn in range(2):
                runner.emit(Gap("hep"))
                await runner.drained()
                assert not desk.certain()
                runner.emit(Seen(REAL, at(10 + turn), "hep"))
                await runner.drained()
                assert desk.certain()

    asyncio.run(scenario())


def test_a_flood_of_one_feed_takes_no_room_from_another() -> None:
    async def scenario() -> None:
        async with line(queue_size=8) as (runner, desk):
            await blocked(runner, desk)
            for number in range(50):
                runner.emit(Rang(f"sip:{number}", at(3), "hep"))
            runner.emit(Rang("ami:1", at(3), "ami", station="1601"))
            answer = runner.submit([Rang("cti:1", at(9), "webhook", station="1502")])
            assert set(runner.stats.lost) == {"hep"}
            desk.open.set()
            assert await answer == [""]
            assert (desk.certain("ami:1"), desk.certain("cti:1")) == (True, True)
            await runner.drained()
            assert not desk.certain("sip:1")

    asyncio.run(scenario())


def test_a_sender_that_is_told_to_send_again_loses_nothing() -> None:
    async def scenario() -> None:
        async with line(queue_size=2) as (runner, desk):
            await blocked(runner, desk)
            told: list[Fact] = [
                Rang("cti:1", at(3), "webhook"),
                Answered("cti:1", at(3), "webhook"),
            ]
            runner.submit(told)
            with pytest.raises(asyncio.QueueFull):
                runner.submit(told)
            desk.open.set()
            await runner.drained()
            assert (runner.stats.overflow, desk.certain("cti:1")) == (0, True)

    asyncio.run(scenario())


def test_a_feed_whose_switchboard_waits_asks_for_room_and_loses_nothing() -> None:
    class Patient(ListFeed):
        async def run(self, emit: object) -> None:
            for number in range(200):
                await room(emit)
                emit(Seen(REAL, at(2 + number / 100), self.name))  # type: ignore[operator]
            self.starts += 1
            await asyncio.Event().wait()

    async def scenario() -> None:
        pbx = Patient("ami")
        async with line([pbx], queue_size=10) as (runner, desk):
            await until_shown(runner, desk)
            await blocked(runner, desk)
            assert pbx.starts == 0
            desk.open.set()
            await until(lambda: pbx.starts == 1)
            assert runner.stats.overflow == 0
            assert desk.certain()

    asyncio.run(scenario())


def test_a_fact_that_cannot_be_folded_in_is_a_loss() -> None:
    """A defect of ours costs the end of a call: it must not go on talking, certain."""

    async def scenario() -> None:
        async with line() as (runner, desk):
            await until_shown(runner, desk)
            receive = runner.correlator.receive

            def defective(fact: Fact, *, confirms: bool = True) -> CallsChanged | Ignored:
                if fact is OVER:
                    raise ZeroDivisionError
                return receive(fact, confirms=confirms)

            runner.correlator.receive = defective  # type: ignore[method-assign]
            runner.emit(OVER)
            await runner.drained()
            assert (desk.shown[REAL].state, desk.certain()) == (CallState.TALKING, False)
            runner.emit(Seen(REAL, at(20), "hep"))
            await runner.drained()
            assert desk.certain()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "late",
    [
        Seen(REAL, at(9.05), "hep"),
        Unpaired(REAL, at(9.05), "hep", "sip:other", "the answers do not agree"),
    ],
    ids=["seen", "unpaired"],
)
def test_an_end_in_front_of_a_gap_stays_certain_whatever_follows_it(late: Fact) -> None:
    """The 200 to a BYE, or a deduction from it, waits behind it in front of the same gap."""

    async def scenario() -> None:
        async with line() as (runner, desk):
            await until_shown(runner, desk)
            await blocked(runner, desk)
            runner.emit(OVER)
            runner.emit(late)
            runner.emit(Gap("hep"))
            desk.open.set()
            await runner.drained()
            assert (desk.shown[REAL].state, desk.certain()) == (CallState.ENDED, True)

    asyncio.run(scenario())


def test_a_hang_up_that_ended_nothing_makes_no_call_certain() -> None:
    """The refusal of a first attempt (401) comes late: the leg rang again since, and its later words were lost."""
    for confirms in (False, True):
        subject = fresh_correlator()
        for fact in (Rang(REAL, at(0), "hep"), Rang(REAL, at(1), "hep", station="1501")):
            subject.receive(fact)
        subject.feed_lost("hep", at(5))
        subject.receive(HungUp(REAL, at(0.5), "hep", "rejected 401"), confirms=confirms)
        (call,) = subject.calls()
        assert (call.state, call.confirmed) == (CallState.RINGING, False)


@pytest.mark.parametrize("late", [Seen(REAL, at(30), "hep"), Resumed(REAL, at(30), "hep")])
def test_a_leg_of_too_many_facts_is_made_certain_and_uncertain_like_any_other(late: Fact) -> None:
    """What it says more is not kept; that it speaks, or that something was lost behind it, counts."""
    subject = fresh_correlator()
    for fact in CALL:
        subject.receive(fact)
    for number in range(MAX_FACTS):
        kind = Resumed if number % 2 else Held
        subject.receive(kind(REAL, at(2 + number / 1000), "hep"))
    subject.feed_lost("hep", at(20))
    change = subject.receive(late)
    assert isinstance(change, CallsChanged)
    assert [(call.live, call.confirmed) for call in change.calls] == [(True, True)]
    assert change.calls == subject.calls()
    change = subject.receive(dataclasses.replace(late, at=at(31)), confirms=False)
    assert isinstance(change, CallsChanged)
    assert [call.confirmed for call in change.calls] == [False]
    assert change.calls == subject.calls()
    assert len(subject._facts[REAL]) <= MAX_FACTS


def test_a_deduction_is_no_sign_of_life() -> None:
    """Only the other leg's end was heard after the gap, and what follows from it for this one."""
    subject = fresh_correlator()
    caller = Number("+33612345678")
    outside = Rang("sip:t", at(0), "hep", caller, "15", None, Direction.INCOMING)
    for fact in (outside, Answered("sip:t", at(1), "hep"), *CALL):
        subject.receive(fact)
    subject.receive(Paired(REAL, at(1), "hep", "sip:t", "same number"))
    subject.feed_lost("hep", at(5))
    subject.receive(HungUp(REAL, at(6), "hep", "bye"))
    subject.receive(Paired(REAL, at(6), "hep", "sip:t", "same number, again"))
    (call,) = subject.calls()
    assert (call.live, call.confirmed) == (True, False)


# --- any order of facts, losses and progress


Word = tuple[str, "Callable[[str, datetime, str], Fact]", str]


def ended(leg: str, when: datetime, source: str) -> HungUp:
    return HungUp(leg, when, source, "bye")


WORDS: st.SearchStrategy[Word] = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from([Rang, Answered, Seen, ended]),
    st.sampled_from(["hep", "other"]),
)
STEPS: st.SearchStrategy[Word | str] = WORDS | st.sampled_from(["block", "go on", "drain", "gap"])


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40), st.integers(1, 6))
def test_no_call_that_spans_a_loss_is_certain_unless_told_of_since(
    steps: list[Word | str], size: int
) -> None:
    """Each leg is a call of one feed: the last that happened to it, a loss of its feed or a word of it, decides."""

    async def scenario() -> None:
        sure: dict[str, bool] = {}
        known: defaultdict[str, set[str]] = defaultdict(set)
        async with line(queue_size=size) as (runner, desk):
            for number, step in enumerate(steps):
                if step == "block":
                    desk.open.clear()
                elif step == "gap":
                    runner.emit(Gap("hep"))
                    sure |= dict.fromkeys(known["hep"], False)
                elif isinstance(step, str):
                    desk.open.set()
                    if step == "drain":
                        await runner.drained()
                else:
                    name, kind, source = step
                    leg = f"{source}:{name}"
                    before = runner.stats.lost[source]
                    runner.emit(kind(leg, at(number), source))
                    if runner.stats.lost[source] > before:
                        sure |= dict.fromkeys({leg, *known[source]}, False)
                    else:
                        known[source].add(leg)
                        sure[leg] = True
                await asyncio.sleep(0)
            desk.open.set()
            await runner.drained()
            live = runner.correlator.live()
            for call in live:
                (leg,) = call.legs
                assert call.certain <= sure[leg]
                assert desk.certain(leg) == call.certain
            for call in live:
                runner.emit(Seen(call.legs[0], at(60), call.legs[0].partition(":")[0]))
                await runner.drained()
            assert all(call.certain for call in runner.correlator.live())

    asyncio.run(scenario())


# --- the attack itself, over UDP


def passed(subject: HepFeed) -> int:
    """Count what was sent to a feed: read, or lost by the kernel."""
    return subject.health().received + subject.health().dropped


async def until_idle(subject: HepFeed) -> None:
    """Wait until the feed reads nothing more, for longer than it ever rests."""
    read = -1
    while subject.health().received > read:
        read = subject.health().received
        await asyncio.sleep(10 * TURN)


def test_a_flood_with_the_valid_key_leaves_no_ended_call_certain() -> None:
    """An agent with the key sends at full speed; the BYE of a real call is among what the kernel has no room for."""
    recorded = [each for each in trace("asterisk-22-simple").packets if each.protocol == SIP]
    subject = feed(clock=lambda: recorded[0].time)
    flood = [
        packet(b"OPTIONS sip:pbx SIP/2.0\r\nCall-ID: o%d\r\nCSeq: 1 OPTIONS\r\n\r\n" % number)
        for number in range(500)
    ]

    def sent(agent: socket.socket, packets: Sequence[HepPacket], later: float = 0) -> None:
        for each in packets:
            when = each.time + timedelta(seconds=later)
            agent.send(encode(dataclasses.replace(each, time=when, auth_key=KEY.encode())))

    async def scenario() -> None:
        async with line([subject], clock=lambda: recorded[-1].time) as (runner, desk):
            await asyncio.wait_for(subject.listening.wait(), 60)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
                agent.connect(("127.0.0.1", subject.port))
                end = next(i for i, each in enumerate(recorded) if each.payload.startswith(b"BYE"))
                sent(agent, recorded[:end])
                await until(
                    lambda: [c.state for c in runner.correlator.calls()] == [CallState.TALKING]
                )
                await runner.drained()
                (leg,) = desk.shown
                assert desk.certain(leg)
                # Nothing is read meanwhile, as in a flood faster than any reader: words of the call, noise, its end.
                for turn in range(80):
                    sent(agent, recorded[:end], later=1 + turn / 100)
                    for each in flood:
                        agent.send(each)
                sent(agent, recorded[end:])
                await until(lambda: subject.health().dropped > 0)
                await until(lambda: not desk.certain(leg))
                await until(lambda: passed(subject) == len(recorded) + 80 * (end + len(flood)))
                await runner.drained()
                assert desk.shown[leg].state is CallState.TALKING
                assert not desk.certain(leg)
                # The flood is over. The next word of the call makes it certain, its end ends it.
                sent(agent, recorded[end:])
                await until(lambda: desk.shown[leg].state is CallState.ENDED)
                assert (desk.certain(leg), desk.shown[leg].end_certain) == (True, True)

    asyncio.run(scenario())


def test_a_call_that_rang_in_a_flood_is_seen_when_its_invite_is_repeated() -> None:
    """Nothing is read that could not be told: the observer would not tell it again."""
    subject = feed()
    real = packet(INVITE.replace(b"c1", b"real"))

    async def scenario() -> None:
        async with line([subject], queue_size=600, clock=lambda: NOW) as (runner, desk):
            await asyncio.wait_for(subject.listening.wait(), 60)
            await blocked(runner, desk)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
                agent.connect(("127.0.0.1", subject.port))
                for number in range(30_000):
                    agent.send(packet(INVITE.replace(b"c1", b"flood-%d" % number)))
                agent.send(real)
                await until_idle(subject)
                assert 300 < runner.stats.queued < 600
                desk.open.set()
                await until(lambda: passed(subject) == 30_001, 60)
                assert subject.health().dropped > 0
                assert runner.stats.overflow == 0
                agent.send(real)
                await until(lambda: "sip:real" in desk.shown, 60)
                assert not any(desk.certain(leg) for leg in desk.shown if "flood" in leg)

    asyncio.run(scenario())


def test_what_the_kernel_loses_while_nothing_can_be_stored_is_told_meanwhile() -> None:
    """The database is away, so nothing is read: the metric and the alert must not wait for it."""
    subject = feed()

    async def scenario() -> None:
        async with line([subject], queue_size=4, clock=lambda: NOW) as (runner, desk):
            await asyncio.wait_for(subject.listening.wait(), 60)
            await blocked(runner, desk)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
                agent.connect(("127.0.0.1", subject.port))
                for number in range(4):
                    agent.send(packet(INVITE.replace(b"c1", b"full-%d" % number)))
                await until(lambda: runner.stats.queued >= 4)
                read = subject.health().received
                for _ in range(30_000):
                    agent.send(packet())
            assert subject.health().received == read
            (health,) = runner.health()
            assert (lost := health.dropped) > 0
            desk.open.set()
            await until(lambda: passed(subject) == 30_004, 60)
            assert subject.health().dropped == lost
        assert subject.health().dropped == lost  # it is stopped: what was counted stays

    asyncio.run(scenario())


def test_a_flood_leaves_turns_of_the_loop_to_others() -> None:
    subject = feed()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def scenario() -> None:
        async with line([subject], clock=lambda: NOW) as (_runner, _desk):
            await asyncio.wait_for(subject.listening.wait(), 60)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
                agent.connect(("127.0.0.1", subject.port))
                for _ in range(2000):
                    agent.send(packet())
            async with in_background(others()):
                await until(lambda: passed(subject) == 2000)
        assert turns > 10

    asyncio.run(scenario())


def test_the_kernel_tells_what_it_lost() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent,
    ):
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        mine.bind(("127.0.0.1", 0))
        assert dropped(mine) == 0
        for _ in range(100):
            agent.sendto(b"x" * 500, mine.getsockname())
        mine.settimeout(0)
        read = 0
        while True:
            try:
                mine.recv(1000)
            except BlockingIOError:
                break
            read += 1
        assert 0 < read < 100
        assert dropped(mine) == 100 - read


def test_many_calls_are_told_a_few_at_a_time() -> None:
    """One transaction for thousands of calls would hold up every other site."""
    parts: list[int] = []

    async def on_tick(calls: tuple[Call, ...]) -> None:
        parts.append(len(calls))

    async def scenario() -> None:
        async with line(on_tick=on_tick) as (runner, _desk):
            for number in range(3 * BATCH):
                runner.emit(Rang(f"sip:{number}", at(1), "hep"))
            await runner.drained()
            runner.emit(Gap("hep"))
            await runner.drained()
            assert parts == [BATCH] * 3

    asyncio.run(scenario())


def test_a_defect_of_ours_costs_one_datagram(caplog: pytest.LogCaptureFixture) -> None:
    class Sore(HepReader):
        def read(self, data: bytes, arrived: datetime) -> list[Fact]:
            if b"defect" in data:
                raise ZeroDivisionError
            return super().read(data, arrived)

    subject = feed()
    subject._reader = Sore("hep", stations=("1501",), auth_key=KEY)

    async def scenario() -> None:
        async with line([subject], clock=lambda: NOW) as (runner, desk):
            await asyncio.wait_for(subject.listening.wait(), 60)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
                agent.connect(("127.0.0.1", subject.port))
                agent.send(packet())
                await until(lambda: bool(desk.shown))
                agent.send(b"defect")
                await until(lambda: not desk.certain("sip:c1"))
                agent.send(packet(INVITE.replace(b"c1", b"c2")))
                await until(lambda: "sip:c2" in desk.shown)
            assert subject.health().rejected == {"failed": 1}
            assert runner.stats.restarts == {}

    asyncio.run(scenario())
    assert [record.message for record in caplog.records] == ["telephony.datagram_failed"]


# --- after a crash of what delivers


def test_after_a_crash_in_delivery_a_gap_is_told_last() -> None:
    """What the crash kept from its delivery shows the call as it was before the gap."""

    async def scenario() -> None:
        async with line(restart=(0.001, 0.01)) as (runner, desk):

            async def changed(changes: Sequence[CallsChanged]) -> None:
                desk.asked += 1
                if desk.asked == 1:
                    runner.emit(Gap("hep"))
                    raise asyncio.CancelledError  # a database driver's own
                desk.take(call for change in changes for call in change.calls)

            runner._on_changes = changed
            for fact in CALL:
                runner.emit(fact)
            await runner.drained()
            assert desk.asked == 2
            assert (desk.shown[REAL].state, desk.certain()) == (CallState.TALKING, False)

    asyncio.run(scenario())


def test_after_a_crash_in_delivery_the_clock_ends_no_call_before_it_is_told() -> None:
    """The consumer is still down when time ends the call: the desk hears that it talked, then that it ended."""
    now, asked = at(5), 0
    told: list[CallState] = []

    async def changed(changes: Sequence[CallsChanged]) -> None:
        nonlocal asked, now
        asked += 1
        if asked == 1:
            now = at(5) + timedelta(hours=13)
            raise asyncio.CancelledError
        told.extend(call.state for change in changes for call in change.calls)

    async def ticked(calls: tuple[Call, ...]) -> None:
        told.extend(call.state for call in calls)

    async def scenario() -> None:
        never = (3600.0, 3600.0)
        runner = Runner(
            (), fresh_correlator(), changed, lambda: now, ticked, tick=0.01, restart=never
        )
        async with in_background(runner.run()):
            answer = runner.submit(CALL)
            await until(lambda: CallState.ENDED in told)
            assert told == [CallState.RINGING, CallState.TALKING, CallState.ENDED]
            assert (await answer, runner.stats.queued) == (["", ""], 0)

    asyncio.run(scenario())
