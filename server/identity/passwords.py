"""Passwords with Argon2id (RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes), in threads."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 4  # 4 × 64 MiB at most
LONGEST = 1024  # characters; longer ones are refused after the same work


class Passwords:
    """Hashes and verifies; `verifications` counts the work done, for whoever checks that it is always the same."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Prepare the hash that unknown users are compared with."""
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))
        self._free = asyncio.Semaphore(AT_ONCE)
        self.verifications = 0

    async def hash(self, password: str) -> str:
        """Hash a new password."""
        async with self._free:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Compare in a thread; None is compared with a hash nobody knows the password of."""
        async with self._free:
            self.verifications += 1
            right = await asyncio.to_thread(
                self._verify, stored or self._nobody, password[:LONGEST]
            )
        return right and stored is not None and len(password) <= LONGEST

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def stale(self, stored: str) -> bool:
        """Whether the parameters have changed since."""
        return self._hasher.check_needs_rehash(stored)
