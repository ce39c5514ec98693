"""Streams of a real Asterisk 22: the call graph a listener would write down, nothing guessed.

Expectations come from what each scenario does (docs/telephony.md); seconds count from the first channel.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from telephony import Aliased, AliasType, Call, HungUp, Rang
from telephony.correlate.correlation import CallState
from telephony.correlate.grouping import CONFERENCE
from telephony.correlate.same_number import CALL_BACK
from tests.telephony.traces import (
    Told,
    ami_facts,
    correlated,
    facts_of,
    rang,
    taken,
    talked,
    told,
    trace,
)

CALLER, OTHER, THIRD = "+33612345678", "+33711223344", "+33698765432"
OLDER = (
    *("simple", "hold", "abandoned", "queue", "two_concurrent"),
    *("blind_transfer", "attended_transfer", "conference_two_calls", "callback"),
)
#: Of an Asterisk 23.
NEWER = ("anonymous", "blonde_transfer", "second_call_waiting", "three_way_conference")
NAMES = (*OLDER, *NEWER)


EXPECTED = {
    # 1501 answers after 0.8 s, the caller hangs up 6 s later.
    "simple": [Told(CALLER, "ended", 0.0, 0.8, 6.8, taken("1501", 0.0, 6.8), 2)],
    # 1501 holds after 2 s and resumes 2 s later.
    "hold": [Told(CALLER, "ended", 0.0, 0.8, 10.8, taken("1501", 0.0, 10.8), 2, ((2.8, 4.8),))],
    # The caller cancels while it rings.
    "abandoned": [Told(CALLER, "ended", 0.0, None, 1.5, (rang("1501", 0.0, 1.5),), 2)],
    # The queue answers at once, 1501 after 0.8 s.
    "queue": [Told(CALLER, "ended", 0.0, 0.8, 7.0, taken("1501", 0.0, 7.0), 2)],
    # Two callers one second apart, the same agent.
    "two_concurrent": [
        Told(CALLER, "ended", 0.0, 0.8, 8.8, taken("1501", 0.0, 8.8), 2),
        Told(OTHER, "ended", 1.0, 1.8, 9.8, taken("1501", 1.0, 9.8), 2),
    ],
    # 1501 sends the caller to 1601 and is gone; 1601 answers 0.8 s later.
    "blind_transfer": [
        Told(
            THIRD, "ended", 0.0, 0.8, 13.9,
            (*taken("1501", 0.0, 3.9), *taken("1601", 3.9, 13.9)), 3,
        ),
    ],
    # 1501 holds the caller, consults 1601, hangs up: caller and 1601 talk on. One call throughout.
    "attended_transfer": [
        Told(
            CALLER, "ended", 0.0, 0.8, 22.9,
            (*taken("1501", 0.0, 8.9), *taken("1601", 4.4, 22.9)), 5,
            ((4.2, 8.9),),
        ),
    ],
    # Two answered calls are put into one conference; the agent leaves it to them.
    "conference_two_calls": [
        Told(CALLER, "ended", 0.0, 0.8, 15.8, taken("1501", 0.0, 5.9), 2),
        Told(OTHER, "ended", 3.0, 3.8, 16.2, taken("1501", 3.0, 5.9), 2),
    ],
    # The call ends; 1601 is rung, picks up, and the number is called back from there: another call.
    "callback": [
        Told(CALLER, "ended", 0.0, 0.8, 4.8, taken("1501", 0.0, 4.8), 2),
        Told(CALLER, "ended", 6.4, 8.0, 13.4, taken("1601", 6.4, 13.4), 2),
    ],
    "anonymous": [Told(None, "ended", 0.0, 0.8, 5.8, taken("1501", 0.0, 5.8), 2)],
    # 1501 consults 1601 and leaves while it rings there; 1501's channel lives until 1601 answers.
    "blonde_transfer": [
        Told(
            "+33687654329", "ended", 0.0, 0.8, 22.1,
            (*taken("1501", 0.0, 9.3), rang("1601", 4.3, 9.3), talked("1601", 9.3, 22.1)), 5,
            ((4.1, 9.3),),
        ),
    ],
    # While 1501 talks a second caller rings there; the recording ends before that one gives up.
    "second_call_waiting": [
        Told("+33687654331", "ended", 0.0, 0.8, 14.8, taken("1501", 0.0, 14.8), 2, ((2.8, 4.8),)),
        Told("+33687654332", "ringing", 3.0, None, None, (rang("1501", 3.0, None),), 2),
    ],
    # Caller, 1501 and 1601 in one conference; 1501 leaves it, then the caller; 1601 stays there alone, and has no call.
    "three_way_conference": [
        Told(
            "+33687654330", "ended", 0.0, 0.8, 18.8,
            (*taken("1501", 0.0, 9.9), *taken("1601", 5.9, 18.8)), 3,
        ),
    ],
}  # fmt: skip


def folder(name: str) -> str:
    return f"asterisk-{23 if name in NEWER else 22}-{name}"


def calls_of(name: str) -> tuple[Call, ...]:
    return correlated(ami_facts(folder(name)))[0].calls()


@pytest.mark.parametrize("name", NAMES)
def test_the_call_graph_is_what_happened(name: str) -> None:
    calls = calls_of(name)
    assert [told(call, calls[0].started) for call in calls] == EXPECTED[name]
    assert all(call.certain and call.end_certain and not call.inferred for call in calls)


def test_a_call_has_all_its_names() -> None:
    (call,) = calls_of("simple")
    names = {(record.alias.type, record.alias.value) for record in call.aliases}
    assert names >= {
        (AliasType.UNIQUEID, "samu37-1795373136.0"),
        (AliasType.UNIQUEID, "samu37-1795373136.1"),
        (AliasType.LINKEDID, "samu37-1795373136.0"),
        (AliasType.SIP_CALL_ID, "1-19539-simple@127.0.0.2"),
        (
            AliasType.NENA_CALLID,
            "urn:emergency:uid:callid:a1b2c3d4e5f6g7h8:esrp.samu37.example",
        ),
        (AliasType.RECORDING, "20261122-184536-15-+33612345678-samu37-1795373136.0.wav"),
    }
    (recording,) = call.recordings
    assert recording.ref.startswith("/var/spool/asterisk/monitor/")
    assert recording.end is not None
    assert call.ended is not None
    assert abs(recording.end - call.ended) < timedelta(milliseconds=1), "it ends with its channel"


def test_a_conference_joins_two_calls_for_a_time_and_mixes_up_neither() -> None:
    first, second = calls_of("conference_two_calls")
    (mine,), (other,) = first.related, second.related
    assert (mine.call, other.call) == (second.id, first.id)
    assert mine.why == other.why == CONFERENCE
    assert (mine.start, mine.end) == (other.start, other.end)
    assert mine.start is not None
    assert mine.end is not None
    assert round((mine.start - first.started).total_seconds(), 1) == 6.1
    assert round((mine.end - first.started).total_seconds(), 1) == 15.8


def test_a_call_back_is_a_new_call_that_names_the_first() -> None:
    first, second = calls_of("callback")
    assert [(each.call, each.why) for each in second.related] == [(first.id, CALL_BACK)]
    assert first.related == ()
    assert [len(call.recordings) for call in (first, second)] == [1, 1]


def test_inherited_ids_are_not_the_agents() -> None:
    """Asterisk copies the trunk's SIPCALLID to the channels it makes; a leg bears its own only."""
    facts = ami_facts("asterisk-22-attended_transfer")
    bearers = {
        fact.leg
        for fact in facts
        if isinstance(fact, Aliased) and fact.alias.type is AliasType.SIP_CALL_ID
    }
    assert len(bearers) == 1


