"""What carries the messages of a connected page."""

from typing import Final

SOCKET: Final = "socket"  # a WebSocket: the usual way
REQUESTS: Final = "requests"  # plain requests, where no WebSocket comes up (polling.py)
