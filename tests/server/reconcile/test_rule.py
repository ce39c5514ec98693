"""I2 afterwards: a link is made by itself only when it cannot be another call's; every doubt makes it an offer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.line15.domain.call_links import LABELS, Certainty, Evidence
from server.reconcile.domain.matching import (
    CLUES,
    MARGIN,
    OFFERED,
    SETTLED,
    CallCandidate,
    Clue,
    DoubtfulMatch,
    Interval,
    SureMatch,
    UnlinkedVideo,
    decide,
)

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MINE, OTHER = "+33612345678", "+33698765432"
MINUTE = timedelta(minutes=1)
LOOSE = UnlinkedVideo(AT, "201", frozenset({MINE}), Evidence.FEED_DOWN)
TALK = Interval(AT - MINUTE, AT + 3 * MINUTE)
GOOD = CallCandidate(
    call="call1",
    number=MINE,
    started=AT - 2 * MINUTE,
    answered=AT - MINUTE,
    ended=AT + 3 * MINUTE,
    certain=True,
    end_certain=True,
    stations=(("201", Interval(AT - 2 * MINUTE, AT + 3 * MINUTE)),),
)


def test_the_same_number_in_conversation_here_then_and_nobody_else_is_sure() -> None:
    assert decide(LOOSE, [GOOD]) == SureMatch(
        "call1", Certainty.CERTAIN, (Clue.SAME_NUMBER, Clue.TALKING_HERE, Clue.ONLY_ONE)
    )


def test_legs_grouped_by_circumstances_make_it_inferred_and_no_more() -> None:
    verdict = decide(LOOSE, [replace(GOOD, told=False)])
    assert isinstance(verdict, SureMatch)
    assert verdict.certainty is Certainty.INFERRED


@pytest.mark.parametrize(
    "change",
    [
        {"number": OTHER},
        {"number": None},
        {"certain": False},
        {"end_certain": False},
        {"answered": None},
        {"answered": AT + MINUTE},
        {"ended": AT},
        {"stations": (("202", Interval(AT - MINUTE, None)),), "number": MINE},
        {"stations": (*GOOD.stations, ("202", Interval(AT - MINUTE, None)))},
        {"holds": (Interval(AT - MINUTE, AT + MINUTE),)},
    ],
)
def test_whatever_is_less_is_offered(change: dict[str, object]) -> None:
    verdict = decide(LOOSE, [replace(GOOD, **change)])
    assert isinstance(verdict, DoubtfulMatch)
    assert [offer.call for offer in verdict.offers] == ["call1"]


@pytest.mark.parametrize(
    "loose",
    [
        replace(LOOSE, station=None),
        replace(LOOSE, mobiles=frozenset()),
        replace(LOOSE, mobiles=frozenset({MINE, OTHER})),
        *[replace(LOOSE, link=each) for each in sorted(SETTLED)],
        replace(LOOSE, call="call9", link=Evidence.CHOSEN),
        replace(LOOSE, call="call9", link=Evidence.SOLE_TALKING_CALL),
    ],
)
def test_a_video_that_says_less_or_is_settled_is_never_matched_by_itself(
    loose: UnlinkedVideo,
) -> None:
    assert not isinstance(decide(loose, [GOOD]), SureMatch)


@pytest.mark.parametrize("number", [MINE, OTHER, None])
def test_a_second_call_at_the_station_within_the_margin_makes_a_doubt(number: str | None) -> None:
    there = (("201", Interval(AT - 5 * MINUTE, AT - MARGIN)),)
    second = replace(GOOD, call="call2", number=number, stations=there, ended=AT - MARGIN)
    verdict = decide(LOOSE, [second, GOOD])
    assert isinstance(verdict, DoubtfulMatch)
    assert [offer.call for offer in verdict.offers] == ["call1", "call2"], "the likeliest first"
    assert all(Clue.NOT_ALONE in offer.clues for offer in verdict.offers)
    gone = AT - MARGIN - timedelta(seconds=1)
    before = replace(second, stations=(("201", Interval(AT - 5 * MINUTE, gone)),), ended=gone)
    assert isinstance(decide(LOOSE, [before, GOOD]), SureMatch)


def test_the_same_number_elsewhere_at_the_same_time_makes_a_doubt() -> None:
    second = replace(GOOD, call="call2", stations=(("202", TALK),))
    assert isinstance(decide(LOOSE, [GOOD, second]), DoubtfulMatch)


def test_more_calls_than_were_read_is_never_sure() -> None:
    assert isinstance(decide(LOOSE, [GOOD], complete=False), DoubtfulMatch)


def test_a_cdr_vouches_for_times_that_the_feed_could_not() -> None:
    lost = replace(GOOD, certain=False, end_certain=False, answered=None)
    assert isinstance(decide(LOOSE, [lost]), DoubtfulMatch)
    assert isinstance(decide(LOOSE, [replace(lost, talks=(("201", TALK),))]), SureMatch)
    both = replace(lost, talks=(("201", TALK), ("202", TALK)))
    assert isinstance(decide(LOOSE, [both]), DoubtfulMatch)


def test_nothing_near_is_nothing() -> None:
    assert decide(LOOSE, []) is None
    far = replace(GOOD, number=OTHER, stations=(("202", TALK),))
    assert decide(LOOSE, [far]) is None


def test_every_word_has_its_sentence() -> None:
    assert set(CLUES) == set(Clue)
    assert set(LABELS) == set(Evidence)


# --- whatever the calls are ------------------------------------------------------------------------
SECONDS = st.integers(-900, 900).map(lambda seconds: AT + timedelta(seconds=seconds))
ENDS = st.one_of(st.none(), SECONDS)
STRETCHES = st.builds(Interval, SECONDS, ENDS)
PLACED = st.lists(st.tuples(st.sampled_from(["201", "202"]), STRETCHES), max_size=2).map(tuple)
ANY = st.builds(
    CallCandidate,
    call=st.uuids().map(str),
    number=st.sampled_from([MINE, MINE, OTHER, None]),
    started=SECONDS,
    answered=ENDS,
    ended=ENDS,
    certain=st.booleans(),
    end_certain=st.booleans(),
    told=st.booleans(),
    stations=PLACED,
    holds=st.lists(STRETCHES, max_size=1).map(tuple),
    talks=PLACED,
)
SOME = st.lists(st.one_of(ANY, st.just(GOOD)), max_size=4, unique_by=lambda each: each.call)
LOOSES = st.builds(
    UnlinkedVideo,
    st.just(AT),
    st.sampled_from(["201", None]),
    st.sampled_from([frozenset({MINE}), frozenset({MINE}), frozenset(), frozenset({MINE, OTHER})]),
    st.sampled_from([Evidence.FEED_DOWN, Evidence.SEVERAL_CALLS, Evidence.NO_CALL, *SETTLED]),
)


@given(LOOSES, SOME, ANY)
def test_one_more_call_never_makes_it_sure(
    loose: UnlinkedVideo, calls: list[CallCandidate], more: CallCandidate
) -> None:
    before, after = decide(loose, calls), decide(loose, [*calls, more])
    if isinstance(after, SureMatch) and after.call != more.call:
        assert after == before
    if isinstance(before, DoubtfulMatch) and any(_fits(loose, each) for each in calls):
        assert not isinstance(after, SureMatch)


def _fits(loose: UnlinkedVideo, one: CallCandidate) -> bool:
    return isinstance(decide(loose, [one]), SureMatch)


LESS = st.sampled_from(
    [
        {"number": None},
        {"certain": False, "talks": ()},
        {"end_certain": False, "talks": ()},
        {"answered": None, "talks": ()},
        {"holds": (Interval(AT - MINUTE, AT + MINUTE),), "talks": ()},
        {"told": False},
        {"talks": ()},
    ]
)


@given(LOOSES, SOME, LESS, st.data())
def test_less_certainty_of_the_call_never_makes_it_sure(
    loose: UnlinkedVideo, calls: list[CallCandidate], less: dict[str, object], data: st.DataObject
) -> None:
    if not calls:
        return
    which = data.draw(st.integers(0, len(calls) - 1))
    weaker = [replace(each, **less) if i == which else each for i, each in enumerate(calls)]
    after = decide(loose, weaker)
    if isinstance(after, SureMatch) and after.call == calls[which].call:
        before = decide(loose, calls)
        assert isinstance(before, SureMatch)
        assert before.call == after.call


@given(LOOSES, SOME)
def test_sure_is_open_alone_and_of_that_number(
    loose: UnlinkedVideo, calls: list[CallCandidate]
) -> None:
    verdict = decide(loose, calls)
    assert decide(loose, calls[::-1]) == verdict, "the order tells nothing"
    if isinstance(verdict, SureMatch):
        (one,) = [each for each in calls if each.call == verdict.call]
        assert loose.open
        assert {one.number} == loose.mobiles
        assert not isinstance(decide(loose, calls, complete=False), SureMatch)
    if isinstance(verdict, DoubtfulMatch):
        assert 0 < len(verdict.offers) <= OFFERED
