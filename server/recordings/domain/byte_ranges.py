"""Parts of a file, as browsers ask for them when somebody moves the slider (RFC 9110, section 14)."""

import re
from dataclasses import dataclass
from typing import Final

_ONE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From the first byte up to and including the last."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1


class RangeNotSatisfiable(ValueError):
    """Nothing of the file lies there."""


def part_of(header: str | None, size: int) -> ByteRange | None:
    """Read a Range header; None for the whole file. Several ranges, or what is no range, are passed over as allowed.

    Raises RangeNotSatisfiable.
    """
    match = _ONE.fullmatch(header.replace(" ", "")) if header else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if not first:
        if int(last) == 0 or size == 0:
            raise RangeNotSatisfiable
        return ByteRange(max(0, size - int(last)), size - 1)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise RangeNotSatisfiable
    return ByteRange(int(first), min(int(last), size - 1) if last else size - 1)
