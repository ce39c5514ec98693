"""The one table of refusals on the wire: family → HTTP status and WebSocket close code."""

from collections.abc import Mapping
from typing import Final

from server.core.errors import (
    AppError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)

WIRE: Final[Mapping[type[AppError], tuple[int, int]]] = {
    Invalid: (400, 4400),
    Unauthenticated: (401, 4401),
    Forbidden: (403, 4403),
    NotFound: (404, 4404),
    Conflict: (409, 4409),
    TooMany: (429, 4429),
    Unavailable: (503, 4503),
}


def _family(error: AppError) -> tuple[int, int]:
    for kind in type(error).__mro__:
        if kind in WIRE:
            return WIRE[kind]
    return 500, 1011


def status_of(error: AppError) -> int:
    """HTTP status of `error`'s family."""
    return _family(error)[0]


def close_code_of(error: AppError) -> int:
    """WebSocket close code of `error`'s family."""
    return _family(error)[1]
