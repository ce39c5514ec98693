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

from server.delivery.domain.messages import DeliveryEvent, Message, MessageState
from server.desk.domain.funnel import (
    MESSAGE_LABELS,
    STEPS,
    PhoneState,
    Say,
    Speech,
    say,
    speech,
    steps,
    waiting,
)
from server.desk.domain.sentences import CAMERA, LADDER, LONGEST, NETWORK, SAYINGS, SPOKEN
from server.protocol.caller import CallerMedia, Camera
from server.video.domain.preflight import BY_REQUESTS
from server.video.domain.session import BLIND, Session, SessionState

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
KEYS = [key for key, _ in STEPS]
CAMERAS = [None, "asking", "granted", *sorted(CAMERA)]
WORDS = [None, "live", *sorted(BLIND)]
#: A page that did not arrive was lost by the network; of all else, the camera or its user is the cause.
NOT_THE_NETWORK = [word for word in CAMERAS if word != "lost_script"]
PHONES = [PhoneState(online, hidden) for online, hidden in product((True, False), repeat=2)]
PHONES += [PhoneState(camera=word) for word in WORDS] + [PhoneState(asking=True)]
PHONES += [PhoneState(network=word, camera="muted") for word in sorted(NETWORK)]
BLAME = re.compile(r"réseau|Wi-Fi|fenêtre|relais|débit|UDP", re.IGNORECASE)


def message(
    state: MessageState = MessageState.QUEUED, channel: str = "sms", at: float = 1
) -> Message:
    then = NOW + timedelta(seconds=at)
    made = Message("m", "site", "invitation", channel, "i", b"", "r", NOW, NOW, state)
    if state is not MessageState.QUEUED:
        made = replace(made, handed=then)
    if state is MessageState.DELIVERED:
        made = replace(made, delivered=then + timedelta(seconds=1))
    return made


def session(
    state: SessionState = SessionState.INVITED, camera: str | None = None, **marks: float
) -> Session:
    times = {"accepted": NOW, **{k: NOW + timedelta(seconds=s) for k, s in marks.items()}}
    return Session("s", "site", "201", "u", "command1", NOW, NOW, state, times, camera)


def states(of: Session, messages: Sequence[Message] = ()) -> dict[str, str]:
    return {step.key: step.state for step in steps(of, messages)}


# --- the sentence ----------------------------------------------------------------------------------
MESSAGES = [
    [message(a), message(b, "email")] for a, b in combinations_with_replacement(MessageState, 2)
]


def spoken(said: Say) -> bool:
    """A whole sentence, to be read aloud, that fits on the screen."""
    sentences = filter(None, (said.text, said.cause))
    whole = all(re.fullmatch(r"[A-ZÀ-Ý].*[.?!»]\.?", text) for text in sentences)
    return whole and bool(said.text) and len(said.text) <= LONGEST


@pytest.mark.parametrize(("state", "camera"), product(SessionState, CAMERAS))
def test_there_is_always_something_to_say(state: SessionState, camera: str | None) -> None:
    for messages, phone in product([[], *MESSAGES], PHONES):
        for reason in (None, "quit", "expired", "lost"):
            of = replace(session(state, camera), end_reason=reason)
            for seconds in (-1, 0, 30, 3600):
                said = speech(of, messages, phone, NOW + timedelta(seconds=seconds))
                assert spoken(said.say), (state, camera, reason, phone, seconds)


@pytest.mark.parametrize("key", SAYINGS)
def test_what_is_said_is_said_in_one_breath_and_in_plain_words(key: str) -> None:
    """The caller hears the sentence, the regulator alone reads the cause."""
    first, *later = SAYINGS[key]
    afters = [stage.after for stage in SAYINGS[key]]
    assert first.after == 0
    assert afters == sorted(set(afters))
    for stage in SAYINGS[key]:
        assert spoken(stage.say)
        assert not TECHNICAL.search(stage.say.text), stage.say.text
        assert "Alt+" not in stage.say.text
    assert all(stage.say.cause for stage in later), "what takes too long has a likely cause"


TECHNICAL = re.compile(
    r"serveur|opérateur|accusé|relais|débit|connexion|session|URL|socket|UDP|TURN|WebRTC|HTTP|cookie|jeton|codec"
    r"|paramètre|identifiant|bande passante|navigation",
    re.IGNORECASE,
)


