"""Builds the sessions of videos, who is connected to them, and what both ends may do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.storage.wire import Foundation
from server.video.service.ice import IceServers, ice_servers
from server.video.service.ladder import Ladder
from server.video.service.languages import Languages
from server.video.service.photos import Photos
from server.video.service.remote_help import RemoteHelp
from server.video.service.rooms import Rooms
from server.video.service.sessions import LinksOver, OnEnded, Sessions
from server.video.service.signalling import Signalling
from server.video.service.snapshots import Snapshots
from server.video.settings import IceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoParts:
    """What others may use of videos."""

    rooms: Rooms
    sessions: Sessions
    signalling: Signalling
    languages: Languages
    remote_help: RemoteHelp
    ladder: Ladder
    photos: Photos
    snapshots: Snapshots
    ice: IceServers


def wire_video(
    base: Foundation,
    *,
    ice: IceSettings,
    one_machine: bool,
    refused: Callable[[str], object],
    on_ended: Sequence[OnEnded],
    links_over: LinksOver,
) -> VideoParts:
    """Build it; `one_machine`: phones and desks are on the server's own machine, `refused` counts refusals by code."""
    rooms = Rooms()
    sessions = Sessions(
        transactions=base.transactions,
        clock=base.clock,
        bus=base.bus,
        rooms=rooms,
        failed=base.failed,
        on_ended=on_ended,
        links_over=links_over,
    )
    return VideoParts(
        rooms=rooms,
        sessions=sessions,
        signalling=Signalling(
            base.transactions, base.clock, rooms, refused, one_machine=one_machine
        ),
        languages=Languages(base.transactions, base.clock, sessions, rooms),
        remote_help=RemoteHelp(base.transactions, base.clock, rooms),
        ladder=Ladder(
            transactions=base.transactions,
            clock=base.clock,
            bus=base.bus,
            rooms=rooms,
            sessions=sessions,
        ),
        photos=Photos(base.transactions, base.clock, base.ids, rooms),
        snapshots=Snapshots(base.transactions, base.clock, base.ids, rooms),
        ice=ice_servers(ice, base.clock),
    )
