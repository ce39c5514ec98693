"""What channel drivers other than PJSIP say, and when: each in the order its own documentation and source give.

chan_sip: `cases/01-ami-chan-sip-incoming`, after https://github.com/blak3r/yaai/issues/210 (own data): the channel
begins Down and rings us afterwards; right is incoming, +33612345678, station 1501. The other streams are made here.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony import Call, CallState, Direction
from telephony.model.number import parse_number
from telephony.sources.ami.codec import AmiDecoder, AmiMessage
from telephony.sources.ami.facts import AmiFactReader
from telephony.sources.ami.feed import AmiFeed
from telephony.sources.replay.recorded import read
from tests.telephony.shell import running, until
from tests.telephony.sources.ami.player import AmiServer, serving
from tests.telephony.strategies import START, at
from tests.telephony.traces import STATIONS, correlated

if TYPE_CHECKING:
    from telephony.runner import Runner

CASE = Path(__file__).parents[2] / "cases" / "01-ami-chan-sip-incoming"
CALLER = "+33612345678"
DOWN, RESERVED, DIALING, RING, RINGING, UP, PRE_RING = "0", "1", "3", "4", "5", "6", "9"
TRUNK, STATION, OTHER = "1795373136.10", "1795373136.11", "1795373136.12"


class Stream:
    """Events as a switchboard sends them, a tenth of a second apart."""

    def __init__(self) -> None:
        self.events: list[AmiMessage] = []

    def say(self, event: str, **fields: str) -> Stream:
        stamp = START.timestamp() + len(self.events) / 10
        told = {"Event": event, "Timestamp": f"{stamp:.6f}"} | fields
        self.events.append(AmiMessage({key.lower(): (each,) for key, each in told.items()}))
        return self

    def channel(
        self,
        event: str,
        channel: tuple[str, str],
        state: str,
        number: str = "<unknown>",
        exten: str = "s",
        **more: str,
    ) -> Stream:
        name, uniqueid = channel
        told = {"Channel": name, "Uniqueid": uniqueid, "Linkedid": TRUNK, "ChannelState": state}
        return self.say(event, **told, CallerIDNum=number, Exten=exten, **more)

    def dials(
        self, source: tuple[str, str] | None, target: tuple[str, str], shown: str, dialled: str
    ) -> Stream:
        mine = {"Channel": source[0], "Uniqueid": source[1], "Linkedid": TRUNK} if source else {}
        told = {"DestChannel": target[0], "DestUniqueid": target[1], "DestLinkedid": TRUNK}
        state = {"DestChannelState": DOWN, "DestCallerIDNum": shown, "DialString": dialled}
        return self.say("DialBegin", **mine, **told, **state)


def call(events: list[AmiMessage], stations: tuple[str, ...] = STATIONS) -> Call:
    """The one call that these events tell of."""
    observer = AmiFactReader("ami", stations, max_skew=None)
    facts = [fact for each in events for fact in observer.observe(each, at(3600))]
    (one,) = correlated(facts)[0].calls()
    return one


@pytest.mark.parametrize("name", ["ami-chan_sip.txt", "ami-control-ring-at-once.txt"])
def test_chan_sip_rings_us_after_its_channel_began(name: str) -> None:
    found = call([each for each in AmiDecoder().feed((CASE / name).read_bytes()) if each.event])
    assert (found.direction, found.called) == (Direction.INCOMING, "15")
    assert found.caller is not None
    assert found.caller.e164 == CALLER
    assert {each.station for each in found.stations if each.taken} == {"1501"}


def test_chan_sip_s_recording_is_told_the_same_by_replay() -> None:
    facts = read([CASE / "ami-chan_sip.txt"]).facts
    (found,) = correlated(facts)[0].calls()
    assert (found.direction, found.number and found.number.e164) == (Direction.INCOMING, CALLER)


def test_a_recording_of_an_old_asterisk_is_told_in_nothing(tmp_path: Path) -> None:
    old = (CASE / "ami-chan_sip.txt").read_bytes().replace(b"Manager/5.0.1", b"Manager/1.3")
    (tmp_path / "ami.txt").write_bytes(old)
    told = read([tmp_path / "ami.txt"])
    assert (told.facts, told.rejected) == ([], {"ami_version": 1})


def rings(stream: Stream, trunk: tuple[str, str], phone: tuple[str, str]) -> Stream:
    """The station is dialled, rings and answers."""
    stream.channel("Newchannel", phone, DOWN, "1501")
    stream.dials(trunk, phone, "1501", phone[0].rpartition("-")[0])
    stream.channel("Newstate", phone, RINGING, "1501", "15")
    stream.channel("Newstate", phone, UP, "1501", "15")
    return stream.channel("Newstate", trunk, UP, "0612345678", "15")


def analogue(stream: Stream) -> tuple[str, str]:
    """An analogue line rings once before it tells the number; there is no extension."""
    trunk = ("DAHDI/10-1", TRUNK)
    stream.channel("Newchannel", trunk, PRE_RING, "", "s")
    stream.channel("NewCallerid", trunk, PRE_RING, "0612345678", "s")
    stream.channel("Newstate", trunk, RING, "0612345678", "s")
    return trunk


def primary_rate(stream: Stream) -> tuple[str, str]:
    """Digits of the called number come one after another: what it dials is known at the ring."""
    trunk = ("DAHDI/i1/0612345678-2a", TRUNK)
    stream.channel("Newchannel", trunk, RESERVED, "0612345678", "")
    stream.channel("Newstate", trunk, RING, "0612345678", "15")
    return trunk


def iax(stream: Stream) -> tuple[str, str]:
    trunk = ("IAX2/operateur-2041", TRUNK)
    stream.channel("Newchannel", trunk, RING, "0612345678", "15")
    return trunk


def motif(stream: Stream) -> tuple[str, str]:
    """No number at first, then it is not known, then it is told."""
    trunk = ("Motif/passerelle-1f3a", TRUNK)
    stream.channel("Newchannel", trunk, DOWN, "unknown", "")
    stream.channel("NewCallerid", trunk, DOWN, "<unknown>", "")
    stream.channel("NewConnectedLine", trunk, DOWN, "asterisk", "")
    stream.channel("Newstate", trunk, RING, "<unknown>", "")
    stream.channel("Newexten", trunk, RING, "0612345678", "15")
    return trunk


@pytest.mark.parametrize("driver", [analogue, primary_rate, iax, motif])
@pytest.mark.parametrize(
    "phone",
    [
        "SIP/1501-0000001b",
        "PJSIP/1501-0000001b",
        "IAX2/1501-7713",
        "SCCP/1501-0000001B",
        "Skinny/1501@SEP001122334455-3",
        "USTM/1501@poste-0x7f2a4c0010",
        "DAHDI/1501-1",
    ],
)
def test_whatever_the_driver_the_call_comes_in_with_its_number(driver: Any, phone: str) -> None:
    stream = Stream()
    rings(stream, driver(stream), (phone, STATION))
    found = call(stream.events)
    assert (found.direction, found.number and found.number.e164) == (Direction.INCOMING, CALLER)
    assert found.called == "15"
    assert (found.state, found.talking_stations) == (CallState.TALKING, ("1501",))
    assert found.answered is not None


def test_a_line_s_circuit_is_not_taken_for_a_station_where_none_is_named() -> None:
    stream = Stream()
    rings(stream, analogue(stream), ("SIP/1501-0000001b", STATION))
    assert {each.station for each in call(stream.events, ()).stations} == {"1501"}


@pytest.mark.parametrize(
    ("name", "states", "shown", "dialled"),
    [
        ("SIP/operateur-0000001c", (RINGING,), "0612345678", "operateur/0612345678"),
        ("DAHDI/i1/0612345678-2b", (DIALING, RINGING), "0612345678", "g1/0612345678"),
        ("DAHDI/10-1", (DIALING,), "0612345678", "g1/ww0612345678"),
        ("IAX2/operateur-2042", (RINGING,), "0612345678", "operateur/0612345678@dehors"),
        # The line shows our own number, or the station's: who is called is what is dialled.
        ("SIP/operateur-0000001c", (RINGING,), "0247151515", "operateur/0612345678"),
        ("PJSIP/operateur-0000001c", (RINGING,), "1501", "operateur/sip:+33612345678@192.0.2.4"),
        # A prefix for the line is not part of the number.
        ("PJSIP/operateur-0000001c", (RINGING,), "0612345678", "900612345678@operateur"),
        ("PJSIP/operateur-0000001c", (RINGING,), "<unknown>", "0612345678@operateur"),
    ],
)
def test_a_call_back_goes_out_to_the_number_that_was_dialled(
    name: str, states: tuple[str, ...], shown: str, dialled: str
) -> None:
    trunk, phone, stream = (name, OTHER), ("SIP/1501-0000001b", TRUNK), Stream()
    stream.channel("Newchannel", phone, DOWN, "1501", "0612345678")
    stream.channel("Newstate", phone, RING, "1501", "0612345678")
    stream.channel("Newchannel", trunk, DOWN, "<unknown>", "")
    stream.channel("NewCallerid", trunk, DOWN, shown, "0612345678")
    stream.dials(phone, trunk, shown, dialled)
    for state in (*states, UP):
        stream.channel("Newstate", trunk, state, shown, "0612345678")
    found = call(stream.events)
    assert (found.direction, found.number and found.number.e164) == (Direction.OUTGOING, CALLER)
    assert found.current_stations == ("1501",)


@pytest.mark.parametrize(
    ("shown", "dialled", "called"),
    [
        # 00 and nine digits: a number abroad, or one of ours behind an outside-line zero. Nobody is told.
        ("0247151515", "00612345678@operateur", "00612345678"),
        ("0247151515", "operateur/sip:00612345678@192.0.2.4", "00612345678"),
        # The caller ID tells which.
        ("0612345678", "00612345678@operateur", "0612345678"),
        # What a line is told beside the number is none.
        ("0247151515", "g1/0612345678/c", "0612345678"),
        ("0247151515", "operateur", "operateur"),
    ],
)
def test_a_line_s_own_number_is_never_that_of_whom_we_call(
    shown: str, dialled: str, called: str
) -> None:
    trunk, phone, stream = (
        ("PJSIP/operateur-0000001c", OTHER),
        ("PJSIP/1501-0000001b", TRUNK),
        Stream(),
    )
    stream.channel("Newchannel", phone, RING, "1501", "00612345678")
    stream.channel("Newchannel", trunk, DOWN, shown, "s")
    stream.dials(phone, trunk, shown, dialled)
    stream.channel("Newstate", trunk, UP, shown, "s")
    found = call(stream.events)
    right = CALLER if parse_number(called) else None
    assert (found.direction, found.called) == (Direction.OUTGOING, called)
    assert (found.number and found.number.e164) == right


def withheld(stream: Stream, told: str, pres: str = "") -> tuple[str, str]:
    """The operator says that the number is withheld; the dialplan then shows the centre's own to the stations."""
    trunk = ("PJSIP/operateur-0000001c", TRUNK)
    more = {"CID-CallingPres": pres} if pres else {}
    stream.channel("Newchannel", trunk, RING, "<unknown>" if pres else told, "15")
    stream.channel("NewCallerid", trunk, RING, told, "15", **more)
    stream.channel("NewCallerid", trunk, RING, "0247151515", "15")
    return trunk


