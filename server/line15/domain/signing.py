"""What the call-centre software signs, and how it is checked: HMAC-SHA-256, constant time, a window of five minutes.

The two texts can never be taken for each other: after the time comes a line feed in one, a full stop in the other.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from server.line15.errors import LaunchExpired, LaunchSignatureWrong

WINDOW: Final = timedelta(seconds=300)
CONTEXT: Final = ("call", "caller", "station")
SIGNED: Final = ("ts", "nonce", *CONTEXT)
_TIME: Final = re.compile(r"[0-9]{1,11}")
_NONCE: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SiteSecret:
    """A secret shared with the call-centre software; `id` is the public key id, `value` is None once retired."""

    id: str
    site: str
    value: str | None = field(repr=False)
    created: datetime
    retired: datetime | None = None


def signature(secret: str, text: bytes) -> str:
    """Return the hexadecimal HMAC-SHA-256 of `text`."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def launch_text(fields: Mapping[str, str]) -> bytes:
    """Write the five signed values of a launch in their one form."""
    return "\n".join(fields.get(name, "") for name in SIGNED).encode()


def webhook_text(timestamp: str, body: bytes) -> bytes:
    """Write what is signed of a message."""
    return timestamp.encode() + b"." + body


def made_by(
    secrets: Sequence[SiteSecret], text: bytes, claimed: Sequence[str]
) -> SiteSecret | None:
    """Return the secret that made one of the claimed signatures; every pair is compared, in constant time."""
    found = None
    for secret in secrets:
        expected = signature(secret.value or "", text).encode()
        for claim in claimed:
            right = hmac.compare_digest(expected, claim.lower().encode())
            if right and secret.value:
                found = secret
    return found


def at_of(timestamp: str) -> datetime | None:
    """Read seconds since 1970; None for anything else."""
    if not _TIME.fullmatch(timestamp):
        return None
    return datetime.fromtimestamp(int(timestamp), UTC)


def fresh(timestamp: str, now: datetime) -> bool:
    """Whether a time is at most a window away, in the past or the future."""
    at = at_of(timestamp)
    return at is not None and abs(now - at) <= WINDOW


def check_launch(
    fields: Mapping[str, str], received: datetime, secrets: Sequence[SiteSecret]
) -> SiteSecret:
    """Return the secret that signed a launch; raises LaunchSignatureWrong or LaunchExpired.

    Whether the nonce was used is for the caller to find out.
    """
    values = [fields.get(name, "") for name in SIGNED]
    kid = fields.get("kid", "")
    candidates = [secret for secret in secrets if kid in {"", secret.id}]
    whole = (
        at_of(fields.get("ts", "")) is not None
        and _NONCE.fullmatch(fields.get("nonce", "")) is not None
        and _HEX.fullmatch(fields.get("sig", "").lower()) is not None
        and not any(ord(letter) < ord(" ") for value in values for letter in value)
    )
    secret = made_by(candidates, launch_text(fields), [fields.get("sig", "")]) if whole else None
    if secret is None:
        raise LaunchSignatureWrong
    if not fresh(fields["ts"], received):
        raise LaunchExpired(secret.id)
    return secret
