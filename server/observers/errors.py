"""Refusals of observers."""

from server.core.errors import Conflict, Forbidden, Invalid


class NameMissing(Invalid):
    """An observer is seen by all, so all must read who it is."""

    code = "name_missing"
    message = "Indiquez le nom de la personne invitée : tous ceux qui voient l'image le liront."


class ViewersFull(Conflict):
    """The phone's uplink bears no more connections."""

    code = "viewers_full"
    message = "Trois personnes voient ou peuvent voir cette image : retirez d'abord un observateur."


class ObserverRemoved(Forbidden):
    """A desk took the picture from this observer."""

    code = "observer_removed"
    message = "Le régulateur a mis fin à votre accès à cette image."
