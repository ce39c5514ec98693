"""What carries the messages of a connected page."""

from typing import Final

SOCKET: Final = "socket"
"""A WebSocket: the usual way."""
REQUESTS: Final = "requests"
"""Plain requests, where no WebSocket comes up (polling.py)."""
