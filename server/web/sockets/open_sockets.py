"""The pages connected now: a server that stops tells each of them, and waits for the work they gave it."""

import asyncio

from server.core.errors import AppError
from server.web.sockets.connected_page import Socket


class OpenSockets:
    """Every open socket of this process, from its opening until its last work is done."""

    def __init__(self) -> None:
        """Start alone."""
        self._pages: set[Socket] = set()
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._why: AppError | None = None  # all were sent away: who comes now is, too

    @property
    def anybody(self) -> bool:
        """Whether a page is connected, or its work not yet done."""
        return bool(self._pages)

    def enter(self, page: Socket) -> None:
        """Count a page in; one that comes while the server stops is sent away as the others were."""
        self._pages.add(page)
        self._nobody.clear()
        if self._why is not None:
            page.shut(self._why)

    def leave(self, page: Socket) -> None:
        """Count it out."""
        self._pages.discard(page)
        if not self._pages:
            self._nobody.set()

    async def dismiss(self, why: AppError) -> None:
        """Close every socket with the reason, and return when the last one is gone."""
        self._why = why
        for page in tuple(self._pages):
            page.shut(why)
        await self._nobody.wait()
