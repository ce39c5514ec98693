"""Where time, identifiers and secrets come from: nothing else asks the operating system for them."""

import secrets
import uuid
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time comes from here, never from `now()`: tests set it."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""


class SystemClock:
    """Aware UTC from the operating system."""

    def now(self) -> datetime:
        """Return the current time."""
        return datetime.now(UTC)


class Ids:
    """Identifiers and secrets from the operating system's generator."""

    def new(self) -> str:
        """Return an opaque id."""
        return uuid.uuid4().hex

    def token(self) -> str:
        """Return 160 unguessable bits, URL-safe, 27 characters: short enough for one SMS."""
        return secrets.token_urlsafe(20)

    def code(self) -> str:
        """Return six uniformly random digits."""
        return f"{secrets.randbelow(1_000_000):06d}"
