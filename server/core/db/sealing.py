"""Sealed by signature (I7): a method of a store takes the site first, or declares here why it does not.

A store method reads and writes rows of the one site that is its first argument; a value that is stored names its own
site. An id of another site is answered like one that does not exist. Two kinds of methods know no site, and say so.
"""

from collections.abc import Callable
from typing import Final, TypeVar

_Method = TypeVar("_Method", bound=Callable[..., object])

#: Methods by module and name, as the decorators were told.
BY_TOKEN: Final[set[str]] = set()
EVERYWHERE: Final[set[str]] = set()


def name_of(method: Callable[..., object]) -> str:
    """Return the name under which a method is declared."""
    return f"{method.__module__}.{method.__qualname__}"


def by_token(method: _Method) -> _Method:
    """Declare that a method is asked before anybody knows the site: by a token, a hash of one, or what was typed.

    It touches the row of that secret alone. A row that it returns has its site, with which everything else is asked.
    """
    BY_TOKEN.add(name_of(method))
    return method


def everywhere(method: _Method) -> _Method:
    """Declare that a method is for the housekeeping of all sites; its name says so, and its rows have their site."""
    EVERYWHERE.add(name_of(method))
    return method
