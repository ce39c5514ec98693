"""Personal data at rest: Fernet (AES-128-CBC and HMAC-SHA256) under keys derived from the secret of the settings."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.core.errors import Invalid


def derive(secret: str, purpose: str) -> bytes:
    """Derive 32 bytes for one purpose, so that no key serves two (RFC 5869)."""
    return HKDF(SHA256(), 32, salt=b"visio15", info=purpose.encode()).derive(secret.encode())


class Seal:
    """Seals values and finds numbers by keyed hash; losing the secret loses the payloads, never the chain."""

    def __init__(self, secret: str) -> None:
        """Derive both keys."""
        self._fernet = Fernet(base64.urlsafe_b64encode(derive(secret, "seal")))
        self._lookup = derive(secret, "lookup")

    def close(self, plain: str) -> bytes:
        """Encrypt."""
        return self._fernet.encrypt(plain.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt what `close` made with the same secret."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as damaged:
            raise Invalid("sealed") from damaged

    def lookup(self, kind: str, value: str) -> str:
        """Keyed hash of a normalised value."""
        return hmac.new(self._lookup, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
