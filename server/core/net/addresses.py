"""Whose connections, tries and requests count together: one IPv4 address, or one IPv6 network of 64 bits.

A provider gives each customer at least a /64, so one machine has all of its addresses. Every limit by address uses
`source_of`, and nothing else makes a key of an address (tests/server/core/test_addresses.py).
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

IpAddress = IPv4Address | IPv6Address

_NETWORK_BITS: Final = 64
#: The well-known prefix of RFC 6052: a translator in front of an IPv6-only server writes all of IPv4 into one /64.
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_IPV4_BITS: Final = 0xFFFF_FFFF


def read_address(text: str) -> IpAddress | None:
    """Read an address; an IPv4 address in IPv6 clothes is itself, and the zone of a link-local one is left out."""
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(found, IPv4Address):
        return found
    return found.ipv4_mapped or IPv6Address(int(found))


def source_of(address: str | None) -> str:
    """Return the name under which an address counts; what cannot be read counts as it is."""
    found = read_address(address or "")
    if not isinstance(found, IPv6Address):
        return str(found) if found else (address or "")
    if found in _TRANSLATED:
        return str(IPv4Address(int(found) & _IPV4_BITS))
    return str(IPv6Network((found, _NETWORK_BITS), strict=False))