@pytest.mark.parametrize(
    ("told", "pres"),
    [
        ("anonymous", ""),
        ("Anonymous", ""),
        ("restricted", ""),
        ("unavailable", ""),
        ("private", ""),
        ("<unknown>", "35 (Presentation Prohibited, Network Number)"),
    ],
)
def test_a_withheld_number_stays_withheld(told: str, pres: str) -> None:
    stream = Stream()
    rings(stream, withheld(stream, told, pres), ("SIP/1501-0000001b", STATION))
    assert (found := call(stream.events)).number is None
    assert (found.direction, found.talking_stations) == (Direction.INCOMING, ("1501",))


def test_a_number_not_available_yet_is_not_withheld() -> None:
    trunk, stream = ("DAHDI/10-1", TRUNK), Stream()
    pres = {"CID-CallingPres": "67 (Number Unavailable)"}
    stream.channel("Newchannel", trunk, PRE_RING, "", "s")
    stream.channel("NewCallerid", trunk, PRE_RING, "", "s", **pres)
    stream.channel("NewCallerid", trunk, PRE_RING, "0612345678", "s")
    rings(stream, trunk, ("SIP/1501-0000001b", STATION))
    assert (found := call(stream.events).number) is not None
    assert found.e164 == CALLER


@pytest.mark.parametrize("before", ["answered", "dialled"])
def test_what_the_dialplan_writes_over_a_call_that_goes_on_is_not_the_caller(before: str) -> None:
    trunk, phone, stream = (
        ("SIP/operateur-0000001c", TRUNK),
        ("SIP/1501-0000001b", STATION),
        Stream(),
    )
    stream.channel("Newchannel", trunk, RING, "<unknown>", "15")
    if before == "answered":
        stream.channel("Newstate", trunk, UP, "<unknown>", "15")
    else:
        stream.channel("Newchannel", phone, DOWN, "1501")
        stream.dials(trunk, phone, "1501", "1501")
    stream.channel("NewCallerid", trunk, RING, "0247151515", "15")
    assert call(stream.events).number is None


