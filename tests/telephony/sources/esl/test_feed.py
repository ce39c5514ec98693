"""The event-socket feed against a player of real streams: signed in, right again after cuts, never fooled."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from telephony import Call, CallState, FeedState
from telephony.sources.esl.codec import MAX_LINE
from telephony.sources.esl.facts import EVENTS, EslFactReader
from telephony.sources.esl.feed import EslFeed
from telephony.sources.feed import FeedCutError, FeedRefusedError
from tests.telephony.shell import Full, in_background, running, until
from tests.telephony.sources.esl.player import PASSWORD, EslServer, frames, read, serving_esl
from tests.telephony.sources.esl.test_traces import EXPECTED, NAMES
from tests.telephony.traces import MORE, STATIONS, correlated, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telephony.correlate.correlation import Correlator
    from telephony.runner import Runner


class Line:
    """A switchboard that plays a scenario, the feed that listens, the calls that come of it."""

    def __init__(self, name: str, server: EslServer, **more: object) -> None:
        self.events = frames((MORE / f"freeswitch-1.10-{name}" / "esl.txt").read_bytes())
        self.names = [read(each).event for each in self.events]
        self.server = server
        stamp = int(read(self.events[-1]).get("Event-Date-Timestamp"))
        self.now = datetime.fromtimestamp(stamp / 1e6, UTC)
        self.runner: Runner
        self.more = more

    def clock(self) -> datetime:
        return self.now

    def feed(self, live: object = tuple) -> EslFeed:
        more = {"stations": STATIONS, "clock": self.clock, "live": live} | self.more
        return EslFeed("esl", "127.0.0.1", self.server.port, PASSWORD, **more)  # type: ignore[arg-type]

    def play(self, start: int = 0, end: int | None = None) -> None:
        self.server.play(self.events[start:end])

    def after(self, event: str, number: int = 1) -> int:
        """The place in the stream just after an event."""
        found = [index for index, each in enumerate(self.names) if each == event]
        return found[number - 1] + 1

    def calls(self) -> tuple[Call, ...]:
        return self.runner.correlator.calls()

    def graph(self) -> list[object]:
        return [told(call, self.calls()[0].started) for call in self.calls()]


@asynccontextmanager
async def line(name: str, **more: object) -> AsyncIterator[Line]:
    async with serving_esl(EslServer()) as server:
        one = Line(name, server, **more)
        holder: list[Correlator] = []
        feed = one.feed(lambda: holder[0].live_legs("esl") if holder else ())
        async with running([feed], clock=one.clock, tick=3600) as (runner, _facts):
            holder.append(runner.correlator)
            one.runner = runner
            await until(lambda: server.logins == 1 and feed.health().resynced is not None)
            yield one


@pytest.mark.parametrize("name", NAMES)
def test_signed_in_it_tells_what_happened(name: str) -> None:
    async def scenario() -> None:
        async with line(name) as one:
            one.play()
            await until(lambda: len(one.calls()) == len(EXPECTED[name]))
            await until(lambda: not one.runner.correlator.live())
            assert one.graph() == EXPECTED[name]
            (health,) = one.runner.health()
            assert (health.state, dict(health.rejected)) == (FeedState.CONNECTED, {})
            assert health.lag is not None
            assert one.server.commands[1].split()[2:] == [
                *EVENTS,
                "CUSTOM",
                "conference::maintenance",
            ]

    asyncio.run(scenario())


def test_a_wrong_password_is_refused_counted_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with serving_esl(EslServer(password="another")) as server:
            feed = EslFeed("esl", "127.0.0.1", server.port, PASSWORD)
            with pytest.raises(FeedRefusedError) as refused:
                await feed.run(lambda _: None)
            assert PASSWORD not in str(refused.value)
            assert feed.health().state is FeedState.DOWN
            assert feed.health().rejected == {"login": 1}
            async with running([feed]) as (runner, _facts):
                await until(lambda: runner.stats.restarts["esl"] >= 2)

    asyncio.run(scenario())
    assert PASSWORD not in caplog.text


def test_an_access_list_that_keeps_us_out_is_told() -> None:
    async def scenario() -> None:
        async with serving_esl(EslServer(acl=False)) as server:
            feed = EslFeed("esl", "127.0.0.1", server.port, PASSWORD)
            with pytest.raises(FeedRefusedError):
                await feed.run(lambda _: None)
            assert feed.health().rejected == {"acl": 1}

    asyncio.run(scenario())


def test_a_call_that_ended_while_nobody_listened_is_closed_uncertainly() -> None:
    async def scenario() -> None:
        async with line("two_concurrent") as one:
            talking = one.after("CHANNEL_BRIDGE", 2)
            one.play(0, talking)
            await until(lambda: [c.state for c in one.calls()] == [CallState.TALKING] * 2)
            one.server.cut(b"Content-Type: text/disconnect-notice\nContent-Length: 0\n\n")
            await until(lambda: not any(call.certain for call in one.calls()))
            over = one.after("CHANNEL_DESTROY", 2)
            one.play(talking, over)  # the first caller hangs up, unheard
            await until(lambda: len(one.runner.correlator.live()) == 1)
            first, second = one.calls()
            assert (first.state, first.end_certain) == (CallState.ENDED, False)
            await until(lambda: one.calls()[1].certain)
            assert (one.calls()[1].id, one.calls()[1].state) == (second.id, CallState.TALKING)
            one.play(over)
            await until(lambda: not one.runner.correlator.live())
            assert one.calls()[1].end_certain
            assert len(one.calls()) == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["simple", "attended_transfer", "conference_two_calls"])
def test_a_call_that_began_while_nobody_listened_is_whole_after_it(name: str) -> None:
    """Every channel is described with its dates, and whom it lets wait."""

    async def scenario() -> None:
        async with line(name) as one:
            one.server.cut()
            last = one.after("CHANNEL_BRIDGE", min(2, one.names.count("CHANNEL_BRIDGE")))
            one.play(0, last)
            await until(lambda: len(one.runner.correlator.live()) == len(EXPECTED[name]))
            held = bool(EXPECTED[name][0].holds)
            state = CallState.HELD if held else CallState.TALKING
            await until(lambda: all(c.state is state for c in one.calls()))
            one.play(last)
            await until(lambda: not one.runner.correlator.live())
            for call, true in zip(one.calls(), EXPECTED[name], strict=True):
                mine = told(call, one.calls()[0].started)
                assert replace(mine, holds=true.holds) == true
                assert len(mine.holds) == len(true.holds)
                assert len(call.recordings) == 1

    asyncio.run(scenario())


def test_after_our_own_restart_what_ended_meanwhile_is_closed() -> None:
    """The product remembers a call that the switchboard no longer has, and nobody else will end it."""

    async def scenario() -> None:
        async with line("simple") as one:
            one.play(0, one.after("CHANNEL_BRIDGE"))
            await until(lambda: len(one.runner.correlator.live()) == 1)
            await one.runner.drained()
            (call,) = one.calls()
            facts = [fact for leg in call.legs for fact in one.runner.correlator._facts[leg]]
        async with serving_esl(EslServer()) as server:
            one.server = server
            runners: list[Runner] = []
            feed = one.feed(lambda: runners[0].correlator.live_legs("esl") if runners else ())
            async with running([feed], clock=one.clock) as (runner, _heard):
                runner.correlator.restore(call.id, facts)
                runners.append(runner)
                await until(lambda: not runner.correlator.live())
                (ended,) = runner.correlator.calls()
                assert (ended.id, ended.end_certain) == (call.id, False)

    asyncio.run(scenario())


def test_a_channel_too_young_for_the_list_is_not_ended() -> None:
    """FreeSWITCH writes its list a moment after it told of the channel; asked by name it knows it."""

    async def scenario() -> None:
        async with line("simple", resync=0.1) as one:
            one.server.list_answer = '{"row_count":0}\n'
            one.play(0, one.after("CHANNEL_BRIDGE"))
            await until(lambda: len(one.calls()) == 1)
            looks = one.server.commands.count("api show channels as json")
            await until(lambda: one.server.commands.count("api show channels as json") >= looks + 3)
            (call,) = one.calls()
            assert (call.state, call.certain) == (CallState.TALKING, True)

    asyncio.run(scenario())


@pytest.mark.parametrize("answer", ["-ERR show Command not found!\n", "[]", '{"rows":[]}', "{" * 9])
def test_without_a_list_nobody_is_ended_and_nobody_is_certain(answer: str) -> None:
    async def scenario() -> None:
        async with line("simple", resync=0.1) as one:
            one.play(0, one.after("CHANNEL_BRIDGE"))
            await until(lambda: [c.state for c in one.calls()] == [CallState.TALKING])
            one.server.list_answer = answer
            one.server.cut()
            await until(lambda: one.server.logins == 2)
            await until(lambda: one.runner.health()[0].rejected.get("list", 0) >= 2)
            (call,) = one.calls()
            assert (call.live, call.certain) == (True, False)

    asyncio.run(scenario())


def test_a_switchboard_that_falls_silent_is_given_up() -> None:
    async def scenario() -> None:
        async with serving_esl(EslServer(mute=True)) as server:
            feed = EslFeed("esl", "127.0.0.1", server.port, PASSWORD, silence=0.2)
            with pytest.raises(FeedCutError, match="silent"):
                await feed.run(lambda _: None)

    asyncio.run(scenario())


def test_one_that_talks_on_and_answers_nothing_is_given_up_too() -> None:
    async def scenario() -> None:
        async with serving_esl(EslServer(deaf=True)) as server:
            feed = EslFeed("esl", "127.0.0.1", server.port, PASSWORD, silence=0.3)
            beat = heartbeat()

            async def talk() -> None:
                while True:
                    server.raw(beat)
                    await asyncio.sleep(0.02)

            async with asyncio.TaskGroup() as group:
                talking = group.create_task(talk())
                with pytest.raises(FeedCutError, match="unanswered"):
                    await feed.run(lambda _: None)
                talking.cancel()

    asyncio.run(scenario())


def heartbeat(body: bytes = b"") -> bytes:
    body = b"Event-Name: HEARTBEAT\n%s\n" % body
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body)


def test_a_wait_for_room_counts_as_no_silence_of_the_switchboard() -> None:
    """Its answers came while nothing could be stored, behind events that take several readings."""

    async def scenario() -> None:
        now = asyncio.get_running_loop().time
        events = heartbeat(b"Padding: %s\n" % (b"x" * 4000)) * 60
        async with serving_esl(EslServer()) as server:
            server.before_list = lambda: server.raw(events)
            feed = EslFeed("esl", "127.0.0.1", server.port, PASSWORD, silence=1.0)
            full = Full()
            async with in_background(feed.run(full)) as run:
                await until(lambda: full.waited_for)
                begun = now()
                await until(lambda: now() > begun + 1.5)
                full.free.set()
                await until(lambda: run.done() or feed.health().resynced is not None)
                assert not run.done()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("greeting", "error", "why"),
    [
        (b"Asterisk Call Manager/11.0.0\r\n", FeedRefusedError, "not_esl"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", FeedRefusedError, "not_esl"),
        (b"x" * 4 * MAX_LINE, FeedRefusedError, "not_esl"),
        (b"", FeedCutError, "no answer"),
    ],
    ids=["ami", "http", "endless", "silent"],
)
def test_another_service_is_refused_and_sent_no_password(
    monkeypatch: pytest.MonkeyPatch, greeting: bytes, error: type[Exception], why: str
) -> None:
    monkeypatch.setattr("telephony.sources.esl.feed.PATIENCE", 0.2)

    async def scenario() -> None:
        async with serving_esl(EslServer()) as server:
            server.greeting = greeting
            feed = EslFeed("esl", "127.0.0.1", server.port, PASSWORD)
            with pytest.raises(error, match=why):
                await feed.probe()
            assert server.commands == []
            assert feed.health().rejected.get("not_esl", 0) == (why == "not_esl")

    asyncio.run(scenario())


def test_it_tells_what_the_switchboard_is() -> None:
    async def scenario() -> None:
        async with serving_esl(EslServer()) as server:
            feed = EslFeed("esl", "127.0.0.1", server.port, PASSWORD)
            for version, said in (
                (server.version, "FreeSWITCH 1.10.12"),
                ("-ERR version Command not found!", ""),
                ("FreeSWITCH Version \u202e\0", ""),
            ):
                server.version = version
                feed = EslFeed("esl", "127.0.0.1", server.port, PASSWORD)
                assert await feed.probe() == said
                async with running([feed]):
                    await until(lambda feed=feed: feed.health().resynced is not None)  # type: ignore[misc]
                    assert feed.health().switchboard == said

    asyncio.run(scenario())


def test_noise_is_dropped_counted_and_bounded() -> None:
    async def scenario() -> None:
        async with line("simple") as one:
            middle = one.after("CHANNEL_BRIDGE")
            one.play(0, middle)
            one.server.raw(b"A: " + b"x" * 4 * MAX_LINE + b"\n\n")
            one.server.raw(b"\xff\xfe nothing\n\n" * 50)
            one.server.raw(
                b"Content-Length: 400000\nContent-Type: text/event-plain\n\n" + b"x" * 400_000
            )
            strange = (
                b"Event-Name: CHANNEL_HANGUP\nUnique-ID: %0A%7C\nEvent-Date-Timestamp: 9e9\n\n"
            )
            one.server.raw(
                b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s"
                % (len(strange), strange)
            )
            one.play(middle)
            await until(lambda: len(one.calls()) == 1 and not one.runner.correlator.live())
            assert one.graph() == EXPECTED["simple"]
            (health,) = one.runner.health()
            assert health.rejected == {
                "line_too_long": 1,
                "no_content_type": 50,
                "body_too_large": 1,
            }

    asyncio.run(scenario())


def test_a_flood_of_events_is_taken_in_and_the_calls_stay_right() -> None:
    async def scenario() -> None:
        async with line("hold") as one:
            middle = one.after("CHANNEL_HOLD")
            for _ in range(40):
                one.play(0, middle)
            one.play(middle)
            await until(lambda: len(one.calls()) == 1 and not one.runner.correlator.live())
            assert one.graph() == EXPECTED["hold"]
            assert one.runner.stats.overflow == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_and_a_look_at_all_channels_never_make_a_wrong_link(name: str) -> None:
    """Any stretch is lost, then every channel is asked about: no call holds two callers, none is in two calls."""
    events = frames((MORE / f"freeswitch-1.10-{name}" / "esl.txt").read_bytes())
    messages = [read(each) for each in events]
    now = datetime(2026, 11, 23, tzinfo=UTC)
    whole = EslFactReader("esl", STATIONS, max_skew=None)
    true = correlated([f for m in messages for f in whole.observe(m, now)])[0].calls()
    owner = {leg: call for call in true for leg in call.legs}
    steps = range(0, len(messages), max(1, len(messages) // 12))
    for start in steps:
        for end in (each for each in steps if each > start):
            observer, server = EslFactReader("esl", STATIONS, max_skew=None), EslServer()
            facts = [f for m in messages[:start] for f in observer.observe(m, now)]
            server.play(events[:end])
            at = datetime.fromtimestamp(int(messages[end].get("Event-Date-Timestamp")) / 1e6, UTC)
            facts += observer.absent(observer.channels - set(server.live), at)
            facts += [f for m in server.live.values() for f in observer.present(m, at)]
            facts += [f for m in messages[end:] for f in observer.observe(m, now)]
            correlator, _ = correlated(facts)
            assert correlator.live() == ()
            for call in correlator.calls():
                (real,) = {owner[leg].id: owner[leg] for leg in call.legs}.values()
                assert call.number in {real.number, None}, (start, end)
            named = [call.number for call in correlator.calls() if call.number]
            assert len(named) == len(set(named)), (start, end)


def test_a_feed_that_can_no_longer_ask_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would go on hearing events, and never look at all channels again."""
    asked, ask = [0], EslFeed._ask

    async def failing(self: EslFeed, *args: Any) -> None:
        asked[0] += 1
        if asked[0] == 2:
            raise MemoryError
        await ask(self, *args)

    monkeypatch.setattr(EslFeed, "_ask", failing)

    async def scenario() -> None:
        async with line(NAMES[0]) as one:
            one.server.cut()
            await until(lambda: asked[0] == 2)
            one.play()
            await until(lambda: asked[0] == 3)

    asyncio.run(scenario())
