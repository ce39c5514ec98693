"""The switchboard's own word: events of a FreeSWITCH's event socket, right again after every cut.

One TCP connection; the event socket knows no TLS, so it belongs on the telephony network. After each connection,
and now and then, every channel is asked about by name: what answers is certain again, what does not exist has
ended, uncertainly. A connection that says nothing, not even when asked, is given up; the runner makes another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from telephony.model.facts import HungUp
from telephony.sources.esl.codec import (
    EVENT,
    EslDecoder,
    EslMessage,
    channels,
    dumped,
    freeswitch_version,
)
from telephony.sources.esl.facts import CONFERENCE, EVENTS, EslFactReader
from telephony.sources.feed import FeedCutError, FeedState, HealthBook, room, utc_now
from telephony.sources.tcp import PATIENCE, RESYNC, SILENCE, AskingFeed, MessageStream, connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence
    from datetime import datetime

    from telephony.model.facts import Fact

PORT: Final = 8021
#: Questions under way at once, and channels asked about in one look.
_AT_ONCE: Final = 16
_MOST: Final = 5000
_GONE: Final = "no such channel"
_LIST, _PING, _VERSION = "list", "ping", "version"


class EslFeed(AskingFeed["_Connection"]):
    """Reports the facts of one FreeSWITCH. `live` names the legs of this feed the product believes alive.

    `run` raises FeedRefusedError (password, access list, another service), FeedCutError (silence, end of stream),
    OSError; the runner starts it again. Needs `event_socket.conf.xml` to listen where this server may connect.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        password: str,
        *,
        stations: Collection[str] = (),
        private_headers: Sequence[str] = ("X-Line15-Call-ID",),
        emergency: str = "",
        live: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], datetime] = utc_now,
        resync: float = RESYNC,
        silence: float = SILENCE,
    ) -> None:
        super().__init__(name, clock=clock, resync=resync, silence=silence)
        self._address = (host, port)
        self._password = password
        self._live = live
        self._observer = EslFactReader(
            name, stations, private_headers=private_headers, emergency=emergency
        )

    @asynccontextmanager
    async def _signed_in(self) -> AsyncIterator[_Connection]:
        async with connected(self._address) as streams:
            connection = _Connection(streams, EslDecoder(), self._book, self._silence)
            await connection.sign_in(self._password)
            yield connection

    async def _listen(self, connection: _Connection, emit: Callable[[Fact], None]) -> None:
        talk = _Conversation(self._observer, connection, self._book, self._live, self._clock)
        asking = asyncio.create_task(self._ask(talk))  # noqa: TID251 -- telephony stands alone
        clock = asyncio.get_running_loop().time
        try:
            while True:
                # The switchboard keeps what comes meanwhile; one that has no more room for it cuts us, which is a gap.
                begun = clock()
                await room(emit)
                talk.excuse(clock() - begun)
                messages = await connection.read()
                if asking.done():
                    asking.result()  # it failed, and so does the feed: it must not go on without asking
                for message in messages:
                    skewed = self._observer.skewed
                    for fact in talk.take(message):
                        emit(fact)
                    if self._observer.skewed > skewed:
                        self._book.reject("clock_skew")
                self._book.lag(self._observer.skew)
                if talk.unanswered() > self._silence:
                    raise FeedCutError("unanswered")
        finally:
            asking.cancel()

    async def _ask(self, talk: _Conversation) -> None:
        talk.introduce()
        await self._keep_asking(talk.look, talk.ping)


