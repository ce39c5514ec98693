"""The doctor's hands on the network: whether somebody answers there, whether a port is free here; nothing is sent."""

import asyncio
import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

SECONDS = 5.0


def web_port(url: str) -> int:
    """Return the port of a web address."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


async def answers(host: str, port: int, *, tls: bool) -> str | None:
    """Open and close one connection; return None when it works, or a slug of what went wrong."""
    context = ssl.create_default_context() if tls else None
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLCertVerificationError:
        return "son certificat n'est pas reconnu"
    except TimeoutError:
        return "pas de réponse"
    except socket.gaierror:
        return "nom inconnu du DNS"
    except OSError as fault:
        return fault.strerror or type(fault).__name__
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return None


def udp_free(host: str, port: int) -> OSError | None:
    """Try to open a UDP port and let it go; return the fault."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, port))
    except OSError as fault:
        return fault
    return None
