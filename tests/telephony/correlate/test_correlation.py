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
    CallsChanged,
    CallState,
    Direction,
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
    StationSpan,
    StationState,
    Unpaired,
    fact_from_json,
    fact_to_json,
)
from telephony.correlate.correlation import UNCONFIRMED_LIMIT, Call, Correlator
from tests.telephony.strategies import at, facts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

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
        if isinstance(change, CallsChanged):
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
        assert isinstance(change, CallsChanged | Ignored)
        legs = [leg for call in subject.calls() for leg in call.legs]
        assert len(legs) == len(set(legs))
        for call in subject.calls():
            assert subject.get(call.id) == call
            assert call.live == (call.ended is None)
            assert call.live or not call.current_stations
        if isinstance(change, CallsChanged):
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
    ringing, talking = StationState.RINGING, StationState.TALKING
    assert call.stations == (
        StationSpan("1501", at(0), at(1), ringing),
        StationSpan("1501", at(1), at(20), talking),
        StationSpan("1601", at(21), at(22), ringing),
        StationSpan("1601", at(22), None, talking),
    )
    assert subject.at_station("1501") == ()


def test_the_older_id_survives_a_merge_and_the_younger_still_finds_the_call() -> None:
    subject = correlator([rang("a", 0), rang("b", 1)])
    old, young = (call.id for call in subject.calls())
    change = subject.receive(Paired("b", at(2), "ami", "a", "the PBX says so", inferred=False))
    assert isinstance(change, CallsChanged)
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
    assert isinstance(change, CallsChanged)
    assert len(change.facts) == 4
    (call,) = subject.calls()
    assert call.state is CallState.ENDED


def test_a_repeated_fact_changes_nothing() -> None:
    subject = correlator([rang("a", 0)])
    assert subject.receive(rang("a", 0)) == Ignored(rang("a", 0), "repeated")
    assert subject.receive(Seen("a", at(1), "hep")) == Ignored(Seen("a", at(1), "hep"), "only seen")
    later = subject.receive(rang("a", 1))
    assert isinstance(later, CallsChanged)
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
    assert isinstance(subject.receive(Seen("a", at(6), "hep")), CallsChanged)
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


# --- where it rings, and where somebody talks


def stays(call: Call) -> list[tuple[str, str, datetime, datetime | None]]:
    return [(span.station, span.state.value, span.start, span.end) for span in call.stations]


def incoming(leg: str, second: float, station: str | None = None, source: str = "hep") -> Rang:
    return Rang(leg, at(second), source, CALLER, "15", station, Direction.INCOMING)


def test_of_a_group_that_rings_only_who_answers_talks() -> None:
    told = [incoming("a", 0, station) for station in ("1501", "1601")]
    subject = correlator([*told, Answered("a", at(5), "hep", "1601")])
    (call,) = subject.calls()
    assert stays(call) == [
        ("1501", "ringing", at(0), at(5)),
        ("1601", "ringing", at(0), at(5)),
        ("1601", "talking", at(5), None),
    ]
    assert (call.current_stations, call.talking_stations) == (("1601",), ("1601",))


def test_an_answer_that_does_not_say_where_makes_none_of_several_talk() -> None:
    told = [incoming("a", 0, station) for station in ("1501", "1601")]
    (call,) = correlator([*told, Answered("a", at(5), "hep")]).calls()
    assert (call.state, call.talking_stations) == (CallState.TALKING, ())
    assert call.current_stations == ("1501", "1601")


def test_an_answer_told_with_its_ring_is_of_the_station_that_rang() -> None:
    """A notification call says "answered, at 1601" after several said that they ring."""
    told = [incoming("a", 0, station) for station in ("1501", "1601")]
    (call,) = correlator([*told, incoming("a", 5, "1601"), Answered("a", at(5), "hep")]).calls()
    assert (call.current_stations, call.talking_stations) == (("1601",), ("1601",))


def test_both_ends_of_an_internal_call_talk() -> None:
    told = [
        Rang("a", at(0), "hep", None, "1601", station, Direction.INTERNAL)
        for station in ("1501", "1601")
    ]
    (call,) = correlator([*told, Answered("a", at(5), "hep")]).calls()
    assert call.talking_stations == ("1501", "1601")


def test_a_station_that_talks_on_one_leg_does_not_ring_on_another() -> None:
    """Who consults a colleague has the call, though the second line only rings."""
    told = [
        *(named("a", 0), incoming("a", 0), named("b", 0), rang("b", 0, "1501")),
        *(Answered("b", at(1), "hep"), Answered("a", at(1), "hep")),
        *(named("c", 3), rang("c", 3, "1501"), over("c", 6), over("b", 9)),
    ]
    (call,) = correlator(told).calls()
    assert stays(call) == [
        ("1501", "ringing", at(0), at(1)),
        ("1501", "talking", at(1), at(9)),
    ]


