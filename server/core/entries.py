"""The audit chain (I4): ids, times and salted commitments, each row bound to the one before by SHA-256.

Erasing a payload never breaks the chain: the chain holds SHA-256(salt ‖ payload), and the salt goes with the payload.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

GENESIS: Final = "0" * 64
# A payload that should be there and cannot be opened: it agrees with no commitment.
UNREADABLE: Final = (b"", "")


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What happened, before it has its place in the chain.

    `action` is past tense with its subject's kind (`invitation.created`); `data` holds ids, slugs and counts only;
    `personal` goes to the erasable payload.
    """

    action: str
    subject: str
    session: str | None = None
    call: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    personal: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One link of the chain, as stored."""

    site: str
    seq: int
    at: datetime
    source: str
    action: str
    subject: str
    session: str | None
    call: str | None
    actor: str | None
    data: Mapping[str, object]
    commitment: str
    prev: str
    hash: str


def canonical(value: Mapping[str, object]) -> str:
    """Write a value in the one form that is hashed; what reading it gives back is equal for ever."""
    return json.dumps(
        dict(value),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_plain,
    )


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not for the audit: {type(value).__name__}")


def commitment(salt: bytes, payload: str) -> str:
    """Commit to a payload without telling it."""
    return hashlib.sha256(salt + payload.encode()).hexdigest()


def digest(row: AuditRow) -> str:
    """Hash of everything in `row` but its own hash, in canonical JSON."""
    body = [
        row.site,
        row.seq,
        row.at.isoformat(timespec="microseconds"),
        row.source,
        row.action,
        row.subject,
        row.session,
        row.call,
        row.actor,
        dict(row.data),
        row.commitment,
        row.prev,
    ]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What reading the chain showed: its length, its head, and where it first breaks (None: nowhere)."""

    count: int
    head: str
    broken_at: int | None

    @property
    def intact(self) -> bool:
        """Whether every row is where and what it was."""
        return self.broken_at is None


class Verifier:
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

    def verdict(self) -> Verdict:
        """Say what was found so far."""
        return Verdict(self._count, self._head, self._broken)


def verify(rows: Iterable[AuditRow]) -> Verdict:
    """Check a chain held in memory, payloads aside."""
    verifier = Verifier()
    for row in rows:
        verifier.feed(row, None)
    return verifier.verdict()
