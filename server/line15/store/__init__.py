"""Tables and rows of line15."""

from server.line15.store import calls, idempotency, launches, secrets

__all__ = ["calls", "idempotency", "launches", "secrets"]
