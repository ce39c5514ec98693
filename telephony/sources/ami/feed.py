"""The switchboard's own word: events of an Asterisk's manager interface, right again after every cut.

One TCP connection, TLS when asked for. The secret never travels in clear (MD5 challenge). After each
connection the list of channels is asked for: what is there is certain again, what is gone has ended,
uncertainly. A connection that says nothing, not even to a ping, is given up; the runner makes another.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import ssl
from collections import OrderedDict
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from telephony.model.facts import HungUp, Rang
from telephony.sources.ami.codec import MAX_LINE, AmiDecoder, AmiMessage, greeted, too_old
from telephony.sources.ami.facts import AmiFactReader
from telephony.sources.feed import FeedCutError, FeedState, room, utc_now
from telephony.sources.tcp import (
    PATIENCE,
    READ,
    RESYNC,
    SILENCE,
    AskingFeed,
    MessageStream,
    connected,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from datetime import datetime

    from telephony.model.facts import Fact

PORT: Final = 5038
_QUESTIONS: Final = 1000
_SETTINGS: Final = "settings"


class AmiFeed(AskingFeed["_Connection"]):
    """Reports the facts of one Asterisk. `live` names the legs of this feed the product believes alive.

    `run` raises FeedRefusedError (login; ami_version: older than what is followed; not_ami: another service),
    FeedCutError (silence, end of stream), OSError; the runner starts it again. Needs `read = call,dialplan` and
    `write = call,reporting` in manager.conf.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        tls: ssl.SSLContext | None = None,
        stations: Collection[str] = (),
        sip_call_id: str = "SIPCALLID",
        emergency: str = "EMERGENCYCALLID",
        live: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], datetime] = utc_now,
        resync: float = RESYNC,
        silence: float = SILENCE,
    ) -> None:
        super().__init__(name, clock=clock, resync=resync, silence=silence)
        self._address = (host, port)
        self._username, self._secret = username, secret
        self._tls = tls
        self._live = live
        self._observer = AmiFactReader(name, stations, sip_call_id=sip_call_id, emergency=emergency)

    @asynccontextmanager
    async def _signed_in(self) -> AsyncIterator[_Connection]:
        async with connected(self._address, self._tls) as streams:
            connection = _Connection(streams, AmiDecoder(), self._book, self._silence)
            await connection.sign_in(self._username, self._secret)
            yield connection

    async def _listen(self, connection: _Connection, emit: Callable[[Fact], None]) -> None:
        conversation = _Conversation(self._observer, connection, self._live, self._clock)
        asking = asyncio.create_task(self._ask(connection))  # noqa: TID251 -- telephony stands alone
        try:
            while True:
                # The switchboard keeps what comes meanwhile; one that has no more room for it cuts us, which is a gap.
                await room(emit)
                messages = await connection.read()
                if asking.done():
                    asking.result()  # it failed, and so does the feed: it must not go on without asking
                for message in messages:
                    for fact in conversation.take(message):
                        emit(fact)
                self._book.drain(self._observer.rejected)
                self._book.lag(self._observer.skew)
                if conversation.resynced:
                    conversation.resynced = False
                    self._book.resynced()
        finally:
            asking.cancel()

    async def _ask(self, connection: _Connection) -> None:
        connection.ask_settings()
        await self._keep_asking(connection.ask_channels, connection.ping)


