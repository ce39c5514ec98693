"""What the audit tells of administration: sites, stations, users, secrets."""

from server.core.journal.entries import Entry, entry
from server.core.journal.payloads import Equipment, HasRole, Nothing, Policy, Unlocked


def site_added(site: str) -> Entry:
    """A SAMU was added."""
    return entry("site.added", f"site:{site}", Nothing())


def site_policy_set(
    site: str,
    *,
    observers: int | None = None,
    launch: str | None = None,
    snapshots: str | None = None,
) -> Entry:
    """A policy of a site was set: how many observers it lists, whether launches are signed, snapshots stored."""
    payload = Policy(observers=observers, launch=launch, snapshots=snapshots)
    return entry("site.policy_set", f"site:{site}", payload)


def station_added(extension: str, *, webcam: bool) -> Entry:
    """A station was added."""
    return entry("station.added", f"station:{extension}", Equipment(webcam=webcam))


def user_added(user: str, *, role: str) -> Entry:
    """A user was added."""
    return entry("user.added", f"user:{user}", HasRole(role=role))


def user_role_set(user: str, *, role: str) -> Entry:
    """What a user may do was changed."""
    return entry("user.role_set", f"user:{user}", HasRole(role=role))


def user_disabled(user: str) -> Entry:
    """A user was shut out."""
    return entry("user.disabled", f"user:{user}", Nothing())


def user_enabled(user: str) -> Entry:
    """A user may sign in again."""
    return entry("user.enabled", f"user:{user}", Nothing())


def user_password_reset(user: str) -> Entry:
    """A user was given a new password."""
    return entry("user.password_reset", f"user:{user}", Nothing())


def user_sessions_revoked(user: str) -> Entry:
    """A user was signed out everywhere."""
    return entry("user.sessions_revoked", f"user:{user}", Nothing())


def user_unlocked(user: str, *, blocked: bool) -> Entry:
    """The failures of an account were forgotten; `blocked` if they shut it."""
    return entry("user.unlocked", f"user:{user}", Unlocked(blocked=blocked))


def secret_added(secret: str) -> Entry:
    """A secret was made for a site's call-centre software."""
    return entry("secret.added", f"secret:{secret}", Nothing())


def secret_retired(secret: str) -> Entry:
    """A secret signs nothing more."""
    return entry("secret.retired", f"secret:{secret}", Nothing())
