"""What all connected pages share: a hello in time, bounded queues, limits, refusals as messages, a tick.

`SocketBase` is the protocol, whatever carries its frames; `PageSocket` carries them over a WebSocket of our own origin
(by requests: polling.py).

A frame that raises an AppError is answered with its code and counted; ten in a minute that are not our storage's fault
close the socket. An exception of ours never kills the connection in silence.
A hello that meets our own trouble is done again until it works; what the page says behind it waits.
A page may leave at any moment: what it then holds is given back, and it takes nothing any more.
"""

import asyncio
import json
import re
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import structlog
from tornado.iostream import StreamClosedError
from tornado.websocket import (
    WebSocketClosedError,
    WebSocketHandler,
    WebSocketProtocol,
    WebSocketProtocol13,
)

from server.core.errors import AppError, Conflict, StorageUnavailable, Unavailable
from server.core.net.addresses import source_of
from server.core.tasks import Work, cancel_and_wait, create_task
from server.core.words.for_caller import aloud
from server.core.words.for_doctor import for_doctor
from server.protocol.message import MAX_FRAME
from server.web.base import BaseHandler, Web
from server.web.errors import MessageFlood, MessageOutOfOrder, OriginForeign
from server.web.routing import Asked
from server.web.sockets.frames import CountedFrames
from server.web.sockets.transports import SOCKET
from server.web.status import close_code_of

FRAMES_A_SECOND: Final = 100
ERRORS_A_MINUTE: Final = 10
QUEUE: Final = 500
INBOX: Final = 200
TICK: Final = 5.0
READER_GRACE: Final = 10.0
#: A page that has not said hello by then is closed: it would take a place for ever.
HELLO_SECONDS: Final = 10.0
FRAMES_BEFORE_HELLO: Final = 100  # of whatever kind: a page of ours says hello first
GREET_AGAIN: Final = 1.0  # seconds between two tries of a hello that met our own trouble
#: Larger frames close the connection before they are held in memory.
MAX_SOCKET_FRAME: Final = 1_048_576
#: As protocol.message.Id: nothing else can be answered.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_log = structlog.get_logger("socket")


@dataclass(frozen=True, slots=True)
class _Newest:
    """Stands in the queue for a binary frame that may yet be replaced by a newer one."""

    key: str


