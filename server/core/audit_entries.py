"""A row of the audit (I4), who acts, and the hashes that chain the rows. The journal makes a row of an `Entry`.

A row holds ids, times and a salted commitment, and is bound to the one before by SHA-256.

Erasing a payload never breaks the chain: the chain holds SHA-256(salt ‖ payload), and the salt goes with the payload.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

GENESIS: Final = "0" * 64


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
        row.data,
        row.commitment,
        row.prev,
    ]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where: goes into every audit row (the address into its erasable payload)."""

    source: str  # server | desk | phone | feed | gateway | cli
    site: str
    user: str | None = None
    address: str | None = None