# --- the end of the last person outside is the end of the call


def conference(source: str = "ami") -> list[Fact]:
    """A caller, 1501 and 1601 in one room, as a switchboard tells it."""
    legs: list[tuple[str, str | None, Direction]] = [
        ("t", None, Direction.INCOMING),
        ("a", "1501", Direction.UNKNOWN),
        ("d", "1601", Direction.UNKNOWN),
    ]
    told: list[Fact] = []
    for second, (leg, station, way) in enumerate(legs):
        name = Alias(AliasType.UNIQUEID, leg)
        caller = CALLER if station is None else None
        told += [
            Aliased(leg, at(second), source, name),
            Rang(leg, at(second), source, caller, "15", station, way),
            Answered(leg, at(5 + second), source, station),
            Joined(leg, at(10), source, "room"),
        ]
    return told


@pytest.mark.parametrize("certain", [True, False])
def test_a_call_is_over_when_its_last_person_outside_has_left(certain: bool) -> None:  # noqa: FBT001
    gone = HungUp("t", at(60), "ami", "hangup", certain=certain)
    subject = correlator([*conference(), gone])
    (call,) = subject.calls()
    assert (call.state, call.ended, call.end_certain) == (CallState.ENDED, at(60), certain)
    assert call.current_stations == ()
    assert {span.end for span in call.stations[-2:]} == {at(60)}
    assert subject.live_legs("ami") == ()
    assert all(r.valid_to for r in call.aliases if r.alias.type is not AliasType.CALL)
    # The stations leave their conference in their own time, and the silence of a call that is over ends nothing.
    subject.receive(HungUp("a", at(90), "ami", "hangup"))
    assert subject.expire(at(13 * 3600)) == ()
    subject.forget(call.id)
    assert subject.calls() == ()
    assert isinstance(subject.receive(HungUp("d", at(95), "ami", "hangup")), Ignored)


def test_what_is_hung_up_because_the_call_is_over_ends_with_it() -> None:
    told = [*conference(), HungUp("t", at(60), "ami", "h"), HungUp("a", at(60.2), "ami", "h")]
    assert correlator(told).calls()[0].ended == at(60.2)


def test_another_feed_that_hears_no_end_keeps_no_call_alive() -> None:
    """Presence, or capture that lost a BYE, still shows a dialog of a station that stays in the room."""
    sip = Alias(AliasType.SIP_CALL_ID, "x")
    beside = [
        named("d", 2, sip),
        *(named("sip:x", 2, sip), Rang("sip:x", at(2), "presence", CALLER, "1601", "1601")),
        Answered("sip:x", at(7), "presence"),
    ]
    (call,) = correlator([*conference(), *beside, HungUp("t", at(60), "ami", "hangup")]).calls()
    assert (call.state, call.ended, call.current_stations) == (CallState.ENDED, at(60), ())


def test_a_number_that_is_called_and_does_not_answer_was_nobody_on_the_call() -> None:
    """The first line out is busy, the switchboard takes the second: one call-back, which is not over between."""
    out = {"caller": None, "called": "+33612345678", "direction": Direction.OUTGOING}
    told: list[Fact] = [
        Rang("d", at(0), "ami", None, "0612345678", "1601"),
        Rang("t1", at(1), "ami", **out),  # type: ignore[arg-type]
        Paired("t1", at(1), "ami", "d", "dialled by it", inferred=False),
        HungUp("t1", at(2), "ami", "hangup 17"),
    ]
    subject = correlator(told)
    assert [call.state for call in subject.calls()] == [CallState.RINGING]
    for fact in (
        Rang("t2", at(4), "ami", **out),  # type: ignore[arg-type]
        Paired("t2", at(4), "ami", "d", "dialled by it", inferred=False),
        Answered("t2", at(8), "ami"),
        Answered("d", at(8), "ami", "1601"),
    ):
        subject.receive(fact)
    assert [call.state for call in subject.calls()] == [CallState.TALKING]
    subject.receive(HungUp("t2", at(30), "ami", "hangup"))
    (call,) = subject.calls()
    assert (call.state, call.ended) == (CallState.ENDED, at(30))


