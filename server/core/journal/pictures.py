"""What the audit tells of a video's picture: descriptions, network, rungs, photos, snapshots, remote help."""

from datetime import datetime

from server.core.journal.entries import Entry, entry
from server.core.journal.payload import Payload, Reached, Scalar
from server.core.journal.payloads import (
    Description,
    Kind,
    Network,
    Order,
    PhotoTaken,
    Picture,
    Rung,
    RungAsked,
    Transport,
)


def _told(action: str, session: str, payload: Payload) -> Entry:
    return entry(action, f"session:{session}", payload, session=session)


def sdp_accepted(session: str, *, kind: str, left_out: int) -> Entry:
    """An offer or answer passed the rule of I1: one picture, no sound."""
    payload = Description(kind=kind, media=("video",), left_out=left_out)
    return _told("sdp.accepted", session, payload)


def sdp_refused(session: str, *, kind: str, code: str, left_out: int) -> Entry:
    """An offer or answer did not pass, for the reason `code`."""
    return _told("sdp.refused", session, Description(kind=kind, code=code, left_out=left_out))


def network_preflight(
    session: str,
    *,
    socket: Reached,
    stun: Reached,
    udp: Reached,
    tcp: Reached,
    tls: Reached,
    way: str,
) -> Entry:
    """The phone tried what its network lets through."""
    payload = Network(socket=socket, stun=stun, udp=udp, tcp=tcp, tls=tls, way=way)
    return _told("network.preflight", session, payload)


def network_transport(session: str, *, transport: str) -> Entry:
    """The phone's messages come by another way now."""
    return _told("network.transport", session, Transport(transport=transport))


def picture_rung(session: str, *, rung: str, was: str, why: str, stills: int) -> Entry:
    """The phone changed between video, stills and photo; `stills` were handed on before."""
    return _told("picture.rung", session, Rung(rung=rung, from_=was, why=why, stills=stills))


def picture_asked(session: str, *, rung: str) -> Entry:
    """A desk asked the phone for a rung."""
    return _told("picture.asked", session, RungAsked(rung=rung))


def photo_received(session: str, *, size: int, width: int, height: int, sha256: str) -> Entry:
    """The phone sent a photo of `size` bytes, which is relayed and not stored."""
    payload = PhotoTaken(bytes=size, width=width, height=height, sha256=sha256)
    return _told("photo.received", session, payload)


def help_asked(session: str, *, do: str, value: Scalar) -> Entry:
    """A desk asks something of the phone's camera or screen."""
    return _told("help.asked", session, Order(do=do, value=value))


def help_done(session: str, *, do: str) -> Entry:
    """The phone did it."""
    return _told("help.done", session, Order(do=do))


def help_refused(session: str, *, do: str, why: str | None) -> Entry:
    """The phone could not."""
    return _told("help.refused", session, Order(do=do, why=why))


def snapshot_taken(
    snapshot: str, session: str, *, sha256: str, width: int, height: int, pictured: datetime
) -> Entry:
    """A desk stored a picture, seen there at `pictured`."""
    payload = Picture(sha256=sha256, width=width, height=height, pictured=pictured.isoformat())
    return entry("snapshot.taken", f"snapshot:{snapshot}", payload, session=session)


def snapshot_viewed(snapshot: str, session: str, *, sha256: str) -> Entry:
    """Somebody looks at a stored picture."""
    payload = Picture(sha256=sha256)
    return entry("snapshot.viewed", f"snapshot:{snapshot}", payload, session=session)


def snapshot_missed() -> Entry:
    """Somebody asked for a stored picture that their site does not have."""
    return entry("audit.missed", "snapshot:unknown", Kind(kind="snapshot"))
