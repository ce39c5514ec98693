"""How long a sign-in lasts, decided in pure code: an absolute life and an idle one, by role, each told before its end.

Activity is what a person does: a page asked for, a key, the pointer. What pages do by themselves prolongs nothing.
docs/security.md says why these lives, after OWASP ASVS 5 (V7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from server.identity.domain.access import Role

#: Activity is written down no more often than this; of a short life, than a tenth.
TOUCH_EVERY: Final = timedelta(minutes=1)
#: How long before its end a sign-in is told to end; of a short life, a quarter.
TELL_IDLE: Final = timedelta(minutes=10)
TELL_ABSOLUTE: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class SignInLives:
    """How long a sign-in lasts in all, and without activity."""

    absolute: timedelta
    idle: timedelta


def by_role(
    desk: SignInLives, reading: SignInLives, administration: SignInLives
) -> Mapping[Role, SignInLives]:
    """Return the lives of every role."""
    return {
        Role.ARM: desk,
        Role.REGULATOR: desk,
        Role.AUDITOR: reading,
        Role.REFERENT: reading,
        Role.ADMIN: administration,
    }


class SignInStage(StrEnum):
    """Where a sign-in stands."""

    ACTIVE = "active"
    IDLE_SOON = "idle_soon"  # any activity prolongs it
    ABSOLUTE_SOON = "absolute_soon"  # only password and code prolong it
    OVER = "over"


class SignInEndReason(StrEnum):
    """Which of its lives ends a sign-in first."""

    IDLE = "idle"
    ABSOLUTE = "absolute"


@dataclass(frozen=True, slots=True)
class SignInStatus:
    """A sign-in at a moment: `ends` unless something is done; `changes`: when the stage is another one by itself.

    While ABSOLUTE_SOON the absolute end is told, which only password and code move, though the idle one may come first:
    its own stage comes before it.
    """

    stage: SignInStage
    why: SignInEndReason
    ends: datetime
    changes: datetime | None


def noted(seen: datetime, lives: SignInLives, now: datetime) -> bool:
    """Whether activity now is already written down, as good as."""
    return now - seen < min(TOUCH_EVERY, lives.idle / 10)


def standing(
    created: datetime, seen: datetime, expires: datetime, lives: SignInLives, now: datetime
) -> SignInStatus:
    """Judge a sign-in by when it was made, last seen active, and when it ends for good.

    `expires` was fixed at the sign-in; today's role may end it before.
    """
    absolute = min(expires, created + lives.absolute)
    idle = seen + lives.idle
    why = SignInEndReason.IDLE if idle < absolute else SignInEndReason.ABSOLUTE
    ends = min(idle, absolute)
    if now >= ends:
        return SignInStatus(SignInStage.OVER, why, ends, None)
    idle_told = idle - min(TELL_IDLE, lives.idle / 4)
    absolute_told = absolute - min(TELL_ABSOLUTE, lives.absolute / 4)
    # The end that comes first is told first; when it is the idle one, one gesture shows whether the other is near.
    if why is SignInEndReason.IDLE and now >= idle_told:
        return SignInStatus(SignInStage.IDLE_SOON, why, ends, ends)
    later = ends if why is SignInEndReason.ABSOLUTE else idle_told
    if now >= absolute_told:
        return SignInStatus(SignInStage.ABSOLUTE_SOON, SignInEndReason.ABSOLUTE, absolute, later)
    return SignInStatus(SignInStage.ACTIVE, why, ends, min(later, absolute_told))


@dataclass(frozen=True, slots=True)
class StoredSignIn:
    """A signed-in browser; `id` is the hash of its cookie, `seen` its last activity, `expires` its end for good."""

    id: str
    site: str
    user: str
    created: datetime
    seen: datetime
    expires: datetime
    revoked: datetime | None
