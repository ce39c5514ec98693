"""What the caller's network lets through, as the phone found out by itself, and what that explains. Pure.

Milliseconds and yes or no: no address and no name of a network ever comes here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from server.web.sockets.transports import REQUESTS

Reached = int | Literal[False] | None  # milliseconds; False: tried in vain; None: nothing to try


class Way(StrEnum):
    """How the picture can travel from this phone."""

    UNKNOWN = "unknown"
    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Preflight:
    """The server's socket, STUN, and the relay by its three ways."""

    socket: Reached = None
    stun: Reached = None
    udp: Reached = None
    tcp: Reached = None
    tls: Reached = None

    @property
    def way(self) -> Way:
        """The best way that is open; unknown where no relay is set up and nothing failed."""
        if _open(self.udp) or _open(self.stun):
            return Way.UDP
        if _open(self.tls):
            return Way.TLS
        if _open(self.tcp):
            return Way.TCP
        return Way.NONE if False in {self.stun, self.udp, self.tcp, self.tls} else Way.UNKNOWN


#: For the regulator, when the picture does not come.
CAUSES: Final = {
    Way.UNKNOWN: "",
    Way.UDP: "",
    Way.TCP: "UDP bloqué sur le réseau de l'appelant : l'image passe par le relais, en TCP.",
    Way.TLS: "UDP bloqué sur le réseau de l'appelant : l'image passe par le relais, en TLS.",
    Way.NONE: "Le réseau de l'appelant bloque la vidéo : faites couper le Wi-Fi, ou changer de réseau.",
}
BY_REQUESTS: Final = "Le réseau de l'appelant bloque la liaison directe : la page passe par un autre chemin, plus lent."


def cause(found: Preflight | None, transport: str | None) -> str:
    """Say what is known to be wrong with a network: what keeps the picture out before what slows the page.

    `transport`: what carries the phone's messages now, which is surer than what it found before its tap.
    """
    picture = CAUSES[found.way] if found else ""
    return picture or (BY_REQUESTS if transport == REQUESTS else "")


def _open(reached: Reached) -> bool:
    return reached is not None and reached is not False
