"""Tables and rows of identity."""

from server.identity.store import login, users

__all__ = ["login", "users"]
