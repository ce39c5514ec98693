"""The families of refusals, and those that every room can meet; each room has its own in its errors.py.

`code` is the contract (docs/protocol.md). What a person reads stands in a catalogue by code, one for each reader:
server/core/words/for_doctor.py, for_caller.py and for_shell.py (docs/adr/0040). HTTP status and socket close code come
from the family (server/web/status.py).
"""

from typing import ClassVar


class AppError(Exception):
    """Root of what the product refuses on purpose; anything else is our mistake."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str = "", **facts: object) -> None:
        """Keep `detail` for the log: ids and slugs only, never personal data; `facts` for whoever asked."""
        super().__init__(detail or self.code)
        self.detail = detail
        self.facts = facts

    @classmethod
    def codes(cls) -> list[str]:
        """List its code, then the codes of what it is a kind of: the most precise sentence is said."""
        return [kind.code for kind in cls.__mro__ if issubclass(kind, AppError)]


class Invalid(AppError):
    """The input is wrong and repeating it will not help."""

    code = "invalid"


class Unauthenticated(AppError):
    """Nobody is signed in, or the session was revoked."""

    code = "not_signed_in"


class Forbidden(AppError):
    """The role does not carry this permission."""

    code = "forbidden"


class NotFound(AppError):
    """It does not exist, or may not be shown: the answer is the same (I7)."""

    code = "not_found"


class Conflict(AppError):
    """Another writer was first; load again."""

    code = "conflict"


class TooMany(AppError):
    """A limit protects the service."""

    code = "too_many"


class Unavailable(AppError):
    """A part we need does not answer; nothing was lost."""

    code = "unavailable"


class StationUnknown(NotFound):
    """The site has no such station."""

    code = "station_unknown"


class SitePolicyUnreadable(Invalid):
    """What is stored of a site's decisions has a key or a value that this release does not know."""

    code = "site_policy_unreadable"


class StorageUnavailable(Unavailable):
    """The database is locked, full or gone."""

    code = "storage_unavailable"


def walk(root: type[AppError] = AppError) -> list[type[AppError]]:
    """List `root` and every subclass: each is counted from zero on, and has its place on the wire."""
    found = [root]
    for child in root.__subclasses__():
        found.extend(walk(child))
    return found