def test_nobody_is_ever_asked_to_hang_up() -> None:
    for text in SPOKEN:
        assert "raccroch" not in text or re.search("(sans|ne) raccroch", text.lower()), text
        assert not re.search("rappel(le|ez)|éteignez le téléphone", text, re.IGNORECASE), text


def at(
    of: Session,
    messages: Sequence[Message],
    seconds: float,
    phone: PhoneState = PhoneState(),  # noqa: B008
) -> Speech:
    return speech(of, messages, phone, NOW + timedelta(seconds=seconds))


def test_a_message_that_does_not_arrive_is_asked_about_then_replaced() -> None:
    sent = [message(MessageState.HANDED)]
    fresh, asks, other = (at(session(), sent, seconds) for seconds in (19.9, 20, 45))
    assert (fresh.stalled, asks.stalled, other.stalled) == (False, True, True)
    assert "Avez-vous reçu mon SMS" in asks.say.text
    assert "adresse e-mail" in other.say.text
    assert "Alt+C" in other.say.cause
    assert [(later.at - NOW).total_seconds() for later in fresh.later] == [20, 45]
    assert [later.say for later in fresh.later] == [asks.say, other.say]
    assert other.later == ()


def test_a_message_sent_again_is_given_its_time_again() -> None:
    resent = NOW + timedelta(seconds=60)
    again = replace(message(), history=(DeliveryEvent("", "resent", resent),))
    assert not at(session(), [again], 61).stalled
    assert at(session(), [again], 81).stalled


def test_time_runs_from_the_last_thing_that_happened() -> None:
    """Opened at 100 s: the sentence for a button that nobody touches comes ten seconds later, not at once."""
    of = replace(session(SessionState.OPENED, opened=100), changed=NOW + timedelta(seconds=100))
    assert not at(of, [], 105).stalled
    assert "gros bouton" in at(of, [], 111).say.text
    assert at(of, [], 111).stalled


@pytest.mark.parametrize(
    ("state", "camera", "phone", "key"),
    [
        (SessionState.OPENED, None, PhoneState(online=False), "opened"),
        (SessionState.TAPPED, None, PhoneState(online=False), "unheard"),
        (SessionState.TAPPED, None, PhoneState(), "tapped"),
        (SessionState.TAPPED, "asking", PhoneState(online=False), "away"),
        (SessionState.TAPPED, None, PhoneState(online=False, camera="live"), "away"),
        (SessionState.TAPPED, None, PhoneState(online=False, camera="busy"), "put_aside"),
        (SessionState.TAPPED, "asking", PhoneState(hidden=True), "hidden"),
        (SessionState.TAPPED, "denied", PhoneState(hidden=True), "denied"),
        (SessionState.CONNECTING, "granted", PhoneState(online=False), "away"),
        (SessionState.LIVE, "granted", PhoneState(online=False), "live"),
        (SessionState.LIVE, "granted", PhoneState(hidden=True), "hidden"),
        (SessionState.LIVE, "granted", PhoneState(network="weak"), "weak"),
        (SessionState.LIVE, "granted", PhoneState(network="<b>"), "live"),
        (SessionState.INTERRUPTED, "granted", PhoneState(network="stills"), "stills"),
        (SessionState.TAPPED, "asking", PhoneState(network="photo"), "tapped"),
        (SessionState.INTERRUPTED, "granted", PhoneState(), "frozen"),
        (SessionState.INTERRUPTED, "granted", PhoneState(camera="live"), "frozen"),
        (SessionState.INTERRUPTED, "granted", PhoneState(camera="muted", network="photo"), "photo"),
        (
            SessionState.INTERRUPTED,
            "granted",
            PhoneState(camera="muted", network="weak"),
            "camera_muted",
        ),
        (SessionState.INTERRUPTED, "granted", PhoneState(camera="busy", hidden=True), "hidden"),
        (
            SessionState.INTERRUPTED,
            "granted",
            PhoneState(camera="muted", online=False),
            "put_aside",
        ),
        (SessionState.CONNECTING, "granted", PhoneState(camera="muted", online=False), "put_aside"),
        (SessionState.INTERRUPTED, "granted", PhoneState(hidden=True, online=False), "put_aside"),
        (SessionState.INTERRUPTED, "denied", PhoneState(camera="ended"), "denied"),
        (SessionState.INTERRUPTED, "asking", PhoneState(), "tapped"),
        (SessionState.INTERRUPTED, "granted", PhoneState(asking=True), "tapped"),
        (SessionState.TAPPED, "asking", PhoneState(camera="live"), "connecting"),
        (SessionState.LIVE, "granted", PhoneState(camera="live"), "live"),
        (SessionState.INTERRUPTED, "granted", PhoneState(online=False), "offline"),
        (SessionState.INTERRUPTED, "busy", PhoneState(), "busy"),
    ],
)
def test_what_the_phone_does_decides(
    state: SessionState, camera: str | None, phone: PhoneState, key: str
) -> None:
    assert waiting(session(state, camera), [], phone)[0] == key


