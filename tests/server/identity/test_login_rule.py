"""One-time codes, back-off and targets, decided without a clock or a database."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.limits.throttle import LONGEST_BLOCK, WINDOW, blocked, fail, forgiven
from server.identity.domain.login import (
    ACCOUNT_FAILURES,
    CODE_LIFE,
    CODE_TRIES,
    HOME,
    CodeOutcome,
    LoginChallenge,
    answer,
    normal_identifier,
    safe_next,
)
from tests.frozen import FILE

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def challenge(user: str | None = "u", tries: int = 0) -> LoginChallenge:
    return LoginChallenge(
        "id", "site", user, "account", "right", "email", tries, HOME, NOW, NOW + CODE_LIFE
    )


@given(st.integers(0, CODE_TRIES + 2), st.integers(-60, 600), st.sampled_from(["right", "wrong"]))
def test_a_code_is_accepted_only_in_its_tries_and_time(tries: int, age: int, code: str) -> None:
    tried, outcome = answer(challenge(tries=tries), code, NOW + age * SECOND)
    alive = tries < CODE_TRIES and age < CODE_LIFE.total_seconds()
    assert (outcome is CodeOutcome.ACCEPTED) == (alive and code == "right")
    assert tried.tries == tries + alive


@given(st.integers(0, CODE_TRIES))
def test_wrong_credentials_accept_no_code(tries: int) -> None:
    assert answer(challenge(None, tries), "right", NOW)[1] is not CodeOutcome.ACCEPTED


def test_the_fifth_wrong_try_is_the_last() -> None:
    one, outcomes = challenge(), []
    for _ in range(CODE_TRIES):
        one, outcome = answer(one, "wrong", NOW)
        outcomes.append(outcome)
    assert outcomes == [CodeOutcome.WRONG] * 4 + [CodeOutcome.OVER]
    assert answer(one, "right", NOW)[1] is CodeOutcome.OVER


def test_blocks_grow_to_an_hour_and_stay_there() -> None:
    throttle, now, blocks = None, NOW, []
    for _ in range(ACCOUNT_FAILURES + 9):
        throttle = fail(throttle, "k", now, ACCOUNT_FAILURES)
        if throttle.blocked_until and blocked(throttle, now):
            blocks.append((throttle.blocked_until - now).total_seconds() / 60)
            now = throttle.blocked_until
            assert not blocked(throttle, now)
    assert blocks == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_rare_failures_are_forgotten() -> None:
    throttle, now = None, NOW
    for _ in range(50):
        throttle = fail(throttle, "k", now, ACCOUNT_FAILURES)
        assert not blocked(throttle, now)
        now += WINDOW + SECOND


@given(st.lists(st.integers(0, 4000), max_size=40))
def test_no_rhythm_of_failures_beats_the_limit(pauses: list[int]) -> None:
    """However the failures are spread, many in one window always end in a block, never longer than an hour."""
    throttle, now, times = None, NOW, []
    for pause in pauses:
        now += pause * SECOND
        if blocked(throttle, now):
            continue
        throttle = fail(throttle, "k", now, ACCOUNT_FAILURES)
        times.append(now)
        recent = [t for t in times if now - t <= WINDOW]
        if len(recent) >= 2 * ACCOUNT_FAILURES:
            assert throttle.blocked_until is not None
        assert throttle.blocked_until is None or throttle.blocked_until - now <= LONGEST_BLOCK


def test_forgiving_counts_nothing() -> None:
    assert forgiven(None, "k", NOW).count == 0
    once = fail(None, "k", NOW, ACCOUNT_FAILURES)
    assert forgiven(once, "k", NOW + SECOND) is once


@pytest.mark.parametrize(
    "target",
    [
        "/kiosk",
        "/desk",
        "/audit",
        "/desk?launch=aB3-_x",
        "/audit/calls/0123abc",
        "/audit/sessions/0123abc",
    ],
)
def test_known_pages_are_kept(target: str) -> None:
    assert safe_next(target) == target


#: No pages of their own: what other pages load.
LOADED = ("/desk/photos/", "/audit/recordings/", "/audit/snapshots/", "/incidents.csv")


def pages() -> list[str]:
    """A path of each page that needs a sign-in, from the list of routes."""
    listed = json.loads(FILE.read_text())["routes"]["listed"]
    found = [
        re.sub(r"\(.*\)", "0123abc", one["path"]).removesuffix("$").replace("\\", "")
        for one in listed
        if (one.get("permission") or one.get("signed_in"))
        and "GET" in one["methods"]
        and not one.get("wants_json")
    ]
    return [path for path in found if not path.startswith(LOADED)]


@pytest.mark.parametrize("page", pages())
def test_a_sign_in_leads_back_to_every_page(page: str) -> None:
    assert safe_next(page) == page


def test_the_list_of_pages_is_read() -> None:
    assert {"/kiosk", "/audit/calls/0123abc", "/admin/telephony"} <= {*pages()}


@given(st.text())
def test_anything_else_leads_home(target: str) -> None:
    kept = safe_next(target)
    assert kept == HOME or (kept == target and target.startswith(("/desk", "/audit", "/kiosk")))
    assert "//" not in kept
    assert "\\" not in kept
    assert kept.isprintable()


@pytest.mark.parametrize(
    "target", [None, "", "//x", "/desk?launch=", "/audit/calls/../x", "/desk\n"]
)
def test_odd_targets_lead_home(target: str | None) -> None:
    assert safe_next(target) == HOME


def test_identifiers_are_read_as_people_type_them() -> None:
    assert normal_identifier("  Marie.DURAND ") == "marie.durand"
