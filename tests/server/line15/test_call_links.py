"""I2 in pure code: explicit choice, launch, the sole talking call, else none and why."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.line15.domain.call_links import (
    LABELS,
    CallLink,
    CallLinkDecision,
    Certainty,
    Evidence,
    first_link,
)

CALLS = st.text("abc", min_size=1, max_size=2)
FEEDS = ("connected", "quiet", "down", "none")


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("talking", [[], ["a"], ["a", "b"]])
@pytest.mark.parametrize("launched", [None, "launched"])
def test_a_choice_is_above_all(feed: str, talking: list[str], launched: str | None) -> None:
    choice = first_link(
        chosen="chosen", launched=launched, talking=talking, feed=feed, station=True
    )
    assert choice == CallLinkDecision("chosen", Certainty.CERTAIN, Evidence.CHOSEN)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("talking", [[], ["a"], ["a", "b"]])
def test_then_the_call_the_page_was_opened_from(feed: str, talking: list[str]) -> None:
    choice = first_link(chosen=None, launched="l", talking=talking, feed=feed, station=True)
    assert choice == CallLinkDecision("l", Certainty.CERTAIN, Evidence.LAUNCH_CONTEXT)


@pytest.mark.parametrize("feed", FEEDS)
def test_then_the_sole_talking_call_but_never_as_certain(feed: str) -> None:
    choice = first_link(chosen=None, launched=None, talking=["a"], feed=feed, station=True)
    assert choice == CallLinkDecision("a", Certainty.INFERRED, Evidence.SOLE_TALKING_CALL)


def test_of_several_the_doctor_picks_and_nothing_waits() -> None:
    choice = first_link(
        chosen=None, launched=None, talking=["a", "b"], feed="connected", station=True
    )
    assert choice == CallLinkDecision(None, Certainty.UNLINKED, Evidence.SEVERAL_CALLS)


@pytest.mark.parametrize("feed", FEEDS)
def test_an_unconfirmed_call_is_never_the_sole_one_nor_in_its_way(feed: str) -> None:
    choose = partial(first_link, chosen=None, launched=None, feed=feed, station=True)
    asks = CallLinkDecision(None, Certainty.UNLINKED, Evidence.UNCONFIRMED_CALL)
    assert choose(talking=[], unconfirmed=["a"]) == asks
    assert choose(talking=[], unconfirmed=["a", "b"]) == asks
    sole = CallLinkDecision("a", Certainty.INFERRED, Evidence.SOLE_TALKING_CALL)
    assert choose(talking=["a"], unconfirmed=["b", "c"]) == sole


@pytest.mark.parametrize(
    ("feed", "station", "why"),
    [
        ("connected", True, Evidence.NO_CALL),
        ("quiet", True, Evidence.NO_CALL),
        ("down", True, Evidence.FEED_DOWN),
        ("none", True, Evidence.NO_FEED),
        ("connected", False, Evidence.NO_STATION),
        ("down", False, Evidence.NO_STATION),
        ("something new", True, Evidence.NO_CALL),
    ],
)
def test_none_says_why(feed: str, why: Evidence, *, station: bool) -> None:
    choice = first_link(chosen=None, launched=None, talking=[], feed=feed, station=station)
    assert choice == CallLinkDecision(None, Certainty.UNLINKED, why)


@given(
    chosen=st.none() | CALLS,
    launched=st.none() | CALLS,
    talking=st.lists(CALLS, unique=True),
    unconfirmed=st.lists(CALLS, unique=True),
    feed=st.sampled_from(FEEDS) | st.text(),
    station=st.booleans(),
)
def test_a_video_always_knows_its_call_or_why_not(
    *,
    chosen: str | None,
    launched: str | None,
    talking: list[str],
    unconfirmed: list[str],
    feed: str,
    station: bool,
) -> None:
    choice = first_link(
        chosen=chosen,
        launched=launched,
        talking=talking,
        unconfirmed=unconfirmed,
        feed=feed,
        station=station,
    )
    assert (choice.call is None) is (choice.certainty is Certainty.UNLINKED)
    assert choice.call in {None, chosen, launched, *talking}
    if choice.certainty is Certainty.CERTAIN:
        assert choice.call in {chosen, launched}


@pytest.mark.parametrize("evidence", Evidence)
def test_every_evidence_has_its_words(evidence: Evidence) -> None:
    assert LABELS[evidence].strip()


@pytest.mark.parametrize(("certainty", "evidence"), product(Certainty, Evidence))
def test_only_a_doubt_asks_the_doctor(certainty: Certainty, evidence: Evidence) -> None:
    link = CallLink("s", None, certainty, evidence, None, datetime(2026, 3, 1, tzinfo=UTC))
    doubts = {Evidence.SEVERAL_CALLS, Evidence.UNCONFIRMED_CALL}
    assert link.wants_pick is (evidence in doubts)
