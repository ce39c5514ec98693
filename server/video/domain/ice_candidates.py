"""Which ICE candidates may pass between phone and desk: what one end names, the other end's browser contacts.

Two lists decide (docs/adr/0026-candidates-that-pass.md). The shape: an address or the random `.local` name that
browsers write, never a DNS name. The target: an address and a port at which a peer can be, never this machine, its link
or a well-known service. Source of the forms: RFC 8839, RFC 6544 (TCP), draft-ietf-mmusic-mdns-ice-candidates.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from server.core.net.hosts import is_address
from server.video.errors import IceCandidateMalformed

MAX_CANDIDATE: Final = 512  # characters; an honest one has 90 to 200
MOST_ADDRESSES: Final = 100  # that one end may name to the other; an honest one has 2 to 20
FIRST_PORT: Final = 1024  # below are DNS, DHCP, NTP, SNMP, SYSLOG…
LAST_PORT: Final = 65_535
ACTIVE_PORT: Final = 9  # what RFC 6544 has an end write that only connects
_ADDRESS: Final = "[0-9A-Za-z.:-]{1,64}"
_CANDIDATE: Final = re.compile(
    rf"(?:a=)?candidate:[A-Za-z0-9+/]{{1,32}} [12] (?P<transport>udp|tcp) [0-9]{{1,10}} (?P<address>{_ADDRESS})"
    rf" (?P<port>[0-9]{{1,5}}) typ (?P<type>host|srflx|prflx|relay)"
    rf"(?: raddr (?P<related>{_ADDRESS}) rport [0-9]{{1,5}})?(?: tcptype (?P<tcp>active|passive|so))?"
    r"(?: (?!raddr |rport |tcptype )[A-Za-z-]{1,32} [!-~]{1,256})*",
    re.IGNORECASE | re.ASCII,
)
_NAME: Final = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local", re.IGNORECASE | re.ASCII
)


def target(candidate: str, *, one_machine: bool = False) -> str | None:
    """Return the address the other end would contact; None when this candidate must be left out.

    `one_machine`: the server is reached from its own machine only, so both ends are there and may meet on loopback.

    Raises IceCandidateMalformed for what no browser writes. The empty string (end of candidates) is not for this.
    """
    found = _CANDIDATE.fullmatch(candidate) if len(candidate) <= MAX_CANDIDATE else None
    if found is None or not _known(found["address"]) or not _known(found["related"] or "::"):
        raise IceCandidateMalformed
    port, tcp = int(found["port"]), (found["tcp"] or "").lower()
    if port > LAST_PORT:
        raise IceCandidateMalformed
    # Nobody connects to an active end. To a passive one a browser would open a TCP connection, wherever that is.
    active = tcp == "active" and port == ACTIVE_PORT
    fits = active if found["transport"].lower() == "tcp" else port >= FIRST_PORT
    address = found["address"].lower()
    if not fits or not (
        named(address) or _can_be_met(ip_address(address), one_machine=one_machine)
    ):
        return None
    return address


def named(text: str) -> bool:
    """Tell whether this is a name as browsers make for themselves, which only multicast DNS resolves."""
    return _NAME.fullmatch(text) is not None


def _known(text: str) -> bool:
    return named(text) or is_address(text)


def _can_be_met(address: IPv4Address | IPv6Address, *, one_machine: bool) -> bool:
    """Tell whether a peer can be there: a host of the internet or of a private network, never oneself or a crowd."""
    if address.is_loopback:
        return one_machine
    if isinstance(address, IPv4Address) and address.packed[0] == 0:
        return False
    return not (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
    )