MISSING = [
    SessionState.TAPPED,
    SessionState.CONNECTING,
    SessionState.LIVE,
    SessionState.INTERRUPTED,
]


@pytest.mark.parametrize("word", sorted(BLIND))
@pytest.mark.parametrize("state", MISSING)
def test_what_is_wrong_with_the_camera_is_said_wherever_the_picture_is_missing(
    state: SessionState, word: str
) -> None:
    of = session(state, "granted")
    first = at(of, [], 0, PhoneState(camera=word))
    assert first.say == SAYINGS[f"camera_{word}"][0].say
    assert first.say.cause
    if word != "gone":  # there is nothing to wait for
        assert [later.say for later in first.later]
        assert at(of, [], 3600, PhoneState(camera=word)).stalled


def test_a_camera_that_is_tried_again_and_again_is_waited_for_from_its_first_failure() -> None:
    of = session(SessionState.CONNECTING, "granted")
    tried = PhoneState(camera="still", since=NOW + timedelta(seconds=24), blind_since=NOW)
    assert at(of, [], 25, tried).stalled
    assert not at(of, [], 25, replace(tried, blind_since=NOW + timedelta(seconds=24))).stalled


def test_every_word_of_the_phone_of_its_camera_has_its_own_cause() -> None:
    words = set(CallerMedia.model_fields["camera"].annotation.__args__)  # type: ignore[union-attr]
    assert words == BLIND | {"live"}
    causes = {SAYINGS[f"camera_{word}"][0].say.cause for word in BLIND}
    assert len(causes) == len(BLIND)


@given(
    st.sampled_from(MISSING),
    st.sampled_from(NOT_THE_NETWORK),
    st.builds(
        PhoneState,
        st.booleans(),
        st.booleans(),
        st.sampled_from(sorted(BLIND)),
        asking=st.booleans(),
        network=st.sampled_from([None, "video", "weak"]),
        cause=st.sampled_from(["", "Ce réseau bloque la vidéo."]),
    ),
    st.floats(0, 3600),
)
def test_a_camera_that_gives_nothing_is_never_blamed_on_the_network(
    state: SessionState, camera: str | None, phone: PhoneState, seconds: float
) -> None:
    said = at(session(state, camera), [], seconds, phone)
    for each in (said.say, *(later.say for later in said.later)):
        assert not BLAME.search(f"{each.text} {each.cause}"), (state, camera, phone, each)
    assert "Je vous vois" not in said.say.text
    assert "l'image arrive" not in said.say.text


@pytest.mark.parametrize("key", sorted({"connecting", "frozen"} & set(SAYINGS)))
def test_a_network_of_which_nothing_is_known_is_asked_about_not_accused(key: str) -> None:
    for stage in SAYINGS[key]:
        for sentence in re.findall(r"[^.?!]+[.?!]", f"{stage.say.text} {stage.say.cause}"):
            blames = re.search("réseau", sentence)
            assert not blames or sentence.rstrip().endswith("?"), sentence


def test_the_cause_that_is_known_is_given_at_each_stage_and_only_for_a_picture_that_is_missing() -> (
    None
):
    phone = PhoneState(cause="Ce réseau bloque la vidéo.", camera="live")
    for seconds in (0, 6, 15, 40):
        said = at(session(SessionState.CONNECTING, "granted"), [], seconds, phone)
        assert said.say.cause == phone.cause
    for other in (
        replace(phone, hidden=True),
        replace(phone, online=False),
        replace(phone, camera="muted"),
        replace(phone, network="stills"),
    ):
        said = at(session(SessionState.CONNECTING, "granted"), [], 0, other)
        assert said.say.cause != phone.cause, other


def test_a_photo_that_is_taken_in_the_place_of_the_video_is_no_blind_camera() -> None:
    assert all(not PhoneState(camera="muted", network=rung).blind for rung in LADDER)
    assert PhoneState(camera="muted").blind
    assert not PhoneState(camera="live").blind
    assert not PhoneState().blind


