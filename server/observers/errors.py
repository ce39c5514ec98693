"""Refusals of observers."""

from server.core.errors import Conflict, Forbidden, Invalid


class NameMissing(Invalid):
    """An observer is seen by all, so all must read who it is."""

    code = "name_missing"


class ViewersFull(Conflict):
    """The phone's uplink bears no more connections."""

    code = "viewers_full"


class ObserverRemoved(Forbidden):
    """A desk took the picture from this observer."""

    code = "observer_removed"
