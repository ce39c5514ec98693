"""Tables and rows of line15."""

from server.line15.store import calls, launches, once, secrets

__all__ = ["calls", "launches", "once", "secrets"]
