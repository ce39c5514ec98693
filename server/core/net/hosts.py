"""By which names this server may be called: a browser that was led here under another one is refused.

A name of somebody else that resolves to our address (DNS rebinding) makes our pages same-origin with that somebody's.
An address cannot be pointed elsewhere: every IP literal is ours, and `localhost`, which browsers resolve themselves.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

NAME: Final = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
_HOST: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[^\[\]:]+))(?::[0-9]{1,5})?"
)
LOCAL: Final = "localhost"


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """The names from the configuration, in lower case."""

    names: frozenset[str] = frozenset({LOCAL})

    def knows(self, host: str) -> bool:
        """Tell whether a Host header, with or without a port, names this server."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = (found["v6"] or found["name"]).lower()
        return name.removesuffix(".") in self.names or is_address(name)


def known(urls: Iterable[str], names: Iterable[str]) -> KnownHosts:
    """Gather the hosts of these addresses (with a scheme or without) and these names."""
    hosts = (host for url in urls if (host := host_of(url)))
    return KnownHosts(frozenset({LOCAL, *hosts, *(each.lower() for each in names)}))


def host_of(url: str) -> str:
    """Return the host of an address as browsers ask for it: lower case, ASCII, no last dot; empty if none."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
        return host.encode("idna").decode().removesuffix(".")
    except ValueError:
        return ""


def is_this_machine(host: str) -> bool:
    """Tell whether a host leads nowhere but to the machine that asks for it (RFC 6761, RFC 1122)."""
    return host == LOCAL or (is_address(host) and ip_address(host).is_loopback)


def is_host(text: str) -> bool:
    """Tell whether this is a name or an address as browsers write it."""
    return NAME.fullmatch(text) is not None or is_address(text)


def is_authority(text: str) -> bool:
    """Tell whether this is such a host, with or without a port; an IPv6 address in brackets."""
    found = _HOST.fullmatch(text)
    return found is not None and (
        is_host(found["name"]) if found["name"] else is_address(found["v6"])
    )


def is_address(text: str) -> bool:
    """Tell whether this is an IPv4 or IPv6 address without a zone."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