class _Connection(MessageStream[EslMessage]):
    """One socket: whole messages in, commands out."""

    _spoken_to = False

    def send(self, command: str) -> None:
        """Send a command; nothing in it may break a line."""
        if "\n" not in command and "\r" not in command:
            self._writer.write(f"{command}\n\n".encode())

    def _taken(self, data: bytes) -> list[EslMessage]:
        self._spoken_to = True
        return super()._taken(data)

    async def sign_in(self, password: str) -> None:
        """Give the password, subscribe. Raises FeedRefusedError when the switchboard says no, or is none."""
        await self._greeting()
        try:
            async with asyncio.timeout(PATIENCE):
                self.send(f"auth {password}")
                if not (await self._next("command/reply")).reply.startswith("+OK"):
                    self._refuse("login")
                self.send(f"event plain {' '.join(EVENTS)} CUSTOM {CONFERENCE}")
                if not (await self._next("command/reply")).reply.startswith("+OK"):
                    self._refuse("events")
        except TimeoutError:
            raise FeedCutError("no answer") from None
        self._book.state(FeedState.CONNECTED)

    async def _greeting(self) -> None:
        """Wait to be asked for the password; who says anything else first is no event socket."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._next("auth/request")
        except (TimeoutError, FeedCutError) as error:
            if self._spoken_to:
                self._refuse("not_esl")
            if isinstance(error, FeedCutError):
                raise
            raise FeedCutError("no answer") from None

    async def introduced(self) -> None:
        """Wait for the version of the switchboard; one that keeps it to itself is none the worse."""
        self.send("api version")
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                self.describe(await self._next("api/response"))

    def describe(self, answer: EslMessage) -> None:
        """Note the version an answer tells."""
        if (version := freeswitch_version(answer.body)) is not None:
            self._book.switchboard(f"FreeSWITCH {version}")

    async def _next(self, kind: str) -> EslMessage:
        """Wait for one kind of message; what comes after it is kept for later."""
        while True:
            messages = await self.read()
            for index, message in enumerate(messages):
                if message.kind == "text/rude-rejection":
                    self._refuse("acl")
                if message.kind == kind:
                    self._early = messages[index + 1 :]
                    return message


class _Conversation:
    """What was asked of the switchboard, and what its answers mean; it answers in the order of the questions."""

    def __init__(
        self,
        observer: EslFactReader,
        connection: _Connection,
        book: HealthBook,
        live: Callable[[], Collection[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._observer, self._connection, self._book = observer, connection, book
        self._live, self._clock = live, clock
        self._asked: deque[str] = deque()
        self._waiting: deque[str] = deque()
        self._looking = False
        self._progress = 0.0

    def unanswered(self) -> float:
        """Tell for how many seconds the oldest question has had no answer."""
        return asyncio.get_running_loop().time() - self._progress if self._asked else 0.0

    def excuse(self, seconds: float) -> None:
        """Count as no silence a time in which nobody looked whether an answer had come."""
        self._progress = min(self._progress + seconds, asyncio.get_running_loop().time())

    def introduce(self) -> None:
        """Ask the switchboard for its version."""
        self._ask(_VERSION, "version")

    def look(self) -> bool:
        """Begin to ask about all channels, unless that is still under way."""
        if self._looking:
            return False
        self._looking = True
        self._ask(_LIST, "show channels as json")
        return True

    def ping(self) -> None:
        """Ask for a sign of life, unless an answer is awaited anyhow."""
        if not self._asked:
            self._ask(_PING, "status")

    def take(self, message: EslMessage) -> list[Fact]:
        """Tell what one message means."""
        now = self._clock()
        if message.kind == EVENT:
            return self._observer.observe(message, now)
        if message.kind == "text/disconnect-notice":
            raise FeedCutError("disconnected")
        if message.kind not in {"api/response", "command/reply"} or not self._asked:
            return []
        asked = self._asked.popleft()
        self._progress = asyncio.get_running_loop().time()
        if message.kind == "command/reply":
            self._book.reject("denied")
        if asked == _VERSION:
            self._connection.describe(message)
        if asked in {_PING, _VERSION}:
            return []
        return self._listed(message) if asked == _LIST else self._described(asked, message, now)

    def _ask(self, what: str, command: str) -> None:
        if not self._asked:
            self._progress = asyncio.get_running_loop().time()
        self._asked.append(what)
        self._connection.send(f"api {command}")

    def _listed(self, message: EslMessage) -> list[Fact]:
        """Ask about each channel that is listed, that was heard of, or that the product remembers."""
        listed = channels(message.body)
        if listed is None:  # without a list nobody is gone, and nobody is certain
            self._book.reject("list")
            self._looking = False
            return []
        prefix = self._observer.leg("")
        believed = {leg.removeprefix(prefix) for leg in self._live() if leg.startswith(prefix)}
        every = dict.fromkeys((*listed, *sorted(self._observer.channels | believed)))
        self._waiting.extend(uuid for uuid in list(every)[:_MOST] if _plain(uuid))
        self._go_on()
        return []

    def _go_on(self) -> None:
        while self._waiting and len(self._asked) < _AT_ONCE:
            uuid = self._waiting.popleft()
            self._ask(f"uuid {uuid}", f"uuid_dump {uuid} json")
        if not self._waiting and not any(each.startswith("uuid ") for each in self._asked):
            self._looking = False
            self._book.resynced()

    def _described(self, asked: str, message: EslMessage, now: datetime) -> list[Fact]:
        """Take in a channel that is there; end one that is not, whose end nobody told."""
        uuid = asked.removeprefix("uuid ")
        facts: list[Fact] = []
        if (told := dumped(message.body)) is not None:
            facts = self._observer.present(told, now)
        elif _GONE in message.body.lower():
            known = uuid in self._observer.channels
            facts = self._observer.absent({uuid}, now)
            leg = self._observer.leg(uuid)
            if not known and leg in self._live():
                why = "gone while unheard"
                facts = [HungUp(leg, now, self._observer.source, why, certain=False)]
        else:
            self._book.reject("description")
        self._go_on()
        return facts


def _plain(uuid: str) -> bool:
    """Whether a name can stand in a command without changing it."""
    return len(uuid) <= 64 and all(char.isalnum() or char in "-_." for char in uuid)  # noqa: PLR2004 -- a uuid has 36
