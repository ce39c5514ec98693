"""Calls, facts, launches, secrets, and what may be used once, as rows."""

from server.line15.store import calls, facts, idempotency, launches, secrets

__all__ = ["calls", "facts", "idempotency", "launches", "secrets"]
