"""Streams of a real FreeSWITCH 1.10: the call graph a listener would write down, nothing guessed.

Expectations come from what each scenario does (docs/telephony.md); seconds count from the first channel.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telephony import Aliased, AliasType, Call, CallState, Fact, HungUp, Paired, Rang
from telephony.correlate.grouping import CONFERENCE
from telephony.sources.esl.codec import EslMessage
from telephony.sources.esl.facts import EslFactReader
from tests.telephony.traces import (
    STATIONS,
    Told,
    correlated,
    esl_facts,
    esl_messages,
    facts_of,
    taken,
    told,
    trace,
)

CALLER, OTHER, THIRD = "+33612345678", "+33711223344", "+33698765432"


EXPECTED = {
    # 1501 answers after 0.8 s, the caller hangs up 6 s later.
    "simple": [Told(CALLER, "ended", 0.0, 0.8, 6.9, taken("1501", 0.0, 6.9), 2)],
    # 1501 holds after 2 s and resumes 2.5 s later.
    "hold": [Told(CALLER, "ended", 0.0, 0.8, 10.9, taken("1501", 0.0, 10.9), 2, ((2.8, 5.4),))],
    # Two callers one second apart, the same agent.
    "two_concurrent": [
        Told(CALLER, "ended", 0.0, 0.8, 8.9, taken("1501", 0.0, 8.9), 2),
        Told(OTHER, "ended", 1.0, 1.8, 9.9, taken("1501", 1.0, 9.9), 2),
    ],
    # 1501 sends the caller to 1601 and is gone; 1601 answers 0.8 s later.
    "blind_transfer": [
        Told(
            THIRD, "ended", 0.0, 0.8, 9.9,
            (*taken("1501", 0.0, 3.9), *taken("1601", 3.9, 9.9)), 3,
        ),
    ],
    # 1501 lets the caller wait, consults 1601, connects the two and leaves. One call throughout.
    "attended_transfer": [
        Told(
            CALLER, "ended", 0.0, 0.8, 14.9,
            (*taken("1501", 0.0, 8.9), *taken("1601", 4.0, 14.9)), 3,
            ((4.8, 7.9),),
        ),
    ],
    # 1501 consults 1601 and hangs up: the caller is lost too, and the call over; 1601 is alone for 2 s more.
    "consultation_dropped": [
        Told(
            CALLER, "ended", 0.0, 0.8, 7.9,
            (*taken("1501", 0.0, 7.9), *taken("1601", 4.0, 7.9)), 3,
            ((4.8, 7.9),),
        ),
    ],
    # Two answered calls are put into one conference; the agent leaves it to them.
    "conference_two_calls": [
        Told(CALLER, "ended", 0.0, 0.8, 14.9, taken("1501", 0.0, 4.9), 2),
        Told(OTHER, "ended", 2.0, 2.8, 14.9, taken("1501", 2.0, 4.9), 2),
    ],
}  # fmt: skip
NAMES = tuple(EXPECTED)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
#: FreeSWITCH reads its clock 50 times a second.
TICK = timedelta(milliseconds=21)


def calls_of(name: str) -> tuple[Call, ...]:
    return correlated(esl_facts(f"freeswitch-1.10-{name}"))[0].calls()


@pytest.mark.parametrize("name", NAMES)
def test_the_call_graph_is_what_happened(name: str) -> None:
    calls = calls_of(name)
    assert [told(call, calls[0].started) for call in calls] == EXPECTED[name]
    assert all(call.certain and call.end_certain and not call.inferred for call in calls)


def test_a_call_has_all_its_names() -> None:
    (call,) = calls_of("simple")
    names = {(record.alias.type, record.alias.value) for record in call.aliases}
    nena = "urn:emergency:uid:{}:{}a1b2c3d4e5f6g7h8:esrp.samu37.example"
    file = "15-+33612345678-f1a545e5-23c2-4788-bfb9-9c2b1c5bec89.wav"
    assert names >= {
        (AliasType.FREESWITCH_UUID, "f1a545e5-23c2-4788-bfb9-9c2b1c5bec89"),
        (AliasType.SIP_CALL_ID, "1-548-simple@127.0.0.2"),
        (AliasType.NENA_CALLID, nena.format("callid", "")),
        (AliasType.NENA_INCIDENTID, nena.format("incidentid", "i")),
        (AliasType.RECORDING, file),
    }
    kinds = [kind for kind, _ in names]
    assert kinds.count(AliasType.FREESWITCH_UUID) == kinds.count(AliasType.SIP_CALL_ID) == 2
    (recording,) = call.recordings
    assert recording.ref == f"/var/fs/lab/rec/{file}"
    assert recording.start - call.started < timedelta(milliseconds=50)
    assert recording.end is not None
    assert call.ended is not None
    assert abs(recording.end - call.ended) < timedelta(milliseconds=50)


def test_the_recording_is_the_callers_through_a_transfer() -> None:
    (call,) = calls_of("attended_transfer")
    (recording,) = call.recordings
    assert recording.end == call.ended
    assert call.called == "15", "what was dialled first, not where it was sent"


def test_a_conference_joins_two_calls_for_a_time_and_mixes_up_neither() -> None:
    first, second = calls_of("conference_two_calls")
    (mine,), (other,) = first.related, second.related
    assert (mine.call, other.call) == (second.id, first.id)
    assert mine.why == other.why == CONFERENCE
    assert (mine.start, mine.end) == (other.start, other.end)
    assert mine.start is not None
    assert mine.end is not None
    assert round((mine.start - first.started).total_seconds(), 1) == 4.9
    assert round((mine.end - first.started).total_seconds(), 1) == 14.9
    assert [len(call.recordings) for call in (first, second)] == [1, 1]


def test_exported_ids_are_not_the_agents() -> None:
    """The dialplan exports Call-Info to every leg it dials; a leg bears its own only."""
    bearers = {
        fact.leg
        for fact in esl_facts("freeswitch-1.10-attended_transfer")
        if isinstance(fact, Aliased) and fact.alias.type is AliasType.NENA_CALLID
    }
    assert len(bearers) == 1


@pytest.mark.parametrize("name", NAMES)
def test_no_second_call_ever_flashes_up(name: str) -> None:
    """A leg joins its call with its first event: no desk sees a call that is merged away again."""
    _, changes = correlated(esl_facts(f"freeswitch-1.10-{name}"))
    assert not [change.merged for change in changes if change.merged]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(5))
def test_repeated_and_reordered_facts_tell_the_same(name: str, seed: int) -> None:
    facts = esl_facts(f"freeswitch-1.10-{name}")
    mixed = [*facts, *facts[:: seed + 2]]
    random.Random(seed).shuffle(mixed)
    calls = correlated(mixed)[0].calls()
    assert [told(call, calls[0].started) for call in calls] == EXPECTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_heard_twice_tells_the_same(name: str) -> None:
    """What a reconnection repeats, and what a restart of ours hears again, is no news."""
    messages = esl_messages(f"freeswitch-1.10-{name}")
    calls = correlated(observed([*messages, *messages]))[0].calls()
    assert [told(call, calls[0].started) for call in calls] == EXPECTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_capture_and_event_socket_tell_of_one_call_not_of_two(name: str) -> None:
    """HEP and ESL of the same scenario, fused: the switchboard's graph, no second call."""
    esl = esl_facts(f"freeswitch-1.10-{name}")
    hep = facts_of(trace(f"freeswitch-1.10-{name}"))
    assert {fact.leg for fact in hep if isinstance(fact, Rang)}
    for facts in ([*esl, *hep], [*hep, *esl], sorted([*esl, *hep], key=lambda fact: fact.at)):
        calls = correlated(facts)[0].calls()
        graph = [told(call, calls[0].started) for call in calls]
        assert len(graph) == len(EXPECTED[name])
        for mine, wanted in zip(graph, EXPECTED[name], strict=True):
            assert replace(mine, legs=wanted.legs) == wanted


