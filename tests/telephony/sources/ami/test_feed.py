"""The manager feed against a player of real streams: signed in, right again after cuts, never fooled."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import subprocess
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from telephony import AliasType, Call, CallState, FeedState
from telephony.sources.ami.codec import MAX_LINE, AmiDecoder, AmiMessage
from telephony.sources.ami.facts import AmiFactReader
from telephony.sources.ami.feed import AmiFeed
from telephony.sources.feed import FeedCutError, FeedRefusedError
from telephony.sources.versions import tried_instead
from tests.telephony.shell import running, until
from tests.telephony.sources.ami.player import AmiServer, serving
from tests.telephony.sources.ami.test_traces import CALLER, EXPECTED, NAMES, OTHER, folder
from tests.telephony.traces import STATIONS, ami_messages, correlated, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telephony.correlate.correlation import Correlator
    from telephony.runner import Runner

SECRET = "s3cr3t-of-the-pbx"


class Now:
    """The time of the trace: what was recorded happens now."""

    def __init__(self, messages: list[AmiMessage]) -> None:
        self.now = datetime.fromtimestamp(float(messages[-1].get("Timestamp")), UTC)

    def __call__(self) -> datetime:
        return self.now


class Line:
    """A switchboard that plays a scenario, the feed that listens, the calls that come of it."""

    def __init__(self, name: str, server: AmiServer, **more: object) -> None:
        self.messages = [each for each in ami_messages(folder(name)) if each.event]
        self.server = server
        self.clock = Now(self.messages)
        self.runner: Runner
        self.more = more

    def feed(self, live: object = tuple) -> AmiFeed:
        more: dict[str, object] = {
            "stations": STATIONS,
            "clock": self.clock,
            "live": live,
        } | self.more
        return AmiFeed("ami", "127.0.0.1", self.server.port, "visio15", SECRET, **more)  # type: ignore[arg-type]

    def play(self, start: float = 0.0, end: float = 1.0) -> None:
        count = len(self.messages)
        self.server.play(self.messages[round(start * count) : round(end * count)])

    def where(self, event: str, number: int = 1) -> float:
        """The place of an event in the stream, just after it."""
        found = [index for index, each in enumerate(self.messages) if each.event == event]
        return (found[number - 1] + 1) / len(self.messages)

    def calls(self) -> tuple[Call, ...]:
        return self.runner.correlator.calls()


@asynccontextmanager
async def line(
    name: str, *, server: AmiServer | None = None, **more: object
) -> AsyncIterator[Line]:
    async with serving(server or AmiServer()) as pbx:
        one = Line(name, pbx, **more)
        holder: list[Correlator] = []
        feed = one.feed(lambda: holder[0].live_legs("ami") if holder else ())
        async with running([feed], clock=one.clock, tick=3600) as (runner, _facts):
            holder.append(runner.correlator)
            one.runner = runner
            await until(lambda: pbx.logins == 1 and feed.health().resynced is not None)
            yield one


@pytest.mark.parametrize("name", NAMES)
def test_signed_in_it_tells_what_happened(name: str) -> None:
    async def scenario() -> None:
        async with line(name) as one:
            one.play()
            await until(lambda: len(one.calls()) == len(EXPECTED[name]))
            living = [each for each in EXPECTED[name] if each.ended is None]
            await until(lambda: len(one.runner.correlator.live()) == len(living))
            graph = [told(call, one.calls()[0].started) for call in one.calls()]
            assert graph == EXPECTED[name]
            (health,) = one.runner.health()
            assert (health.state, dict(health.rejected)) == (FeedState.CONNECTED, {})
            assert health.lag is not None

    asyncio.run(scenario())


def test_a_wrong_secret_is_refused_counted_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with serving(AmiServer(secret="another")) as server:
            feed = AmiFeed("ami", "127.0.0.1", server.port, "visio15", SECRET)
            with pytest.raises(FeedRefusedError):
                await feed.run(lambda _: None)
            assert feed.health().state is FeedState.DOWN
            assert feed.health().rejected == {"login": 1}

    asyncio.run(scenario())
    assert SECRET not in caplog.text


def test_a_call_that_ended_while_nobody_listened_is_closed_uncertainly() -> None:
    async def scenario() -> None:
        async with line("two_concurrent") as one:
            talking = one.where("BridgeEnter", 4)
            one.play(0, talking)
            await until(lambda: [c.state for c in one.calls()] == [CallState.TALKING] * 2)
            one.server.cut()
            await until(lambda: not any(call.certain for call in one.calls()))
            over = one.where("Hangup", 2)
            one.play(talking, over)  # the first caller hangs up, unheard
            await until(lambda: one.server.logins == 2)
            await until(lambda: len(one.runner.correlator.live()) == 1)
            first, second = one.calls()
            assert (first.number, second.number) != (None, None)
            assert (first.state, first.end_certain) == (CallState.ENDED, False)
            await until(lambda: one.calls()[1].certain)
            assert one.calls()[1].state is CallState.TALKING
            one.play(over)
            await until(lambda: not one.runner.correlator.live())
            assert one.calls()[1].end_certain

    asyncio.run(scenario())


def test_a_call_that_began_while_nobody_listened_is_there_after_it() -> None:
    async def scenario() -> None:
        async with line("simple") as one:
            one.server.cut()
            talking = one.where("BridgeEnter", 2)
            one.play(0, talking)
            await until(lambda: len(one.runner.correlator.live()) == 1)
            await until(lambda: one.calls()[0].state is CallState.TALKING)
            (call,) = one.calls()
            assert (told(call, call.started).caller, call.current_stations) == (CALLER, ("1501",))

    asyncio.run(scenario())


def test_after_our_own_restart_what_ended_meanwhile_is_closed() -> None:
    """The product remembers a call that the switchboard no longer has, and nobody else will end it."""

    async def scenario() -> None:
        async with line("simple") as one:
            one.play(0, one.where("BridgeEnter", 2))
            await until(lambda: len(one.runner.correlator.live()) == 1)
            await one.runner.drained()
            (call,) = one.calls()
            facts = [fact for leg in call.legs for fact in one.runner.correlator._facts[leg]]
        async with serving(AmiServer()) as server:
            one.server = server
            runners: list[Runner] = []
            feed = one.feed(lambda: runners[0].correlator.live_legs("ami") if runners else ())
            async with running([feed], clock=one.clock) as (runner, _heard):
                runner.correlator.restore(call.id, facts)
                runners.append(runner)
                await until(lambda: not runner.correlator.live())
                (ended,) = runner.correlator.calls()
                assert (ended.id, ended.state, ended.end_certain) == (
                    call.id,
                    CallState.ENDED,
                    False,
                )

    asyncio.run(scenario())


def test_after_our_own_restart_what_lives_began_when_it_began() -> None:
    async def scenario() -> None:
        async with line("simple") as one:
            one.play(0, one.where("BridgeEnter", 2))
            await until(lambda: len(one.runner.correlator.live()) == 1)
            await one.runner.drained()
            (call,) = one.calls()
            facts = [fact for leg in call.legs for fact in one.runner.correlator._facts[leg]]
            runners: list[Runner] = []
            again = one.feed(lambda: runners[0].correlator.live_legs("ami") if runners else ())
            async with running([again], clock=one.clock) as (runner, _heard):
                runner.correlator.restore(call.id, facts)
                runners.append(runner)
                await until(lambda: again.health().resynced is not None)
                await runner.drained()
                (same,) = runner.correlator.calls()
                assert (same.id, same.started, same.stations) == (
                    call.id,
                    call.started,
                    call.stations,
                )
                assert (same.answered, same.state) == (call.answered, CallState.TALKING)

    asyncio.run(scenario())


def test_what_it_asks_the_channels_names_the_agents_own_dialog() -> None:
    async def scenario() -> None:
        async with line("simple") as one:
            for channel, value in (
                ("PJSIP/1501-00000001", "e18ad4b3@pbx"),
                ("PJSIP/trunk-00000000", "1-1@ip"),
            ):
                one.server.variables[channel, "CHANNEL(pjsip,call-id)"] = value
            one.play(0, one.where("BridgeEnter", 2))
            for value in ("e18ad4b3@pbx", "1-19539-simple@127.0.0.2"):
                await until(
                    lambda value=value: (
                        one.runner.correlator.find(value, AliasType.SIP_CALL_ID) != ()
                    )
                )  # type: ignore[misc]
            assert len(one.calls()) == 1

    asyncio.run(scenario())


def test_a_switchboard_that_falls_silent_is_given_up() -> None:
    async def scenario() -> None:
        async with serving(AmiServer(mute=True)) as server:
            feed = AmiFeed("ami", "127.0.0.1", server.port, "visio15", SECRET, silence=0.2)
            with pytest.raises(FeedCutError, match="silent"):
                await feed.run(lambda _: None)

    asyncio.run(scenario())


def test_noise_is_dropped_counted_and_bounded() -> None:
    async def scenario() -> None:
        async with line("simple") as one:
            one.play(0, one.where("BridgeEnter", 2))
            one.server.raw(b"Event: Hangup\r\nUniqueid: " + b"x" * 4 * MAX_LINE + b"\r\n\r\n")
            one.server.raw(b"Event: Hangup\r\n" + b"K: v\r\n" * 5000 + b"\r\n")
            one.server.raw(b"\xff\xfe nothing\r\n\r\n" * 50)
            one.server.raw(b"Event: Hangup\r\nUniqueid: nobody\r\nTimestamp: 1e999\r\n\r\n")
            one.play(one.where("BridgeEnter", 2))
            await until(lambda: len(one.calls()) == 1 and not one.runner.correlator.live())
            graph = [told(call, call.started) for call in one.calls()]
            assert graph == EXPECTED["simple"]
            (health,) = one.runner.health()
            assert health.rejected == {"line_too_long": 1, "too_many_lines": 1, "no_event": 50}

    asyncio.run(scenario())


@pytest.fixture
def tls_files(tmp_path: Path) -> tuple[Path, Path]:
    made = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    )
    files = tmp_path / "pbx.pem", tmp_path / "pbx.key"
    subprocess.run(
        [*made, "-subj", "/CN=pbx", "-days", "2", "-out", files[0], "-keyout", files[1]],
        check=True,
        capture_output=True,
    )
    return files


def test_over_tls(tls_files: tuple[Path, Path]) -> None:
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(*tls_files)
    outside = ssl.create_default_context(cafile=str(tls_files[0]))
    outside.check_hostname = False

    async def scenario() -> None:
        async with serving(AmiServer(), inside) as server:
            feed = AmiFeed("ami", "127.0.0.1", server.port, "visio15", SECRET, tls=outside)
            async with running([feed]):
                await until(lambda: feed.health().resynced is not None)
            stranger = AmiFeed(
                "ami", "127.0.0.1", server.port, "visio15", SECRET, tls=ssl.create_default_context()
            )
            with pytest.raises(OSError, match="certificate"):
                await stranger.run(lambda _: None)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("version", "said"),
    [("22.10.0", "Asterisk 22.10.0, AMI 11.0.0"), ("", "AMI 11.0.0")],
    ids=["told", "kept"],
)
def test_it_tells_what_the_switchboard_is(version: str, said: str) -> None:
    """An account without the class `reporting` is told the version of the interface only."""

    async def scenario() -> None:
        async with serving(AmiServer(version=version)) as server:
            feed = AmiFeed("ami", "127.0.0.1", server.port, "visio15", SECRET)
            assert await feed.probe() == said
            async with running([feed]):
                await until(lambda: feed.health().resynced is not None)
                await until(lambda: feed.health().switchboard == said)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("greeting", "reason", "said"),
    [
        (b"Asterisk Call Manager/1.0\r\n", "ami_version", "AMI 1.0"),
        (b"Asterisk Call Manager/1.3\r\n", "ami_version", "AMI 1.3"),
        (b"Asterisk Call Manager/0.9.9\r\n", "ami_version", "AMI 0.9.9"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "not_ami", ""),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_ami", ""),
        (b"220 mail.example ESMTP\r\n", "not_ami", ""),
        (b"\r\n\r\n", "not_ami", ""),
        (b"\x15\x03\x03\x00\x02\x02\x28\n", "not_ami", ""),
        (b"Content-Type: auth/request\n\n", "not_ami", ""),
        (b"Asterisk Call Manager/" + b"1" * 4 * MAX_LINE, "not_ami", ""),
    ],
    ids=["1.0", "1.3", "0.9", "ssh", "http", "smtp", "empty", "tls", "freeswitch", "endless"],
)
def test_what_cannot_be_followed_is_refused_counted_and_sent_no_account(
    greeting: bytes, reason: str, said: str
) -> None:
    async def scenario() -> None:
        async with serving(AmiServer(greeting=greeting)) as server:
            feed = AmiFeed("ami", "127.0.0.1", server.port, "visio15", SECRET)
            for attempt in (feed.run(lambda _: None), feed.probe()):
                async with asyncio.timeout(60):
                    with pytest.raises(FeedRefusedError, match=reason):
                        await attempt
            assert "Login" not in server.actions
            health = feed.health()
            assert (health.state, health.switchboard) == (FeedState.DOWN, said)
            assert health.rejected == {reason: 2}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (b"Asterisk Call Manager/2.10.6\r\n", "AMI 2.10.6"),
        (b"Asterisk Call Manager/99.0.0\r\n", "AMI 99.0.0"),
        (b"Asterisk Call Manager/UNKNOWN\r\n", "AMI ?"),
        (b"Asterisk Call Manager/" + "é\0\u202e".encode() + b"\r\n", "AMI ?"),
        (b"Asterisk Call Manager/1.2.3.4.5\n", "AMI ?"),
        (b"Asterisk Call Manager Proxy/1.21\r\n", "AMI ?"),
    ],
)
def test_a_version_nobody_knows_is_followed(greeting: bytes, said: str) -> None:
    async def scenario() -> None:
        async with line("simple", server=AmiServer(greeting=greeting, version="")) as one:
            one.play()
            await until(lambda: len(one.calls()) == 1 and not one.runner.correlator.live())
            assert [told(call, call.started) for call in one.calls()] == EXPECTED["simple"]
            (health,) = one.runner.health()
            assert (health.switchboard, dict(health.rejected)) == (said, {})
            assert tried_instead(said) == "AMI 11, 12"

    asyncio.run(scenario())


def test_nobody_who_says_nothing_is_waited_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.sources.ami.feed.PATIENCE", 0.2)

    async def scenario() -> None:
        for greeting, error, why in (
            (b"", FeedCutError, "no answer"),
            (b"Asterisk Call Mana", FeedRefusedError, "not_ami"),
        ):
            async with serving(AmiServer(greeting=greeting, hush=True)) as server:
                feed = AmiFeed("ami", "127.0.0.1", server.port, "visio15", SECRET)
                with pytest.raises(error, match=why):
                    await feed.probe()

    asyncio.run(scenario())


def test_events_of_an_old_asterisk_are_counted_and_followed_in_nothing() -> None:
    """A relay may greet with another version than that of the switchboard behind it."""
    old = (
        b"Event: Dial\r\nSubEvent: Begin\r\nChannel: SIP/x-1\r\nUniqueID: 1.1\r\n\r\n"
        b"Event: Bridge\r\nBridgestate: Link\r\nUniqueid1: 1.1\r\nUniqueid2: 1.2\r\n\r\n"
        b"Event: Hold\r\nStatus: Off\r\nChannel: SIP/x-1\r\nUniqueid: samu37-1795373136.1\r\n\r\n"
    )

    async def scenario() -> None:
        async with line("simple") as one:
            one.play(0, one.where("BridgeEnter", 2))
            one.server.raw(old)
            one.play(one.where("BridgeEnter", 2))
            await until(lambda: len(one.calls()) == 1 and not one.runner.correlator.live())
            assert [told(call, call.started) for call in one.calls()] == EXPECTED["simple"]
            (health,) = one.runner.health()
            assert health.rejected == {"old_event": 3}

    asyncio.run(scenario())


def test_a_clock_an_hour_off_is_counted() -> None:
    async def scenario() -> None:
        async with line("simple") as one:
            one.server.raw(b"Event: VarSet\r\nUniqueid: x\r\nTimestamp: 1000.0\r\n\r\n")
            await until(lambda: one.runner.health()[0].rejected == {"clock_skew": 1})

    asyncio.run(scenario())


#: Those of the scenarios whose every channel hangs up within the recording.
WHOLE = [each for each in NAMES if each not in {"second_call_waiting", "three_way_conference"}]


@pytest.mark.parametrize("name", WHOLE)
def test_a_contiguous_cut_never_makes_a_wrong_link(name: str) -> None:
    """Any stretch of the stream is lost, then the PBX is asked: nobody is on somebody else's call."""
    messages = [each for each in ami_messages(folder(name)) if each.event]
    now = Now(messages)
    owner = {}
    whole = AmiFactReader("ami", STATIONS, max_skew=None)
    for call in correlated([f for m in messages for f in whole.observe(m, now())])[0].calls():
        owner |= dict.fromkeys(call.legs, (call.started, call.number))
    numbers = {each.caller for each in EXPECTED[name]}
    steps = range(0, len(messages), max(1, len(messages) // 12))
    for start in steps:
        for end in (each for each in steps if each > start):
            observer, server = AmiFactReader("ami", STATIONS, max_skew=None), AmiServer()
            facts = [f for m in messages[:start] for f in observer.observe(m, now())]
            server.play(messages[:end])
            known = set(observer.channels)
            arrived = datetime.fromtimestamp(float(messages[end].get("Timestamp")), UTC)
            decoder = AmiDecoder()
            for channel in server._channels.values():
                lines = "".join(f"{key}: {value}\r\n" for key, value in channel.items())
                (listed,) = decoder.feed(f"Event: CoreShowChannel\r\n{lines}\r\n".encode())
                facts += observer.present(listed, arrived)
            facts += observer.absent(known - set(server._channels), arrived)
            facts += [f for m in messages[end:] for f in observer.observe(m, now())]
            correlator, _ = correlated(facts)
            assert correlator.live() == ()
            for call in correlator.calls():
                assert len({owner[leg] for leg in call.legs}) == 1, (start, end)
                assert call.number is None or call.number.e164 in numbers


def test_a_conference_first_seen_in_the_list_is_still_two_calls() -> None:
    """Connected, both callers bear the Linkedid of the older: it names them both and makes them no one call."""

    async def scenario() -> None:
        async with line("conference_two_calls") as one:
            one.server.cut()
            one.play(0, one.where("ConfbridgeJoin", 2))
            trunks = [c for c in one.server._channels.values() if "trunk" in c["Channel"]]
            assert len(trunks) == 2
            trunks[1] |= {"Linkedid": trunks[0]["Linkedid"], "Application": "ConfBridge"}
            await until(lambda: len(one.runner.correlator.live()) == 2)
            first, second = one.calls()
            numbers = {call.number.e164 for call in (first, second) if call.number}
            assert numbers <= {CALLER, OTHER}
            assert [each.why for each in first.related] == ["in conference"]

    asyncio.run(scenario())


def test_a_channel_whose_beginning_was_lost_is_known_by_its_next_event() -> None:
    messages = [each for each in ami_messages("asterisk-22-simple") if each.event != "Newchannel"]
    observer, now = AmiFactReader("ami", STATIONS, max_skew=None), Now(messages)
    calls = correlated([f for each in messages for f in observer.observe(each, now())])[0].calls()
    assert all(call.state is CallState.ENDED for call in calls)
    assert {span.station for call in calls for span in call.stations} == {"1501"}
    assert {call.number.e164 for call in calls if call.number} <= {CALLER}


def test_a_uniqueid_that_comes_again_is_another_call() -> None:
    """A PBX started again on a clock set back counts from the beginning."""
    messages = [each for each in ami_messages("asterisk-22-simple") if each.event]
    cut = next(i for i, each in enumerate(messages) if each.event == "Hangup")
    later = [
        AmiMessage({key: tuple(map(_again, values)) for key, values in each.fields.items()})
        for each in messages
    ]
    observer, now = AmiFactReader("ami", STATIONS, max_skew=None), Now(messages)
    facts = [f for each in (*messages[:cut], *later) for f in observer.observe(each, now())]
    calls = correlated(facts)[0].calls()
    assert [call.end_certain for call in calls] == [False, True]
    assert all(call.state is CallState.ENDED for call in calls)


def _again(value: str) -> str:
    """The same ids an hour later, on channels that are counted on."""
    when = re.fullmatch(r"(1795373\d{3})(\.\d{6})", value)
    if when:
        return f"{int(when[1]) + 3600}{when[2]}"
    return value.replace("-0000000", "-0000100")


def test_a_feed_that_can_no_longer_ask_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would go on hearing events, and never look at all channels again."""
    asked, ask = [0], AmiFeed._ask

    async def failing(self: AmiFeed, *args: Any) -> None:
        asked[0] += 1
        if asked[0] == 2:
            raise MemoryError
        await ask(self, *args)

    monkeypatch.setattr(AmiFeed, "_ask", failing)

    async def scenario() -> None:
        async with line(NAMES[0]) as one:
            one.server.cut()
            await until(lambda: asked[0] == 2)
            one.play()
            await until(lambda: asked[0] == 3)

    asyncio.run(scenario())
