"""Sessions with their call links, and stored pictures, as rows."""

from server.video.store import sessions, snapshots

__all__ = ["sessions", "snapshots"]