def test_all_runs_of_one_switchboard_stay_apart() -> None:
    """The same numbers and the same stations in every run: still as many calls as there were."""
    facts = [fact for name in NAMES for fact in esl_facts(f"freeswitch-1.10-{name}")]
    correlator, _ = correlated(facts)
    assert len(correlator.calls()) == sum(len(each) for each in EXPECTED.values())
    assert correlator.live() == ()
    assert all(call.state is CallState.ENDED for call in correlator.calls())
    assert all(fact.certain for fact in facts if isinstance(fact, HungUp))


def observed(messages: list[EslMessage]) -> list[Fact]:
    observer = EslFactReader("esl", STATIONS, max_skew=None)
    return [fact for message in messages for fact in observer.observe(message, NOW)]


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_lost_no_call_holds_two_callers(name: str) -> None:
    """Drop any stretch of the stream: what is left of each call is part of one true call.

    A leg whose end was lost ends uncertainly when the switchboard is asked again (`absent`); one that was
    lost but for its end has its true beginning all the same.
    """
    messages = esl_messages(f"freeswitch-1.10-{name}")
    whole = {leg: call for call in calls_of(name) for leg in call.legs}
    ends = {f.leg: f.at for f in observed(messages) if isinstance(f, HungUp)}
    size = len(messages)
    step = max(1, size // 20)
    cuts = [(start, end) for start in range(0, size, step) for end in range(start + 1, size, step)]
    for start, end in cuts:
        observer = EslFactReader("esl", STATIONS, max_skew=None)
        heard = [*messages[:start], *messages[end:]]
        facts = [fact for message in heard for fact in observer.observe(message, NOW)]
        facts += observer.absent(observer.channels, NOW)
        calls = correlated(facts)[0].calls()
        heard_of = {fact.leg: fact.at for fact in facts if isinstance(fact, Rang)}
        for call in calls:
            (true,) = {whole[leg].id for leg in call.legs}
            real = whole[call.legs[0]]
            assert true == real.id
            assert call.started == min(heard_of[leg] for leg in call.legs)
            assert {s.station for s in call.stations} <= {s.station for s in real.stations}
            if call.number is None:  # nothing was heard of the leg that dialled these
                diallers = {f.with_leg for f in facts if isinstance(f, Paired)}
                assert diallers - set(heard_of), (start, end)
            else:
                assert call.number == real.number
            if call.end_certain:
                gaps = [abs(ends[leg] - call.ended) for leg in call.legs if call.ended]
                assert min(gaps) <= TICK
        named = [call.number for call in calls if call.number]
        assert len(named) == len(set(named)), "a person has one call"