def test_what_is_known_of_the_network_is_the_likelier_cause_of_no_picture() -> None:
    phone = PhoneState(cause="Ce réseau bloque la vidéo.")
    first = at(session(SessionState.CONNECTING, "granted"), [], 0, phone)
    assert first.say.cause == phone.cause
    assert {later.say.cause for later in first.later} == {phone.cause}
    assert at(session(SessionState.CONNECTING, "granted"), [], 99, phone).say.cause == phone.cause
    assert at(session(SessionState.LIVE, "granted"), [], 0, phone).say.cause == ""
    assert at(session(SessionState.INTERRUPTED, "busy"), [], 0, phone).say.cause != phone.cause


def test_a_page_that_was_left_is_waited_for_from_then_on() -> None:
    phone = PhoneState(hidden=True, since=NOW + timedelta(seconds=50))
    assert not at(session(SessionState.LIVE, "granted"), [], 55, phone).stalled
    assert at(session(SessionState.LIVE, "granted"), [], 62, phone).stalled


def test_each_state_has_its_own_sentence() -> None:
    said = {say(session(state), [message()]).text for state in SessionState}
    assert len(said) == len(SessionState)


def test_every_camera_trouble_of_the_protocol_has_its_advice() -> None:
    words = set(Camera.model_fields["state"].annotation.__args__)  # type: ignore[union-attr]
    assert words - {"asking", "granted"} <= CAMERA
    for word in CAMERA:
        assert say(session(SessionState.TAPPED, word), []) == SAYINGS[word][0].say
        assert SAYINGS[word][0].say.cause


@pytest.mark.parametrize("state", [SessionState.CONNECTING, SessionState.LIVE, SessionState.ENDED])
@pytest.mark.parametrize("camera", sorted(CAMERA))
def test_old_camera_trouble_is_not_repeated(state: SessionState, camera: str) -> None:
    assert say(session(state, camera), []) == say(session(state), [])


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([message()], "Je vous envoie un SMS"),
        ([message(channel="email")], "Je vous envoie un e-mail"),
        ([message(MessageState.HANDED)], "Je vous envoie un SMS"),
        ([message(MessageState.BUFFERED)], "attend le réseau"),
        ([message(MessageState.DELIVERED)], "Vous avez reçu un SMS"),
        ([message(MessageState.FAILED)], "n'est pas parti"),
        (
            [message(MessageState.FAILED), message(MessageState.DELIVERED, "email")],
            "Vous avez reçu",
        ),
        ([message(MessageState.FAILED), message(channel="email")], "Je vous envoie"),
        ([replace(message(), error="http_503")], "part dans un instant"),
    ],
)
def test_while_the_message_travels(messages: list[Message], words: str) -> None:
    assert words in say(session(), messages).text


def test_what_cannot_come_is_not_announced() -> None:
    """The SMS failed and the e-mail arrived: the caller must look into the mailbox, not for an SMS."""
    both = [message(MessageState.FAILED), message(MessageState.DELIVERED, "email")]
    assert "e-mail" in say(session(), both).text
    assert "SMS" not in say(session(), both).text
    waiting = [message(MessageState.FAILED), message(channel="email")]
    assert "e-mail" in say(session(), waiting).text


def test_an_expired_link_is_told_as_such() -> None:
    of = replace(session(SessionState.ENDED), end_reason="expired")
    assert say(of, []).cause == "Le lien n'a pas été touché à temps."


@pytest.mark.parametrize("state", MessageState)
def test_every_state_of_a_message_has_its_word(state: MessageState) -> None:
    assert MESSAGE_LABELS[state]


# --- the steps -------------------------------------------------------------------------------------
def test_each_step_in_its_turn() -> None:
    story: list[tuple[Session, list[Message]]] = [
        (session(), [message()]),
        (session(), [message(MessageState.HANDED)]),
        (session(), [message(MessageState.DELIVERED)]),
        (session(SessionState.OPENED, opened=9), [message(MessageState.DELIVERED)]),
        (session(SessionState.TAPPED, opened=9, tapped=11), [message(MessageState.DELIVERED)]),
        (
            session(SessionState.CONNECTING, opened=9, tapped=11, permission=14),
            [message(MessageState.DELIVERED)],
        ),
    ]
    for reached, (of, messages) in enumerate(story):
        found = list(states(of, messages).values())
        assert found == ["done"] * (reached + 1) + ["current"] + ["todo"] * (
            len(KEYS) - reached - 2
        )
    last = session(SessionState.LIVE, opened=9, tapped=11, permission=14, image=15)
    assert set(states(last, [message(MessageState.DELIVERED)]).values()) == {"done"}


