"""A picture that a desk stored: what is known of it besides the picture."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

LARGEST: Final = 1_000_000  # bytes of a JPEG


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One; `at` is when it was seen at the desk, `sha256` that of the JPEG as it was stored."""

    id: str
    site: str
    session: str
    by: str
    at: datetime
    width: int
    height: int
    sha256: str
    erased: bool