def test_stations_of_chan_sip_that_call_each_other_are_no_call_of_line_15() -> None:
    one, two, stream = ("SIP/1501-0000001b", TRUNK), ("SIP/1601-0000001c", STATION), Stream()
    stream.channel("Newchannel", one, DOWN, "1501", "1601")
    stream.channel("Newstate", one, RING, "1501", "1601")
    stream.channel("Newchannel", two, DOWN, "1601", "")
    stream.dials(one, two, "1601", "1601")
    stream.channel("Newstate", two, RINGING, "1601", "1601")
    found = call(stream.events)
    assert (found.direction, found.called, found.caller) == (Direction.INTERNAL, "1601", None)


def test_a_patient_whom_the_switchboard_calls_first_did_not_call_us() -> None:
    """Click to call: the line out is the first channel of the call."""
    trunk, phone, stream = (
        ("SIP/operateur-0000001c", TRUNK),
        ("SIP/1501-0000001d", STATION),
        Stream(),
    )
    stream.channel("Newchannel", trunk, DOWN, "0247151515", "")
    stream.channel("Newstate", trunk, RINGING, "0247151515", "")
    stream.dials(None, trunk, "0247151515", "operateur/0612345678")
    stream.channel("Newstate", trunk, UP, "0247151515", "1501")
    rings(stream, trunk, phone)
    found = call(stream.events)
    assert (found.direction, found.number and found.number.e164) == (Direction.OUTGOING, CALLER)


