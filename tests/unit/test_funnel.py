"""The funnel as the regulator reads it: every step in order, and always a sentence to say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.funnel import CAMERA_SAY, MESSAGE_LABELS, STEPS, Say, say, steps
from server.domain.messages import Delivery, Message
from server.domain.session import Session, State
from server.web.messages import Camera

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
KEYS = [key for key, _ in STEPS]
CAMERAS = [None, "asking", "granted", *CAMERA_SAY]


def message(state: Delivery = Delivery.QUEUED, channel: str = "sms", at: float = 1) -> Message:
    then = NOW + timedelta(seconds=at)
    made = Message("m", "site", "invitation", channel, "i", b"", "r", NOW, NOW, state)
    if state is not Delivery.QUEUED:
        made = replace(made, handed=then)
    if state is Delivery.DELIVERED:
        made = replace(made, delivered=then + timedelta(seconds=1))
    return made


def session(state: State = State.INVITED, camera: str | None = None, **marks: float) -> Session:
    times = {"accepted": NOW, **{k: NOW + timedelta(seconds=s) for k, s in marks.items()}}
    return Session("s", "site", "201", "u", "command1", NOW, NOW, state, times, camera)


def states(of: Session, messages: Sequence[Message] = ()) -> dict[str, str]:
    return {step.key: step.state for step in steps(of, messages)}


# --- the sentence ----------------------------------------------------------------------------------
MESSAGES = [
    [message(a), message(b, "email")] for a, b in combinations_with_replacement(Delivery, 2)
]


def spoken(said: Say) -> bool:
    """A whole sentence, to be read aloud, that fits on the screen."""
    sentences = filter(None, (said.text, said.cause))
    whole = all(re.fullmatch(r"[A-ZÀ-Ý].*[.?!»]\.?", text) for text in sentences)
    return whole and bool(said.text) and len(said.text) <= 140


@pytest.mark.parametrize(("state", "camera"), product(State, CAMERAS))
def test_there_is_always_something_to_say(state: State, camera: str | None) -> None:
    for messages in [[], *MESSAGES]:
        for reason in (None, "quit", "expired", "lost"):
            of = replace(session(state, camera), end_reason=reason)
            assert spoken(say(of, messages)), (state, camera, reason)


def test_each_state_has_its_own_sentence() -> None:
    said = {say(session(state), [message()]).text for state in State}
    assert len(said) == len(State)


def test_every_camera_trouble_of_the_protocol_has_its_advice() -> None:
    words = set(Camera.model_fields["state"].annotation.__args__)  # type: ignore[union-attr]
    assert set(CAMERA_SAY) == words - {"asking", "granted"}
    for word in CAMERA_SAY:
        assert say(session(State.TAPPED, word), []) == CAMERA_SAY[word]
        assert CAMERA_SAY[word].cause


@pytest.mark.parametrize("state", [State.CONNECTING, State.LIVE, State.ENDED])
@pytest.mark.parametrize("camera", CAMERA_SAY)
def test_old_camera_trouble_is_not_repeated(state: State, camera: str) -> None:
    assert say(session(state, camera), []) == say(session(state), [])


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([message()], "Je vous envoie un SMS"),
        ([message(channel="email")], "Je vous envoie un e-mail"),
        ([message(Delivery.HANDED)], "Je vous envoie un SMS"),
        ([message(Delivery.BUFFERED)], "attend le réseau"),
        ([message(Delivery.DELIVERED)], "Vous avez reçu un SMS"),
        ([message(Delivery.FAILED)], "n'est pas parti"),
        ([message(Delivery.FAILED), message(Delivery.DELIVERED, "email")], "Vous avez reçu"),
        ([message(Delivery.FAILED), message(channel="email")], "Je vous envoie"),
        ([replace(message(), error="http_503")], "part dans un instant"),
    ],
)
def test_while_the_message_travels(messages: list[Message], words: str) -> None:
    assert words in say(session(), messages).text


def test_what_cannot_come_is_not_announced() -> None:
    """The SMS failed and the e-mail arrived: the caller must look into the mailbox, not for an SMS."""
    both = [message(Delivery.FAILED), message(Delivery.DELIVERED, "email")]
    assert "e-mail" in say(session(), both).text
    assert "SMS" not in say(session(), both).text
    waiting = [message(Delivery.FAILED), message(channel="email")]
    assert "e-mail" in say(session(), waiting).text


def test_an_expired_link_is_told_as_such() -> None:
    of = replace(session(State.ENDED), end_reason="expired")
    assert say(of, []).cause == "Le lien n'a pas été touché à temps."


@pytest.mark.parametrize("state", Delivery)
def test_every_state_of_a_message_has_its_word(state: Delivery) -> None:
    assert MESSAGE_LABELS[state]


# --- the steps -------------------------------------------------------------------------------------
def test_each_step_in_its_turn() -> None:
    story: list[tuple[Session, list[Message]]] = [
        (session(), [message()]),
        (session(), [message(Delivery.HANDED)]),
        (session(), [message(Delivery.DELIVERED)]),
        (session(State.OPENED, opened=9), [message(Delivery.DELIVERED)]),
        (session(State.TAPPED, opened=9, tapped=11), [message(Delivery.DELIVERED)]),
        (
            session(State.CONNECTING, opened=9, tapped=11, permission=14),
            [message(Delivery.DELIVERED)],
        ),
    ]
    for reached, (of, messages) in enumerate(story):
        found = list(states(of, messages).values())
        assert found == ["done"] * (reached + 1) + ["current"] + ["todo"] * (
            len(KEYS) - reached - 2
        )
    last = session(State.LIVE, opened=9, tapped=11, permission=14, image=15)
    assert set(states(last, [message(Delivery.DELIVERED)]).values()) == {"done"}


def test_a_carrier_without_receipts_does_not_hold_the_funnel() -> None:
    found = steps(session(State.OPENED, opened=9), [message(Delivery.HANDED)])
    delivered = next(step for step in found if step.key == "delivered")
    assert (delivered.state, delivered.at, delivered.seconds) == ("done", None, None)


@pytest.mark.parametrize(
    ("of", "messages", "failed"),
    [
        (session(), [message(Delivery.FAILED)], "delivered"),
        (session(), [replace(message(Delivery.FAILED), handed=None)], "handed"),
        (session(), [message(Delivery.FAILED), message()], None),
        (
            session(State.TAPPED, "denied", opened=3, tapped=4),
            [message(Delivery.HANDED)],
            "permission",
        ),
        (session(State.OPENED, opened=3), [message(Delivery.FAILED)], None),
        (session(State.TAPPED, "asking", tapped=4), [], None),
    ],
)
def test_the_step_that_fails_is_shown(
    of: Session, messages: list[Message], failed: str | None
) -> None:
    found = [key for key, state in states(of, messages).items() if state == "failed"]
    assert found == ([failed] if failed else [])


MARKS = st.dictionaries(
    st.sampled_from(["opened", "tapped", "asked", "permission", "image", "interrupted"]),
    st.floats(-60, 3600),
)
SENT = st.lists(
    st.builds(
        message, st.sampled_from(Delivery), st.sampled_from(["sms", "email"]), st.floats(0, 900)
    ),
    max_size=3,
)


@given(st.sampled_from(State), st.sampled_from(CAMERAS), MARKS, SENT)
def test_steps_only_go_forward(
    state: State, camera: str | None, marks: dict[str, float], messages: list[Message]
) -> None:
    of = session(state, camera, **marks)
    found = steps(of, messages)
    assert [step.key for step in found] == KEYS
    order = "".join(
        {"done": "d", "current": "c", "failed": "c", "todo": "t"}[s.state] for s in found
    )
    assert re.fullmatch(r"d+c?t*", order)
    assert ("c" in order) is (state is not State.ENDED and not order.endswith("d"))
    for step in found:
        assert (step.at is None) is (step.seconds is None)
        if step.at is not None:
            assert step.state == "done"
            assert step.seconds == (step.at - of.created).total_seconds()
