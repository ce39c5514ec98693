"""Tables and rows of line15."""

from server.line15.store import calls, launches, secrets
from server.line15.store import idempotency as once

__all__ = ["calls", "launches", "once", "secrets"]