def test_a_carrier_without_receipts_does_not_hold_the_funnel() -> None:
    found = steps(session(SessionState.OPENED, opened=9), [message(MessageState.HANDED)])
    delivered = next(step for step in found if step.key == "delivered")
    assert (delivered.state, delivered.at, delivered.seconds) == ("done", None, None)


def test_each_step_has_the_time_spent_in_it() -> None:
    of = session(SessionState.TAPPED, "asking", opened=9, tapped=11)
    found = {step.key: step for step in steps(of, [message(MessageState.DELIVERED)])}
    assert [found[key].spent for key in ("handed", "delivered", "opened", "tapped")] == [1, 1, 7, 2]
    assert found["accepted"].spent is None
    assert found["permission"].since == NOW + timedelta(seconds=11)
    assert found["image"].since is None


def test_a_receipt_that_comes_last_takes_no_time() -> None:
    """The link was opened before the carrier said that the message arrived."""
    found = {
        step.key: step for step in steps(session(opened=1.5), [message(MessageState.DELIVERED)])
    }
    assert (found["delivered"].spent, found["opened"].spent) == (1, 0)


@pytest.mark.parametrize(
    ("of", "messages", "failed"),
    [
        (session(), [message(MessageState.FAILED)], "delivered"),
        (session(), [replace(message(MessageState.FAILED), handed=None)], "handed"),
        (session(), [message(MessageState.FAILED), message()], None),
        (
            session(SessionState.TAPPED, "denied", opened=3, tapped=4),
            [message(MessageState.HANDED)],
            "permission",
        ),
        (session(SessionState.OPENED, opened=3), [message(MessageState.FAILED)], None),
        (session(SessionState.TAPPED, "asking", tapped=4), [], None),
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
        message, st.sampled_from(MessageState), st.sampled_from(["sms", "email"]), st.floats(0, 900)
    ),
    max_size=3,
)


@given(st.sampled_from(SessionState), st.sampled_from(CAMERAS), MARKS, SENT)
def test_steps_only_go_forward(
    state: SessionState, camera: str | None, marks: dict[str, float], messages: list[Message]
) -> None:
    of = session(state, camera, **marks)
    found = steps(of, messages)
    assert [step.key for step in found] == KEYS
    order = "".join(
        {"done": "d", "current": "c", "failed": "c", "todo": "t"}[s.state] for s in found
    )
    assert re.fullmatch(r"d+c?t*", order)
    assert ("c" in order) is (state is not SessionState.ENDED and not order.endswith("d"))
    assert all(step.since is None for step in found if step.state == "todo")
    for step in found:
        assert (step.at is None) is (step.seconds is None)
        assert step.spent is None or step.spent >= 0
        if step.at is not None:
            assert step.state == "done"
            assert step.seconds == (step.at - of.created).total_seconds()


def test_a_tap_that_no_line_follows_is_not_asked_to_allow_for_long() -> None:
    """The camera may be allowed already: the network may keep the page from saying so."""
    tapped, away = session(SessionState.TAPPED), PhoneState(online=False)
    assert at(tapped, [], 0, away).say == at(tapped, [], 0).say
    for seconds in (1, 3.9):
        assert at(tapped, [], seconds, away).say.text.startswith("Si ")
    for seconds in (4, 5, 41):
        said = at(tapped, [], seconds, away)
        assert "Autoriser" not in said.say.text
        assert "liaison" in said.say.cause
        assert said.stalled
    assert "Autoriser" in at(tapped, [], 5).say.text


def test_what_bars_the_direct_way_is_told_from_the_tap_on() -> None:
    barred = PhoneState(cause=BY_REQUESTS)
    assert at(session(SessionState.TAPPED), [], 0, barred).say.cause == BY_REQUESTS
    connecting = session(SessionState.CONNECTING, "granted")
    for said in (
        at(connecting, [], 0, barred).say,
        *(one.say for one in at(connecting, [], 0, barred).later),
    ):
        assert said.cause == BY_REQUESTS
    assert at(session(SessionState.LIVE, "granted"), [], 0, barred).say.cause == ""
