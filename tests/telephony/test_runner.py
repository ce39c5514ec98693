"""The runner: feeds are kept running, every change is delivered, nothing stops the loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from telephony import Aliased, Answered, Call, CallsChanged, CallState, Fact, HungUp, Rang
from telephony.runner import Runner
from tests.telephony.shell import ListFeed, fresh_correlator, in_background, running, until
from tests.telephony.strategies import at

if TYPE_CHECKING:
    from collections.abc import Sequence

STORY: list[Fact] = [
    Rang("sip:a", at(0), "hep", station="1501"),
    Answered("sip:a", at(1), "hep"),
    HungUp("sip:a", at(9), "hep", "bye"),
]


def test_changes_are_delivered_in_order() -> None:
    async def scenario() -> None:
        async with running([ListFeed("hep", STORY)]) as (runner, facts):
            await until(lambda: len(facts) == 3)
            assert facts == STORY
            assert runner.stats.facts == {"Rang": 1, "Answered": 1, "HungUp": 1}
            (health,) = runner.health()
            assert health.name == "hep"

    asyncio.run(scenario())


def test_facts_waiting_for_their_call_are_delivered_with_it() -> None:
    async def scenario() -> None:
        reversed_story = list(reversed(STORY))
        async with running([ListFeed("hep", reversed_story)]) as (runner, facts):
            await until(lambda: len(facts) == 3)
            assert facts == STORY
            assert runner.stats.ignored == {"no call for this leg yet": 2}

    asyncio.run(scenario())


def test_a_crashed_feed_starts_again_and_its_calls_are_uncertain_meanwhile() -> None:
    async def scenario() -> None:
        feed = ListFeed("hep", STORY[:2], crashes=2)
        other = ListFeed("other")
        now = lambda: at(5)  # noqa: E731 -- a clock
        async with running([feed, other], clock=now) as (runner, _facts):
            await until(lambda: feed.starts == 3)
            await until(lambda: runner.stats.restarts["hep"] == 2)
            await runner.drained()
            assert other.starts == 1
            # What it repeats word for word is no news.
            assert [call.certain for call in runner.correlator.calls()] == [False]

    asyncio.run(scenario())


def test_a_subscriber_that_raises_gets_the_same_change_again() -> None:
    attempts: list[list[Fact]] = []
    done: list[Fact] = []

    async def on_changes(changes: Sequence[CallsChanged]) -> None:
        attempts.append([fact for change in changes for fact in change.facts])
        if len(attempts) < 4:
            raise OSError("database is locked")
        done.extend(attempts[-1])

    async def scenario() -> None:
        feed = ListFeed("hep", STORY)
        runner = Runner([feed], fresh_correlator(), on_changes, retry=(0.001, 0.005))
        async with in_background(runner.run()):
            await until(lambda: len(done) == 3)
            assert done == STORY
            assert attempts[:4] == [attempts[0]] * 4
            assert attempts[0][0] == STORY[0]
            assert runner.stats.subscriber_failures == 3

    asyncio.run(scenario())


def test_time_ends_silent_calls_and_old_ones_are_forgotten() -> None:
    now: list[datetime] = [at(0)]
    told: list[Call] = []

    async def on_tick(calls: tuple[Call, ...]) -> None:
        told.extend(calls)

    async def scenario() -> None:
        feed = ListFeed("hep", STORY[:1])
        more = {"on_tick": on_tick, "clock": lambda: now[0], "tick": 0.005}
        async with running([feed], **more) as (runner, facts):
            await until(lambda: bool(facts))
            now[0] = at(301)
            await until(lambda: bool(told))
            assert (told[0].state, told[0].end_certain) == (CallState.ENDED, False)
            now[0] = at(301) + timedelta(hours=2)
            await until(lambda: runner.correlator.calls() == ())

    asyncio.run(scenario())


def test_when_too_many_calls_are_kept_those_that_are_over_leave_first() -> None:
    async def scenario() -> None:
        over = [
            fact
            for number in range(5)
            for fact in (
                Rang(f"sip:{number}", at(number), "hep"),
                HungUp(f"sip:{number}", at(number + 0.5), "hep", "bye"),
            )
        ]
        feed = ListFeed("hep", [STORY[0], *over])
        more = {"most_calls": 3, "clock": lambda: at(6)}
        async with running([feed], **more) as (runner, _facts):
            await until(lambda: len(runner.correlator.calls()) == 3)
            legs = [leg for call in runner.correlator.calls() for leg in call.legs]
            assert legs == ["sip:a", "sip:3", "sip:4"]

    asyncio.run(scenario())


def test_a_feed_that_finished_is_not_started_again() -> None:
    class Once(ListFeed):
        async def run(self, emit: object) -> None:
            self.starts += 1

    async def scenario() -> None:
        once, feed = Once("once"), ListFeed("hep", STORY, crashes=1)
        async with running([once, feed]):
            await until(lambda: feed.starts == 2)
            assert once.starts == 1

    asyncio.run(scenario())


def test_a_defect_in_the_correlator_is_counted_and_the_next_fact_still_taken() -> None:
    async def scenario() -> None:
        async with running([]) as (runner, facts):
            runner.emit(Aliased("sip:x", at(0), "hep", None))  # type: ignore[arg-type]  # a defect of ours
            runner.emit(STORY[0])
            await until(lambda: bool(facts))
            assert runner.stats.errors >= 1

    asyncio.run(scenario())


class Sore:
    """A correlator whose next call of one method fails once, as when memory or threads run out."""

    def __init__(self, method: str, fault: Exception) -> None:
        self._correlator = fresh_correlator()
        self._method, self._fault = method, fault
        self.failed = False

    def __getattr__(self, name: str) -> object:
        if name == self._method and not self.failed:
            self.failed = True
            raise self._fault
        return getattr(self._correlator, name)


@pytest.mark.parametrize("method", ["expire", "calls", "feed_lost"])
def test_the_clock_comes_back_after_any_fault(method: str) -> None:
    now: list[datetime] = [at(0)]
    told: list[Call] = []

    async def on_tick(calls: tuple[Call, ...]) -> None:
        told.extend(calls)

    async def nothing(changes: Sequence[CallsChanged]) -> None:
        del changes

    async def scenario() -> None:
        sore = Sore(method, RuntimeError("can't start new thread"))
        more = {"clock": lambda: now[0], "tick": 0.005, "restart": (0.001, 0.01)}
        runner = Runner([], sore, nothing, on_tick=on_tick, queue_size=1, **more)  # type: ignore[arg-type]
        runner.emit(STORY[0])
        runner.emit(STORY[1])  # one too many: its feed is lost
        async with in_background(runner.run()):
            await runner.drained()
            await until(lambda: sore.failed)
            now[0] = at(301)
            await until(lambda: any(call.state is CallState.ENDED for call in told))

    asyncio.run(scenario())


def test_a_consumer_that_fails_loses_no_fact_and_answers_its_sender() -> None:
    """Nobody waits for ever, and what was folded in is delivered."""

    class Sorely(Counter[str]):
        def __setitem__(self, key: str, value: int) -> None:
            if key == "Answered" and not self.failed:
                self.failed = True
                raise MemoryError
            super().__setitem__(key, value)

        failed = False

    async def scenario() -> None:
        async with running([]) as (runner, facts):
            runner.stats.facts = Sorely()
            async with asyncio.timeout(60):
                assert await runner.submit(STORY) == ["", "", ""]
                await runner.drained()
            assert facts == STORY

    asyncio.run(scenario())


def test_a_feed_whose_loss_cannot_be_told_starts_again_all_the_same() -> None:
    async def scenario() -> None:
        sore = Sore("feed_lost", MemoryError())
        feed = ListFeed("hep", STORY, crashes=1)

        async def nothing(changes: Sequence[CallsChanged]) -> None:
            del changes

        runner = Runner([feed], sore, nothing, restart=(0.001, 0.01))  # type: ignore[arg-type]
        async with in_background(runner.run()):
            await until(lambda: feed.starts == 2)

    asyncio.run(scenario())