class SocketBase(ABC):
    """A connected page; frames are handled one after the other."""

    kind: ClassVar[str] = ""
    transport: ClassVar[str] = ""

    def __init__(self, web: Web) -> None:
        """Prepare the queues."""
        self.web = web
        self._out: asyncio.Queue[str | _Newest] = asyncio.Queue(QUEUE)
        self._newest: dict[str, bytes] = {}  # binary frames that did not leave yet, one a key
        self._in: asyncio.Queue[str | bytes | None] = asyncio.Queue(INBOX + 1)
        self._work: asyncio.Queue[tuple[Work, str | None]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[Any]] = []
        self._beside: list[asyncio.Task[None]] = []  # ends by itself once the page has left
        self._stamps: deque[float] = deque(maxlen=FRAMES_A_SECOND)
        self._early = 0  # frames before the hello
        self._flooding = False
        self._errors: deque[float] = deque(maxlen=ERRORS_A_MINUTE)
        self._shut = False  # nothing more is sent
        self._command: str | None = None
        self._cut = False  # we closed: what still arrives is not handled
        self.greeting = False  # it has said hello, and was not refused
        self._greeted = False  # its hello was taken
        self._late: asyncio.TimerHandle | None = None  # cuts it when no hello comes
        self.over = asyncio.Event()  # the connection is gone

    # --- what carries the frames
    @property
    @abstractmethod
    def stranger(self) -> bool:
        """Whether nobody knows yet who this page is."""

    @property
    @abstractmethod
    def address(self) -> str | None:
        """Where it speaks from."""

    @abstractmethod
    def browser(self, cookie: str) -> str | None:
        """Return the name of its browser under this cookie."""

    @abstractmethod
    def asking(self) -> dict[str, str]:
        """Return who asks, for the log."""

    @abstractmethod
    async def carry(self, frame: str | bytes) -> None:
        """Send one frame; wait while the page takes none."""

    @abstractmethod
    def hang_up(self, code: int, reason: str) -> None:
        """Close, saying why."""

    @abstractmethod
    def hang_up_at_once(self) -> None:
        """Close without waiting for the other side."""

    @abstractmethod
    def bear(self, size: int) -> None:
        """Take messages of this size at most from now on."""

    # --- the protocol
    def begin(self) -> None:
        """Start writer, reader and tick."""
        if self.stranger:
            self.web.strangers.enter(self, source_of(self.address))
        self._late = asyncio.get_running_loop().call_later(HELLO_SECONDS, self._no_hello)
        self.web.metrics.page(self.kind, self.transport, 1)
        self.web.open_sockets.enter(self)
        self._tasks = [
            create_task(self._read(), f"{self.kind}.read"),
            create_task(self._labour(), f"{self.kind}.labour"),
            create_task(self._write(), f"{self.kind}.write"),
            create_task(self._tick(), f"{self.kind}.tick"),
        ]

    def _count(self) -> bool:
        """Count one frame of any kind; return whether the pace holds."""
        now = time.monotonic()
        full = len(self._stamps) == FRAMES_A_SECOND and now - self._stamps[0] < 1
        self._stamps.append(now)
        self._early += not self.greeting
        if full or (self.stranger and self._early > FRAMES_BEFORE_HELLO):
            self._flood()
        return not self._flooding

    def _flood(self) -> None:
        """A flood ends the connection; that of a stranger without another word being read."""
        if self._flooding:
            return
        self._flooding = True
        if self.stranger and not self._greeted:
            self._cut_off(MessageFlood("before_hello"))
            return
        self._count_refusal(MessageFlood())
        self.shut(MessageFlood())

    def _no_hello(self) -> None:
        """Close a page that said no hello in time, and one whose hello was refused, if nobody knows it."""
        self._late = None
        if not self.greeting:
            self._cut_off(MessageOutOfOrder("no_hello"))

    def _unwelcome(self) -> None:
        """A stranger whose hello was refused has the rest of its time for another one."""
        if self.stranger and not self._greeted:
            self.greeting = False
            if self._late is None:
                self._no_hello()

    def _welcome(self) -> None:
        """Whoever it is, it is known now."""
        self._greeted = True
        self.web.strangers.leave(self)
        self.bear(MAX_SOCKET_FRAME)

    def give_way(self) -> None:
        """Make room for a newer stranger; a page of ours comes back."""
        self._cut_off(Unavailable("strangers"))

    def _cut_off(self, why: AppError) -> None:
        """Tell why and close at once, without waiting for the other side's goodbye: it may never say it.

        One that was told already why it is closed, and has not said goodbye yet, is told nothing more.
        """
        if not self._shut:
            self._count_refusal(why)
            self._shut = self._cut = True
            self.hang_up(close_code_of(why), why.code)
        self.hang_up_at_once()

    def _count_refusal(self, refusal: AppError) -> None:
        self.web.metrics.refused(refusal.code)
        _log.info(
            "socket.refused",
            kind=self.kind,
            **self.asking(),
            code=refusal.code,
            detail=refusal.detail,
        )

    def on_message(self, message: str | bytes) -> None:
        """Take one message; more than can wait are a flood."""
        if self._in.qsize() + self._work.qsize() >= INBOX:
            self._flood()
            return
        # Of a binary frame that is too large only so much is held as shows it.
        self._in.put_nowait(message if isinstance(message, str) else message[: MAX_FRAME + 1])

    async def _read(self) -> None:
        """Handle every frame that arrived, also those sent just before the page closed ("leave")."""
        while (frame := await self._in.get()) is not None:
            if not self._cut:
                await self._handle(frame)
        await self._work.join()

    async def _labour(self) -> None:
        """Do what takes the database, one after the other, beside the signalling that must not wait for it."""
        while True:
            work, command = await self._work.get()
            await self._guarded(work, command)
            self._work.task_done()

    def later(self, work: Work) -> None:
        """Do `work` after the earlier ones of this page; its refusal is answered as the frame's."""
        self._work.put_nowait((work, self._command))

    async def _handle(self, frame: str | bytes) -> None:
        self._command = _command(frame)
        await self._guarded(lambda: self.take(frame), self._command)

    async def _guarded(self, work: Work, command: str | None) -> None:
        try:
            await work()
        except Exception as fault:  # noqa: BLE001 - answered, and logged when it is ours; the page lives on
            self._refuse(fault, command)

    async def greet(self, hello: Work) -> None:
        """Do a hello, again and again while our own trouble keeps it from being done; a refusal is raised.

        The hello changes nothing before it has read everything, so that one that fails leaves the page as it was.
        """
        again, self.greeting = False, True
        while not self.gone:
            try:
                await hello()
            except Exception as fault:
                ours = not isinstance(fault, AppError) or isinstance(fault, Unavailable)
                if not ours and type(fault) is not Conflict:
                    self._unwelcome()
                    raise
                self.tell(fault, again=again)
                again = True
            else:
                if not self.gone:  # a hello may close the page that says it
                    self._welcome()
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(GREET_AGAIN):
                    await self.over.wait()

    @property
    def gone(self) -> bool:
        """Whether this page has left or was sent away: it takes no place any more, another of its own may have it."""
        return self._shut

    def tell(
        self, fault: Exception, command: str | None = None, *, again: bool = False
    ) -> AppError:
        """Tell the page what failed, and return it; an exception of ours is logged with its trace.

        It is told as "unavailable". `again`: the same failed just before; one trace and one message tell enough.
        """
        refusal = fault if isinstance(fault, AppError) else Unavailable()
        if again:
            self.web.metrics.refused(refusal.code)
            return refusal
        if refusal is not fault:
            _log.error("socket.failed", kind=self.kind, **self.asking(), exc_info=fault)
        self._count_refusal(refusal)
        answer: dict[str, object] = {
            "type": "error",
            "code": refusal.code,
            "message": for_doctor(refusal),
            **refusal.facts,
        }
        if say := aloud(refusal):
            answer["say"] = say
        if command:
            answer["id"] = command
        self.send(answer)
        return refusal

    def _refuse(self, fault: Exception, command: str | None) -> None:
        """Refuse what the page asked for."""
        refusal = self.tell(fault, command)
        if isinstance(refusal, StorageUnavailable):
            return  # our trouble, not the page's: a desk that tries again during an outage stays
        now = time.monotonic()
        self._errors.append(now)
        if len(self._errors) == ERRORS_A_MINUTE and now - self._errors[0] < 60:  # noqa: PLR2004 - a minute
            self._count_refusal(MessageFlood("errors"))
            self.shut(MessageFlood("errors"))

    @abstractmethod
    async def take(self, frame: str | bytes) -> None:
        """Handle one frame; raises AppError."""

    def send(self, message: Mapping[str, object]) -> None:
        """Queue one message; a page that does not read for 500 messages is cut, and comes back."""
        if self._shut:
            return
        try:
            self._out.put_nowait(json.dumps(message, ensure_ascii=False))
        except asyncio.QueueFull:
            self.shut(Unavailable("slow_reader"))

    def show(self, key: str, frame: bytes) -> None:
        """Queue one binary frame in the place of the one of this key that did not leave yet: never old ones behind."""
        if self._shut:
            return
        waiting = key in self._newest
        self._newest[key] = frame
        if waiting:
            return
        try:
            self._out.put_nowait(_Newest(key))
        except asyncio.QueueFull:
            self.shut(Unavailable("slow_reader"))

    def shut(self, error: AppError) -> None:
        """Close with the family's code and the stable slug as reason, after what is queued."""
        if self._shut:
            return
        self._shut = self._cut = True
        create_task(self._close(error), f"{self.kind}.close")

    async def _close(self, error: AppError) -> None:
        for _ in range(20):
            if self._out.empty():
                break
            await asyncio.sleep(0.01)
        self.hang_up(close_code_of(error), error.code)

    async def _write(self) -> None:
        try:
            while True:
                message = await self._out.get()
                if isinstance(message, _Newest):
                    await self.carry(self._newest.pop(message.key))
                else:
                    await self.carry(message)
        except (WebSocketClosedError, StreamClosedError):
            return

    async def _tick(self) -> None:
        again = False
        while not self.over.is_set():
            try:
                await self.tick()
            except AppError as away:  # the page lives on; the next tick asks again
                _log.warning("socket.tick_failed", kind=self.kind, code=away.code)
            except Exception as ours:  # noqa: BLE001 - logged; without ticks the page would take us for dead
                self.tell(ours, again=again)
                again = True
            else:
                again = False
            self.send({"type": "tick", "now": self.web.clock.now().isoformat()})
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self.over.wait()

    @abstractmethod
    async def tick(self) -> None:
        """Check every five seconds that this page may still be here."""

    def on_close(self) -> None:
        """Stop writing; the reader finishes what arrived, then leaves."""
        self._shut = True
        self.over.set()
        self.web.strangers.leave(self)
        if self._late is not None:
            self._late.cancel()
        if not self._tasks:
            return  # it left before it was open
        self.web.metrics.page(self.kind, self.transport, -1)
        self._in.put_nowait(None)
        create_task(self._finish(), f"{self.kind}.end")

    async def _finish(self) -> None:
        """Let what runs end by itself, since a query cut short loses its connection to the database.

        Work that does not end within a grace is stopped, and the page leaves all the same.
        """
        reader, labour, writer, ticker = self._tasks
        try:
            await cancel_and_wait(writer)
            await asyncio.wait({reader}, timeout=READER_GRACE)
            if not reader.done():
                await cancel_and_wait(reader, labour)
            self.left()
            await asyncio.wait({ticker, *self._beside}, timeout=READER_GRACE)
        finally:
            await cancel_and_wait(*self._tasks, *self._beside)
            self.web.open_sockets.leave(self)

    @abstractmethod
    def left(self) -> None:
        """Leave the rooms this page sat in."""


