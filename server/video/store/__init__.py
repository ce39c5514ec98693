"""Tables and rows of video."""

from server.video.store import sessions, snapshots

__all__ = ["sessions", "snapshots"]
