"""Counts every frame of a socket, of whatever kind (docs/adr/0025).

Tornado answers pings and gathers the fragments of a message by itself: who sends nothing else is heard by nobody.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from tornado.websocket import WebSocketHandler, WebSocketProtocol13

PAUSE: Final = 0.1  # seconds between two frames of a page that is being sent away for a flood


class CountedFrames(WebSocketProtocol13):
    """Tells `count` of each frame that came; once it says False, the rest is read slowly until the socket is closed."""

    def __init__(
        self, handler: WebSocketHandler, plain: WebSocketProtocol13, count: Callable[[], bool]
    ) -> None:
        """Take the place of `plain`, made for the same socket."""
        super().__init__(handler, mask_outgoing=False, params=plain.params)
        self._count = count

    def bear(self, size: int) -> None:
        """Close the socket from now on for a message of more than `size` bytes, before it is held in memory."""
        self.params.max_message_size = size

    async def _receive_frame(self) -> None:
        await super()._receive_frame()
        if not self._count():
            await asyncio.sleep(PAUSE)
