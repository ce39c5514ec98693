"""The correlator: facts in any order give the same calls, and the calls are right."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    CallState,
    Changed,
    Fact,
    Held,
    HungUp,
    Ignored,
    Joined,
    Left,
    Moved,
    Number,
    Paired,
    Rang,
    RecordingStarted,
    Resumed,
    Seen,
    Span,
    Unpaired,
    fact_from_json,
    fact_to_json,
)
from telephony.correlation import Call, Correlator
from tests.telephony.strategies import at, facts

if TYPE_CHECKING:
    from collections.abc import Iterable

CALLER = Number("+33612345678")
NENA = Alias(AliasType.NENA_CALLID, "urn:emergency:uid:callid:1:h.example")


def correlator(told: Iterable[Fact] = ()) -> Correlator:
    numbers = itertools.count(1)
    fresh = Correlator({"1501", "1601"}, lambda: f"call-{next(numbers)}")
    for fact in told:
        fresh.receive(fact)
    return fresh


def rang(leg: str, second: float, station: str | None = None) -> Rang:
    return Rang(leg, at(second), "hep", CALLER, "15", station)


def named(leg: str, second: float, alias: Alias = NENA) -> Aliased:
    return Aliased(leg, at(second), "hep", alias)


def over(leg: str, second: float) -> HungUp:
    return HungUp(leg, at(second), "hep", "bye")


def anonymous(call: Call, ids: dict[str, str]) -> str:
    """Write a call without its ids, which depend on what was seen first."""
    names = [
        r for r in call.aliases if r.alias.type is not AliasType.CALL or r.source != "correlator"
    ]
    related = sorted((ids.get(each.call, each.call), each.why) for each in call.related)
    rest = (call.caller, call.state, call.started, call.answered, call.ended, call.end_certain)
    more = (call.certain, call.inferred, call.stations, call.holds, call.recordings, call.legs)
    return repr((rest, more, names, related, sorted(call.evidence), call.called, call.direction))


def picture(of: Correlator) -> list[str]:
    ids = {call.id: "+".join(call.legs) for call in of.calls()}
    return sorted(anonymous(call, ids) for call in of.calls())


@given(st.lists(facts(), max_size=25), st.randoms(use_true_random=False), st.data())
def test_any_order_and_any_repetition_give_the_same_calls(
    told: list[Fact], random: object, data: st.DataObject
) -> None:
    other = data.draw(st.permutations(told))
    repeated = data.draw(st.lists(st.sampled_from(told), max_size=5)) if told else []
    assert picture(correlator(told)) == picture(correlator([*other, *repeated]))


@given(st.lists(facts().filter(lambda fact: not isinstance(fact, Seen)), max_size=25))
def test_what_is_stored_restores_the_same_calls_under_the_same_ids(told: list[Fact]) -> None:
    before = correlator()
    stored: dict[str, list[Fact]] = {}
    for fact in told:
        change = before.receive(fact)
        if isinstance(change, Changed):
            for each in change.facts:
                again = fact_from_json(fact_to_json(each))
                stored.setdefault(change.call_id, []).append(again)
    after = correlator()
    for call_id, kept in stored.items():
        after.restore(call_id, kept)
    assert picture(after) == picture(before)
    for call in before.calls():
        owners = set(stored) & {call.id, *(r.alias.value for r in call.aliases)}
        assert owners


@given(st.lists(facts(), max_size=25))
def test_it_is_total_and_consistent(told: list[Fact]) -> None:
    subject = correlator()
    for fact in told:
        change = subject.receive(fact)
        assert isinstance(change, Changed | Ignored)
        legs = [leg for call in subject.calls() for leg in call.legs]
        assert len(legs) == len(set(legs))
        for call in subject.calls():
            assert subject.get(call.id) == call
            assert call.live == (call.ended is None)
            assert call.live or not call.current_stations
        if isinstance(change, Changed):
            assert subject.get(change.call_id) is not None
            for old, new in change.merged:
                assert subject.get(old) == subject.get(new)
    subject.expire(at(60) + timedelta(hours=13))
    assert subject.live() == ()
    for call in subject.calls():
        subject.forget(call.id)
    assert subject.calls() == ()


def test_the_same_emergency_id_makes_one_call_of_legs_that_live_together() -> None:
    told = [named("a", 0), rang("a", 0), named("b", 5), rang("b", 5, "1501")]
    (call,) = correlator(told).calls()
    assert call.legs == ("a", "b")
    assert call.evidence == (f"same nena_callid {NENA.value}",)
    assert not call.inferred


def test_an_id_used_again_after_the_call_ended_is_another_call() -> None:
    told = [named("a", 0), rang("a", 0), over("a", 10), named("b", 11), rang("b", 11)]
    first, second = correlator(told).calls()
    assert (first.legs, second.legs) == (("a",), ("b",))
    assert [each.call for each in first.related] == [second.id]


def test_a_transfer_keeps_the_call_while_the_caller_waits() -> None:
    told = [
        *(named("a", 0), rang("a", 0), named("b", 0), rang("b", 0, "1501")),
        *(Answered("b", at(1), "hep"), Answered("a", at(1), "hep"), over("b", 20)),
        *(named("c", 21), rang("c", 21, "1601"), Answered("c", at(22), "hep")),
    ]
    subject = correlator(told)
    (call,) = subject.calls()
    assert call.state is CallState.TALKING
    assert call.current_stations == ("1601",)
    assert [span.station for span in call.stations] == ["1501", "1601"]
    assert subject.at_station("1501") == ()


def test_the_older_id_survives_a_merge_and_the_younger_still_finds_the_call() -> None:
    subject = correlator([rang("a", 0), rang("b", 1)])
    old, young = (call.id for call in subject.calls())
    change = subject.receive(Paired("b", at(2), "ami", "a", "the PBX says so", inferred=False))
    assert isinstance(change, Changed)
    assert change.merged == ((young, old),)
    (call,) = subject.calls()
    assert call.id == old
    assert subject.get(young) == call
    assert subject.find(young, AliasType.CALL) == (call,)
    assert not call.inferred


def test_a_withdrawn_pairing_gives_both_calls_back() -> None:
    subject = correlator([rang("a", 0), rang("b", 0), Paired("b", at(1), "hep", "a", "inferred")])
    (one,) = subject.calls()
    assert one.inferred
    subject.receive(Unpaired("b", at(2), "hep", "a", "the answers do not agree"))
    assert len(subject.calls()) == 2
    subject.receive(Paired("b", at(3), "ami", "a", "bridge", inferred=False))
    subject.receive(Unpaired("b", at(4), "hep", "a", "still not"))
    assert len(subject.calls()) == 1


def test_an_ambiguous_pairing_leaves_two_uncertain_calls() -> None:
    subject = correlator([rang("a", 0), rang("b", 0)])
    subject.receive(Unpaired("b", at(1), "hep", "a", "two candidates", doubtful=True))
    first, second = subject.calls()
    assert not first.certain
    assert not second.certain
    assert [(each.call, each.why) for each in first.related] == [(second.id, "two candidates")]


def test_legs_in_one_bridge_are_one_call() -> None:
    subject = correlator([rang("a", 0), rang("b", 1)])
    subject.receive(Joined("a", at(2), "ami", "bridge"))
    subject.receive(Left("a", at(3), "ami", "bridge"))
    subject.receive(Joined("b", at(4), "ami", "bridge"))
    assert len(subject.calls()) == 2
    subject.receive(Joined("a", at(5), "ami", "bridge"))
    assert len(subject.calls()) == 1


def test_a_leg_that_never_rang_makes_no_call() -> None:
    subject = correlator()
    for fact in (named("a", 0), Answered("a", at(1), "hep"), over("a", 2)):
        assert subject.receive(fact) == Ignored(fact, "no call for this leg yet")
    assert subject.calls() == ()
    change = subject.receive(rang("a", 0))
    assert isinstance(change, Changed)
    assert len(change.facts) == 4
    (call,) = subject.calls()
    assert call.state is CallState.ENDED


def test_a_repeated_fact_changes_nothing() -> None:
    subject = correlator([rang("a", 0)])
    assert subject.receive(rang("a", 0)) == Ignored(rang("a", 0), "repeated")
    assert subject.receive(Seen("a", at(1), "hep")) == Ignored(Seen("a", at(1), "hep"), "only seen")
    later = subject.receive(rang("a", 1))
    assert isinstance(later, Changed)
    assert later.calls == ()
    assert later.facts == (rang("a", 1),)


def test_holds_and_recordings_are_spans() -> None:
    told = [
        *(
            rang("a", 0, "1501"),
            Answered("a", at(1), "hep"),
            RecordingStarted("a", at(1), "ami", "r.wav"),
        ),
        *(Held("a", at(5), "hep"), Resumed("a", at(9), "hep"), Held("a", at(12), "hep")),
    ]
    subject = correlator(told)
    (call,) = subject.calls()
    assert call.state is CallState.HELD
    assert call.holds == (Span(at(5), at(9)), Span(at(12)))
    subject.receive(over("a", 20))
    (call,) = subject.calls()
    assert call.holds[1] == Span(at(12), at(20))
    assert call.recordings[0].end == at(20)


def test_an_answer_elsewhere_stops_the_ringing() -> None:
    told = [rang("a", 0, "1501"), rang("a", 0, "1601"), Answered("a", at(2), "hep", "1601")]
    (call,) = correlator(told).calls()
    assert call.current_stations == ("1601",)
    subject = correlator([*told, Moved("a", at(3), "hep", "1501")])
    assert subject.calls()[0].current_stations == ("1501",)


@pytest.mark.parametrize("cause", ["cancelled", "rejected 486"])
def test_a_refusal_after_the_answer_ends_nothing(cause: str) -> None:
    told = [rang("a", 0), Answered("a", at(1), "hep"), HungUp("a", at(2), "hep", cause)]
    assert correlator(told).calls()[0].state is CallState.TALKING


def test_a_cancel_that_lost_the_race_ends_nothing() -> None:
    cancelled = HungUp("a", at(1), "hep", "cancelled", certain=False)
    subject = correlator([rang("a", 0), cancelled])
    assert subject.calls()[0].state is CallState.ENDED
    subject.receive(Answered("a", at(2), "hep"))
    assert subject.calls()[0].state is CallState.TALKING


def test_silence_ends_a_ringing_call_after_five_minutes_uncertainly() -> None:
    subject = correlator([rang("a", 0)])
    assert subject.expire(at(299)) == ()
    (call,) = subject.expire(at(300))
    assert (call.state, call.ended, call.end_certain) == (CallState.ENDED, at(300), False)
    assert subject.expire(at(301)) == ()
    subject.receive(Seen("a", at(400), "hep"))
    assert subject.calls()[0].state is CallState.RINGING


def test_silence_ends_an_answered_call_after_a_shift() -> None:
    subject = correlator([rang("a", 0), Answered("a", at(1), "hep")])
    assert subject.expire(at(12 * 3600)) == ()
    (call,) = subject.expire(at(12 * 3600 + 1))
    assert not call.end_certain


def test_a_lost_feed_makes_its_live_calls_uncertain_until_their_next_fact() -> None:
    subject = correlator([rang("a", 0), over("b", 1)])
    subject.receive(Rang("b", at(0), "hep"))
    subject.receive(Rang("c", at(1), "ami"))
    (call,) = subject.feed_lost("hep", at(5))
    assert (call.legs, call.certain) == (("a",), False)
    assert isinstance(subject.receive(rang("a", 0)), Ignored), (
        "said before the cut: no sign of life"
    )
    assert not subject.calls()[0].certain
    assert isinstance(subject.receive(Seen("a", at(6), "hep")), Changed)
    assert subject.get(call.id) is not None
    assert all(each.certain for each in subject.calls())


def test_feeds_that_contradict_each_other_are_reported_and_not_followed() -> None:
    """The same station rings at the same moment, for two different callers: two calls, both uncertain, both say why."""
    other = Number("+33711223344")
    subject = correlator([rang("a", 0, "1501"), Rang("b", at(0.3), "ami", other, "15", "1501")])
    first, second = subject.calls()
    assert (first.number, second.number) == (CALLER, other)
    assert not first.certain
    assert not second.certain
    assert {each.why for each in first.related} == {"hep and ami contradict each other"}
    assert subject.find("hep and ami contradict each other") == ()


def test_two_feeds_that_agree_tell_of_one_call() -> None:
    subject = correlator([rang("a", 0, "1501"), Rang("b", at(0.3), "ami", None, "15", "1501")])
    (call,) = subject.calls()
    assert (call.legs, call.inferred, call.certain) == (("a", "b"), True, True)


def test_of_two_candidates_none_is_the_other_feeds() -> None:
    told = [
        rang("a", 0, "1501"),
        rang("c", 0.5, "1501"),
        Rang("b", at(0.3), "ami", None, "15", "1501"),
    ]
    assert len(correlator(told).calls()) == 3


def test_only_ended_calls_are_forgotten() -> None:
    subject = correlator([named("a", 0), rang("a", 0)])
    (call,) = subject.calls()
    subject.forget(call.id)
    assert subject.calls() == (call,)
    subject.receive(over("a", 1))
    subject.forget(call.id)
    assert subject.calls() == ()
    assert subject.find(NENA.value) == ()
    assert subject.get(call.id) is None


def test_a_flood_about_one_leg_is_bounded() -> None:
    subject = correlator([rang("a", 0)])
    flood = [Held("a", at(number / 1000), "hep") for number in range(1100)]
    reasons = [
        change.reason for fact in flood if isinstance(change := subject.receive(fact), Ignored)
    ]
    assert "too many facts for one leg" in reasons
    subject.receive(over("a", 60))
    assert subject.live() == ()


def test_an_identifier_on_every_call_of_a_faulty_switchboard_relates_few() -> None:
    subject = correlator()
    for number in range(120):
        leg = f"sip:{number}"
        for fact in (named(leg, number), rang(leg, number), over(leg, number + 0.5)):
            subject.receive(fact)
    assert len(subject.calls()) == 120
    assert all(len(call.related) <= 40 for call in subject.calls())
