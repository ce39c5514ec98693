"""What the pages and the socket of a desk work with."""

from dataclasses import dataclass, field

from server.core.bus import Bus
from server.desk.service.handover import HandOvers
from server.desk.service.recent import Recent
from server.desk.service.view import DeskView
from server.desk.web.seats import Seats
from server.invitations.service.invitations import Invitations
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.launch import Launch
from server.observers.service import Observers
from server.reconcile.service.relinking import CallLinks
from server.video.service.ice import IceServers
from server.video.service.ladder import Ladder
from server.video.service.languages import Languages
from server.video.service.photos import Photos
from server.video.service.remote_help import RemoteHelp
from server.video.service.rooms import Rooms
from server.video.service.sessions import Sessions
from server.video.service.signalling import Signalling


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskServices:
    """Everything that a desk reaches; one for all desks of this process."""

    bus: Bus
    view: DeskView
    recent: Recent
    launch: Launch
    invitations: Invitations
    languages: Languages
    spoken: SpokenCodes
    observers: Observers
    handover: HandOvers
    call_links: CallLinks
    sessions: Sessions
    signalling: Signalling
    remote_help: RemoteHelp
    rooms: Rooms
    ice: IceServers
    ladder: Ladder
    photos: Photos
    seats: Seats = field(default_factory=Seats)
