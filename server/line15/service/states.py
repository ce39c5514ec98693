"""Tells the desks when a site's line 15 falls silent or comes back: a change that no call reports."""

from server.core.bus import Bus, SiteChanged
from server.line15.service.lines import Lines


class LineStates:
    """Compares each site's state with what was told last."""

    def __init__(self, lines: Lines, bus: Bus) -> None:
        """Know nothing yet."""
        self._lines = lines
        self._bus = bus
        self.told: dict[str, str] = {}

    def tell(self) -> None:
        """Publish what changed."""
        for site, state in self._lines.states().items():
            if self.told.get(site, state) != state:
                self._bus.publish(SiteChanged(site, frozenset()))
            self.told[site] = state
