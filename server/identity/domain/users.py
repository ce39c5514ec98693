"""A professional who can sign in."""

from dataclasses import dataclass
from datetime import datetime

from server.identity.domain.access import Role


@dataclass(frozen=True, slots=True)
class User:
    """A professional who can sign in."""

    id: str
    site: str
    identifier: str
    name: str
    role: Role
    password_hash: str
    email: str | None
    mobile: str | None
    disabled: datetime | None
    version: int