def test_while_one_of_two_outside_talks_the_call_goes_on() -> None:
    """1501 sent the caller on to a rescue team's mobile; the caller's line drops, theirs does not."""
    team = Rang("m", at(20), "ami", None, "+33711223344", None, Direction.OUTGOING)
    told = [
        *conference(),
        Aliased("m", at(20), "ami", Alias(AliasType.UNIQUEID, "m")),
        team,
        Paired("m", at(20), "ami", "t", "dialled by it", inferred=False),
        Answered("m", at(25), "ami"),
        HungUp("t", at(60), "ami", "hangup"),
    ]
    subject = correlator(told)
    assert subject.calls()[0].live
    subject.receive(HungUp("m", at(70), "ami", "hangup"))
    assert subject.calls()[0].ended == at(70)


# --- what nobody confirms


def test_after_a_restart_a_call_is_unconfirmed_until_a_message_of_it() -> None:
    subject = correlator([rang("a", 0, "1501"), Answered("a", at(1), "hep")])
    (call,) = subject.restarted(at(100))
    assert (call.state, call.certain, call.confirmed) == (CallState.TALKING, False, False)
    subject.receive(Seen("a", at(101), "hep"))
    (call,) = subject.calls()
    assert (call.certain, call.confirmed) == (True, True)
    assert subject.expire(at(100) + UNCONFIRMED_LIMIT) == ()


def test_a_call_that_nobody_confirms_ends_uncertainly_in_half_an_hour() -> None:
    subject = correlator([rang("a", 0, "1501"), Answered("a", at(1), "hep")])
    subject.restarted(at(100))
    assert timedelta(minutes=30) == UNCONFIRMED_LIMIT
    subject.restarted(at(500))  # what is unheard stays unheard since then
    assert subject.expire(at(99) + UNCONFIRMED_LIMIT) == ()
    (call,) = subject.expire(at(100) + UNCONFIRMED_LIMIT)
    assert (call.state, call.end_certain) == (CallState.ENDED, False)
    # It was not over: the next message of it says so, and its true end is certain.
    late = at(200) + UNCONFIRMED_LIMIT
    subject.receive(Seen("a", late, "hep"))
    (call,) = subject.calls()
    assert (call.state, call.certain, call.confirmed) == (CallState.TALKING, True, True)
    subject.receive(HungUp("a", late + timedelta(seconds=5), "hep", "bye"))
    (call,) = subject.calls()
    assert (call.ended, call.end_certain) == (late + timedelta(seconds=5), True)


def test_the_same_after_the_loss_of_the_feed_that_told_of_it() -> None:
    subject = correlator([rang("a", 0, "1501"), Answered("a", at(1), "hep")])
    (call,) = subject.feed_lost("hep", at(100))
    assert not call.confirmed
    subject.feed_lost("hep", at(900))  # it does not come back
    assert len(subject.expire(at(100) + UNCONFIRMED_LIMIT)) == 1


def test_a_call_older_than_a_shift_is_over_whatever_was_restarted() -> None:
    subject = correlator([rang("a", 0, "1501"), Answered("a", at(1), "hep")])
    subject.restarted(at(12 * 3600 - 60))
    assert len(subject.expire(at(12 * 3600 + 1))) == 1


def test_the_end_of_one_leg_confirms_no_other() -> None:
    """The station's BYE is heard after the restart, the caller's is lost: nothing says that the caller is there."""
    told = [named("a", 0), incoming("a", 0), named("b", 0), rang("b", 0, "1501")]
    told += [Answered("a", at(1), "hep"), Answered("b", at(1), "hep")]
    subject = correlator(told)
    subject.restarted(at(100))
    subject.receive(over("b", 110))
    (call,) = subject.calls()
    assert (call.live, call.confirmed) == (True, False)
    assert len(subject.expire(at(110) + UNCONFIRMED_LIMIT)) == 1


def test_an_ended_call_is_as_sure_as_its_end() -> None:
    subject = correlator(conference())
    subject.restarted(at(50))
    subject.receive(HungUp("t", at(60), "ami", "hangup"))
    (call,) = subject.calls()
    assert (call.live, call.confirmed, call.certain) == (False, True, True)


def test_a_feed_compares_every_leg_it_told_of_whoever_told_first() -> None:
    """Capture rang first, presence tells of the same dialog: presence, asked again, is to end it."""
    told = [rang("sip:x", 0, "1501"), Rang("sip:x", at(0.2), "presence", CALLER, "15", "1501")]
    subject = correlator([*told, Rang("sip:y", at(1), "hep", CALLER, "15", "1601")])
    assert subject.live_legs("presence") == ("sip:x",)
    assert set(subject.live_legs("hep")) == {"sip:x", "sip:y"}
