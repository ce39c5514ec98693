"""What a desk says that is acted on at once and not answered: signalling, and what it sees."""

from typing import assert_never

from server.core.errors import Forbidden
from server.desk.web.connected_desk import ConnectedDesk
from server.protocol import desk as m
from server.video.domain.session import Event, MediaFlowing, PeerLost
from server.video.service.ladder import Ladder
from server.video.service.rooms import Rooms
from server.video.service.sessions import Sessions
from server.video.service.signalling import Signalling
from server.video.service.speaker import Speaker
from server.web.errors import MessageOutOfOrder

Signal = (
    m.SignalAnswer | m.DeskIceCandidate | m.SignalRestart | m.DeskMedia | m.Webcam | m.RungAsked
)


class Signals:
    """Passes the signals of one desk on, and writes down later what is to stay."""

    def __init__(
        self,
        desk: ConnectedDesk,
        *,
        signalling: Signalling,
        sessions: Sessions,
        rooms: Rooms,
        ladder: Ladder,
    ) -> None:
        self._desk = desk
        self._signalling = signalling
        self._sessions = sessions
        self._rooms = rooms
        self._ladder = ladder

    def take(self, message: Signal) -> None:
        """Act on one signal."""
        match message:
            case m.SignalAnswer():
                self._answer(message)
            case m.DeskIceCandidate():
                self._candidate(message)
            case m.SignalRestart(session=session):
                self._desk.check_seated(self._rooms, session)
                self._signalling.to_phone(session, self._desk.peer, {"type": "signal.restart"})
            case m.DeskMedia():
                self._media(message)
            case m.Webcam():
                self._webcam(message)
            case m.RungAsked():
                self._ask_rung(message)
            case _:
                assert_never(message)

    def _answer(self, message: m.SignalAnswer) -> None:
        desk, session = self._desk, message.session
        desk.check_seated(self._rooms, session)
        by = Speaker(desk.actor(), desk.page.later)
        self._signalling.answer(by, session, desk.peer, message.page, message.sdp)

    def _candidate(self, message: m.DeskIceCandidate) -> None:
        self._desk.check_seated(self._rooms, message.session)
        candidate = message.candidate.model_dump() if message.candidate else None
        self._signalling.desk_candidate(message.session, self._desk.peer, message.page, candidate)

    def _media(self, message: m.DeskMedia) -> None:
        """Tell the phone at once who shows its picture; write down after that the video flows, or is lost to all."""
        desk, session = self._desk, message.session
        if session != desk.watching:
            raise MessageOutOfOrder("not_watching")
        flows = message.state == "flowing"
        room = self._rooms.get(session)
        if room.desks.get(desk.peer) is desk.page:
            room.show(desk.peer, on=flows)
        event = MediaFlowing() if flows else PeerLost()
        desk.page.later(lambda: self._judged(session, event))

    async def _judged(self, session: str, event: Event) -> None:
        if isinstance(event, PeerLost) and self._rooms.get(session).shown:
            return  # another desk shows it: the last to lose it says so
        await self._sessions.happen(session, event, self._desk.actor())

    def _webcam(self, message: m.Webcam) -> None:
        desk = self._desk
        if message.on and not (desk.station and desk.station.webcam):
            raise Forbidden("no_webcam")
        desk.check_seated(self._rooms, message.session)
        self._signalling.to_phone(message.session, desk.peer, {"type": "webcam", "on": message.on})

    def _ask_rung(self, message: m.RungAsked) -> None:
        desk, session = self._desk, message.session
        desk.check_seated(self._rooms, session)
        by = Speaker(desk.actor(), desk.page.later)
        self._ladder.ask(by, session, desk.peer, message.rung)
