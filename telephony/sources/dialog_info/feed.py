"""Who is on the phone, by subscription: the switchboard's presence server tells the dialogs of each station.

A SIP user agent that can only subscribe: it is never called and takes no part in a call. After each
connection every station tells its whole state: what is there is certain again, what is gone has ended,
uncertainly. The stations are asked again in turn, every few seconds; a switchboard that forgot us is
subscribed to anew, one that does not answer is given up, and the runner begins again.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from telephony.sip.message import SipDecodeError, parse
from telephony.sources.dialog_info.codec import DialogInfoError, read
from telephony.sources.dialog_info.dialects import Dialect, presumed, product
from telephony.sources.dialog_info.facts import GAP, OLD, DialogFactReader
from telephony.sources.dialog_info.line import tcp, udp
from telephony.sources.dialog_info.subscriber import (
    Account,
    Here,
    Notified,
    SilentError,
    Subscriber,
    SubscriptionRefusedError,
)
from telephony.sources.feed import (
    FeedCutError,
    FeedHealth,
    FeedRefusedError,
    FeedState,
    Gap,
    HealthBook,
    room,
    utc_now,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence
    from datetime import datetime

    from telephony.model.facts import Fact
    from telephony.sources.dialog_info.line import HostPort, SipTransport
    from telephony.sources.feed import Emit

__all__ = ["Account", "DialogInfoFeed"]

PORT: Final = 5060
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")
#: Seconds: asked for each subscription; between two questions; until an answer must have come.
EXPIRES: Final = 600
HEARTBEAT: Final = 3.0
PATIENCE: Final = 4.0
#: Seconds given to unsubscribe when the product stops.
_FAREWELL: Final = 1.0
#: How the switchboard uses the documents, as the health page and the doctor say it.
_DIALECTS: Final = {
    Dialect.CALLS: "dialogues par Call-ID",
    Dialect.EXTENSION: "un état par poste",
    Dialect.EVENTS: "un dialogue par document",
}


class DialogInfoFeed:
    """Reports the dialogs of `stations`, watched at one presence server with one account.

    `transport` is udp or tcp. `bind` is our address and UDP port: an empty host takes the one that leads
    there, port 0 any. `allow` lists the networks heard over UDP. `live` names the legs of this feed the
    product believes alive. `run` raises FeedRefusedError (login, auth_unsupported, status_…,
    no_stations), FeedCutError (no_answer, no_notify, end of stream) and OSError.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        account: Account,
        *,
        stations: Collection[str],
        transport: str = "udp",
        bind: tuple[str, int] = ("", 0),
        allow: Sequence[str] = LOOPBACK,
        live: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], datetime] = utc_now,
        expires: int = EXPIRES,
        heartbeat: float = HEARTBEAT,
        patience: float = PATIENCE,
    ) -> None:
        self.name = name
        self._server = (host, port)
        self._account = account
        self._stations = tuple(dict.fromkeys(stations))
        self._transport, self._bind, self._allow = transport, bind, tuple(allow)
        self._live = live
        self._clock = clock
        self._expires, self._heartbeat, self._patience = expires, heartbeat, patience
        self._observer = DialogFactReader(name, self._stations)
        self._book = HealthBook(name, clock=clock)

    def health(self) -> FeedHealth:
        """Tell how the feed fares: `connected` once every station has told its state."""
        return self._book.read()

    async def run(self, emit: Emit) -> None:
        """Stay subscribed until cancelled."""
        self._book.state(FeedState.STARTING)
        try:
            if not self._stations:
                raise FeedRefusedError("no_stations")
            async with self._connected() as line:
                subscriber = self._subscriber(line, self._stations)
                talk = _Conversation(line, subscriber, self._book)
                try:
                    with self._book.losing(lambda: talk.lost):
                        await self._listen(talk, subscriber, emit)
                except asyncio.CancelledError:
                    await _farewell(talk, subscriber)
                    raise
        finally:
            self._book.state(FeedState.DOWN)

    async def probe(self) -> str:
        """Ask once for the account's own dialogs; tell what the switchboard says it is. Raises what `run` raises."""
        async with self._connected() as line:
            subscriber = self._subscriber(line, (self._account.username,))
            talk = _Conversation(line, subscriber, self._book)
            subscriber.fetch(talk.now)
            while subscriber.busy:
                for told in await talk.turn():
                    self._told(told, talk, subscriber)
            self._present(subscriber)
            return self._book.read().switchboard

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[SipTransport]:
        if self._transport == "udp":
            async with udp(self._server, self._bind, self._allow, self._book.reject) as line:
                yield line
            return
        opening = tcp(self._server, self._bind, self._book.reject)
        try:
            async with asyncio.timeout(self._patience):
                line = await opening.__aenter__()
        except TimeoutError:
            raise FeedCutError("no_answer") from None
        try:
            yield line
        finally:
            await opening.__aexit__(None, None, None)

    def _subscriber(self, line: SipTransport, stations: Sequence[str]) -> Subscriber:
        return Subscriber(
            self._account,
            stations,
            Here(line.address, self._transport),
            lambda: secrets.token_hex(12),
            expires=self._expires,
            heartbeat=self._heartbeat,
            patience=self._patience,
        )

    async def _listen(self, talk: _Conversation, subscriber: Subscriber, emit: Emit) -> None:
        believed: set[str] | None = set(self._live())
        for station in self._stations:
            self._observer.begin(station)
        subscriber.start(talk.now)
        lost = 0
        while True:
            # What comes meanwhile waits in the line; what finds no room there is lost, counted, and a gap.
            begun = talk.now
            await room(emit)
            subscriber.excuse(talk.now - begun)
            for told in await talk.turn():
                for fact in self._told(told, talk, subscriber):
                    emit(fact)
                self._present(subscriber)
                if self._observer.stale <= subscriber.failing:
                    self._book.state(FeedState.CONNECTED)
                    self._book.resynced()
                if believed is not None and not self._observer.stale:
                    for fact in self._observer.absent(believed, self._clock()):
                        emit(fact)
                    believed = None
            known, lost = lost, talk.lost
            if lost != known:
                emit(Gap(self.name))
                for station in self._stations:
                    subscriber.again(station, talk.now)

    def _told(self, told: Notified, talk: _Conversation, subscriber: Subscriber) -> list[Fact]:
        """Tell what one notification means; what cannot be read is counted, and asked for again later."""
        if told.first:
            self._observer.begin(told.station)
        self._observer.presumed = presumed(product(subscriber.product))
        now = self._clock()
        if not told.body:
            return self._observer.nothing(told.station, now)
        try:
            info = read(told.body)
        except DialogInfoError as error:
            self._book.reject(error.reason)
            return []
        facts, wrong = self._observer.observe(told.station, info, now, answers=told.answers)
        if wrong:
            self._book.reject(wrong)
        if not told.answers and (wrong == GAP or told.station in self._observer.unsure):
            subscriber.again(told.station, talk.now)
        elif (
            wrong == OLD
        ):  # notifications come in order: it is the switchboard that counts otherwise
            subscriber.anew(told.station, talk.now)
        return facts

    def _present(self, subscriber: Subscriber) -> None:
        """Say what the switchboard is: its name and version, and how it uses the documents."""
        dialect = self._observer.dialect or presumed(product(subscriber.product))
        said = (product(subscriber.product), _DIALECTS[dialect] if dialect else "")
        self._book.switchboard(" · ".join(each for each in said if each))


