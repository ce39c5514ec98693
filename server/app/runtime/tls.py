"""The server's certificate: read, judged, and read again when its files change; a broken new one keeps the old one.

Connections that are open keep the certificate they began with; new ones get the new one.
"""

import asyncio
import datetime as dt
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from server.core.errors import Unavailable

WATCH_SECONDS: Final = 5.0
SOON: Final = dt.timedelta(days=21)
_log = structlog.get_logger("tls")


class CertificateUnusable(Unavailable):
    """The files cannot be served. Facts: those that its sentence at the shell names."""

    code = "certificate_unusable"


@dataclass(frozen=True, slots=True)
class Judged:
    """A certificate that can be served: the names it is for, and until when."""

    names: frozenset[str]
    start: dt.datetime
    end: dt.datetime

    def covers(self, host: str) -> bool:
        """Tell whether a browser that asked for `host` accepts it; `*.` stands for one label."""
        wild = "*." + host.partition(".")[2]
        return host in self.names or (wild in self.names and not _is_address(host))


def judge(certificate: Path, key: Path) -> Judged:
    """Read both files and say what they are. Raises CertificateUnusable."""
    try:
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError):
        raise CertificateUnusable("unreadable", certificate=certificate) from None
    try:
        secret = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        raise CertificateUnusable("key_unreadable", key=key) from None
    if leaf.public_key() != secret.public_key():
        raise CertificateUnusable("key_foreign", certificate=certificate, key=key)
    return Judged(_names(leaf), leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def _names(leaf: x509.Certificate) -> frozenset[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = {str(each) for each in found.get_values_for_type(x509.IPAddress)}
    return frozenset(found.get_values_for_type(x509.DNSName)) | addresses


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context that serves these files: TLS 1.2 or later. Raises CertificateUnusable."""
    judge(certificate, key)
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError):
        raise CertificateUnusable("tls", certificate=certificate, key=key) from None
    return made


class Reloader:
    """Keeps a server's certificate fresh; `apply` gets each new context."""

    def __init__(
        self,
        certificate: Path,
        key: Path,
        apply: Callable[[ssl.SSLContext], None],
        seconds: float = WATCH_SECONDS,
    ) -> None:
        """Remember the files as they are now, and until when what they hold is good (`end`)."""
        self._files = (certificate, key)
        self._apply = apply
        self._seconds = seconds
        self._wanted = asyncio.Event()
        self._seen = self._look()
        self.end = judge(certificate, key).end

    def ask(self) -> None:
        """Read the files now, changed or not (SIGHUP)."""
        self._seen = ()
        self._wanted.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            if (now := self._look()) != self._seen:
                self._seen = now
                self.reload()

    def reload(self) -> bool:
        """Serve the new files, unless they are broken or expired: then the old ones go on, and the log says why."""
        certificate, key = self._files
        try:
            judged, made = _valid_now(certificate, key), context(certificate, key)
        except CertificateUnusable as broken:
            files = {"certificate": str(certificate), "key": str(key)}
            _log.error("tls.reload_refused", why=broken.detail, **files)
            return False
        self.end = judged.end
        self._apply(made)
        _log.info("tls.reloaded", until=judged.end.isoformat())
        return True

    def _look(self) -> tuple[object, ...]:
        return tuple(_stamp(file) for file in self._files)


def _valid_now(certificate: Path, key: Path) -> Judged:
    judged = judge(certificate, key)
    if not judged.start <= dt.datetime.now(dt.UTC) < judged.end:
        raise CertificateUnusable("not_today", certificate=certificate)
    return judged


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
