"""A player of recorded manager streams: signs in, tells the events, answers actions as Asterisk does."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from telephony.sources.ami.codec import AmiDecoder, AmiMessage

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Sequence

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
#: What an event tells of a channel that a list of channels tells again.
_LISTED = (
    *("Channel", "ChannelState", "CallerIDNum", "ConnectedLineNum", "Context", "Exten"),
    *("Uniqueid", "Linkedid"),
)


class AmiServer:
    """Who is connected hears what is played; who is not, does not. `variables` answers Getvar.

    `greeting` is what it says first, `hush` all that it says; `version` is what the account may know of the switchboard
    beside it, if anything.
    """

    def __init__(
        self,
        username: str = "visio15",
        secret: str = "s3cr3t-of-the-pbx",
        *,
        mute: bool = False,
        greeting: bytes = GREETING,
        version: str = "22.10.0",
        hush: bool = False,
    ) -> None:
        self.username, self.secret, self.mute = username, secret, mute
        self.greeting, self.version, self.hush = greeting, version, hush
        self.variables: dict[tuple[str, str], str] = {}
        self.port = 0
        self.logins = 0
        self.actions: list[str] = []
        self.before_list: Callable[[], None] = lambda: None
        self._writers: set[asyncio.StreamWriter] = set()
        self._channels: dict[str, dict[str, str]] = {}

    def play(self, messages: Sequence[AmiMessage]) -> None:
        """Let these events happen."""
        for message in messages:
            if message.event:
                self._happen(message)
                for writer in self._writers:
                    writer.write(written(message))

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        for writer in self._writers:
            writer.write(data)

    def cut(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def _happen(self, message: AmiMessage) -> None:
        """Keep what a list of channels would say."""
        uniqueid = message.get("Uniqueid")
        match message.event:
            case "Newchannel" | "Newstate" | "NewConnectedLine":
                mine = self._channels.setdefault(uniqueid, {"BridgeId": ""})
                mine |= {key: message.get(key) for key in _LISTED}
            case "BridgeEnter" if uniqueid in self._channels:
                self._channels[uniqueid]["BridgeId"] = message.get("BridgeUniqueid")
            case "BridgeLeave" if uniqueid in self._channels:
                self._channels[uniqueid]["BridgeId"] = ""
            case "Hangup":
                self._channels.pop(uniqueid, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder, challenge, inside = AmiDecoder(), "271828182", False
        writer.write(self.greeting)
        try:
            while True:
                (action,) = decoder.feed(b"Event: Action\r\n" + await reader.readuntil(b"\r\n\r\n"))
                self.actions.append(action.get("Action"))
                if self.hush:
                    continue
                if action.get("Action") == "Challenge":
                    self._say(writer, action, Response="Success", Challenge=challenge)
                elif action.get("Action") == "Login":
                    inside = self._login(writer, action, challenge)
                elif inside and not self.mute:
                    self._answer(writer, action)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _login(self, writer: asyncio.StreamWriter, action: AmiMessage, challenge: str) -> bool:
        key = hashlib.md5((challenge + self.secret).encode(), usedforsecurity=False).hexdigest()
        if (action.get("Username"), action.get("Key")) != (self.username, key):
            self._say(writer, action, Response="Error", Message="Authentication failed")
            return False
        self._say(writer, action, Response="Success", Message="Authentication accepted")
        self.logins += 1
        self._writers.add(writer)
        return True

    def _answer(self, writer: asyncio.StreamWriter, action: AmiMessage) -> None:
        match action.get("Action"):
            case "Ping":
                self._say(writer, action, Response="Success", Ping="Pong")
            case "CoreSettings" if self.version:
                told = {"AMIversion": "11.0.0", "AsteriskVersion": self.version}
                self._say(writer, action, Response="Success", **told)
            case "CoreSettings":
                self._say(writer, action, Response="Error", Message="Permission denied")
            case "CoreShowChannels":
                self.before_list()
                self._say(writer, action, Response="Success", EventList="start")
                for channel in self.listed(action.get("ActionID")):
                    writer.write(written(channel))
                count = str(len(self._channels))
                self._say(writer, action, Event="CoreShowChannelsComplete", ListItems=count)
            case "Getvar":
                name = (action.get("Channel"), action.get("Variable"))
                value = self.variables.get(name, "")
                self._say(writer, action, Response="Success", Variable=name[1], Value=value)

    def listed(self, action: str) -> list[AmiMessage]:
        """Tell of every channel that is there."""
        more = {"Duration": "00:00:02", "ActionID": action}
        told = [{"Event": "CoreShowChannel", **each, **more} for each in self._channels.values()]
        return [AmiMessage({k.lower(): (v,) for k, v in each.items()}) for each in told]

    @staticmethod
    def _say(writer: asyncio.StreamWriter, action: AmiMessage, **fields: str) -> None:
        fields |= {"ActionID": action.get("ActionID")}
        writer.write("".join(f"{k}: {v}\r\n" for k, v in fields.items()).encode() + b"\r\n")


def written(message: AmiMessage) -> bytes:
    lines = [f"{key}: {value}\r\n" for key, values in message.fields.items() for value in values]
    return "".join([*lines, "\r\n"]).encode()


@asynccontextmanager
async def serving(server: AmiServer, tls: ssl.SSLContext | None = None) -> AsyncIterator[AmiServer]:
    listener = await asyncio.start_server(server._serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        server.cut()
