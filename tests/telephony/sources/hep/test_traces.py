"""Real PBX traces seen through HEP only: the call graph a listener would write down.

Expectations come from what each scenario does (docs/telephony.md), times from its recording.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from telephony import AliasType, CallState
from telephony.sip.message import parse
from telephony.sources.hep.codec import SIP
from telephony.sources.hep.facts import SipFactReader
from tests.telephony.traces import (
    STATIONS,
    Told,
    correlated,
    facts_of,
    graph,
    rang,
    taken,
    told,
    trace,
)

if TYPE_CHECKING:
    from telephony import Fact
    from telephony.sources.hep.codec import HepPacket

CALLER = "+33612345678"
OTHER = "+33711223344"


EXPECTED = {
    # The caller rings 1501 at once, 1501 answers after 0.8 s, the caller hangs up 6 s later.
    "asterisk-22-simple": [
        Told(CALLER, "ended", 0.0, 0.8, 6.8, taken("1501", 0.0, 6.8), 2),
    ],
    # The same with a hold of 2 s by 1501.
    "asterisk-22-hold": [
        Told(CALLER, "ended", 0.0, 0.8, 10.8, taken("1501", 0.0, 10.8), 2, ((2.8, 4.8),)),
    ],
    # The caller gives up after 1.5 s of ringing.
    "asterisk-22-abandoned": [
        Told(CALLER, "ended", 0.0, None, 1.5, (rang("1501", 0.0, 1.5),), 2),
    ],
    # Two callers one second apart, both taken by 1501; a stray 487 of an earlier call comes first.
    "asterisk-22-two_concurrent": [
        Told(CALLER, "ended", 0.9, 1.7, 9.7, taken("1501", 0.9, 9.7), 2),
        Told(OTHER, "ended", 1.9, 2.7, 10.7, taken("1501", 1.9, 10.7), 2),
    ],
    # A queue answers the caller before 1501 is called: HEP alone cannot pair the legs, and says so.
    "asterisk-22-queue": [
        Told(CALLER, "ended", 0.0, 0.0, 7.0, (), 1, certain=False),
        Told(CALLER, "ended", 0.0, 0.8, 7.0, taken("1501", 0.0, 7.0), 1, certain=False),
    ],
    "freeswitch-1.10-simple": [
        Told(CALLER, "ended", 0.0, 0.8, 6.9, taken("1501", 0.0, 6.9), 2),
    ],
    "freeswitch-1.10-hold": [
        Told(CALLER, "ended", 0.0, 0.8, 10.9, taken("1501", 0.0, 10.9), 2, ((3.1, 5.4),)),
    ],
    "freeswitch-1.10-two_concurrent": [
        Told(CALLER, "ended", 0.0, 0.8, 8.9, taken("1501", 0.0, 8.9), 2),
        Told(OTHER, "ended", 1.0, 1.8, 9.9, taken("1501", 1.0, 9.9), 2),
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_call_graph_is_what_happened(name: str) -> None:
    assert graph(name) == EXPECTED[name]


@pytest.mark.parametrize("name", [name for name in EXPECTED if "queue" not in name])
def test_paired_legs_are_inferred_with_their_evidence(name: str) -> None:
    correlator, _ = correlated(facts_of(trace(name)))
    for call in correlator.calls():
        assert call.inferred
        (evidence,) = call.evidence
        assert "same host 127.0.0.1" in evidence
        assert "same calling number" in evidence


@pytest.mark.parametrize("name", [name for name in EXPECTED if "queue" not in name])
def test_a_call_keeps_its_first_id_and_needs_no_merge(name: str) -> None:
    _, changes = correlated(facts_of(trace(name)))
    assert not [change.merged for change in changes if change.merged]


def test_any_name_of_the_call_finds_it() -> None:
    correlator, _ = correlated(facts_of(trace("asterisk-22-simple")))
    (call,) = correlator.calls()
    nena = "urn:emergency:uid:callid:a1b2c3d4e5f6g7h8:esrp.samu37.example"
    for value, kind in [
        (nena, AliasType.NENA_CALLID),
        ("1-19539-simple@127.0.0.2", AliasType.SIP_CALL_ID),
        ("e18ad4b3-e3aa-4df4-8f32-7399d75f68f6", AliasType.SIP_CALL_ID),
        (call.id, None),
    ]:
        assert correlator.find(value, kind) == (call,)
    assert correlator.find(nena, AliasType.SIP_CALL_ID) == ()
    record = next(record for record in call.aliases if record.alias.value == nena)
    assert record.valid_from == call.started
    assert record.valid_to is not None
    assert record.why == "Call-Info"


def test_responses_without_their_invite_make_no_call() -> None:
    recorded = trace("asterisk-22-two_concurrent")
    stray = [packet for packet in recorded.packets if b"abandoned" in packet.payload]
    assert stray
    correlator, _ = correlated([fact for fact in facts_of(recorded) if "abandoned" in fact.leg])
    assert correlator.calls() == ()


def test_separate_runs_with_one_emergency_id_stay_separate_calls() -> None:
    runs = ["asterisk-22-simple", "asterisk-22-hold", "asterisk-22-abandoned"]
    correlator, _ = correlated([fact for name in runs for fact in facts_of(trace(name))])
    calls = correlator.calls()
    assert len(calls) == 3
    nena = "urn:emergency:uid:callid:a1b2c3d4e5f6g7h8:esrp.samu37.example"
    assert correlator.find(nena) == calls
    assert all(len(call.related) >= 2 for call in calls)
    assert "used again" in str(calls[0].related)


def test_the_station_shows_the_call_while_it_lasts() -> None:
    facts = facts_of(trace("asterisk-22-hold"))
    correlator, _ = correlated([])
    seen: list[CallState] = []
    for fact in facts:
        correlator.receive(fact)
        at = correlator.at_station("1501")
        state = at[0].state if at else CallState.ENDED
        if not seen or seen[-1] is not state:
            seen.append(state)
    assert seen == [
        CallState.ENDED,
        CallState.RINGING,
        CallState.TALKING,
        CallState.HELD,
        CallState.TALKING,
        CallState.ENDED,
    ]
    assert all(not correlator.at_station(station) for station in STATIONS)


@pytest.mark.parametrize(
    ("name", "uncertain"),
    [
        # The caller's side goes on without 1501; the same number rings at 1601 at the same time.
        ("asterisk-22-blind_transfer", [True, True]),
        # The caller's side goes on without 1501; the consultation is a call between two stations.
        ("asterisk-22-attended_transfer", [True, False]),
        # Each caller's side goes on without 1501.
        ("asterisk-22-conference_two_calls", [True, True]),
        # The first call is whole; 1601 is rung by nobody that was seen, then a number is called.
        ("asterisk-22-callback", [False, True, True]),
        # FreeSWITCH carries the caller's number to 1601: the same number, there and here at once.
        ("freeswitch-1.10-blind_transfer", [True, True]),
        ("freeswitch-1.10-attended_transfer", [True, True]),
        ("freeswitch-1.10-consultation_dropped", [False, True]),
        ("freeswitch-1.10-conference_two_calls", [True, True]),
    ],
)
def test_what_hep_cannot_show_is_said_to_be_uncertain(name: str, uncertain: list[bool]) -> None:
    """The legs of a transfer or a conference share nothing in HEP: more calls, all ended, none overstated."""
    correlator, _ = correlated(facts_of(trace(name)))
    assert correlator.live() == ()
    assert [not call.certain for call in correlator.calls()] == uncertain


PAIRED = [name for name in EXPECTED if "queue" not in name]


def observed(packets: list[HepPacket]) -> list[Fact]:
    observer = SipFactReader("hep", STATIONS)
    return [
        fact
        for packet in packets
        for fact in observer.observe(parse(packet.payload), packet.time, packet.src, packet.dst)
    ]


def disturbed(name: str, seed: int, *, lost: float) -> list[HepPacket]:
    """A tenth of the packets twice, some lost, each up to two seconds late."""
    chance = random.Random(seed)
    arrived = [
        (packet.time.timestamp() + chance.uniform(0, 2), chance.random(), packet)
        for packet in trace(name).packets
        if packet.protocol == SIP and chance.random() >= lost
        for _ in range(2 if chance.random() < 0.1 else 1)
    ]
    return [packet for *_, packet in sorted(arrived, key=lambda each: each[:2])]


@pytest.mark.parametrize("name", PAIRED)
def test_packets_repeated_and_reordered_tell_the_same(name: str) -> None:
    for seed in range(40):
        calls = correlated(observed(disturbed(name, seed, lost=0)))[0].calls()
        assert [told(call, trace(name).origin) for call in calls] == EXPECTED[name], seed


@pytest.mark.parametrize("name", PAIRED)
def test_lost_packets_never_make_a_wrong_link(name: str) -> None:
    numbers = {
        leg: call.number
        for call in correlated(facts_of(trace(name)))[0].calls()
        for leg in call.legs
    }
    for seed in range(100):
        for call in correlated(observed(disturbed(name, seed, lost=0.1)))[0].calls():
            assert len({numbers[leg] for leg in call.legs}) == 1, seed
            assert call.number in {numbers[call.legs[0]], None}
