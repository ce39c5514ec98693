"""Calls, their history, facts, launches, secrets, and what may be used once, as rows."""

from server.line15.store import calls, facts, history, idempotency, launches, secrets

__all__ = ["calls", "facts", "history", "idempotency", "launches", "secrets"]
