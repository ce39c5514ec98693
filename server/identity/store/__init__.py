"""Users, codes on their way and signed-in browsers, as rows."""

from server.identity.store import login, users

__all__ = ["login", "users"]
