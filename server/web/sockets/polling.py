"""Pages connected by requests: where no WebSocket comes up, the same frames go up and down in bodies (ADR 29).

Up: the page numbers its frames; those it says twice count once. Down: a request waits until there is a frame; what was
sent is kept until the page says that it has it. So neither a lost request nor a lost answer loses a frame.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from server.core.errors import Invalid, Unavailable
from server.core.net.addresses import source_of
from server.web.base import Web
from server.web.errors import PolledSocketGap, PolledSocketsFull, PolledSocketUnknown
from server.web.sockets.page_socket import SocketBase
from server.web.sockets.transports import REQUESTS
from server.web.status import close_code_of

HOLD: Final = 10.0  # seconds a request waits for a frame; there is a tick every five
IDLE: Final = 15.0  # without a request the page has gone: one that lives begins one every five
LINGER: Final = 15.0  # a closed line still says why for so long
WINDOW: Final = 64  # frames sent that the page has not acknowledged; more wait in the queue
AGAIN: Final = 10  # times the same frames are sent to a page that acknowledges none of them
MOST_OF_LINK: Final = 2  # a page that comes back opens its next line before the former is dead
_GONE: Final = 1001


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """What one waiting request is answered: frames from number `first` on, and why the line is closed, if it is."""

    first: int
    frames: tuple[str, ...]
    closed: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class PolledSocketOwner:
    """Who opened a line: where the browser was, and its name."""

    address: str | None
    browser: str


class PolledSocket(SocketBase):
    """One connected page; whoever opened it is known: its browser is bound to its link."""

    transport = REQUESTS

    def __init__(self, web: Web, opener: PolledSocketOwner) -> None:
        """Prepare the queues."""
        super().__init__(web)
        self._opener = opener
        self._taken = 0  # frames of the page
        self._first = 0  # number of the oldest frame that the page has not acknowledged
        self._unseen: deque[str] = deque()
        self._handed = 0  # times that the oldest of them was sent
        self._room = asyncio.Event()
        self._room.set()
        self._waiting: asyncio.Event | None = None  # of the request that waits
        self._closed: tuple[int, str] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self.when_forgotten: Callable[[], object] = lambda: None

    def begin(self) -> None:
        """Start, and end by itself when no request comes."""
        super().begin()
        self._heard()

    @property
    def stranger(self) -> bool:
        """Whoever opened it showed the link and the browser that tapped."""
        return False

    @property
    def address(self) -> str | None:
        """Where the opening request came from."""
        return self._opener.address

    def browser(self, cookie: str) -> str:
        """Return the browser that opened the line: no other may speak on it."""
        del cookie
        return self._opener.browser

    def asking(self) -> dict[str, str]:
        """Return nothing: a caller is nobody that the log may name."""
        return {}

    def take_up(self, first: int, frames: Sequence[str | bytes]) -> int:
        """Take the frames from number `first` on, each once; return how many were taken in all."""
        self._heard()
        if first > self._taken:
            raise PolledSocketGap
        fits = self._count()  # the request itself
        for frame in frames[self._taken - first :]:
            if self._closed or not fits:
                break
            self._taken += 1
            fits = self._count()
            if fits:
                self.on_message(frame)
        return self._taken

    async def hand_down(self, seen: int) -> PollAnswer:
        """Wait for frames, and give all that the page has not said to have; an older request ends empty-handed."""
        self._heard()
        if not self._first <= seen <= self._first + len(self._unseen):
            raise Invalid("seen")
        self._acknowledged(seen)
        self._count()
        if self._waiting is not None:
            self._waiting.set()
        waiting = self._waiting = asyncio.Event()
        if not self._unseen and self._closed is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(HOLD):
                    await waiting.wait()
        if self._waiting is not waiting:
            return PollAnswer(self._first, (), None)
        self._waiting = None
        self._handed += bool(self._unseen)
        if self._handed > AGAIN:
            self.shut(Unavailable("slow_reader"))
        return PollAnswer(self._first, tuple(self._unseen), self._closed)

    def _acknowledged(self, seen: int) -> None:
        if seen == self._first:
            return
        for _ in range(seen - self._first):
            self._unseen.popleft()
        self._first, self._handed = seen, 0
        self._room.set()

    async def carry(self, frame: str | bytes) -> None:
        """Keep one frame until the page has it; a phone is sent no bytes."""
        if isinstance(frame, bytes):
            return
        await self._room.wait()
        self._unseen.append(frame)
        if len(self._unseen) >= WINDOW:
            self._room.clear()
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.set()

    def hang_up(self, code: int, reason: str) -> None:
        """End the line; its last frames and the reason are there for the next request."""
        if self._closed is not None:
            return
        self._closed = (code, reason)
        if self._idle is not None:
            self._idle.cancel()
        self._wake()
        self.on_close()
        asyncio.get_running_loop().call_later(LINGER, self.when_forgotten)

    def hang_up_at_once(self) -> None:
        """There is no connection that a page could keep open."""

    def bear(self, size: int) -> None:
        """A request's body has a limit of its own."""

    def goodbye(self) -> None:
        """Let the page go, as it asks; what it said before is still done."""
        self.hang_up(_GONE, "left")

    def _heard(self) -> None:
        """A request came: the page is there."""
        if self._closed is not None:
            return
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE, self.hang_up, _GONE, "idle")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a line stands: `link` names it by the token its page shows."""

    line: PolledSocket
    link: str
    source: str


class PolledSockets:
    """All lines of this process: as many as there may be strangers, of one source and of all."""

    def __init__(self, web: Web) -> None:
        """Start empty."""
        self._most, self._most_of_source = web.strangers.most, web.strangers.most_of_one
        self._places: dict[str, _Place] = {}

    def __len__(self) -> int:
        """Count them; one that is closed counts while it says why."""
        return len(self._places)

    def open(self, line: PolledSocket, link: str) -> str:
        """Begin a line and return its name, which nobody can guess; the oldest of its link gives way."""
        source = source_of(line.address)
        own = [name for name, place in self._places.items() if place.link == link]
        for name in own[: len(own) - MOST_OF_LINK + 1]:
            former = self._places.pop(name)
            former.line.hang_up(close_code_of(Unavailable()), Unavailable.code)
        of_source = sum(place.source == source for place in self._places.values())
        if len(self._places) >= self._most or of_source >= self._most_of_source:
            raise PolledSocketsFull
        name = secrets.token_urlsafe(24)
        self._places[name] = _Place(line, link, source)
        line.when_forgotten = lambda: self._places.pop(name, None)
        line.begin()
        return name

    def get(self, name: str, link: str, browser: str | None) -> PolledSocket:
        """Return a line to the browser that opened it by this link, and to no other."""
        place = self._places.get(name)
        if place is None or place.link != link or browser is None:
            raise PolledSocketUnknown
        if not secrets.compare_digest(place.line.browser("").encode(), browser.encode()):
            raise PolledSocketUnknown
        return place.line
