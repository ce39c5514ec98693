"""Secrets in links, cookies and addresses of launches: only their hash is stored."""

import hashlib


def token_hash(token: str) -> str:
    """Return what is stored of a token, or of the browser's cookie: never the secret itself."""
    return hashlib.sha256(token.encode()).hexdigest()
