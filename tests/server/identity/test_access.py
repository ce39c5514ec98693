"""The permission table: every role and permission decided, and who shall not."""

from __future__ import annotations

import pytest

from server.identity.domain.access import PERMISSIONS, Permission, Role, may

EXPECTED = {
    Role.ARM: {"desk.use", "feedback.send", "selftest.use"},
    Role.REGULATOR: {"desk.use", "feedback.send", "selftest.use"},
    Role.AUDITOR: {"audit.read", "audit.link", "feedback.send"},
    Role.REFERENT: {"audit.read", "audit.link", "feedback.send", "feedback.read"},
    Role.ADMIN: {"admin", "feedback.send", "feedback.read", "selftest.use"},
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("permission", list(Permission))
def test_every_pair_is_decided(role: Role, permission: Permission) -> None:
    assert may(role, permission) == (permission.value in EXPECTED[role])


def test_the_table_is_complete() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert set().union(*PERMISSIONS.values()) == set(Permission)


def test_who_films_does_not_audit() -> None:
    for audits in (Permission.AUDIT_READ, Permission.AUDIT_LINK):
        both = {Permission.DESK_USE, audits}
        assert not any(both <= permissions for permissions in PERMISSIONS.values())
