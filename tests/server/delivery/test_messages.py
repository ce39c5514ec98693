"""I3 in pure code: tried again until it expires, receipts in any order, and "delivered" wins over all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.delivery.domain.messages import (
    LONGEST_RETRY,
    Message,
    MessageState,
    accepted,
    again,
    failed,
    postponed,
    receipt,
)

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LIFE = timedelta(minutes=15)
RECEIPTS = [MessageState.DELIVERED, MessageState.FAILED, MessageState.BUFFERED]


def message() -> Message:
    return Message(
        id="m",
        site="site",
        kind="invitation",
        channel="sms",
        invitation="i",
        sealed=b"sealed",
        receipt_ref="r",
        created=NOW,
        expires=NOW + LIFE,
        due=NOW,
    )


# --- back-off --------------------------------------------------------------------------------------
def test_a_carrier_that_is_away_is_asked_again_ever_later() -> None:
    waits, at, now = [], message(), NOW
    while at.state is MessageState.QUEUED:
        at = postponed(at, "http_503", now)
        if at.due:
            waits.append((at.due - now).total_seconds())
            now = at.due
    assert waits[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert set(waits[5:]) == {30}
    assert sum(waits) < LIFE.total_seconds() <= sum(waits) + 30
    assert (at.state, at.error, at.due, at.sealed) == (MessageState.FAILED, "expired", None, None)


@given(st.integers(0, 10**6), st.floats(0, 900))
def test_the_next_try_is_soon_and_never_after_the_link(attempts: int, passed: float) -> None:
    now = NOW + timedelta(seconds=passed)
    after = postponed(replace(message(), attempts=attempts), "timeout", now)
    if after.due is None:
        assert after.state is MessageState.FAILED
    else:
        assert now < after.due < after.expires
        assert after.due - now <= LONGEST_RETRY
        assert after.sealed == b"sealed"


def test_what_the_carrier_took_is_not_sent_again() -> None:
    taken = accepted(postponed(message(), "timeout", NOW), "ref", NOW)
    assert (taken.state, taken.due, taken.error) == (MessageState.HANDED, None, None)
    assert (taken.handed, taken.carrier_ref, taken.attempts) == (NOW, "ref", 2)
    assert taken.sealed == b"sealed"  # a resend needs it


def test_a_refusal_keeps_nothing_of_the_caller() -> None:
    refused = failed(message(), "carrier_refused")
    assert (refused.state, refused.sealed, refused.due) == (MessageState.FAILED, None, None)


# --- receipts --------------------------------------------------------------------------------------
@pytest.mark.parametrize("order", list(permutations(RECEIPTS)))
def test_delivered_wins_in_any_order(order: tuple[MessageState, ...]) -> None:
    at = accepted(message(), None, NOW)
    for state in order:
        at = receipt(at, state, NOW)
    assert (at.state, at.delivered, at.error) == (MessageState.DELIVERED, NOW, None)


@pytest.mark.parametrize("state", RECEIPTS)
def test_a_receipt_said_twice_changes_nothing(state: MessageState) -> None:
    once = receipt(accepted(message(), None, NOW), state, NOW)
    assert receipt(once, state, NOW + LIFE) is once


def test_a_failure_after_waiting_is_a_failure_and_waiting_after_it_is_not() -> None:
    at = receipt(accepted(message(), None, NOW), MessageState.BUFFERED, NOW)
    at = receipt(at, MessageState.FAILED, NOW)
    assert (at.state, at.error) == (MessageState.FAILED, "carrier_failed")
    assert receipt(at, MessageState.BUFFERED, NOW) is at


@pytest.mark.parametrize("state", RECEIPTS)
def test_a_receipt_that_overtakes_the_carriers_answer_keeps_its_place(state: MessageState) -> None:
    early = receipt(message(), state, NOW)
    assert (early.state, early.handed, early.due) == (state, NOW, None)
    late = accepted(early, "ref", NOW + timedelta(seconds=3))
    assert (late.state, late.handed, late.carrier_ref) == (state, NOW, "ref")


@pytest.mark.parametrize("state", RECEIPTS)
def test_an_answer_that_was_lost_does_not_undo_the_receipt(state: MessageState) -> None:
    """The carrier took it and said so, but its answer never came: it is neither sent again nor called failed."""
    early = receipt(message(), state, NOW)
    assert postponed(early, "timeout", NOW) == early
    assert postponed(early, "timeout", NOW + LIFE) == early
    assert failed(early, "expired") == early


# --- again -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "state", [MessageState.HANDED, MessageState.BUFFERED, MessageState.DELIVERED]
)
def test_the_same_link_is_sent_again_from_the_start(state: MessageState) -> None:
    before = receipt(accepted(message(), "ref", NOW), state, NOW)
    later = NOW + timedelta(minutes=5)
    fresh = again(before, later, later + LIFE)
    assert (fresh.state, fresh.due, fresh.expires) == (MessageState.QUEUED, later, later + LIFE)
    assert (fresh.attempts, fresh.error, fresh.handed, fresh.delivered) == (0, None, None, None)
    assert (fresh.id, fresh.sealed, fresh.receipt_ref) == (before.id, before.sealed, "r")


# --- any story -------------------------------------------------------------------------------------
HAPPENS = st.one_of(
    st.sampled_from(["accepted", "postponed", "failed"]), st.sampled_from([*RECEIPTS])
)
RANK = [
    MessageState.QUEUED,
    MessageState.HANDED,
    MessageState.BUFFERED,
    MessageState.FAILED,
    MessageState.DELIVERED,
]


@given(st.lists(st.tuples(HAPPENS, st.floats(0, 60)), max_size=30))
def test_a_message_only_moves_forward(story: list[tuple[str | MessageState, float]]) -> None:
    at, now = message(), NOW
    for what, seconds in story:
        before, now = at, now + timedelta(seconds=seconds)
        if isinstance(what, MessageState):
            at = receipt(at, what, now)
        elif what == "accepted":
            at = accepted(at, "ref", now)
        else:
            at = postponed(at, "x", now) if what == "postponed" else failed(at, "x")
        assert RANK.index(at.state) >= RANK.index(before.state)
        assert (at.delivered is not None) is (at.state is MessageState.DELIVERED)
        assert (at.due is not None) is (at.state is MessageState.QUEUED)
        assert before.handed is None or at.handed == before.handed
        assert at.version == before.version