@pytest.mark.parametrize("name", [each for each in NAMES if each != "three_way_conference"])
def test_no_second_call_ever_flashes_up(name: str) -> None:
    """A leg joins its call with its first event: no desk sees a call that is merged away again.

    Except who is called into a conference by the switchboard: nothing ties them to it before they are in it.
    """
    _, changes = correlated(ami_facts(folder(name)))
    assert not [change.merged for change in changes if change.merged]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(5))
def test_repeated_and_reordered_events_tell_the_same(name: str, seed: int) -> None:
    facts = ami_facts(folder(name))
    mixed = [*facts, *facts[:: seed + 2]]
    random.Random(seed).shuffle(mixed)
    calls = correlated(mixed)[0].calls()
    assert [told(call, calls[0].started) for call in calls] == EXPECTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_capture_and_manager_tell_of_one_call_not_of_two(name: str) -> None:
    """HEP and AMI of the same scenario, fused: the manager's graph, no second call."""
    ami = ami_facts(folder(name))
    hep = facts_of(trace(folder(name)))
    begun = {fact.leg for fact in hep if isinstance(fact, Rang)}
    assert begun
    for facts in ([*ami, *hep], [*hep, *ami], sorted([*ami, *hep], key=lambda fact: fact.at)):
        calls = correlated(facts)[0].calls()
        graph = [told(call, calls[0].started) for call in calls]
        assert len(graph) == len(EXPECTED[name])
        for mine, wanted in zip(graph, EXPECTED[name], strict=True):
            assert replace(mine, legs=wanted.legs) == wanted


def test_all_runs_of_one_switchboard_stay_apart() -> None:
    """The same number, one emergency id in most runs: still as many calls as there were."""
    facts = [fact for name in OLDER for fact in ami_facts(folder(name))]
    correlator, _ = correlated(facts)
    assert len(correlator.calls()) == sum(len(EXPECTED[name]) for name in OLDER)
    assert correlator.live() == ()
    assert all(call.state is CallState.ENDED for call in correlator.calls())
    ends = [fact for fact in facts if isinstance(fact, HungUp)]
    assert all(fact.certain for fact in ends)
