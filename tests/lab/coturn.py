"""The relay: a real coturn with short-lived credentials."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab.ports import free_port, tcp_port_open, udp_port_taken
from tests.lab.process import Part, own_folder, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

REALM = "lab.example"


@dataclass(frozen=True)
class Coturn:
    """A running relay."""

    host: str
    port: int
    tls_port: int | None
    secret: str
    part: Part

    @property
    def urls(self) -> tuple[str, ...]:
        """Return the TURN URLs for an RTCIceServer."""
        plain = f"turn:{self.host}:{self.port}"
        urls = [f"{plain}?transport=udp", f"{plain}?transport=tcp"]
        if self.tls_port:
            urls.append(f"turns:{self.host}:{self.tls_port}?transport=tcp")
        return tuple(urls)

    def credentials(self, name: str = "lab", *, seconds: int = 600) -> tuple[str, str]:
        """Return a username and credential valid for `seconds`."""
        username = f"{int(time.time()) + seconds}:{name}"
        digest = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
        return username, base64.b64encode(digest).decode()

    def allocations(self) -> int:
        """Return how many relay addresses were allocated so far."""
        return self.part.output().count("ALLOCATE processed, success")


def self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """Make a certificate and its key for `host`, an IP address."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ),
            *(
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={host}",
                "-addext",
                f"subjectAltName=IP:{host}",
            ),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@asynccontextmanager
async def coturn(
    host: str = "10.99.0.1", *, secret: str = "lab-turn-secret", tls: bool = False
) -> AsyncIterator[Coturn]:
    """Run coturn on `host` (10.99.0.1 inside scripts/netns, or 127.0.0.1), UDP and TCP, and TLS if asked."""
    port = free_port(host)
    tls_port = free_port(host) if tls else None
    async with own_folder("coturn") as folder:
        argv = [
            *("turnserver", "-n", "--log-file", "stdout", "--simple-log", "-v", "--no-cli"),
            *("--listening-ip", host, "--relay-ip", host, "--listening-port", str(port)),
            *(
                "--use-auth-secret",
                "--static-auth-secret",
                secret,
                "--realm",
                REALM,
                "--fingerprint",
            ),
            *("--min-port", "40000", "--max-port", "49999", "--no-multicast-peers", "--no-rfc5780"),
            *("--userdb", str(folder / "turn.db"), "--pidfile", str(folder / "turn.pid")),
        ]
        if host.startswith("127."):
            argv.append("--allow-loopback-peers")
        if tls_port:
            certificate, key = self_signed(folder, host)
            argv += [
                "--tls-listening-port",
                str(tls_port),
                "--cert",
                str(certificate),
                "--pkey",
                str(key),
            ]
            argv += ["--no-dtls"]
        else:
            argv += ["--no-tls", "--no-dtls"]

        def ready(_part: Part) -> bool:
            return udp_port_taken(port, host) and all(
                tcp_port_open(each, host) for each in (port, tls_port) if each
            )

        async with started("coturn", argv, folder=folder, ready=ready) as part:
            yield Coturn(host, port, tls_port, secret, part)