@pytest.mark.parametrize("name", ["CBAnn/room-00000001;2", "Snoop/1795-0001", "Recorder/ARI-01"])
def test_what_a_switchboard_makes_for_itself_is_nobody_outside(name: str) -> None:
    trunk, stream = ("SIP/operateur-0000001c", TRUNK), Stream()
    stream.channel("Newchannel", trunk, RING, "0612345678", "15")
    stream.channel("Newchannel", (name, OTHER), DOWN)
    stream.channel("Newstate", (name, OTHER), UP)
    found = call(stream.events)
    assert (found.direction, found.answered) == (Direction.INCOMING, None)


def test_who_called_is_told_by_the_list_when_the_ring_was_not_heard() -> None:
    """The connection is cut between the beginning of the channel and its ring; the product has the call already."""
    trunk, stream = ("SIP/operateur-0000001c", TRUNK), Stream()
    stream.channel("Newchannel", trunk, DOWN, "0612345678", "15")
    rings(stream, trunk, ("SIP/1501-0000001b", STATION))

    async def scenario() -> None:
        async with serving(AmiServer()) as server:
            runners: list[Runner] = []
            feed = AmiFeed(
                "ami",
                "127.0.0.1",
                server.port,
                server.username,
                server.secret,
                stations=STATIONS,
                clock=lambda: at(60),
                live=lambda: runners[0].correlator.live_legs("ami") if runners else (),
            )
            async with running([feed], clock=lambda: at(60)) as (runner, _facts):
                runners.append(runner)
                calls = runner.correlator.calls
                await until(lambda: feed.health().resynced is not None)
                server.play(stream.events[:1])
                await until(lambda: [each.direction for each in calls()] == [Direction.UNKNOWN])
                server.cut()
                server.play(stream.events[1:])
                await until(lambda: calls()[0].direction is Direction.INCOMING)
                (found,) = calls()
                assert (found.number and found.number.e164, found.called) == (CALLER, "15")
                assert (found.started, found.current_stations) == (at(0), ("1501",))

    asyncio.run(scenario())


