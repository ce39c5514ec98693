"""Tells the pages of a site that something changed. In this process only: one serves a region."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteChanged:
    """Something of a site changed; `stations` empty means: all of them.

    `soon`: it may be shown a moment later, with what follows it.
    """

    site: str
    stations: frozenset[str] = frozenset()
    session: str | None = None
    soon: bool = False


Listener = Callable[[SiteChanged], None]


class Bus:
    """Calls every listener of the site at once; listeners only mark themselves dirty."""

    def __init__(self) -> None:
        """Start without listeners."""
        self._listeners: dict[str, set[Listener]] = {}

    def publish(self, change: SiteChanged) -> None:
        """Tell the listeners of this site (I7: no other)."""
        for listener in tuple(self._listeners.get(change.site, ())):
            listener(change)

    def subscribe(self, site: str, listener: Listener) -> Callable[[], None]:
        """Listen to one site; the result stops it."""
        listeners = self._listeners.setdefault(site, set())
        listeners.add(listener)
        return lambda: listeners.discard(listener)
