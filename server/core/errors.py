"""The families of refusals, and those that every room can meet; each room has its own in its errors.py.

`code` is the contract (docs/protocol.md); `message` is French, for professionals, and says what to do next; `say` is a
sentence the regulator can read aloud to the caller. HTTP status and socket close code come from the family
(server/web/status.py).
"""

from typing import ClassVar


class AppError(Exception):
    """Root of what the product refuses on purpose; anything else is our mistake."""

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "La demande n'a pas pu être traitée."
    say: ClassVar[str] = ""

    def __init__(self, detail: str = "", **facts: object) -> None:
        """Keep `detail` for the log: ids and slugs only, never personal data; `facts` for the page that asked."""
        super().__init__(detail or self.code)
        self.detail = detail
        self.facts = facts


class Invalid(AppError):
    """The input is wrong and repeating it will not help."""

    code = "invalid"
    message = "La saisie n'est pas valable : vérifiez et recommencez."


class Unauthenticated(AppError):
    """Nobody is signed in, or the session was revoked."""

    code = "not_signed_in"
    message = "Votre session est terminée : reconnectez-vous."


class Forbidden(AppError):
    """The role does not carry this permission."""

    code = "forbidden"
    message = "Votre rôle ne permet pas cette action."


class NotFound(AppError):
    """It does not exist, or may not be shown: the answer is the same (I7)."""

    code = "not_found"
    message = "Introuvable."


class Conflict(AppError):
    """Another writer was first; load again."""

    code = "conflict"
    message = "La situation a changé entre-temps : la page est à jour, recommencez."


class TooMany(AppError):
    """A limit protects the service."""

    code = "too_many"
    message = "Trop de demandes : attendez une minute."


class Unavailable(AppError):
    """A part we need does not answer; nothing was lost."""

    code = "unavailable"
    message = "Le service est momentanément indisponible : réessayez dans quelques secondes."


class StationUnknown(NotFound):
    """The site has no such station."""

    code = "station_unknown"
    message = "Ce poste n'existe pas sur votre site."


class SitePolicyUnreadable(Invalid):
    """What is stored of a site's decisions has a key or a value that this release does not know."""

    code = "site_policy_unreadable"
    message = "Ce que le site a décidé n'est pas lisible par cette version : rien n'a été changé."


class StorageUnavailable(Unavailable):
    """The database is locked, full or gone."""

    code = "storage_unavailable"
    message = "L'enregistrement est momentanément impossible : rien n'a été envoyé, réessayez."


def walk(root: type[AppError] = AppError) -> list[type[AppError]]:
    """List `root` and every subclass: each is counted from zero on, and has its place on the wire."""
    found = [root]
    for child in root.__subclasses__():
        found.extend(walk(child))
    return found