def listed(*channels: dict[str, str]) -> dict[str, Call]:
    """What is told of channels that are in the list of a switchboard just connected to, by their Uniqueid."""
    observer = AmiFactReader("ami", STATIONS, max_skew=None)
    facts = []
    for channel in channels:
        told = {"Event": "CoreShowChannel", "ChannelState": UP, "Duration": "00:05:00"} | channel
        message = AmiMessage({key.lower(): (each,) for key, each in told.items()})
        facts += observer.present(message, at(3600))
    facts += observer.listed(at(3600))
    calls = correlated(facts)[0]
    told_of = {
        each["Uniqueid"]: next(f.leg for f in facts if each["Uniqueid"] in f.leg)
        for each in channels
    }
    found = {uniqueid: calls.call_of(leg) for uniqueid, leg in told_of.items()}
    return {uniqueid: each for uniqueid, each in found.items() if each is not None}


def channel(name: str, uniqueid: str, number: str, application: str, exten: str) -> dict[str, str]:
    told = {"Channel": name, "Uniqueid": uniqueid, "Linkedid": TRUNK, "CallerIDNum": number}
    return told | {"Application": application, "Exten": exten}


def test_two_callers_whose_calls_were_connected_both_called() -> None:
    """After a merge the younger one bears the Linkedid of the elder, as who is dialled does."""
    found = listed(
        channel("PJSIP/operateur-00000001", TRUNK, "0612345678", "Queue", "15"),
        channel("PJSIP/operateur-00000005", OTHER, "0687654321", "Queue", "15"),
        channel("PJSIP/1501-00000006", STATION, "1501", "AppQueue", ""),
    )
    assert found[TRUNK].direction is Direction.INCOMING
    assert (found[OTHER].direction, found[OTHER].number) == (Direction.INCOMING, None)


def test_who_called_is_not_said_where_the_list_leaves_it_open() -> None:
    (found,) = listed(channel("PJSIP/operateur-00000005", OTHER, "0687654321", "", "15")).values()
    assert (found.direction, found.number) == (Direction.UNKNOWN, None)


@pytest.mark.parametrize("application", ["AppDial", "AppDial2", "AppQueue"])
def test_who_is_dialled_is_told_by_the_list_with_what_the_station_dialled(application: str) -> None:
    line = channel("PJSIP/operateur-00000002", OTHER, "0247151515", application, "")
    phone = channel("PJSIP/1501-00000001", TRUNK, "1501", "Dial", "0612345678")
    for order in ((line, phone), (phone, line)):
        found = listed(*order)[OTHER]
        assert (found.direction, found.number and found.number.e164) == (Direction.OUTGOING, CALLER)


@pytest.mark.parametrize(
    "others",
    [
        # The station dialled somebody else before its call was connected to this one.
        (
            channel("PJSIP/1501-00000001", TRUNK, "1501", "Dial", "0687654321"),
            channel("PJSIP/1601-00000007", STATION, "1601", "Dial", "0612345678"),
        ),
        # A caller is sent on to the outside: what they dialled is us.
        (channel("PJSIP/operateur-00000001", TRUNK, "0687654321", "Dial", "0247151516"),),
        (),
    ],
)
def test_whom_the_list_does_not_name_for_certain_has_no_number(
    others: tuple[dict[str, str], ...],
) -> None:
    line = channel("PJSIP/operateur-00000002", OTHER, "0247151515", "AppDial", "")
    found = listed(*others, line)[OTHER]
    legs = [each for each in (found.number, found.caller) if each]
    assert "+33247151515" not in {each.e164 for each in legs}
    assert found.called in {None, "0247151516"}


