"""The life of one video: every pair of state and event is decided, and the end is the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.video.domain.session import (
    IGNORED,
    TRANSITIONS,
    CallerTapped,
    CameraAsked,
    CameraGranted,
    CameraRefused,
    ClosePeers,
    Event,
    InvitationOpened,
    MediaFlowing,
    PageWorks,
    PeerLost,
    ReleaseInvitations,
    Session,
    SessionQuit,
    SessionState,
    StillSeen,
    TimedOut,
    step,
)
from server.video.service.sessions import past

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
KINDS: tuple[type[Any], ...] = get_args(Event)
PAIRS = list(product(SessionState, KINDS))
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.sampled_from(
        [
            InvitationOpened(),
            PageWorks(),
            CallerTapped(),
            CameraAsked(),
            CameraGranted(),
            MediaFlowing(),
            StillSeen(),
            PeerLost(),
        ]
    ),
    st.builds(CameraRefused, st.sampled_from(["denied", "none", "busy", "timeout", "no_script"])),
    st.builds(TimedOut, st.sampled_from(["expired", "lost"])),
    st.builds(
        SessionQuit, st.sampled_from(["desk", "phone", "server"]), st.sampled_from(["quit", "left"])
    ),
)


def session(state: SessionState = SessionState.INVITED, **changes: Any) -> Session:
    return Session("s", "site", "201", "user", "command1", NOW, NOW, state, **changes)


def one(kind: type[Any]) -> Any:
    """An event of this kind."""
    if kind is SessionQuit:
        return SessionQuit("phone", "left")
    return kind("denied") if kind in {CameraRefused, TimedOut} else kind()


# --- the table -------------------------------------------------------------------------------------
def test_every_pair_is_decided_once() -> None:
    decided = set(TRANSITIONS) | IGNORED
    assert decided == set(PAIRS)
    assert not set(TRANSITIONS) & IGNORED


def test_every_kind_of_event_has_its_word_in_the_audit() -> None:
    told = [past("s", one(kind), "opened", "tapped").verb.action for kind in KINDS]
    assert len(set(told)) == len(KINDS)


@pytest.mark.parametrize(("state", "kind"), PAIRS)
def test_the_table_is_what_happens(state: SessionState, kind: type[Any]) -> None:
    before = session(state)
    after, commands = step(before, one(kind), NOW + timedelta(seconds=1))
    if (state, kind) in IGNORED:
        assert (after, commands) == (before, ())
        assert after is before
    else:
        assert (after.state, commands) == TRANSITIONS[state, kind]
        assert after != before


@pytest.mark.parametrize(("state", "kind"), sorted(TRANSITIONS, key=str))
def test_only_the_end_has_commands_and_always_the_same(
    state: SessionState, kind: type[Any]
) -> None:
    after, commands = step(session(state), one(kind), NOW)
    expected = (ClosePeers(), ReleaseInvitations()) if after.state is SessionState.ENDED else ()
    assert commands == expected


@pytest.mark.parametrize("state", [s for s in SessionState if s is not SessionState.ENDED])
def test_anybody_may_end_it_at_any_time(state: SessionState) -> None:
    after, _ = step(session(state), SessionQuit("desk", "quit"), NOW)
    assert (after.state, after.ended_by, after.end_reason) == (SessionState.ENDED, "desk", "quit")


def test_every_state_is_reached_from_the_invitation() -> None:
    reached, fresh = {SessionState.INVITED}, {SessionState.INVITED}
    while fresh:
        fresh = {to for (at, _), (to, _) in TRANSITIONS.items() if at in fresh} - reached
        reached |= fresh
    assert reached == set(SessionState)


def test_the_reference_procedure_in_one_line() -> None:
    said: list[Event] = [InvitationOpened(), CallerTapped(), CameraAsked(), CameraGranted()]
    said += [MediaFlowing(), PeerLost(), MediaFlowing(), SessionQuit("desk", "quit")]
    at, states = session(), []
    for event in said:
        at, _ = step(at, event, NOW)
        states.append(at.state.value)
    expected = "opened tapped tapped connecting live interrupted live ended"
    assert states == expected.split()


def test_a_camera_that_is_allowed_again_is_no_trouble_any_more() -> None:
    at = session(SessionState.LIVE, camera="granted")
    story: list[Event] = [CameraRefused("denied"), CameraAsked(), CameraGranted()]
    cameras = []
    for event in story:
        at, _ = step(at, event, NOW)
        assert at.state is SessionState.INTERRUPTED
        cameras.append(at.camera)
    assert cameras == ["denied", "asking", "granted"]


# --- any story -------------------------------------------------------------------------------------
class Story(RuleBasedStateMachine):
    """Any sequence of events at any times, also a clock that goes back."""

    @initialize()
    def invited(self) -> None:
        self.session = session(marks={"accepted": NOW})
        self.now = NOW
        self.first: dict[str, datetime] = {"accepted": NOW}
        self.commands: list[object] = []

    @rule(seconds=st.floats(-3600, 3600))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(event=EVENTS)
    def it_happens(self, event: Event) -> None:
        before = self.session
        self.session, commands = step(before, event, self.now)
        self.commands += commands
        for mark, at in self.session.marks.items():
            self.first.setdefault(mark, at)
        assert self.session.changed in {before.changed, self.now}

    @precondition(lambda self: self.session.state is SessionState.ENDED)
    @rule(event=EVENTS)
    def the_end_is_the_end(self, event: Event) -> None:
        after, commands = step(self.session, event, self.now)
        assert after is self.session
        assert commands == ()

    @invariant()
    def marks_are_set_once(self) -> None:
        assert dict(self.session.marks) == self.first

    @invariant()
    def the_end_is_told_with_who_and_why(self) -> None:
        over = self.session.state is SessionState.ENDED
        told = (self.session.ended, self.session.ended_by, self.session.end_reason)
        assert all(part is not None for part in told) is over
        assert any(part is not None for part in told) is over

    @invariant()
    def the_peers_are_closed_once(self) -> None:
        over = self.session.state is SessionState.ENDED
        assert self.commands == ([ClosePeers(), ReleaseInvitations()] if over else [])

    @invariant()
    def what_the_store_owns_is_untouched(self) -> None:
        kept = session()
        for name in ("id", "site", "station", "created_by", "command", "created", "version"):
            assert getattr(self.session, name) == getattr(kept, name)


TestStory = Story.TestCase


@given(st.lists(EVENTS))
def test_a_picture_is_live_only_after_a_tap(events: list[Event]) -> None:
    at, tapped = session(), False
    for event in events:
        at, _ = step(at, event, NOW)
        tapped = tapped or isinstance(event, CallerTapped)
        if at.state in {
            SessionState.TAPPED,
            SessionState.CONNECTING,
            SessionState.LIVE,
            SessionState.INTERRUPTED,
        }:
            assert tapped
            assert "tapped" in at.marks


@given(st.lists(EVENTS), EVENTS)
def test_a_repetition_never_leads_further(events: list[Event], last: Event) -> None:
    at = session()
    for event in [*events, last]:
        at, _ = step(at, event, NOW)
    again, _ = step(at, last, NOW)
    assert again.state is at.state
    assert again.marks == at.marks