class PageSocket(SocketBase, WebSocketHandler, BaseHandler):
    """A page connected by a WebSocket."""

    transport = SOCKET

    def __init__(self, *asked: *Asked, web: Web) -> None:
        """Prepare the queues; no socket yet."""
        WebSocketHandler.__init__(self, *asked, web=web)  # and BaseHandler by it
        SocketBase.__init__(self, web)
        self._frames: CountedFrames | None = None

    async def prepare(self) -> None:
        """Refuse pages that are not ours before anything else; what browsers vouch for themselves is believed."""
        headers = self.request.headers
        origin = headers.get("Origin")
        vouched = headers.get("Sec-Fetch-Site") == "same-origin"
        if origin is not None and not vouched and not self.check_origin(origin):
            raise OriginForeign
        await super().prepare()

    def check_origin(self, origin: str) -> bool:
        """Tell whether a page is ours."""
        try:
            host = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        return host == self.request.host.lower() or origin in self.web.origins

    def get_compression_options(self) -> None:
        """No deflate: 100 kB a connection and half the speed (measured)."""

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """Speak the protocol as Tornado does, and count its frames."""
        plain = super().get_websocket_protocol()
        if not isinstance(plain, WebSocketProtocol13):
            return plain
        self._frames = CountedFrames(self, plain, self._count)
        if self.stranger:
            self._frames.bear(MAX_FRAME)
        return self._frames

    @property
    def stranger(self) -> bool:
        """Whether anybody may open this socket: who speaks is known by its hello only."""
        return True

    async def open(self, *args: str, **kwargs: str) -> None:
        """Begin."""
        del args, kwargs
        if self.over.is_set():
            return  # it left while `prepare` waited, and `on_close` has been: nobody would give anything back
        self.set_nodelay(True)
        self.begin()

    @property
    def address(self) -> str | None:
        """Where the browser is."""
        return self.request.remote_ip

    def browser(self, cookie: str) -> str | None:
        """Return what the upgrade said."""
        return self.get_cookie(cookie)

    def asking(self) -> dict[str, str]:
        """Return who asks, for the log: nothing of a stranger."""
        return {}

    async def carry(self, frame: str | bytes) -> None:
        """Send one frame."""
        await self.write_message(frame, binary=isinstance(frame, bytes))

    def hang_up(self, code: int, reason: str) -> None:
        """Close with the goodbye of the protocol."""
        self.close(code, reason)

    def hang_up_at_once(self) -> None:
        """Do not wait for the page's goodbye: it may never say it."""
        if self._frames is not None:
            self._frames.stream.close()

    def bear(self, size: int) -> None:
        """Tell Tornado."""
        if self._frames is not None:
            self._frames.bear(size)


def _command(frame: str | bytes) -> str | None:
    """Return the command id of a frame that may be otherwise wrong, so that its sender learns which one failed."""
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) and _ID.fullmatch(found) else None
