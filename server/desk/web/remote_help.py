"""What a desk asks of the phone's camera or screen, and where it points."""

from typing import assert_never

from server.desk.errors import PointerFlood
from server.desk.web.connected_desk import ConnectedDesk, Result
from server.protocol import desk as m
from server.video.service.remote_help import HelpRequest, PointerThrottle, RemoteHelp, Value
from server.video.service.rooms import Rooms

HelpCommand = m.HelpCamera | m.HelpTorch | m.HelpZoom | m.HelpPrefer | m.HelpMessage


class HelpCommands:
    """Passes the orders of one desk on to the phone."""

    def __init__(self, desk: ConnectedDesk, *, remote_help: RemoteHelp, rooms: Rooms) -> None:
        self._desk = desk
        self._remote_help = remote_help
        self._rooms = rooms
        self._finger = PointerThrottle(
            lambda session, place: remote_help.point(session, desk.peer, place)
        )

    async def do(self, message: HelpCommand) -> Result:
        """Ask the phone."""
        self._desk.check_seated(self._rooms, message.session)
        do, value = order_of(message)
        asked = HelpRequest(
            id=message.id, session=message.session, peer=self._desk.peer, do=do, value=value
        )
        await self._remote_help.ask(self._desk.actor(), asked)
        return {}

    def point(self, message: m.HelpPoint) -> None:
        """Show the caller a place."""
        self._desk.check_seated(self._rooms, message.session)
        if not self._finger.point(message.session, (message.x, message.y)):
            self._desk.web.metrics.refused(PointerFlood.code)

    def rest(self) -> None:
        """Stop pointing."""
        self._finger.rest()


def order_of(message: HelpCommand) -> tuple[str, Value]:
    """Return what an order is called on the phone, and its value."""
    match message:
        case m.HelpCamera():
            return "camera", None
        case m.HelpTorch(on=on):
            return "torch", on
        case m.HelpZoom(zoom=zoom):
            return "zoom", zoom
        case m.HelpPrefer(prefer=prefer):
            return "prefer", prefer
        case m.HelpMessage(message=sentence):
            return "message", sentence
        case _:
            assert_never(message)
