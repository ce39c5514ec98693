"""I5 in pure code: who may use a link, when, and what a second device reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import AppError
from server.invitations.domain.invitation import (
    Invitation,
    admit,
    moved_to,
    opened,
    revoked,
    tapped,
)
from server.invitations.errors import InvitationLinkRevoked
from server.video.domain.session import Session, SessionState
from server.video.errors import OpenElsewhere, SessionEnded
from server.web.errors import InvitationLinkExpired

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LIFE = timedelta(minutes=15)
OPEN = [state for state in SessionState if state is not SessionState.ENDED]


def link(id_: str = "sms", **changes: Any) -> Invitation:
    invitation = Invitation(id_, "site", "s", id_, "contact", f"hash-{id_}", NOW, NOW + LIFE)
    return replace(invitation, **changes)


def session(state: SessionState = SessionState.INVITED, **changes: Any) -> Session:
    return Session("s", "site", "201", "user", "command1", NOW, NOW, state, **changes)


def over(reason: str) -> Session:
    return session(SessionState.ENDED, ended=NOW, ended_by="server", end_reason=reason)


def refusal(
    invitation: Invitation,
    browser: str | None = None,
    *,
    at: datetime = NOW,
    others: tuple[Invitation, ...] = (),
    of: Session | None = None,
) -> type[AppError] | None:
    try:
        admit(invitation, others, of or session(), browser, at)
    except AppError as refused:
        return type(refused)
    return None


# --- fifteen minutes -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(0), None),
        (LIFE - timedelta(microseconds=1), None),
        (LIFE, InvitationLinkExpired),
        (timedelta(days=1), InvitationLinkExpired),
        (timedelta(hours=-1), None),
    ],
)
def test_the_first_tap_has_fifteen_minutes(
    after: timedelta, expected: type[AppError] | None
) -> None:
    assert refusal(link(), at=NOW + after) is expected
    assert refusal(link(opened=NOW), "anybody", at=NOW + after) is expected


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("after", [timedelta(0), LIFE, timedelta(hours=12)])
def test_the_browser_that_tapped_comes_back_for_as_long_as_the_video_lives(
    state: SessionState, after: timedelta
) -> None:
    bound = tapped(link(), "phone", NOW)
    assert refusal(bound, "phone", at=NOW + after, of=session(state)) is None


@pytest.mark.parametrize("browser", [None, "", "tablet", "phone "])
def test_any_other_browser_reads_open_elsewhere(browser: str | None) -> None:
    bound = tapped(link(), "phone", NOW)
    for after in (timedelta(0), LIFE, timedelta(days=1)):
        assert refusal(bound, browser, at=NOW + after) is OpenElsewhere


# --- two links of one video ------------------------------------------------------------------------
def test_the_first_of_two_devices_wins() -> None:
    sms, mail = link("sms"), link("email")
    assert refusal(mail, "tablet", others=(sms,)) is None
    sms = tapped(sms, "phone", NOW)
    assert refusal(mail, "tablet", others=(sms,)) is OpenElsewhere
    assert refusal(mail, None, others=(sms,)) is OpenElsewhere
    assert refusal(sms, "phone", others=(mail,)) is None


def test_the_same_phone_may_not_hold_both_links() -> None:
    sms, mail = tapped(link("sms"), "phone", NOW), link("email")
    assert refusal(mail, "phone", others=(sms,)) is OpenElsewhere


def move(links: list[Invitation], target: str, at: datetime) -> list[Invitation]:
    return [moved_to(each, target, at + LIFE) for each in links]


def test_a_video_moves_to_the_other_device_and_back() -> None:
    later = NOW + timedelta(hours=1)
    sms, mail = move([tapped(link("sms"), "phone", NOW), link("email")], "email", later)
    assert refusal(sms, "phone", at=later, others=(mail,)) is OpenElsewhere
    assert refusal(mail, "tablet", at=later, others=(sms,)) is None
    mail = tapped(mail, "tablet", later)
    assert refusal(mail, "phone", at=later, others=(sms,)) is OpenElsewhere
    assert refusal(mail, "tablet", at=later + timedelta(hours=2), others=(sms,)) is None
    sms, mail = move([sms, mail], "sms", later)
    assert refusal(mail, "tablet", at=later, others=(sms,)) is OpenElsewhere
    assert refusal(sms, "phone", at=later, others=(mail,)) is None
    assert refusal(sms, "another phone", at=later, others=(mail,)) is None


def test_a_link_moved_to_has_its_own_fifteen_minutes() -> None:
    later = NOW + timedelta(hours=1)
    [_, mail] = move([tapped(link("sms"), "phone", NOW), link("email")], "email", later)
    assert refusal(mail, at=later + LIFE - timedelta(seconds=1)) is None
    assert refusal(mail, at=later + LIFE) is InvitationLinkExpired


def test_moving_to_the_same_link_frees_it_for_another_browser() -> None:
    [sms] = move([tapped(link(), "phone", NOW)], "sms", NOW)
    assert (sms.browser_hash, sms.tapped, sms.active) == (None, None, True)
    assert refusal(sms, "another phone") is None


# --- withdrawn and over ----------------------------------------------------------------------------
@pytest.mark.parametrize("browser", [None, "phone", "tablet"])
@pytest.mark.parametrize("bound", [False, True])
def test_a_withdrawn_link_is_withdrawn_for_everybody(browser: str | None, *, bound: bool) -> None:
    withdrawn = revoked(tapped(link(), "phone", NOW) if bound else link(), NOW)
    assert refusal(withdrawn, browser) is InvitationLinkRevoked
    assert refusal(withdrawn, browser, at=NOW + timedelta(days=1)) is InvitationLinkRevoked
    assert refusal(withdrawn, browser, of=over("quit")) is InvitationLinkRevoked


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("quit", SessionEnded),
        ("left", SessionEnded),
        ("lost", SessionEnded),
        ("expired", InvitationLinkExpired),
    ],
)
@pytest.mark.parametrize("browser", [None, "phone", "tablet"])
def test_after_the_end_a_link_says_why(
    reason: str, expected: type[AppError], browser: str | None
) -> None:
    assert refusal(link(), browser, of=over(reason)) is expected
    assert refusal(tapped(link(), "phone", NOW), browser, of=over(reason)) is expected


def test_a_second_withdrawal_keeps_the_first_time() -> None:
    once = revoked(link(), NOW)
    assert revoked(once, NOW + LIFE) is once


# --- times -----------------------------------------------------------------------------------------
def test_opening_is_noted_once_and_binds_nothing() -> None:
    once = opened(link(), NOW)
    assert opened(once, NOW + LIFE) is once
    assert (once.opened, once.tapped, once.browser_hash) == (NOW, None, None)


def test_a_tap_notes_an_opening_that_was_not_reported() -> None:
    assert tapped(link(), "phone", NOW).opened == NOW
    before = link(opened=NOW - timedelta(seconds=9))
    assert tapped(before, "phone", NOW).opened == before.opened


WHO = st.sampled_from([None, "phone", "tablet", "stranger"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["tap", "move", "revoke", "open"]),
            st.integers(0, 1),
            WHO,
            st.integers(0, 40),
        )
    )
)
def test_whatever_happens_at_most_one_browser_holds_the_video(
    story: list[tuple[str, int, str | None, int]],
) -> None:
    links, now = [link("sms"), link("email")], NOW
    for what, which, browser, minutes in story:
        now += timedelta(minutes=minutes)
        others = tuple(each for each in links if each is not links[which])
        if what == "move":
            links = move(links, links[which].id, now)
        elif what == "revoke":
            links[which] = revoked(links[which], now)
        elif refusal(links[which], browser, at=now, others=others) is None:
            if what == "open":
                links[which] = opened(links[which], now)
            elif links[which].browser_hash is None:
                links[which] = tapped(links[which], browser or "fresh", now)
        holders = [each for each in links if each.browser_hash and each.active]
        assert len(holders) <= 1
        for each in links:
            if each.browser_hash:
                stranger = refusal(each, "somebody else", at=now, others=())
                assert stranger in {OpenElsewhere, InvitationLinkRevoked}
