"""What the feeds share that connect to a switchboard by TCP and ask it now and then what it has."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, Protocol, TypeVar

from telephony.sources.feed import FeedCutError, FeedRefusedError, FeedState, HealthBook

if TYPE_CHECKING:
    import ssl
    from collections import Counter
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from telephony.model.facts import Fact
    from telephony.sources.feed import FeedHealth

#: Seconds to connect, and to sign in.
PATIENCE: Final = 5.0
_GOODBYE: Final = 1.0
READ: Final = 65536
#: Seconds between two questions; without a word until the connection is given up.
PING: Final = 10.0
SILENCE: Final = 25.0
#: Seconds between two lists of all channels while all is well: a lost hang-up does not live for ever.
RESYNC: Final = 60.0

Message = TypeVar("Message")


@asynccontextmanager
async def connected(
    address: tuple[str, int], tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, and close whatever happens. Raises FeedCutError when nobody answers in time, OSError."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*address, ssl=tls)
    except TimeoutError:
        raise FeedCutError("no answer") from None
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                await writer.wait_closed()


class Decoder(Protocol[Message]):
    """Bytes in, whole messages out; `rejected` counts what was dropped, by reason."""

    rejected: Counter[str]

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes as they come."""


class MessageStream(ABC, Generic[Message]):
    """One connection: whole messages in, counted. What was read too early stands in `_early`, and is read again."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        decoder: Decoder[Message],
        book: HealthBook,
        silence: float,
    ) -> None:
        self._reader, self._writer = streams
        self._decoder = decoder
        self._book, self._silence = book, silence
        self._early: list[Message] = []

    async def read(self) -> list[Message]:
        """Wait for messages. Raises FeedCutError when the stream ends or nothing comes for too long."""
        if self._early:
            early, self._early = self._early, []
            return early
        try:
            async with asyncio.timeout(self._silence):
                data = await self._reader.read(READ)
        except TimeoutError:
            raise FeedCutError("silent") from None
        if not data:
            raise FeedCutError("ended")
        return self._taken(data)

    def _taken(self, data: bytes) -> list[Message]:
        messages = self._decoder.feed(data)
        self._book.drain(self._decoder.rejected)
        if messages:
            self._book.heard(len(messages))
        return messages

    @abstractmethod
    async def introduced(self) -> None:
        """Wait until the switchboard has told its version, or will not."""

    def _refuse(self, reason: str) -> NoReturn:
        self._book.reject(reason)
        raise FeedRefusedError(reason)


Connection = TypeVar("Connection", bound=MessageStream[Any])


class AskingFeed(ABC, Generic[Connection]):
    """A feed that signs in, listens, and asks: for all channels every `resync` seconds, for a sign of life between."""

    def __init__(
        self, name: str, *, clock: Callable[[], datetime], resync: float, silence: float
    ) -> None:
        self.name = name
        self._clock = clock
        self._resync, self._silence = resync, silence
        self._book = HealthBook(name, clock=clock)

    def health(self) -> FeedHealth:
        """Tell how the feed fares: `connected` once signed in."""
        return self._book.read()

    async def run(self, emit: Callable[[Fact], None]) -> None:
        """Stay connected until cancelled."""
        self._book.state(FeedState.STARTING)
        try:
            async with self._signed_in() as connection:
                await self._listen(connection, emit)
        finally:
            self._book.state(FeedState.DOWN)

    async def probe(self) -> str:
        """Sign in and leave; tell what the switchboard says it is. Raises what `run` raises."""
        async with self._signed_in() as connection:
            await connection.introduced()
            return self._book.read().switchboard

    @abstractmethod
    def _signed_in(self) -> AbstractAsyncContextManager[Connection]:
        """Connect and sign in; close in the end."""

    @abstractmethod
    async def _listen(self, connection: Connection, emit: Callable[[Fact], None]) -> None:
        """Report facts until the connection is over."""

    async def _keep_asking(self, look: Callable[[], bool], ping: Callable[[], None]) -> None:
        """Ask for all channels when it is time, unless `look` says not yet; else for a sign of life."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if loop.time() >= due and look():
                due = loop.time() + self._resync
            else:
                ping()
            await asyncio.sleep(min(PING, self._resync, self._silence / 2))
