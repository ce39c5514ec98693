"""Shows a desk its view after each change: the first change at once, those that follow closely in one view."""

import asyncio
from datetime import timedelta

from server.core.bus import SiteChanged
from server.desk.service.view import Desk, DeskView, sessions_of
from server.desk.web.connected_desk import ConnectedDesk

PERIODIC = timedelta(seconds=30)
GATHER_SECONDS = 0.02  # at least between two views of a desk
#: What a phone says of itself between tap and first picture is shown together, after it.
SOON_SECONDS = 0.25


class Showing:
    """Sends whole views to one desk."""

    def __init__(self, desk: ConnectedDesk, view: DeskView) -> None:
        """Start with nothing shown."""
        self._desk = desk
        self._view = view
        self._blind = False  # the last view could not be made
        self._soon: asyncio.TimerHandle | None = None

    def changed(self, change: SiteChanged) -> None:
        """Show the view anew when the change concerns this desk."""
        here = self._desk.extension
        mine = change.session is not None and self._desk.is_shown(change.session)
        if change.stations and here not in change.stations and not mine:
            return
        if not change.soon:
            self._desk.dirty.set()
        elif self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON_SECONDS, self._desk.dirty.set)

    async def run(self) -> None:
        """Send views until the page is gone."""
        desk, loop, last = self._desk, asyncio.get_running_loop(), 0.0
        while not desk.page.over.is_set():
            try:
                async with asyncio.timeout(PERIODIC.total_seconds()):
                    await desk.dirty.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(last + GATHER_SECONDS - loop.time())
            desk.dirty.clear()
            if self._soon is not None:
                self._soon.cancel()
                self._soon = None
            last = loop.time()
            await self._send_view(Desk(*desk.page.me(), desk.station, desk.launched, desk.watching))

    async def _send_view(self, whose: Desk) -> None:
        try:
            view = await self._view.of(whose)
            self._desk.shown = sessions_of(view)
            self._desk.page.send(view)
            self._blind = False
        except Exception as fault:  # noqa: BLE001 - the desk lives on and is shown the next view
            self._desk.page.tell(fault, again=self._blind)
            self._blind = True
            await asyncio.sleep(1)
            self._desk.dirty.set()
