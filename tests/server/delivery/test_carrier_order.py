"""Which SMS carrier is asked next: order, prefixes, refusals, silence; the same link is never sent for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.delivery.domain.carrier_order import (
    Carrier,
    answered,
    declined,
    next_carrier,
    overdue,
    settled,
    took,
)
from server.delivery.domain.messages import Message, MessageState, again

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LIFE = timedelta(minutes=15)
WAIT = timedelta(seconds=30)
A, B = Carrier("a", (), WAIT), Carrier("b", (), WAIT)
PLAN = (A, B)
FRENCH, BELGIAN = "+33612345678", "+32470123456"


def message() -> Message:
    return Message(
        id="m",
        site="s",
        kind="invitation",
        channel="sms",
        invitation="i",
        sealed=b"x",
        receipt_ref="r",
        created=NOW,
        expires=NOW + LIFE,
        due=NOW,
    )


def tries(at: Message) -> list[str]:
    return [f"{h.carrier}:{h.outcome}" for h in at.history]


def asked(at: Message, number: str = FRENCH, plan: tuple[Carrier, ...] = PLAN) -> str | None:
    found = next_carrier(plan, number, at)
    return found.name if found else None


def test_the_first_of_the_order_that_reaches_the_number_is_asked() -> None:
    plan = (Carrier("fr", ("+33", "+590")), Carrier("be", ("+32",)))
    assert asked(message(), FRENCH, plan) == "fr"
    assert asked(message(), BELGIAN, plan) == "be"
    assert asked(message(), "+4915112345678", plan) is None


def test_a_carrier_that_is_away_is_followed_at_once_and_the_round_then_waits() -> None:
    at = declined(message(), PLAN, FRENCH, "a", "http_503", NOW, final=False)
    assert (at.due, asked(at)) == (NOW, "b")
    at = declined(at, PLAN, FRENCH, "b", "no_answer", NOW, final=False)
    assert (at.due, asked(at), at.state) == (NOW + timedelta(seconds=1), "a", MessageState.QUEUED)


def test_a_refusal_is_for_good_and_the_last_one_ends_it() -> None:
    at = declined(message(), PLAN, FRENCH, "a", "carrier_refused", NOW, final=True)
    assert asked(at) == "b"
    at = declined(at, PLAN, FRENCH, "b", "carrier_refused", NOW, final=True)
    assert (at.state, at.error, at.sealed) == (MessageState.FAILED, "carrier_refused", None)


def test_a_missing_receipt_brings_the_second_carrier_and_no_third_time() -> None:
    at = took(message(), PLAN, FRENCH, "a", "ref-a", NOW)
    assert (at.state, at.carrier, at.due) == (MessageState.HANDED, "a", NOW + WAIT)
    later = NOW + WAIT
    at = overdue(at, later)
    assert (overdue(at, later), at.error) == (at, "no_receipt")
    assert asked(at) == "b"
    at = took(at, PLAN, FRENCH, "b", "ref-b", later)
    assert (at.carrier, at.carrier_ref, at.due, at.error) == ("b", "ref-b", None, None)
    assert asked(at) is None
    assert tries(at) == ["a:handed", "a:no_receipt", "b:handed"]


def test_a_second_carrier_that_is_away_is_tried_until_the_link_is_dead() -> None:
    at = overdue(took(message(), PLAN, FRENCH, "a", None, NOW), NOW + WAIT)
    at = declined(at, PLAN, FRENCH, "b", "http_503", NOW + WAIT, final=False)
    assert (at.state, asked(at), at.due) == (
        MessageState.HANDED,
        "b",
        NOW + WAIT + timedelta(seconds=1),
    )
    at = declined(at, PLAN, FRENCH, "b", "http_503", NOW + LIFE, final=False)
    assert (at.state, at.due) == (MessageState.HANDED, None)


def test_a_receipt_in_time_settles_it_and_a_late_one_of_the_first_still_counts() -> None:
    at = took(message(), PLAN, FRENCH, "a", None, NOW)
    done = answered(at, PLAN, FRENCH, "a", MessageState.DELIVERED, NOW)
    assert (done.state, done.due) == (MessageState.DELIVERED, None)
    late = took(overdue(at, NOW + WAIT), PLAN, FRENCH, "b", None, NOW + WAIT)
    failed = answered(late, PLAN, FRENCH, "a", MessageState.FAILED, NOW + WAIT)
    assert (failed.state, failed.carrier) == (MessageState.HANDED, "b")
    assert answered(failed, PLAN, FRENCH, "a", MessageState.FAILED, NOW + WAIT) == failed
    at = answered(late, PLAN, FRENCH, "a", MessageState.DELIVERED, NOW + WAIT)
    assert (at.state, at.carrier) == (MessageState.DELIVERED, "a")


def test_waiting_for_the_phone_does_not_stop_the_second_carrier() -> None:
    at = took(message(), PLAN, FRENCH, "a", None, NOW)
    at = answered(at, PLAN, FRENCH, "a", MessageState.BUFFERED, NOW)
    assert (at.state, at.due) == (MessageState.BUFFERED, NOW + WAIT)


def test_a_failure_is_followed_and_the_last_failure_is_told() -> None:
    at = took(message(), PLAN, FRENCH, "a", None, NOW)
    at = answered(at, PLAN, FRENCH, "a", MessageState.FAILED, NOW)
    assert (at.state, at.due, asked(at)) == (MessageState.HANDED, NOW, "b")
    at = took(at, PLAN, FRENCH, "b", None, NOW)
    at = answered(at, PLAN, FRENCH, "b", MessageState.FAILED, NOW)
    assert (at.state, at.error) == (MessageState.FAILED, "carrier_failed")


def test_a_failure_that_overtakes_the_answer_keeps_its_place() -> None:
    at = answered(message(), PLAN, FRENCH, "a", MessageState.FAILED, NOW)
    at = took(at, PLAN, FRENCH, "a", "ref", NOW)
    assert (at.due, asked(at)) == (NOW, "b")


def test_sent_again_by_hand_the_other_carrier_comes_first() -> None:
    at = took(message(), PLAN, FRENCH, "a", None, NOW)
    assert asked(again(at, NOW, NOW + LIFE)) == "b"
    done = answered(at, PLAN, FRENCH, "a", MessageState.DELIVERED, NOW)
    assert asked(again(done, NOW, NOW + LIFE)) == "a"


def test_an_opened_link_needs_no_second_carrier() -> None:
    at = took(message(), PLAN, FRENCH, "a", None, NOW)
    assert settled(at).due is None
    assert settled(message()) == message()


def test_alone_a_carrier_is_never_followed() -> None:
    at = took(message(), (A,), FRENCH, "a", None, NOW)
    assert at.due is None


STEP = st.tuples(
    st.sampled_from(["took", "away", "refused", "silent", *MessageState]),
    st.sampled_from(["a", "b"]),
    st.integers(0, 40),
)


@given(st.lists(STEP, max_size=40))
def test_any_story_ends_and_nobody_takes_a_message_twice(
    story: list[tuple[str | MessageState, str, int]],
) -> None:
    at, now = message(), NOW
    for what, name, seconds in story:
        now += timedelta(seconds=seconds)
        if isinstance(what, MessageState):
            if what in {MessageState.DELIVERED, MessageState.FAILED, MessageState.BUFFERED}:
                at = answered(at, PLAN, FRENCH, name, what, now)
            continue
        if at.due is None or now < at.due:
            continue
        at = overdue(at, now)
        if (carrier := next_carrier(PLAN, FRENCH, at)) is None:
            at = settled(at)
        elif what == "took":
            at = took(at, PLAN, FRENCH, carrier.name, None, now)
        else:
            final = what == "refused"
            at = declined(at, PLAN, FRENCH, carrier.name, "x", now, final=final)
    for carrier in PLAN:
        assert tries(at).count(f"{carrier.name}:handed") <= 1
    assert at.due is None or at.state in {
        MessageState.QUEUED,
        MessageState.HANDED,
        MessageState.BUFFERED,
    }
    assert replace(at, history=()).version == 1
