"""What a check of the doctor says: one line, and what to do about it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`bad` makes the doctor end with status 1; `do` says what to do next. Never a secret in either."""

    level: Literal["ok", "warn", "bad"]
    part: str
    text: str
    do: str = ""
