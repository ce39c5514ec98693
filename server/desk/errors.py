"""Refusals of the desk."""

from server.core.errors import Conflict, TooMany


class HandOverGone(Conflict):
    """Somebody was faster: taken, withdrawn, or offered elsewhere."""

    code = "offer_gone"
    message = (
        "Cette session n'est plus proposée à ce poste : elle a été prise ou l'offre a été retirée."
    )


class TakenOver(Conflict):
    """Another desk took this station: the newer wins, the older is told."""

    code = "taken_over"
    message = "Ce poste est ouvert dans une autre fenêtre."


class StationTaken(Conflict):
    """Another person's desk sits there: it is taken on purpose only.

    Facts: `station`, `by`, `own`, `since`, `live`.
    """

    code = "station_taken"
    message = "Ce poste est tenu : prenez-le, ou choisissez-en un autre."


class PointerFlood(TooMany):
    """More places than anybody points at; counted, never told: the newest is sent all the same."""

    code = "pointer_flood"
    message = "Trop de positions par seconde."
