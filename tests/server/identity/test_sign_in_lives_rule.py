"""Two lives of a sign-in, told before they end: decided without a clock or a database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from server.identity.domain.access import Role
from server.identity.domain.login import HOME, landing
from server.identity.domain.sign_in import (
    SignInEndReason,
    SignInLives,
    SignInStage,
    by_role,
    noted,
    standing,
)
from server.identity.domain.watched_videos import AWAY, VideoWatches
from server.identity.settings import SignInSettings

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SHIFT = SignInLives(14 * HOUR, 4 * HOUR)
minutes = st.integers(0, 1_500).map(lambda value: value * MINUTE)
lives = st.builds(SignInLives, minutes.filter(bool), minutes.filter(bool))


def at(
    seen: timedelta, now: timedelta, of: SignInLives = SHIFT
) -> tuple[SignInStage, SignInEndReason, timedelta]:
    """Where a sign-in stands that was last seen then, and when it ends."""
    found = standing(START, START + seen, START + of.absolute, of, START + now)
    return found.stage, found.why, found.ends - START


def test_a_shift_is_told_its_end_and_then_ends() -> None:
    assert at(13 * HOUR, 13 * HOUR)[0] is SignInStage.ACTIVE
    assert at(13.5 * HOUR, 13.5 * HOUR) == (
        SignInStage.ABSOLUTE_SOON,
        SignInEndReason.ABSOLUTE,
        14 * HOUR,
    )
    assert at(14 * HOUR, 14 * HOUR)[0] is SignInStage.OVER


def test_a_desk_left_alone_is_told_and_then_ends() -> None:
    assert at(HOUR, 4.8 * HOUR)[0] is SignInStage.ACTIVE
    assert at(HOUR, 4.9 * HOUR) == (SignInStage.IDLE_SOON, SignInEndReason.IDLE, 5 * HOUR)
    assert at(4.9 * HOUR, 4.9 * HOUR)[0] is SignInStage.ACTIVE
    assert at(HOUR, 5 * HOUR) == (SignInStage.OVER, SignInEndReason.IDLE, 5 * HOUR)


@given(lives, minutes, minutes)
@example(
    SignInLives(8 * MINUTE, MINUTE), 6 * MINUTE, timedelta()
)  # told is the end that no gesture moves
def test_no_activity_outlives_the_absolute_life(
    of: SignInLives, seen: timedelta, later: timedelta
) -> None:
    stage, _, ends = at(seen, seen + later, of)
    assert ends <= of.absolute
    assert stage is SignInStage.ABSOLUTE_SOON or ends <= seen + of.idle
    assert (stage is SignInStage.OVER) == (seen + later >= ends)


@given(lives, minutes, minutes)
def test_nothing_ends_untold(of: SignInLives, seen: timedelta, later: timedelta) -> None:
    """Whoever looks when it changes by itself reads each stage, and the end comes after a warning."""
    now = START + min(seen, of.absolute) + later
    found = standing(START, START + seen, START + of.absolute, of, now)
    told = []
    while found.changes is not None:
        assert found.changes > now
        told.append(found.stage)
        now = found.changes
        found = standing(START, START + seen, START + of.absolute, of, now)
    assert found.stage is SignInStage.OVER
    if told:
        assert told[-1] in {SignInStage.IDLE_SOON, SignInStage.ABSOLUTE_SOON}


def test_another_role_since_shortens_it_and_never_lengthens() -> None:
    reading = SignInLives(10 * HOUR, 30 * MINUTE)
    short = standing(START, START + 11 * HOUR, START + 14 * HOUR, reading, START + 11 * HOUR)
    assert short.stage is SignInStage.OVER
    long = standing(START, START + 11 * HOUR, START + 10 * HOUR, SHIFT, START + 11 * HOUR)
    assert long.stage is SignInStage.OVER


def test_activity_is_written_down_once_a_minute() -> None:
    assert noted(START, SHIFT, START + 59 * timedelta(seconds=1))
    assert not noted(START, SHIFT, START + MINUTE)
    assert not noted(START, SignInLives(HOUR, MINUTE), START + 6 * timedelta(seconds=1))


def test_every_role_has_its_lives_as_the_page_on_security_says() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "security.md").read_text()
    known = SignInSettings()
    groups = {name: getattr(known, name).lives for name in SignInSettings.model_fields}
    assert by_role(**groups).keys() == set(Role)
    for name, of in groups.items():
        [row] = re.findall(rf"^\| `{name}`.*$", page, re.MULTILINE)
        assert f"| {int(of.absolute / HOUR)} h |" in row
        idle = int(of.idle / MINUTE)
        assert f"| {idle // 60} h |" in row if idle >= 60 else f"| {idle} min |" in row


def test_a_sign_in_leads_where_its_role_may_go() -> None:
    assert landing("/desk", Role.REGULATOR) == "/desk"
    assert landing("/desk?launch=abc", Role.AUDITOR) == HOME
    assert landing("/audit/reconcile", Role.AUDITOR) == "/audit/reconcile"
    assert landing("/admin/telephony", Role.ARM) == HOME
    assert landing("//evil.example", Role.ADMIN) == HOME
    assert landing(None, Role.ADMIN) == HOME


# --- what its desks watch ----------------------------------------------------------------------------
def held(watches: VideoWatches, end: datetime = START) -> list[str]:
    return [watch.session for watch in watches.until("sign-in", end)]


@given(st.timedeltas(timedelta(hours=-5), timedelta(hours=5)))
def test_a_lost_desk_watched_until_the_end_when_it_was_lost_shortly_before(
    lost: timedelta,
) -> None:
    watches = VideoWatches()
    watches.begin("sign-in", "peer-1", "video-1", "201").lost = START + lost
    assert held(watches) == (["video-1"] if lost > -AWAY else [])
    watches.begin("sign-in", "peer-1", "video-1", None)  # it is back
    assert held(watches) == ["video-1"]
    [watch] = watches.until("sign-in", START)
    assert watch.station == "201"


def test_an_old_socket_of_a_page_that_is_back_changes_nothing() -> None:
    watches = VideoWatches()
    old = watches.begin("sign-in", "peer-1", "video-1", "201")
    watches.begin("sign-in", "peer-1", "video-1", "201")
    old.lost = START - HOUR
    assert held(watches) == ["video-1"]


def test_two_windows_count_each_by_itself_and_other_sign_ins_lend_nothing() -> None:
    watches = VideoWatches()
    for peer in ("peer-1", "peer-2"):
        watches.begin("sign-in", peer, "video-1", "201")
    watches.begin("another", "peer-3", "video-2", "202")
    watches.leave("sign-in", "peer-1", "video-1")
    assert held(watches) == ["video-1"]
    watches.leave("sign-in", "peer-2", "video-1")
    assert held(watches) == []
    assert watches.sessions() == {"video-2"}
    watches.drop(frozenset({"video-2"}))
    assert len(watches) == 0