class _Connection(MessageStream[AmiMessage]):
    """One socket: whole messages in, actions out."""

    _interface = ""

    def send(self, **fields: str) -> None:
        """Send an action; nothing in it may break a line."""
        lines = [f"{key}: {value}" for key, value in fields.items()]
        if not any("\n" in line or "\r" in line for line in lines):
            self._writer.write("\r\n".join([*lines, "", ""]).encode())

    async def sign_in(self, username: str, secret: str) -> None:
        """Log in by challenge. Raises FeedRefusedError when the switchboard says no, or is none we can follow."""
        self.send(Action="Challenge", AuthType="MD5", ActionID="challenge")
        await self._greeting()
        try:
            async with asyncio.timeout(PATIENCE):
                challenge = (await self._response("challenge")).get("Challenge")
                key = hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()
                login = {"Username": username, "Key": key, "Events": "on", "ActionID": "login"}
                self.send(Action="Login", AuthType="MD5", **login)
                answer = await self._response("login")
        except TimeoutError:
            raise FeedCutError("no answer") from None
        if answer.get("Response") != "Success":
            self._refuse("login")
        self._book.state(FeedState.CONNECTED)

    def ask_channels(self) -> bool:
        """Ask for the list of channels; the switchboard can be asked at any time."""
        self.send(Action="CoreShowChannels", ActionID="channels")
        return True

    def ping(self) -> None:
        """Ask for a sign of life."""
        self.send(Action="Ping", ActionID="ping")

    def ask_settings(self) -> None:
        """Ask for the version of the switchboard, beside that of its interface."""
        self.send(Action="CoreSettings", ActionID=_SETTINGS)

    async def introduced(self) -> None:
        """Wait for the version of the switchboard; one that keeps it to itself is known by its interface's."""
        self.ask_settings()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                self.describe(await self._response(_SETTINGS))

    def describe(self, settings: AmiMessage) -> None:
        """Note the version an answer tells; an account without `reporting` or `system` is told none."""
        version = settings.get("AsteriskVersion")
        if version:
            self._book.switchboard(f"Asterisk {version}, {self._interface}")

    async def _greeting(self) -> None:
        """Read the first line, which says what answers here, in which version.

        Raises FeedRefusedError when it cannot be followed, FeedCutError when nothing comes.
        """
        data = b""
        try:
            async with asyncio.timeout(PATIENCE):
                while b"\n" not in data and len(data) <= MAX_LINE:
                    more = await self._reader.read(READ)
                    if not more:
                        break
                    data += more
        except TimeoutError:
            if not data:
                raise FeedCutError("no answer") from None
        if not data:
            raise FeedCutError("ended")
        line, end, _ = data.partition(b"\n")
        version = greeted(line.decode("utf-8", "replace")) if end else None
        if version is None:
            self._refuse("not_ami")
        self._interface = f"AMI {version or '?'}"
        self._book.switchboard(self._interface)
        if too_old(version):
            self._refuse("ami_version")
        self._early = self._taken(data)

    async def _response(self, action: str) -> AmiMessage:
        """Wait for the response to an action; events that come meanwhile are kept for later."""
        kept: list[AmiMessage] = []
        while True:
            messages = await self.read()
            for index, message in enumerate(messages):
                if "response" in message.fields and message.get("ActionID") in {action, ""}:
                    self._early = [*kept, *messages[:index], *messages[index + 1 :]]
                    return message
            kept += messages


class _Conversation:
    """What was asked of the switchboard, and what its answers mean."""

    def __init__(
        self,
        observer: AmiFactReader,
        connection: _Connection,
        live: Callable[[], Collection[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._observer, self._connection = observer, connection
        self._live, self._clock = live, clock
        self._questions: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._numbers = itertools.count(1)
        self._known: set[str] = set(observer.channels)
        self._believed: set[str] = set(live())
        self._listed: set[str] = set()
        self.resynced = False

    def take(self, message: AmiMessage) -> list[Fact]:
        """Tell what one message means."""
        now = self._clock()
        match message.event:
            case "CoreShowChannel" if message.get("ActionID") == "channels":
                self._listed.add(message.get("Uniqueid"))
                facts = self._observer.present(message, now)
                self._inquire(message.get("Uniqueid"))
                # When it began is known better than the list can tell, in whole seconds.
                return [
                    replace(f, at=now) if isinstance(f, Rang) and f.leg in self._believed else f
                    for f in facts
                ]
            case "CoreShowChannelsComplete" if message.get("ActionID") == "channels":
                return self._compare(now)
            case "":
                return self._answered(message, now)
            case _:
                facts = self._observer.observe(message, now)
                if message.event in {"Newchannel", "Newstate", "MixMonitorStart"}:
                    self._inquire(message.get("Uniqueid"))
                return facts

    def _compare(self, now: datetime) -> list[Fact]:
        """End what the switchboard no longer has: of what was known before it was asked."""
        facts = self._observer.absent(self._known - self._listed, now)
        facts += self._observer.listed(now)
        gone = self._believed - self._observer.legs
        facts += [
            HungUp(leg, now, self._observer.source, "gone while unheard", certain=False)
            for leg in sorted(gone)
        ]
        self._known = set(self._observer.channels)
        self._believed = set(self._live())
        self._listed = set()
        self.resynced = True
        return facts

    def _inquire(self, uniqueid: str) -> None:
        for variable in self._observer.questions(uniqueid):
            number = f"ask-{next(self._numbers)}"
            self._questions[number] = (uniqueid, variable)
            if len(self._questions) > _QUESTIONS:
                self._questions.popitem(last=False)
            self._connection.send(
                Action="Getvar",
                Channel=self._observer.channel(uniqueid),
                Variable=variable,
                ActionID=number,
            )

    def _answered(self, message: AmiMessage, now: datetime) -> list[Fact]:
        if message.get("ActionID") == _SETTINGS:
            self._connection.describe(message)
        asked = self._questions.pop(message.get("ActionID"), None)
        if asked is None:
            return []
        return self._observer.variable(*asked, message.get("Value"), now)