class _Conversation:
    """Carries messages between the line and the subscriber, and the time to it."""

    def __init__(self, line: SipTransport, subscriber: Subscriber, book: HealthBook) -> None:
        self._line, self._subscriber, self._book = line, subscriber, book
        self._clock = asyncio.get_running_loop().time

    @property
    def now(self) -> float:
        """Read the clock of timers."""
        return self._clock()

    @property
    def lost(self) -> int:
        """Count the messages lost before they were read."""
        return self._line.lost

    async def turn(self) -> list[Notified]:
        """Do what is due, then wait for messages, or until something is due again."""
        try:
            wait = self._subscriber.tick(self.now)
            self._flush()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    for data, peer in await self._line.receive():
                        self._take(data, peer)
        except SubscriptionRefusedError as error:
            self._book.reject(str(error))
            raise FeedRefusedError(str(error)) from None
        except SilentError as error:
            self._book.reject(str(error))
            raise FeedCutError(str(error)) from None
        return self._subscriber.events()

    def _take(self, data: bytes, peer: HostPort | None) -> None:
        try:
            message = parse(data)
        except SipDecodeError as error:
            self._book.reject(f"sip_{error.reason}")
            return
        self._book.heard(1)
        self._subscriber.receive(message, self.now)
        for reply in self._subscriber.replies():
            self._line.send(reply, peer)
        self._book.drain(self._subscriber.rejected)
        self._flush()

    def _flush(self) -> None:
        for data in self._subscriber.sending():
            self._line.send(data)


async def _farewell(talk: _Conversation, subscriber: Subscriber) -> None:
    """Unsubscribe, so that the switchboard does not go on telling nobody."""
    subscriber.leave(talk.now)
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            while subscriber.busy:
                await talk.turn()
