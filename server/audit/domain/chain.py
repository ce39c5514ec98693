"""Walking a chain of audit rows: does each follow the one before?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.core.audit_entries import GENESIS, AuditRow, commitment, digest

# A payload that should be there and cannot be opened: it agrees with no commitment.
UNREADABLE: Final = (b"", "")


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What reading the chain showed: its length, its head, and where it first breaks (None: nowhere)."""

    count: int
    head: str
    broken_at: int | None

    @property
    def intact(self) -> bool:
        """Whether every row is where and what it was."""
        return self.broken_at is None


class ChainVerifier:
    """Walks a chain row by row, so that a million rows need no memory."""

    def __init__(self, noted: str | None = None) -> None:
        """Start before the first row; `noted` is a head somebody wrote down elsewhere, to be met on the way."""
        self._count = 0
        self._head = GENESIS
        self._broken: int | None = None
        self._noted = noted
        self._met = noted in {None, GENESIS}

    @property
    def count(self) -> int:
        """Rows read so far."""
        return self._count

    @property
    def head(self) -> str:
        """Hash of the last row read."""
        return self._head

    @property
    def met(self) -> bool:
        """Whether the noted head was met: a chain cut or rewritten below it was not."""
        return self._met

    def feed(self, row: AuditRow, payload: tuple[bytes, str] | None) -> None:
        """Check `row` against the one before and, where the payload is not erased, against its commitment."""
        self._count += 1
        whole = (
            row.seq == self._count
            and row.prev == self._head
            and row.hash == digest(row)
            and (payload is None or commitment(*payload) == row.commitment)
        )
        if not whole and self._broken is None:
            self._broken = row.seq
        self._head = row.hash
        self._met = self._met or row.hash == self._noted

    def lose(self, seq: int) -> None:
        """Note that a row read before is no longer there or no longer the same."""
        if self._broken is None:
            self._broken = seq

    def verdict(self) -> ChainVerdict:
        """Say what was found so far."""
        return ChainVerdict(self._count, self._head, self._broken)


def verify(rows: Iterable[AuditRow]) -> ChainVerdict:
    """Check a chain held in memory, payloads aside."""
    verifier = ChainVerifier()
    for row in rows:
        verifier.feed(row, None)
    return verifier.verdict()
