"""What others may do with a connected page, whatever carries its messages."""

from collections.abc import Mapping
from typing import Protocol

from server.core.errors import AppError


class Socket(Protocol):
    """A connected page."""

    def send(self, message: Mapping[str, object]) -> None:
        """Queue one message; never blocks, never raises."""

    def show(self, key: str, frame: bytes) -> None:
        """Queue one binary frame in the place of the one of this key that did not leave yet."""

    def shut(self, error: AppError) -> None:
        """Tell why and close."""