def incoming() -> list[AmiMessage]:
    trunk, stream = ("SIP/operateur-0000001c", TRUNK), Stream()
    stream.channel("Newchannel", trunk, DOWN, "", "15")
    stream.channel("NewCallerid", trunk, DOWN, "0612345678", "15")
    stream.channel("Newstate", trunk, RING, "0612345678", "15")
    stream.channel("Newexten", trunk, RING, "0612345678", "15")
    rings(stream, trunk, ("SIP/1501-0000001b", STATION))
    return stream.channel("NewConnectedLine", trunk, UP, "0612345678", "15").events


def call_back() -> list[AmiMessage]:
    trunk, phone, stream = ("SIP/operateur-0000001c", OTHER), ("SIP/1501-0000001b", TRUNK), Stream()
    stream.channel("Newchannel", phone, DOWN, "1501", "0612345678")
    stream.channel("Newstate", phone, RING, "1501", "0612345678")
    stream.channel("Newexten", phone, RING, "1501", "0612345678")
    stream.channel("Newchannel", trunk, DOWN, "0247151515", "")
    stream.channel("NewCallerid", trunk, DOWN, "0247151515", "0612345678")
    stream.channel("NewConnectedLine", trunk, DOWN, "0247151515", "0612345678")
    stream.dials(phone, trunk, "0247151515", "operateur/0612345678")
    stream.channel("Newstate", trunk, RINGING, "0247151515", "0612345678")
    stream.channel("Newstate", trunk, UP, "0247151515", "0612345678")
    return stream.channel("Newstate", phone, UP, "1501", "0612345678").events


def click_to_call() -> list[AmiMessage]:
    trunk, stream = ("SIP/operateur-0000001c", TRUNK), Stream()
    stream.channel("Newchannel", trunk, DOWN, "0247151515", "")
    stream.channel("Newstate", trunk, RINGING, "0247151515", "")
    stream.dials(None, trunk, "0247151515", "operateur/0612345678")
    stream.channel("Newstate", trunk, UP, "0247151515", "1501")
    return rings(stream, trunk, ("SIP/1501-0000001b", STATION)).events


@pytest.mark.parametrize(
    ("events", "way"),
    [
        (incoming(), Direction.INCOMING),
        (call_back(), Direction.OUTGOING),
        (click_to_call(), Direction.OUTGOING),
    ],
)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_order_and_repetition_tells_the_same(
    events: list[AmiMessage], way: Direction, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=8))
    order = data.draw(st.randoms(use_true_random=False))
    mixed = [*events, *again]
    order.shuffle(mixed)
    found = call(mixed)
    assert found.direction is way
    # A number that comes late may be one that the dialplan wrote over the caller's: none is then told.
    late = {None} if way is Direction.INCOMING else set()
    assert (found.number and found.number.e164) in {CALLER} | late
    assert {each.station for each in found.stations} == {"1501"}
    assert (found.state, found.talking_stations) == (CallState.TALKING, ("1501",))


FIELDS = ("Channel", "Uniqueid", "Linkedid", "ChannelState", "CallerIDNum", "Exten", "DestUniqueid")
NAMES = (
    "Newchannel",
    "Newstate",
    "NewCallerid",
    "NewConnectedLine",
    "Newexten",
    "DialBegin",
    "Hangup",
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.dictionaries(
                st.sampled_from((*FIELDS, "DestChannel", "DialString", "DestCallerIDNum")),
                st.sampled_from(
                    (TRUNK, STATION, "SIP/1501-0000001b", "Local/1@x-1;1", "/", "s", "")
                )
                | st.sampled_from((DOWN, RING, RINGING, UP, "-1", "seven"))
                | st.text(max_size=12),
            ),
        ),
        max_size=20,
    )
)
def test_whatever_an_event_says_nothing_breaks(told: list[tuple[str, dict[str, str]]]) -> None:
    stream = Stream()
    for event, fields in told:
        stream.say(event, **fields)
    observer = AmiFactReader("ami", STATIONS, max_skew=None)
    correlated([fact for each in stream.events for fact in observer.observe(each, at(3600))])
