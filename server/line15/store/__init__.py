"""Calls, launches, secrets, and what may be used once, as rows."""

from server.line15.store import calls, idempotency, launches, secrets

__all__ = ["calls", "idempotency", "launches", "secrets"]
