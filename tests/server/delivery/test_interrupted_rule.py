"""What a crash, or a lost answer, leaves in doubt: every transition of docs/adr/0019, and nothing lost in any story."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.delivery.domain.carrier_order import (
    Carrier,
    answered,
    declined,
    next_carrier,
    overdue,
    took,
)
from server.delivery.domain.messages import (
    NO_ANSWER,
    PATIENCE,
    Message,
    MessageState,
    accepted,
    again,
    asking,
    doubt,
    failed,
    interrupted,
    left_by_another,
    maybe_twice,
    postponed,
    receipt,
    reference,
)
from server.desk.domain.funnel import message_label

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LIFE = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
A = Carrier("a", receipt_timeout=30 * SECOND, receipts=True)
B = Carrier("b", receipt_timeout=30 * SECOND)
ALONE, BOTH = (A,), (A, B)
FRENCH = "+33612345678"


def message(**fields: object) -> Message:
    made = Message("m", "s", "invitation", "sms", "i", b"x", "r", NOW, NOW + LIFE, due=NOW)
    return replace(made, **fields)  # type: ignore[arg-type] # names and values of its own fields


def in_doubt(at: Message | None = None, now: datetime = NOW + SECOND) -> Message:
    return interrupted(asking(at or message(), "a", NOW), A.patience, now)


def steps(at: Message) -> list[str]:
    return [f"{step.carrier}:{step.outcome}" for step in at.history]


# --- the mark --------------------------------------------------------------------------------------
def test_it_says_since_when_and_whom_before_the_request_leaves() -> None:
    at = asking(message(), "a", NOW)
    assert (at.asked, at.asked_of, at.state, at.due) == (NOW, "a", MessageState.QUEUED, NOW)
    assert at.history == ()


@pytest.mark.parametrize(
    "after",
    [
        took(asking(message(), "a", NOW), ALONE, FRENCH, "a", "ref", NOW),
        declined(asking(message(), "a", NOW), BOTH, FRENCH, "a", "http_503", NOW, final=False),
        declined(asking(message(), "a", NOW), ALONE, FRENCH, "a", "http_400", NOW, final=True),
        accepted(asking(message(), "smtp", NOW), None, NOW),
        postponed(asking(message(), "smtp", NOW), "smtp_451", NOW),
        failed(asking(message(), "smtp", NOW), "carrier_refused"),
        receipt(asking(message(), "a", NOW), MessageState.DELIVERED, NOW),
    ],
)
def test_whatever_is_known_takes_the_mark_away(after: Message) -> None:
    assert (after.asked, after.asked_of) == (None, None)


@pytest.mark.parametrize(
    ("asked", "dead"),
    [(None, False), (-1, True), (0, False), (5, False), (9, False), (10, True)],
)
def test_a_mark_from_before_our_start_is_of_a_dead_process(
    asked: int | None, *, dead: bool
) -> None:
    """So is one of the future, where the clock went back; our own lie between our start and now."""
    at = message(asked=None if asked is None else NOW + asked * SECOND)
    assert left_by_another(at, NOW, NOW + 9 * SECOND) is dead


# --- in doubt --------------------------------------------------------------------------------------
def test_what_a_crash_interrupted_waits_for_its_receipt_twenty_seconds_at_most() -> None:
    at = in_doubt()
    assert PATIENCE == 20 * SECOND
    assert (at.state, at.due, at.error) == (MessageState.QUEUED, NOW + PATIENCE, "in_doubt")
    assert (at.asked, steps(at)) == (None, ["a:in_doubt"])
    late = in_doubt(now=NOW + 2 * PATIENCE)
    assert late.due == NOW + 2 * PATIENCE, "we were away longer than that: at once"


def test_the_clock_that_went_back_makes_nobody_wait_longer() -> None:
    at = interrupted(asking(message(), "a", NOW + timedelta(hours=1)), PATIENCE, NOW)
    assert at.due == NOW + PATIENCE


@pytest.mark.parametrize(
    ("carrier", "waits"),
    [(A, PATIENCE), (B, 0 * SECOND), (replace(A, once=True), 0 * SECOND)],
)
def test_nobody_waits_for_a_receipt_that_cannot_come_or_is_not_needed(
    carrier: Carrier, waits: timedelta
) -> None:
    assert carrier.patience == waits


def test_a_process_that_died_twice_asks_a_third_time_and_says_so() -> None:
    at = in_doubt(asking(in_doubt(), "a", NOW))
    assert steps(at) == ["a:in_doubt", "a:sent_again", "a:in_doubt"]
    assert maybe_twice(at)


def test_what_was_settled_meanwhile_is_not_sent_again() -> None:
    at = interrupted(replace(asking(message(), "a", NOW), due=None), PATIENCE, NOW)
    assert (at.asked, at.due, at.history) == (None, None, ())


def test_the_second_carrier_s_doubt_leaves_what_the_first_has_as_it_is() -> None:
    at = overdue(took(message(), BOTH, FRENCH, "a", "ref-a", NOW), NOW + 30 * SECOND)
    at = interrupted(asking(at, "b", NOW + 30 * SECOND), B.patience, NOW + 31 * SECOND)
    assert (at.state, at.carrier, at.carrier_ref) == (MessageState.HANDED, "a", "ref-a")
    assert (at.due, steps(at)[-1]) == (NOW + 31 * SECOND, "b:in_doubt")
    found = next_carrier(BOTH, FRENCH, overdue(at, at.due or NOW))
    assert found == B


# --- its end ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "state"),
    [
        (None, MessageState.HANDED),
        (MessageState.BUFFERED, MessageState.BUFFERED),
        (MessageState.DELIVERED, MessageState.DELIVERED),
        (MessageState.FAILED, MessageState.FAILED),
    ],
)
def test_any_word_of_the_carrier_ends_the_doubt(
    said: MessageState | None, state: MessageState
) -> None:
    at = answered(in_doubt(), ALONE, FRENCH, "a", said, NOW + 2 * SECOND)
    assert (at.state, at.due, maybe_twice(at)) == (state, None, False)
    assert doubt(at) is None


def test_another_carrier_s_word_ends_no_doubt() -> None:
    at = in_doubt()
    assert answered(at, BOTH, FRENCH, "b", None, NOW + 2 * SECOND) == at


def test_no_news_of_what_is_known_changes_nothing() -> None:
    for at in (
        message(),
        asking(message(), "a", NOW),
        took(message(), ALONE, FRENCH, "a", None, NOW),
    ):
        assert answered(at, ALONE, FRENCH, "a", None, NOW) == at


def test_without_a_word_it_is_sent_again_by_the_same_carrier_and_that_is_known() -> None:
    at = in_doubt()
    assert at.due
    assert next_carrier(BOTH, FRENCH, at) == A
    at = asking(at, "a", at.due)
    assert (steps(at), maybe_twice(at)) == (["a:in_doubt", "a:sent_again"], True)
    at = took(at, ALONE, FRENCH, "a", "ref", NOW + PATIENCE)
    assert message_label(at) == "remis à l'opérateur · peut-être envoyé deux fois"
    at = again(at, NOW + LIFE, NOW + 2 * LIFE)
    assert message_label(at) == "en cours d'envoi", "asked for: no accident of ours"


def test_a_carrier_that_takes_a_reference_once_sends_nothing_twice() -> None:
    at = asking(in_doubt(), "a", NOW + SECOND, once=True)
    assert not maybe_twice(at)


def test_a_hand_that_sends_again_does_not_wait_for_the_receipt() -> None:
    at = again(in_doubt(), NOW + 2 * SECOND, NOW + LIFE + 2 * SECOND)
    assert (at.state, at.due) == (MessageState.QUEUED, NOW + 2 * SECOND)
    assert doubt(at) is not None


def test_a_failure_that_was_told_is_no_doubt() -> None:
    at = answered(in_doubt(), BOTH, FRENCH, "a", MessageState.FAILED, NOW + SECOND)
    at = asking(at, "b", NOW + SECOND)
    assert (steps(at), maybe_twice(at)) == (["a:in_doubt", "a:failed"], False)


# --- a lost answer ---------------------------------------------------------------------------------
def test_a_request_without_an_answer_is_in_doubt_too() -> None:
    at = asking(message(), "a", NOW)
    at = declined(at, ALONE, FRENCH, "a", NO_ANSWER, NOW + 10 * SECOND, final=False)
    assert (at.due, steps(at)) == (NOW + 11 * SECOND, ["a:no_answer"])
    told = answered(at, ALONE, FRENCH, "a", None, NOW + 10 * SECOND)
    assert (told.state, told.due) == (MessageState.HANDED, None)
    assert maybe_twice(asking(at, "a", NOW + 11 * SECOND))
    away = declined(message(), ALONE, FRENCH, "a", "http_503", NOW, final=False)
    assert not maybe_twice(asking(away, "a", NOW + SECOND))


# --- its name --------------------------------------------------------------------------------------
def test_the_reference_stays_until_an_answer_is_known() -> None:
    first = reference(message())
    assert reference(asking(message(), "a", NOW)) == first == "m-1"
    assert reference(in_doubt()) == reference(asking(in_doubt(), "a", NOW)) == first
    lost = declined(message(), ALONE, FRENCH, "a", NO_ANSWER, NOW, final=False)
    assert reference(lost) == first
    away = declined(message(), ALONE, FRENCH, "a", "http_503", NOW, final=False)
    assert reference(away) != first, "who remembers its answers would repeat this one"
    mail = accepted(message(channel="email"), None, NOW)
    assert reference(again(mail, NOW, NOW + LIFE)) != first


# --- any story -------------------------------------------------------------------------------------
def answer(at: Message, what: str, now: datetime) -> Message:
    """What comes of a request that is on its way."""
    name = at.asked_of or ""
    if what == "died":
        return interrupted(at, A.patience, now)
    if what == "took":
        return took(at, BOTH, FRENCH, name, None, now)
    error = NO_ANSWER if what == "silent" else "http_503"
    return declined(at, BOTH, FRENCH, name, error, now, final=what == "refused")


def ask(at: Message, now: datetime) -> Message:
    """Ask who is next, if it is due."""
    carrier = next_carrier(BOTH, FRENCH, overdue(at, now))
    if at.due is None or at.due > now or carrier is None:
        return at
    asked = asking(at, carrier.name, now)
    assert maybe_twice(asked) or doubt(at) is None
    return asked


ANSWERS = ["died", "took", "away", "silent", "refused"]
STEP = st.tuples(
    st.sampled_from(["ask", "word", "again", *ANSWERS, *MessageState]),
    st.sampled_from(["a", "b"]),
    st.integers(0, 40),
)


@given(st.lists(STEP, max_size=40))
def test_in_no_story_is_a_message_forgotten_or_sent_again_unsaid(
    story: list[tuple[str | MessageState, str, int]],
) -> None:
    at, now = message(expires=NOW + timedelta(days=1)), NOW
    for what, name, seconds in story:
        now += timedelta(seconds=seconds)
        if what == "word" or what in {
            MessageState.BUFFERED,
            MessageState.DELIVERED,
            MessageState.FAILED,
        }:
            said = what if isinstance(what, MessageState) else None
            at = answered(at, BOTH, FRENCH, name, said, now)
        elif what in ANSWERS and at.asked is not None:
            at = answer(at, what, now)
        elif what == "again" and at.state is not MessageState.FAILED:
            at = again(at, now, now + timedelta(days=1))
        elif what == "ask" and at.asked is None:
            at = ask(at, now)
        assert at.due is not None or at.state is not MessageState.QUEUED, "nobody would look at it"
        assert at.due is None or at.state in {
            MessageState.QUEUED,
            MessageState.HANDED,
            MessageState.BUFFERED,
        }
