"""Where a call is, who has it, and who handed it to whom: told from the stretches of its stations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.line15.domain.calls import (
    CallHistory,
    CallPlaces,
    CallSummary,
    SpanRow,
    StationMove,
    moves,
    places,
    settled,
)
from server.reconcile.domain.matching import candidate

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def rang(station: str, start: float, end: float | None) -> SpanRow:
    return _span(station, start, end, "ringing")


def talked(station: str, start: float, end: float | None) -> SpanRow:
    return _span(station, start, end, "talking")


def of_old(station: str, start: float, end: float | None) -> SpanRow:
    """As a release stored it that did not tell ringing from talking."""
    return _span(station, start, end, None)


def _span(station: str, start: float, end: float | None, state: str | None) -> SpanRow:
    return SpanRow("station", station, at(start), None if end is None else at(end), state=state)


def live(*spans: SpanRow, state: str = "talking") -> CallSummary:
    sure = {"end_certain": True, "certain": True}
    return CallSummary("c", "s", None, state, at(0), at(1), None, **sure, places=places(spans))


@pytest.mark.parametrize(
    ("spans", "where"),
    [
        ((), CallPlaces()),
        # A group of three rings; one of them answers.
        (
            (rang("1", 0, None), rang("2", 0, None)),
            CallPlaces(("1", "2"), ("1", "2"), (), ("1", "2")),
        ),
        (
            (rang("1", 0, 5), rang("2", 0, 5), talked("2", 5, None)),
            CallPlaces(("2",), (), ("2",), ("2",)),
        ),
        # Over: who had it last, not who rang as long.
        (
            (rang("1", 0, 5), talked("1", 5, 9), rang("2", 6, 9)),
            CallPlaces(("1",), (), (), ("1",)),
        ),
        # Sent on, it rings there: until somebody takes it, it is whose it was.
        (
            (rang("1", 0, 1), talked("1", 1, 5), rang("2", 5, None)),
            CallPlaces(("2",), ("2",), (), ("1",)),
        ),
        # A consultation rings while the first station has it.
        (
            (talked("1", 1, None), rang("2", 5, None)),
            CallPlaces(("1", "2"), ("2",), ("1",), ("1",)),
        ),
        # Nobody took it.
        ((rang("1", 0, 5), rang("2", 2, 9)), CallPlaces(("2",), (), (), ("2",))),
        # An older release: it had it, as far as is known.
        ((of_old("1", 0, None),), CallPlaces(("1",), (), ("1",), ("1",))),
    ],
)
def test_where_it_is(spans: tuple[SpanRow, ...], where: CallPlaces) -> None:
    assert places(spans) == where


def test_a_station_has_the_call_as_it_talks_there() -> None:
    call = live(talked("1", 1, None), rang("2", 5, None))
    assert (call.talks_at("1"), call.talks_at("2")) == (True, False)
    assert (call.state_at("1"), call.state_at("2"), call.state_at("3")) == (
        "talking",
        "ringing",
        "talking",
    )
    assert (call.elsewhere("1"), call.elsewhere("2")) == ((), ("1",))
    assert not live(talked("1", 1, None), state="held").talks_at("1")


def test_a_call_that_left_a_station_does_not_talk_there_any_more() -> None:
    """Its trunk is still answered while it waits for another station: the one it left has it no more."""
    assert not live(talked("1", 1, 5)).talks_at("1")


def test_a_hand_over_is_to_who_took_the_call_from_when_it_rang_there() -> None:
    first = (rang("1", 0, 1), talked("1", 1, 9))
    taken = (rang("2", 5, 6), talked("2", 6, 20))
    assert moves([*first, *taken], at(1)) == [StationMove("1", "2", at(9))]
    assert moves([*first, rang("2", 5, 12)], at(1)) == [], "it only rang there"
    group = (rang("1", 0, 1), rang("2", 0, 1), talked("1", 1, 9))
    assert moves(group, at(1)) == []
    blind = (*first, rang("2", 9, 11), talked("2", 11, 20))
    assert moves(blind, at(1)) == [StationMove("1", "2", at(9))]
    assert moves([of_old("1", 0, 9), of_old("2", 5, 20)], at(1)) == [StationMove("1", "2", at(9))]


def test_a_ring_and_the_talk_after_it_are_two_readings_of_nothing() -> None:
    rows = [rang("1", 0, 5), talked("1", 5, None)]
    assert settled(rows) == rows
    # A better source dates the answer: the first reading does not last for ever.
    better = [*rows, rang("1", 0, 4), talked("1", 4, None)]
    (ring, talk) = settled(better)[-2:]
    assert (ring.end, ring.earlier) == (at(4), (at(0),))
    assert (talk.start, talk.earlier) == (at(4), (at(5),))


def test_a_call_that_only_rang_at_a_station_cannot_have_been_meant_there() -> None:
    record = CallHistory(live(), (rang("1", 0, 5), rang("2", 0, 5), talked("2", 5, 60)))
    assert [station for station, _ in candidate(record).stations] == ["2"]
