"""What a demonstration may not be: something that strangers reach, or that sends real messages.

Its outbox shows every code and link to whoever opens the page, without a sign-in.
"""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from server.core.net.hosts import host_of

if TYPE_CHECKING:
    from server.app.settings.settings import Settings

#: Names that no public DNS knows (RFC 6761, 6762, 8375).
LOCAL_NAMES: Final = (".local", ".localhost", ".home.arpa")
_ANYWHERE: Final = frozenset({"", "::", "0.0.0.0"})  # noqa: S104 - what is refused


def demonstration_problems(settings: "Settings") -> list[str]:
    """Return a sentence for each reason why these settings cannot be a demonstration's."""
    return list(_problems(settings)) if settings.demo else []


def _problems(settings: "Settings") -> Iterator[str]:
    gateways = {
        "sms": settings.sms is not None,
        "carriers": bool(settings.carriers),
        "smtp": settings.smtp is not None,
    }
    for key, given in gateways.items():
        if given:
            yield f"demo: une démonstration n'envoie rien : retirez {key}, ou demo = true"
    foreign = "demo: ce n'est pas une adresse de cette machine ou de son réseau local : "
    for key, hosts in _names(settings):
        if not all(_near(host) for host in hosts):
            yield f"{foreign}corrigez {key}, ou retirez demo = true"
    if settings.listen in _ANYWHERE:
        yield "demo: listen désigne toutes les adresses : donnez celle de cette machine (127.0.0.1)"
    elif not _near(settings.listen):
        yield f"{foreign}corrigez listen, ou retirez demo = true"
    if settings.trusted_proxies:
        yield "demo: une démonstration n'est pas publiée : retirez trusted_proxies, ou demo = true"


def _names(settings: "Settings") -> Sequence[tuple[str, Sequence[str]]]:
    return (
        ("public_url", [host_of(settings.public_url)]),
        ("spoken_address", [host_of(each) for each in [settings.spoken_address] if each]),
        ("extra_origins", [host_of(each) for each in settings.extra_origins]),
        ("allowed_hosts", settings.allowed_hosts),
    )


def _near(host: str) -> bool:
    """Tell whether a host is this machine or of a private network."""
    try:
        address = ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return bool(name) and ("." not in name or name.endswith(LOCAL_NAMES))
    return not address.is_global and not address.is_unspecified and not address.is_multicast
