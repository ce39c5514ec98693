"""Who may do what: the one permission table; an unknown permission fails at import, not at a patient's call."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a user is, in the words of a SAMU."""

    ARM = "arm"
    REGULATOR = "regulator"
    AUDITOR = "auditor"
    REFERENT = "referent"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route or a message needs."""

    DESK_USE = "desk.use"
    AUDIT_READ = "audit.read"
    AUDIT_LINK = "audit.link"
    FEEDBACK_SEND = "feedback.send"
    FEEDBACK_READ = "feedback.read"
    SELFTEST_USE = "selftest.use"
    ADMIN = "admin"


PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.ARM: frozenset({Permission.DESK_USE, Permission.FEEDBACK_SEND, Permission.SELFTEST_USE}),
    Role.REGULATOR: frozenset(
        {Permission.DESK_USE, Permission.FEEDBACK_SEND, Permission.SELFTEST_USE}
    ),
    Role.AUDITOR: frozenset(
        {Permission.AUDIT_READ, Permission.AUDIT_LINK, Permission.FEEDBACK_SEND}
    ),
    Role.REFERENT: frozenset(
        {
            Permission.AUDIT_READ,
            Permission.AUDIT_LINK,
            Permission.FEEDBACK_SEND,
            Permission.FEEDBACK_READ,
        }
    ),
    Role.ADMIN: frozenset(
        {
            Permission.ADMIN,
            Permission.FEEDBACK_SEND,
            Permission.FEEDBACK_READ,
            Permission.SELFTEST_USE,
        }
    ),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether `role` carries `permission`."""
    return permission in PERMISSIONS[role]
